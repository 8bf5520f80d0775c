"""The networks in Keras, on TensorFlow."""

from tf_impl.export import EXPORTERS as exporters
from tf_impl.idiomatic import IDIOM as idiom
from tf_impl.ledger import LEDGER as ledger
from tf_impl.limits import matrix_product, memory_copy
from tf_impl.train import create, fit, framework

__all__ = ["create", "exporters", "fit", "framework", "idiom", "ledger", "matrix_product", "memory_copy"]
