"""The networks in Keras, on TensorFlow.

On Keras's other backends only the modules without TensorFlow work: `models`, `layers`, `optimizers`, `weights` and
`idiomatic` (examples/keras_backends).
"""

import os

# A process uses one framework. The harness sets this variable for every worker, and Keras reads it too.
if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    from shared.lean import imports_plainly, lean_import

    with lean_import():
        import tensorflow as _  # noqa: F401  imported first, and Keras with it

    from tf_impl.serve import framework, serve

    if not imports_plainly():
        from tf_impl.create import create, fit, framework
        from tf_impl.export import EXPORTERS as exporters
        from tf_impl.idiomatic import IDIOM as idiom
        from tf_impl.ledger import LEDGER as ledger
        from tf_impl.own import describe
        from tf_lowlevel_impl.limits import matrix_product, memory_copy
        from tf_lowlevel_impl.products import product_alone

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
