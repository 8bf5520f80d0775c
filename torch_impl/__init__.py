"""The networks in PyTorch."""

from shared.lean import imports_plainly
from torch_impl.serve import framework, serve

if not imports_plainly():
    from torch_impl.create import create, fit, framework
    from torch_impl.export import EXPORTERS as exporters
    from torch_impl.idiomatic import IDIOM as idiom
    from torch_impl.ledger import LEDGER as ledger
    from torch_impl.limits import matrix_product, memory_copy
    from torch_impl.own import describe
    from torch_impl.products import product_alone

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
