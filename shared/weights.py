"""Canonical weights: NumPy arrays by parameter name, the same for every implementation.

Names and layouts are those of shared/models.py. On disk they are safetensors files, which any framework can read.
"""

import json
import math
from collections.abc import Mapping

import numpy as np

from shared import randomness
from shared.models import ModelSpec, ParamSpec

Weights = dict[str, np.ndarray]


def initial_weights(model: ModelSpec, seed: int) -> Weights:
    """Return the initial values of every parameter of `model`, determined by `seed` and the parameter's name.

    They are float32 in any run, which lets a float64 run start from exactly the same numbers.
    """
    return {p.name: _initial_value(p, seed) for p in model.parameters}


def _initial_value(parameter: ParamSpec, seed: int) -> np.ndarray:
    if parameter.init != "glorot_uniform":
        return np.full(parameter.shape, 0 if parameter.init == "zeros" else 1, np.float32)
    limit = math.sqrt(6 / sum(_fans(parameter.shape)))
    unit = randomness.uniform(math.prod(parameter.shape), "weights", seed, parameter.name)
    return ((2 * unit - 1) * limit).astype(np.float32).reshape(parameter.shape)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan-in and fan-out of a kernel, (..., in, out); the receptive field counts in both."""
    *field, n_in, n_out = shape
    return math.prod(field) * n_in, math.prod(field) * n_out


def check_weights(model: ModelSpec, weights: Mapping[str, np.ndarray]) -> None:
    """Raise a ValueError unless `weights` has exactly the parameters of `model`, in its shapes, as finite floating
    numbers of 32 or 64 bits."""
    expected = {p.name: p.shape for p in model.parameters}
    if missing := expected.keys() - weights.keys():
        raise ValueError(f"{model.name}: no values for {', '.join(sorted(missing))}")
    if unknown := weights.keys() - expected.keys():
        raise ValueError(f"{model.name}: it has no parameter {', '.join(sorted(unknown))}")
    for name, shape in expected.items():
        if weights[name].shape != shape:
            raise ValueError(f"{model.name}: {name} is {weights[name].shape}, not {shape}")
        if weights[name].dtype not in (np.float32, np.float64):
            raise ValueError(f"{model.name}: {name} is of type {weights[name].dtype}, not float32 or float64")
        if not np.isfinite(weights[name]).all():
            raise ValueError(f"{model.name}: {name} holds NaN or infinite values")


def to_safetensors(weights: Weights, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a safetensors file with `weights` and, in its header, `metadata` as one JSON object under
    the key `compare`. With several keys, the library writes another order each time, and the bytes of the same weights
    would differ."""
    from safetensors.numpy import save

    return save({k: np.ascontiguousarray(v) for k, v in weights.items()}, {"compare": json.dumps(metadata)})


def from_safetensors(content: bytes) -> Weights:
    """Return the arrays in a safetensors file's content. Raises a ValueError unless NumPy has such arrays."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(content)
    except SafetensorError as error:
        raise ValueError(f"it is not a safetensors file: {error}") from None
    except KeyError as error:
        raise ValueError(f"it holds numbers of the type {error.args[0]}, which NumPy does not have") from None
