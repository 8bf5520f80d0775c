"""What the conformance tests compare."""

from compare.conformance.tracing import Trace, Tracer, Weights

__all__ = ["Trace", "Tracer", "Weights"]
