"""The reference of the tests, which shares no code with the tested code."""

from compare.conformance.reference import LAYERS, Arrays, Backward, Network
from compare.conformance.steps import AdamSteps, MomentumSteps

__all__ = ["LAYERS", "AdamSteps", "Arrays", "Backward", "MomentumSteps", "Network"]
