"""Keras's activation functions as canonical nodes, by the function's name and its parameters."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from compare.adapters.shortest import shortest
from compare.graphs.node import Attribute

Kind = tuple[str, dict[str, Attribute]]

_PLAIN = {
    "selu": "Selu",
    "softsign": "Softsign",
    "silu": "Swish",
    "tanh": "Tanh",
    "tanh_shrink": "Tanhshrink",
    "sigmoid": "Sigmoid",
    "exponential": "Exp",
    "exp": "Exp",
    "hard_silu": "HardSwish",
    "mish": "Mish",
    "log_sigmoid": "LogSigmoid",
}
_OWN = ("sparse_plus", "sparse_sigmoid", "squareplus", "sparsemax")
_MODULES = ("keras.src.activations", "keras.src.ops", "keras.src.backend.tensorflow")


def kind_of(name: str, parameters: Mapping[str, Any]) -> Kind | None:
    """Return the kind and attributes of the activation function with Keras's name `name`; None if there is none."""
    if name in _PLAIN:
        return _PLAIN[name], {}
    if name == "relu":
        return _relu(parameters)
    if name in ("relu6", "hard_tanh"):
        return "Clip", {"min": 0.0, "max": 6.0} if name == "relu6" else {"min": -1.0, "max": 1.0}
    if name == "leaky_relu":
        return "LeakyRelu", {"alpha": shortest(parameters["negative_slope"])}
    if name in ("elu", "celu"):
        return name.capitalize(), {"alpha": shortest(parameters["alpha"])}
    if name == "softplus":
        return "Softplus", {"beta": 1.0, "threshold": None}
    if name in ("soft_shrink", "hard_shrink"):
        return name.replace("_", "").capitalize(), {"lambd": shortest(parameters["threshold"])}
    if name == "gelu":
        return "Gelu", {"approximate": "tanh" if parameters["approximate"] else "none"}
    if name == "hard_sigmoid":
        return "HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}
    if name == "threshold" and parameters["default_value"] == 0:
        return "ThresholdedRelu", {"alpha": shortest(parameters["threshold"])}
    if name in ("softmax", "log_softmax") and isinstance(parameters["axis"], int):
        return "Softmax" if name == "softmax" else "LogSoftmax", {"axis": parameters["axis"]}
    return (f"keras:{name}", {}) if name in _OWN else None


def kind_of_function(function: Callable[..., Any]) -> Kind | None:
    """Return the kind of one of Keras's own functions, with its defaults; None for any other function."""
    if not getattr(function, "__module__", "").startswith(_MODULES):
        return None
    defaults = {name: each.default for name, each in inspect.signature(function).parameters.items()}
    return kind_of(function.__name__, defaults)


def _relu(parameters: Mapping[str, Any]) -> Kind:
    slope = float(parameters.get("negative_slope") or 0)
    threshold = float(parameters.get("threshold") or 0)
    limit = parameters.get("max_value")
    if threshold and not slope and limit is None:
        return "ThresholdedRelu", {"alpha": shortest(threshold)}
    if threshold or (slope and limit is not None):
        bound = None if limit is None else float(limit)
        more: dict[str, Attribute] = {"negative_slope": slope, "threshold": threshold, "max_value": bound}
        return "keras:ReLU", more
    if limit is not None:
        return "Clip", {"min": 0.0, "max": shortest(limit)}
    return ("LeakyRelu", {"alpha": shortest(slope)}) if slope else ("Relu", {})
