"""The networks of tf_impl/models.py under Keras's other backends: `on_torch` and `on_jax`, one for each worker."""
