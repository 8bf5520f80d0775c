"""PyTorch's functions as canonical nodes (docs/port.md): activations, shapes and arithmetic."""

from collections.abc import Callable
from typing import Any

import torch

from compare.adapters.torch_call import Call, Meaning
from compare.adapters.torch_layers import LAYERS
from compare.graphs.node import Attribute


def meaning(call: Call) -> Meaning | None:
    """Return what a call is; None if it has no counterpart in the vocabulary."""
    found = TABLE.get(call.name)
    return found(call) if found else None


def _plain(kind: str, **defaults: Attribute) -> Callable[[Call], Meaning]:
    """Return a reader of an operation on one value whose attributes are parameters, given as "attribute=default"."""

    def read(call: Call) -> Meaning:
        return Meaning(kind, [call.input], {name: call.get(name, value) for name, value in defaults.items()})

    return read


def _renamed(kind: str, attribute: str, parameter: str, default: Attribute) -> Callable[[Call], Meaning]:
    return lambda call: Meaning(kind, [call.input], {attribute: call.get(parameter, default)})


def _fixed(kind: str, **attributes: Attribute) -> Callable[[Call], Meaning]:
    return lambda call: Meaning(kind, [call.input], dict(attributes))


def _clip(call: Call) -> Meaning | None:
    least, most = call.get("min"), call.get("max")
    if call.name == "hardtanh":
        least, most = call.get("min", -1.0), call.get("max", 1.0)
    if isinstance(least, torch.Tensor) or isinstance(most, torch.Tensor):
        return None
    if least == 0 and most is None:
        return Meaning("Relu", [call.input])
    return Meaning("Clip", [call.input], {"min": _number(least), "max": _number(most)})


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _threshold(call: Call) -> Meaning | None:
    if call["value"] != 0:
        return None
    return Meaning("ThresholdedRelu", [call.input], {"alpha": call["threshold"]})


def _prelu(call: Call) -> Meaning:
    return Meaning("PRelu", [call.input], {}, {"slope": call["weight"]})


def _softmax(call: Call) -> Meaning:
    kind = "Softmax" if call.name == "softmax" else "LogSoftmax"
    dim = call.get("dim", 0 if call.input.ndim in (0, 1, 3) else 1)  # PyTorch's default axis
    return Meaning(kind, [call.input], {"axis": dim % call.input.ndim})


def _dropout(call: Call) -> Meaning:
    attributes: dict[str, Attribute] = {
        "ratio": call.get("p", 0.5),
        "active": not any(call.arguments.get(name) is False for name in ("training", "train")),  # train: of an export
    }
    return Meaning("Dropout", [call.input], attributes)


def _flatten(call: Call) -> Meaning:
    start = call.get("start_dim", 0) % call.input.ndim
    end = call.get("end_dim", -1) % call.input.ndim
    if end == call.input.ndim - 1:
        return Meaning("Flatten", [call.input], {"axis": start})
    return _reshape(call)


def _reshape(call: Call) -> Meaning:
    before, after = tuple(call.input.shape), tuple(call.output.shape)
    if before == after:
        return Meaning("Identity", [call.input])
    kept = len(after) - 1
    if after[:kept] == before[:kept]:  # all later axes are joined into one
        return Meaning("Flatten", [call.input], {"axis": kept})
    whole = bool(before) and before[0] == after[0]
    return Meaning("Reshape", [call.input], {"shape": (-1, *after[1:]) if whole else after})


def _transpose(call: Call) -> Meaning:
    axes = list(range(call.input.ndim))
    if call.name == "permute":
        dims = call.get("dims", None)
        given = dims if dims is not None else [v for k, v in sorted(call.arguments.items()) if k.isdigit()]
        axes = [int(axis) % call.input.ndim for axis in (given[0] if isinstance(given[0], (tuple, list)) else given)]
    elif call.name == "transpose":
        a, b = call["dim0"] % call.input.ndim, call["dim1"] % call.input.ndim
        axes[a], axes[b] = axes[b], axes[a]
    else:
        axes.reverse()
    return Meaning("Transpose", [call.input], {"perm": tuple(axes)})


def _squeeze(call: Call) -> Meaning:
    if call.name == "unsqueeze":
        return Meaning("Unsqueeze", [call.input], {"axes": (call["dim"] % call.output.ndim,)})
    if "dim" in call.arguments:
        dims = call["dim"] if isinstance(call["dim"], (tuple, list)) else (call["dim"],)
        axes = tuple(dim % call.input.ndim for dim in dims)
    else:
        axes = tuple(axis for axis, size in enumerate(call.input.shape) if size == 1)
    axes = tuple(axis for axis in axes if call.input.shape[axis] == 1)
    return Meaning("Squeeze", [call.input], {"axes": axes})


def _cast(call: Call) -> Meaning:
    return Meaning("Cast", [call.input], {"to": str(call.output.dtype).removeprefix("torch.")})


