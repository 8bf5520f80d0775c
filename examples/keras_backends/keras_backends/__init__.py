"""The networks of tf_impl/models.py on Keras's other backends. Each worker imports `on_torch` or `on_jax`."""
