"""The networks on TensorFlow's own operations and variables, with nothing from Keras."""

from shared.lean import imports_plainly, lean_import

with lean_import("keras"):
    import tensorflow

from tf_lowlevel_impl.serve import framework, serve

if not imports_plainly():
    from tf_lowlevel_impl.create import create, fit, framework
    from tf_lowlevel_impl.export import EXPORTERS as exporters
    from tf_lowlevel_impl.idiomatic import IDIOM as idiom
    from tf_lowlevel_impl.ledger import LEDGER as ledger
    from tf_lowlevel_impl.limits import matrix_product, memory_copy
    from tf_lowlevel_impl.own import describe
    from tf_lowlevel_impl.products import product_alone

tensorflow.__path__[:] = [folder for folder in tensorflow.__path__ if folder]  # drops the empty entry for Keras

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