def _concat(call: Call) -> Meaning:
    tensors = list(call["tensors"])
    return Meaning("Concat", tensors, {"axis": call.get("dim", 0) % tensors[0].ndim})


_BINARY = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "pow": "Pow", "maximum": "Max", "minimum": "Min"}
_BINARY |= {"matmul": "MatMul", "bmm": "MatMul", "mm": "MatMul"}


def _binary(call: Call) -> Meaning | None:
    a, b = call["input"], call["other"]
    if call.get("alpha", 1) != 1 or call.get("rounding_mode"):
        return None
    if call.reverse:
        a, b = b, a
    tensors = [each for each in (a, b) if isinstance(each, torch.Tensor)]
    if len(tensors) == 2:
        return Meaning(_BINARY[call.name], tensors)
    scalar = b if isinstance(a, torch.Tensor) else a
    attributes: dict[str, Attribute] = {"scalar": float(scalar), "scalar_first": not isinstance(a, torch.Tensor)}
    return Meaning(_BINARY[call.name], tensors, attributes)


def _reduce(kind: str) -> Callable[[Call], Meaning | None]:
    def read(call: Call) -> Meaning | None:
        dim = call.get("dim", None)
        if isinstance(dim, torch.Tensor):
            return None
        dims = tuple(range(call.input.ndim)) if dim in (None, ()) else dim if isinstance(dim, (tuple, list)) else (dim,)
        axes = tuple(sorted(int(d) % call.input.ndim for d in dims))
        keep = bool(call.get("keepdim", False))
        if kind in ("ReduceMean", "ReduceMax") and call.input.ndim > 2 and axes == tuple(range(2, call.input.ndim)):
            return Meaning(
                "GlobalAveragePool" if kind == "ReduceMean" else "GlobalMaxPool", [call.input], {"keepdims": keep}
            )
        return Meaning(kind, [call.input], {"axes": axes, "keepdims": keep})

    return read


def _slice(call: Call) -> Meaning | None:
    index = call["index"] if isinstance(call["index"], tuple) else (call["index"],)
    if not all(isinstance(each, slice) or each is Ellipsis for each in index):
        return None
    if Ellipsis in index:
        at = index.index(Ellipsis)
        index = (*index[:at], *[slice(None)] * (call.input.ndim - len(index) + 1), *index[at + 1 :])
    cut = [(axis, *each.indices(call.input.shape[axis])) for axis, each in enumerate(index) if each != slice(None)]
    axes, starts, ends, steps = (tuple(column) for column in zip(*cut, strict=True)) if cut else ((),) * 4
    return Meaning("Slice", [call.input], {"axes": axes, "starts": starts, "ends": ends, "steps": steps})


TABLE: dict[str, Callable[[Call], Meaning | None]] = {
    **LAYERS,
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"), _dropout),
    **dict.fromkeys(("view", "reshape", "reshape_as", "view_as", "unflatten"), _reshape),
    **dict.fromkeys(("permute", "transpose", "t", "T.get", "mT.get"), _transpose),
    **dict.fromkeys(("squeeze", "unsqueeze"), _squeeze),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "hardtanh"), _clip),
    **dict.fromkeys(("contiguous", "clone", "detach", "data.get", "identity"), _fixed("Identity")),
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    **dict.fromkeys(("to", "type", "type_as", "float", "double"), _cast),
    "flatten": _flatten,
    "cat": _concat,
    "getitem": _slice,
    "prelu": _prelu,
    "threshold": _threshold,
    "relu": _fixed("Relu"),
    "relu6": _fixed("Clip", min=0.0, max=6.0),
    "leaky_relu": _renamed("LeakyRelu", "alpha", "negative_slope", 0.01),
    "elu": _plain("Elu", alpha=1.0),
    "celu": _plain("Celu", alpha=1.0),
    "selu": _fixed("Selu"),
    "gelu": _plain("Gelu", approximate="none"),
    "silu": _fixed("Swish"),
    "softplus": _plain("Softplus", beta=1.0, threshold=20.0),
    "hardsigmoid": _fixed("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hardswish": _fixed("HardSwish"),
    "logsigmoid": _fixed("LogSigmoid"),
    "log_sigmoid": _fixed("LogSigmoid"),
    "softshrink": _plain("Softshrink", lambd=0.5),
    "hardshrink": _plain("Hardshrink", lambd=0.5),
    **{
        name: _fixed(name.capitalize())
        for name in ("sigmoid", "tanh", "softsign", "mish", "tanhshrink", "erf", "exp", "log", "sqrt", "rsqrt", "neg")
    },
    **{name: _fixed(name.capitalize()) for name in ("abs", "reciprocal", "square")},
    "mean": _reduce("ReduceMean"),
    "sum": _reduce("ReduceSum"),
    "amax": _reduce("ReduceMax"),
    "amin": _reduce("ReduceMin"),
}
