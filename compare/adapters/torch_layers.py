"""PyTorch's layers as canonical nodes (docs/port.md): convolutions, products, normalisations, poolings, resizing."""

from collections.abc import Callable

import torch

from compare.adapters.torch_call import Call, Meaning
from compare.graphs.node import Attribute


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


def _pad(call: Call) -> Meaning:
    n, pad = call.input.ndim, list(call["pad"])
    begins, ends = [0] * n, [0] * n
    for k in range(len(pad) // 2):  # from the last axis backwards
        begins[n - 1 - k], ends[n - 1 - k] = pad[2 * k], pad[2 * k + 1]
    mode = {"replicate": "edge", "circular": "wrap"}.get(mode := call.get("mode", "constant"), mode)
    value = float(call.get("value", 0.0))
    return Meaning("Pad", [call.input], {"pads": (*begins, *ends), "mode": mode, "value": value})


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


def _normalize(call: Call) -> Meaning | None:
    dim = call.get("dim", 1)
    if call.get("p", 2.0) != 2 or not isinstance(dim, int):
        return None
    return Meaning("LpNormalization", [call.input], {"axes": (dim % call.input.ndim,)})


LAYERS: dict[str, Callable[[Call], Meaning | None]] = {
    **{f"conv{n}d": _conv for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _conv_transpose for n in (1, 2, 3)},
    **{f"{kind}_pool{n}d": _pool for kind in ("max", "avg") for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": _adaptive_pool for kind in ("avg", "max") for n in (1, 2, 3)},
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), _pixel_shuffle),
    **dict.fromkeys(("layer_norm", "rms_norm"), _layer_norm),
    "linear": _linear,
    "batch_norm": _batch_norm,
    "group_norm": _group_norm,
    "normalize": _normalize,
    "instance_norm": _instance_norm,
    "embedding": _embedding,
    "pad": _pad,
    "interpolate": _interpolate,
}
