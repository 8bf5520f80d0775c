"""The networks in PyTorch."""

from torch_impl.train import create, framework

__all__ = ["create", "framework"]
