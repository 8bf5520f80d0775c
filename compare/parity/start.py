"""The initial weights of a comparison."""

import numpy as np

from shared import randomness
from shared.choices import Dtype
from shared.models import ModelSpec, ParamSpec
from shared.weights import Weights, initial_weights


def stirred(model: ModelSpec, seed: int) -> Weights:
    """Return float32 initial weights in which no two values of a tensor are equal.

    A bias of 0 and a scale of 1 hide whether they are used at all, and moving statistics of 0 and 1 whether they are in
    their places. Kernels therefore have their initial values, variances and scales are between 0.5 and 1.5, and
    everything else is between -0.1 and 0.1.
    """
    weights = initial_weights(model, seed)
    return weights | {p.name: _stirred(p, seed) for p in model.parameters if not p.is_kernel}


def large(model: ModelSpec, seed: int) -> Weights:
    """Return stirred weights with the first kernel 30 times and the last one 10 times as large. Activations go far
    beyond 1 and probabilities get near 0 and 1, where clipping shows."""
    weights = stirred(model, seed)
    kernels = [parameter.name for parameter in model.parameters if parameter.is_kernel]
    return weights | {kernels[0]: 30 * weights[kernels[0]]} | {kernels[-1]: 10 * weights[kernels[-1]]}


def _stirred(parameter: ParamSpec, seed: int) -> np.ndarray:
    unit = randomness.uniform(int(np.prod(parameter.shape)), "stirred", seed, parameter.name)
    value = 0.5 + unit if parameter.init == "ones" else 0.2 * unit - 0.1
    return value.astype(np.float32).reshape(parameter.shape)


def nudge(weights: Weights, dtype: Dtype, seed: int, draw: int, ulps: int = 1) -> Weights:
    """Return `weights` as `dtype`, with every value moved by `ulps` ulp, up or down at random, except zeros.

    A zero stays: with a bias of 0 and a uniform background of 0, ReLU is on its kink. The smallest number would turn
    whole channels on, which is another network and not rounding.
    """
    result: Weights = {}
    for name, value in weights.items():
        up = randomness.uniform(value.size, "ulp", seed, draw, name).reshape(value.shape) < 0.5
        exact = moved = value.astype(dtype)
        for _ in range(ulps):
            moved = np.nextafter(moved, np.where(up, np.inf, -np.inf).astype(dtype))
        result[name] = np.where(exact == 0, exact, moved)
    return result
