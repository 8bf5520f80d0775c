"""The reference of the tests: the networks of examples/numpy_impl, which share no code with what is tested."""

from numpy_impl.networks import LAYERS, AdamSteps, Arrays, Backward, MomentumSteps, Network

__all__ = ["LAYERS", "AdamSteps", "Arrays", "Backward", "MomentumSteps", "Network"]
