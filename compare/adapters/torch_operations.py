"""PyTorch's functions as canonical nodes (docs/port.md): one small function a family."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from compare.graphs.node import Attribute

INF = float("inf")


@dataclass
class Call:
    """One call of a function: its plain name, its arguments by name, and the tensor it gave."""

    name: str
    arguments: dict[str, Any]
    output: torch.Tensor
    reverse: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, or what it is if it was not given."""
        found = self.arguments.get(name)
        return default if found is None else found

    @property
    def input(self) -> torch.Tensor:
        return self.arguments["input"]

    @property
    def n_spatial(self) -> int:
        """How many axes stand behind batch and channels."""
        return self.input.ndim - 2

    def ints(self, name: str, default: Any, n: int | None = None) -> tuple[int, ...]:
        """An argument that is a number for all axes, or one for each."""
        value = self.get(name, default)
        n = self.n_spatial if n is None else n
        if isinstance(value, int):
            return (value,) * n
        return tuple(int(each) for each in value) * (n if len(value) == 1 else 1)


@dataclass
class Meaning:
    """What a call is in canonical terms; `weights` are the tensors by role."""

    kind: str
    inputs: Sequence[torch.Tensor] = ()
    attributes: dict[str, Attribute] = field(default_factory=dict)
    weights: dict[str, torch.Tensor | None] = field(default_factory=dict)


def meaning(call: Call) -> Meaning | None:
    """What a call is; None if it has no counterpart in the vocabulary."""
    found = TABLE.get(call.name)
    return found(call) if found else None


