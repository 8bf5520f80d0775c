"""The networks on TensorFlow's own operations and variables, with nothing from Keras."""

from tf_lowlevel_impl.train import create, framework

__all__ = ["create", "framework"]
