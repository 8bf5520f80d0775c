"""The networks in PyTorch."""

from torch_impl.create import create, fit, framework
from torch_impl.export import EXPORTERS as exporters
from torch_impl.idiomatic import IDIOM as idiom
from torch_impl.ledger import LEDGER as ledger
from torch_impl.limits import matrix_product, memory_copy
from torch_impl.own import describe
from torch_impl.products import product_alone
from torch_impl.serve import serve

__all__ = [
    "create",
    "describe",
    "exporters",
    "fit",
    "framework",
    "idiom",
    "ledger",
    "matrix_product",
    "memory_copy",
    "product_alone",
    "serve",
]
