"""The networks in Keras, on TensorFlow."""

from tf_impl.train import create, framework

__all__ = ["create", "framework"]