def _conv(call: Call) -> Meaning:
    n, kernel = call.n_spatial, call["weight"].shape[2:]
    dilations = call.ints("dilation", 1)
    padding = call.get("padding", 0)
    if padding == "same":
        totals = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
        pads = (*(total // 2 for total in totals), *(total - total // 2 for total in totals))
    else:
        pads = call.ints("padding", 0) * 2 if padding != "valid" else (0,) * 2 * n
    attributes: dict[str, Attribute] = {
        "strides": call.ints("stride", 1),
        "pads": pads,
        "dilations": dilations,
        "group": call.get("groups", 1),
        "pad_mode": "constant",
    }
    return Meaning("Conv", [call.input], attributes, {"W": call["weight"], "B": call.get("bias")})


def _conv_transpose(call: Call) -> Meaning:
    attributes: dict[str, Attribute] = {
        "strides": call.ints("stride", 1),
        "pads": call.ints("padding", 0) * 2,
        "output_padding": call.ints("output_padding", 0),
        "dilations": call.ints("dilation", 1),
        "group": call.get("groups", 1),
    }
    return Meaning("ConvTranspose", [call.input], attributes, {"W": call["weight"], "B": call.get("bias")})


def _linear(call: Call) -> Meaning:
    axis = {"axis": call.input.ndim - 1}
    return Meaning("Gemm", [call.input], axis, {"W": call["weight"], "B": call.get("bias")})


def _batch_norm(call: Call) -> Meaning:
    momentum = call.arguments.get("momentum", 0.1)
    attributes: dict[str, Attribute] = {
        "epsilon": call.get("eps", 1e-5),
        "momentum": None if momentum is None else 1 - momentum,
        "axis": 1,
        "training_mode": bool(call.get("training", False)),
        "unbiased": True,
    }
    roles = {"scale": "weight", "B": "bias", "mean": "running_mean", "var": "running_var"}
    return Meaning("BatchNormalization", [call.input], attributes, {role: call.get(n) for role, n in roles.items()})


def _layer_norm(call: Call) -> Meaning:
    n = len(call["normalized_shape"])
    rms = call.name == "rms_norm"
    epsilon = call.get("eps", torch.finfo(call.input.dtype).eps if rms else 1e-5)
    axes = tuple(range(call.input.ndim - n, call.input.ndim))
    kind = "RMSNormalization" if rms else "LayerNormalization"
    return Meaning(kind, [call.input], {"axes": axes, "epsilon": epsilon}, _affine(call))


def _group_norm(call: Call) -> Meaning:
    attributes: dict[str, Attribute] = {"num_groups": call["num_groups"], "epsilon": call.get("eps", 1e-5)}
    return Meaning("GroupNormalization", [call.input], attributes, _affine(call))


def _instance_norm(call: Call) -> Meaning | None:
    if not call.get("use_input_stats", True):
        return None
    attributes: dict[str, Attribute] = {"num_groups": call.input.shape[1], "epsilon": call.get("eps", 1e-5)}
    return Meaning("GroupNormalization", [call.input], attributes, _affine(call))


def _affine(call: Call) -> dict[str, torch.Tensor | None]:
    return {"scale": call.get("weight"), "B": call.get("bias")}


def _pool(call: Call) -> Meaning | None:
    kernel = call.ints("kernel_size", 1)
    attributes: dict[str, Attribute] = {
        "kernel_shape": kernel,
        "strides": call.ints("stride", kernel) if call.get("stride", ()) != [] else kernel,
        "pads": call.ints("padding", 0) * 2,
        "ceil_mode": bool(call.get("ceil_mode", False)),
    }
    if call.name.startswith("max"):
        attributes |= {"dilations": call.ints("dilation", 1), "pad_value": None}
        return Meaning("MaxPool", [call.input], attributes)
    if call.get("divisor_override"):
        return None
    included = call.arguments.get("count_include_pad")
    return Meaning("AveragePool", [call.input], {**attributes, "count_include_pad": included is not False})


def _adaptive_pool(call: Call) -> Meaning:
    kind = "Average" if "avg" in call.name else "Max"
    spatial = tuple(call.input.shape[2:])
    size = call["output_size"]
    sizes = (size,) * len(spatial) if isinstance(size, int) else tuple(size)
    sizes = tuple(have if want is None else want for want, have in zip(sizes, spatial, strict=True))
    if sizes == spatial:
        return Meaning("Identity", [call.input])
    if set(sizes) == {1}:
        return Meaning(f"Global{kind}Pool", [call.input], {"keepdims": True})
    return Meaning(f"Adaptive{kind}Pool", [call.input], {"output_size": sizes})


def _plain(kind: str, **defaults: Attribute) -> Callable[[Call], Meaning]:
    """An operation on one value whose attributes are parameters, given as "attribute=default"."""

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
    dim = call.get("dim", 0 if call.input.ndim in (0, 1, 3) else 1)  # what PyTorch takes if no axis is given
    return Meaning(kind, [call.input], {"axis": dim % call.input.ndim})


def _dropout(call: Call) -> Meaning:
    attributes: dict[str, Attribute] = {
        "ratio": call.get("p", 0.5),
        "active": call.arguments.get("training") is not False,
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
    if after[:kept] == before[:kept]:  # all that stands behind is joined into one
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


def _concat(call: Call) -> Meaning:
    tensors = list(call["tensors"])
    return Meaning("Concat", tensors, {"axis": call.get("dim", 0) % tensors[0].ndim})


def _pad(call: Call) -> Meaning:
    n, pad = call.input.ndim, list(call["pad"])
    begins, ends = [0] * n, [0] * n
    for k in range(len(pad) // 2):  # from the last axis backwards
        begins[n - 1 - k], ends[n - 1 - k] = pad[2 * k], pad[2 * k + 1]
    mode = {"replicate": "edge", "circular": "wrap"}.get(mode := call.get("mode", "constant"), mode)
    value = float(call.get("value", 0.0))
    return Meaning("Pad", [call.input], {"pads": (*begins, *ends), "mode": mode, "value": value})


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


_RESIZE = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def _interpolate(call: Call) -> Meaning | None:
    mode = call.get("mode", "nearest")
    sizes = tuple(call.output.shape[2:])
    attributes: dict[str, Attribute] = {"sizes": sizes, "antialias": bool(call.get("antialias", False))}
    if mode in ("nearest", "nearest-exact"):
        exact = mode == "nearest-exact"
        attributes |= {
            "mode": "nearest",
            "coordinate_transformation_mode": "half_pixel" if exact else "asymmetric",
            "nearest_mode": "round_prefer_ceil" if exact else "floor",
        }
        return Meaning("Resize", [call.input], attributes)
    if mode not in _RESIZE:
        return None
    corners = bool(call.get("align_corners", False))
    attributes |= {
        "mode": _RESIZE[mode],
        "coordinate_transformation_mode": "align_corners" if corners else "half_pixel",
    }
    if mode == "bicubic":
        attributes["cubic_coeff_a"] = -0.5 if attributes["antialias"] else -0.75
    return Meaning("Resize", [call.input], attributes)


def _pixel_shuffle(call: Call) -> Meaning:
    if call.name == "pixel_shuffle":
        return Meaning("DepthToSpace", [call.input], {"blocksize": call["upscale_factor"], "mode": "CRD"})
    return Meaning("SpaceToDepth", [call.input], {"blocksize": call["downscale_factor"], "mode": "CRD"})


def _embedding(call: Call) -> Meaning:
    index = call.get("padding_idx", -1)
    attributes: dict[str, Attribute] = {"axis": 0, "padding_idx": None if index < 0 else index}
    return Meaning("Gather", [call.input], attributes, {"W": call["weight"]})


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
    **{f"conv{n}d": _conv for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _conv_transpose for n in (1, 2, 3)},
    **{f"{kind}_pool{n}d": _pool for kind in ("max", "avg") for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": _adaptive_pool for kind in ("avg", "max") for n in (1, 2, 3)},
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"), _dropout),
    **dict.fromkeys(("view", "reshape", "reshape_as", "view_as", "unflatten"), _reshape),
    **dict.fromkeys(("permute", "transpose", "t", "T.get", "mT.get"), _transpose),
    **dict.fromkeys(("squeeze", "unsqueeze"), _squeeze),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "hardtanh"), _clip),
    **dict.fromkeys(("contiguous", "clone", "detach", "data.get", "identity"), _fixed("Identity")),
    **dict.fromkeys(("softmax", "log_softmax"), _softmax),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), _pixel_shuffle),
    **dict.fromkeys(("layer_norm", "rms_norm"), _layer_norm),
    "linear": _linear,
    "batch_norm": _batch_norm,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "embedding": _embedding,
    "flatten": _flatten,
    "cat": _concat,
    "pad": _pad,
    "interpolate": _interpolate,
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
