"""The names of PyTorch's functions, and the arguments of their calls by name."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from torch.overrides import resolve_name

# The parameters of functions written in C++, which have no readable signature.
_CONV = "input weight bias stride padding dilation groups"
_TRANSPOSED = "input weight bias stride padding output_padding groups dilation"
_MAX_POOL = "input kernel_size stride padding dilation ceil_mode return_indices"
_AVERAGE_POOL = "input kernel_size stride padding ceil_mode count_include_pad divisor_override"
_PARAMETERS = {
    **{f"conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _TRANSPOSED for n in (1, 2, 3)},
    **{f"max_pool{n}d": _MAX_POOL for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _AVERAGE_POOL for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": "input output_size" for kind in ("avg", "max") for n in (1, 2, 3)},
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min", "squeeze"), "input dim keepdim"),
    **dict.fromkeys(("softmax", "log_softmax", "unsqueeze"), "input dim"),
    **dict.fromkeys(("add", "sub", "mul", "div", "pow", "maximum", "minimum", "matmul", "bmm", "mm"), "input other"),
    "batch_norm": "input weight bias running_mean running_var training momentum eps",
    "group_norm": "input num_groups weight bias eps",
    "normalize": "input p dim eps",
    "layer_norm": "input normalized_shape weight bias eps",
    "linear": "input weight bias",
    "prelu": "input weight",
    "dropout": "input p training",
    "gelu": "input approximate",
    "celu": "input alpha",
    "clamp": "input min max",
    "clamp_min": "input min",
    "clamp_max": "input max",
    "hardshrink": "input lambd",
    "softshrink": "input lambd",
    "softplus": "input beta threshold",
    "flatten": "input start_dim end_dim",
    "transpose": "input dim0 dim1",
    "cat": "tensors dim",
    "pixel_shuffle": "input upscale_factor",
    "pixel_unshuffle": "input downscale_factor",
    "chunk": "input chunks dim",
    "split": "input split_size dim",
    "getitem": "input index",
    "embedding": "weight input padding_idx",
}
_SAME = {
    "concat": "cat",
    "concatenate": "cat",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
}
_SAME |= {"clip": "clamp", "swapaxes": "transpose", "truediv": "div", "div": "div", "upsample": "interpolate"}
# Named differently in different places.
_RENAMED = {"self": "input", "exponent": "other", "axis": "dim", "min_val": "min", "max_val": "max", "mat2": "other"}


def name_of(func: Any) -> tuple[str, bool]:
    """Return the plain name of a function ("add" for `torch.Tensor.add_`, `aten.add.Tensor` and `__radd__`), and
    whether its operands are reversed, like those of `__radd__`."""
    full = str(func) if hasattr(func, "_schema") else resolve_name(func) or getattr(func, "__name__", str(func))
    parts = full.split(".")
    if hasattr(func, "_schema"):
        parts = parts[:-1] or parts
    if parts[-1] == "__get__":
        return f"{parts[-2]}.get", False
    name = parts[-1]
    reverse = False
    if name.startswith("__") and name.endswith("__"):
        name = name.strip("_")
        if name[0] in "ri" and name[1:] in ("add", "sub", "mul", "div", "truediv", "pow", "matmul"):
            reverse, name = name[0] == "r", name[1:]
    else:
        name = name.rstrip("_") or name
    if name == "rsub":
        reverse, name = True, "sub"
    return _SAME.get(name, name), reverse


def by_name(func: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by parameter names; those of an unknown function are "0", "1", ..."""
    names = _names(func, name, len(args))
    found = dict(zip(names, args, strict=False)) | dict(kwargs)
    return {_RENAMED.get(key, key): value for key, value in found.items()}


def _names(func: Any, name: str, n: int) -> list[str]:
    if hasattr(func, "_schema"):
        return [argument.name for argument in func._schema.arguments]
    try:
        parameters = inspect.signature(func).parameters.values()
    except (TypeError, ValueError):
        parameters = None
    if parameters is not None and all(p.kind == p.POSITIONAL_OR_KEYWORD for p in parameters):
        return [p.name for p in parameters]
    known = _PARAMETERS.get(name, "input").split()
    return known + [str(k) for k in range(len(known), n)]
