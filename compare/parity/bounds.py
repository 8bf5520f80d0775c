"""Bounds on the distance of a tensor from its expected values."""

from compare.parity import dropout, observation
from compare.parity.envelope import Drift
from compare.parity.ladder import Bound
from shared.choices import Dtype

EXACT = Bound(0.0, "the same numbers")
FAIR = Bound(5.0, "standard deviations")
FLOAT64 = Bound(1e-12, "float64")
# For a forward pass, which is continuous. Measured on all architectures: 2e-7 to 3e-6; weights through float16 give
# 2e-4, TF32 3e-4, bfloat16 2e-3.
FLOAT32 = Bound(2e-5, "float32")
# For an update compared with its own moments: only the last rounding differs.
ROUNDED = Bound(1e-6, "float32, one rounding")
# For everything that a gradient affects. A gradient jumps if rounding takes a value over the kink of a ReLU, or makes
# another pixel the largest of its pool. One such unit of one image moves a tensor by 1e-4 to 1e-2.
JUMP = Bound(2e-2, "a jump of the gradient")
MARGIN = 8.0


def bound(dtype: Dtype, widest: Drift, rung: str, tensor: str) -> Bound:
    """Return the bound of a tensor: by its type and rung, or by the envelope if that is wider."""
    if rung.endswith((observation.PARAMETERS, observation.PARAMETERS_AGAIN)) or rung == dropout.TRAINED:
        return EXACT
    if rung == dropout.DROPPED and not tensor.endswith(dropout.SCALE):
        return FAIR
    if rung.endswith(observation.UPDATE):  # compared with its own moments, it magnifies nothing
        return FLOAT64 if dtype == "float64" else ROUNDED
    if rung == observation.METRICS:
        return FLOAT64  # they are computed in float64 from the network's own logits
    if rung == observation.PREDICTIONS:  # a class may change if two logits are within their bound
        of_logits = bound(dtype, widest, observation.EVALUATION, "logits")
        return Bound(2 * of_logits.value, f"twice that of the logits: {of_logits.reason}")
    known = FLOAT64 if dtype == "float64" else _of_float32(rung)
    drift = widest.get(rung, {}).get(tensor, 0.0)
    if drift <= (FLOAT64.value if dtype == "float64" else known.value / MARGIN):
        return known
    return Bound(MARGIN * drift, f"{MARGIN:g} x the drift of moved weights, {drift:.1e}")


def _of_float32(rung: str) -> Bound:
    forward = rung.removeprefix(observation.LARGE) in (*observation.FORWARD, dropout.IN_EVALUATION, dropout.DROPPED)
    first_losses = rung.endswith(f"step 1: {observation.LOSSES}")
    return FLOAT32 if forward or first_losses else JUMP
