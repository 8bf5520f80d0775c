"""The networks: those of the reference that conformance tests compare every implementation with.

An implementation of your own has them here, in its framework.
"""

from compare.conformance.reference import LAYERS, Arrays, Backward, Network
from compare.conformance.steps import AdamSteps, MomentumSteps, trainable

__all__ = ["LAYERS", "AdamSteps", "Arrays", "Backward", "MomentumSteps", "Network", "trainable"]
