"""The networks: the conformance tests' own reference, with which they compare every implementation.

Your own implementation would define them here in its framework.
"""

from compare.conformance.reference import LAYERS, Arrays, Backward, Network
from compare.conformance.steps import AdamSteps, MomentumSteps, trainable

__all__ = ["LAYERS", "AdamSteps", "Arrays", "Backward", "MomentumSteps", "Network", "trainable"]
