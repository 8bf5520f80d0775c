"""PyTorch's attention as canonical nodes: a product for each projection, and Attention between them (docs/port.md)."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from compare.adapters.torch_call import Held
from compare.adapters.torch_emitter import Emitter
from compare.graphs.node import Attribute

_FORWARD = [
    "query",
    "key",
    "value",
    "embed_dim",
    "num_heads",
    "in_proj_weight",
    "in_proj_bias",
    "bias_k",
    "bias_v",
    "add_zero_attn",
    "dropout_p",
    "out_proj_weight",
    "out_proj_bias",
    "training",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
    "use_separate_proj_weight",
    "q_proj_weight",
    "k_proj_weight",
    "v_proj_weight",
    "static_k",
    "static_v",
    "average_attn_weights",
    "is_causal",
]
_DOT = ["query", "key", "value", "attn_mask", "dropout_p", "is_causal"]
_SWAP: dict[str, Attribute] = {"perm": (1, 0, 2)}


def third(tensor: torch.Tensor, part: int) -> Held:
    """Return one of the three blocks of rows of a packed projection."""
    size = tensor.shape[0] // 3
    rows = slice(part * size, (part + 1) * size)

    def write(array: np.ndarray, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray]:
        new = np.array(arrays[0])
        new[rows] = array
        return (new,)

    return Held((tensor,), lambda arrays: arrays[0][rows], write)


def _multi_head(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    a = dict(zip(_FORWARD, args, strict=False)) | kwargs
    query, key, value = a["query"], a["key"], a["value"]
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
    separate: list[Any] = [a.get(name) for name in names] if a.get("use_separate_proj_weight") else []
    held = [t for t in (*separate, a["in_proj_bias"], a["out_proj_weight"], a["out_proj_bias"]) if t is not None]
    held += [] if separate else [a["in_proj_weight"]]
    strange = any(a.get(name) is not None for name in ("bias_k", "bias_v", "static_k", "static_v"))
    if not watch.known(query) or strange or a.get("add_zero_attn") or query.ndim != 3 or not watch.owned(held):
        return False
    heads, at = int(a["num_heads"]), watch.at
    dot = f"{at}." if at else ""
    turned: dict[int, torch.Tensor] = {}
    for x in (query, key, value):
        if id(x) not in turned:
            turned[id(x)] = watch.emit("Transpose", [x], _swapped, _SWAP, path=f"{dot}turned")
    parts = []
    matrices = separate or a["in_proj_weight"].chunk(3)
    shifts = (None,) * 3 if a["in_proj_bias"] is None else a["in_proj_bias"].chunk(3)
    for place, (x, name) in enumerate(zip((query, key, value), "qkv", strict=True)):
        weights: dict[str, Any] = {
            "W": separate[place] if separate else third(a["in_proj_weight"], place),
            "B": None if a["in_proj_bias"] is None else third(a["in_proj_bias"], place),
        }
        call = partial(_product, matrices[place], shifts[place])
        parts.append(watch.emit("Gemm", [turned[id(x)]], call, {"axis": 2}, weights, f"{dot}{name}_proj"))
    takes, more = _masks(watch, a, dot, heads)
    scale = (query.shape[-1] // heads if not separate else separate[0].shape[0] // heads) ** -0.5
    attributes: dict[str, Attribute] = {"num_heads": heads, "scale": scale, "is_causal": False, "empty": "nan"}
    attributes |= {"dropout": float(a.get("dropout_p") or 0.0), "takes": takes}
    call = partial(_attended, heads, scale, takes)
    inner = watch.emit("Attention", [*parts, *more], call, attributes, path=at)
    call = partial(_product, a["out_proj_weight"], a["out_proj_bias"])
    weights = {"W": a["out_proj_weight"], "B": a["out_proj_bias"]}
    made = watch.emit("Gemm", [inner], call, {"axis": 2}, weights, f"{dot}out_proj")
    watch.emit("Transpose", [made], _swapped, _SWAP, path=f"{dot}turned", output=result[0])
    if result[1] is not None:
        watch.emit("torch:attention_weights", [*parts, *more], lambda *_: result[1], path=at, output=result[1])
    return True


def _masks(watch: Emitter, a: dict[str, Any], dot: str, heads: int) -> tuple[tuple[str, ...], list[torch.Tensor]]:
    """Return the names and tensors of an attention's other inputs: masks of what is kept, derived from its own."""
    takes, more = [], []
    if (mask := a.get("key_padding_mask")) is not None:
        takes.append("keys")
        more.append(_keep(watch, mask, dot, True))
    if (mask := a.get("attn_mask")) is not None:
        biased = _is_bias(mask)
        takes.append("bias" if biased else "mask")
        more.append(mask if biased else _keep(watch, mask, dot, True))
        if more[-1].ndim == 3:  # (N * heads, T, S)
            shape = (-1, heads, *more[-1].shape[1:])
            more[-1] = watch.emit("Reshape", [more[-1]], lambda m: m.reshape(shape), {"shape": shape})
    return tuple(takes), more


def _is_bias(mask: torch.Tensor) -> bool:
    """Whether a mask adds arbitrary numbers, instead of 0 for kept places and very low ones for the rest."""
    return mask.is_floating_point() and not bool(((mask == 0) | (mask < -1e4)).all())


def _keep(watch: Emitter, mask: torch.Tensor, dot: str, excluded: bool) -> torch.Tensor:
    """Return a mask of what is kept, from added numbers, or from truth values of what is excluded or kept."""
    of = "added" if mask.is_floating_point() else "excluded" if excluded else "kept"
    return watch.emit("Mask", [mask], partial(_kept, of), {"of": of}, path=f"{dot}mask")


def _kept(of: str, mask: torch.Tensor) -> torch.Tensor:
    if of == "added":
        return (mask > -1e4).int()
    return (mask == 0 if of == "excluded" else mask != 0).int()


def _dot_product(watch: Emitter, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> bool:
    a = dict(zip(_DOT, args, strict=False)) | kwargs
    query, key, value, mask = a["query"], a["key"], a["value"], a.get("attn_mask")
    shaped = query.ndim in (3, 4) and key.ndim == value.ndim == query.ndim
    if not watch.known(query) or a.get("enable_gqa") or not shaped:
        return False
    takes, more = [], []
    if mask is not None:
        biased = _is_bias(mask)
        takes = ["bias" if biased else "mask"]
        more = [mask if biased else _keep(watch, mask, f"{watch.at}." if watch.at else "", False)]
        if more[0].ndim == 3 and query.ndim == 3:  # (N, T, S)
            more = [watch.emit("Unsqueeze", more, lambda m: m.unsqueeze(1), {"axes": (1,)})]
    heads = query.shape[1] if query.ndim == 4 else 1
    scale = float(a["scale"]) if a.get("scale") is not None else 1 / math.sqrt(query.shape[-1])
    attributes: dict[str, Attribute] = {
        "num_heads": heads,
        "scale": scale,
        "is_causal": bool(a.get("is_causal")),
        "empty": "nan",
        "dropout": float(a.get("dropout_p") or 0.0),
        "takes": tuple(takes),
    }
    inputs = [query, key, value]
    call = partial(_attended, heads, scale, tuple(takes), is_causal=bool(a.get("is_causal")))
    if query.ndim == 3:
        watch.emit("Attention", [*inputs, *more], call, attributes, output=result)
        return True
    inputs = [_joined_heads(watch, x) for x in inputs]
    inner = watch.emit("Attention", [*inputs, *more], call, attributes)
    shape = (-1, inner.shape[1], heads, inner.shape[2] // heads)
    split = watch.emit("Reshape", [inner], lambda y: y.reshape(shape), {"shape": shape})
    watch.emit("Transpose", [split], lambda y: y.transpose(1, 2), {"perm": (0, 2, 1, 3)}, output=result)
    return True


def _joined_heads(watch: Emitter, x: torch.Tensor) -> torch.Tensor:
    """Return (N, H, T, D) as (N, T, H D)."""
    turned = watch.emit("Transpose", [x], lambda y: y.transpose(1, 2), {"perm": (0, 2, 1, 3)})
    return watch.emit("Flatten", [turned], lambda y: y.reshape(*y.shape[:2], -1), {"axis": 2})


def _product(matrix: torch.Tensor, shift: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.linear(x, matrix, shift)


def _swapped(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(0, 1)


def _attended(
    heads: int,
    scale: float,
    takes: Sequence[str],
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    *more: torch.Tensor,
    is_causal: bool = False,
) -> torch.Tensor:
    """Compute the attention of (N, T, H D) by PyTorch itself."""
    q, k, v = (x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in (q, k, v))
    taken = dict(zip(takes, more, strict=False))
    added = q.new_zeros(1, 1, q.shape[2], k.shape[2])
    if "keys" in taken:
        added = added.masked_fill(taken["keys"][:, None, None, :] == 0, -math.inf)
    if "mask" in taken:
        added = added.masked_fill(taken["mask"] == 0, -math.inf)
    added = added + taken["bias"] if "bias" in taken else added
    if is_causal:
        added = added.masked_fill(torch.ones(q.shape[2], k.shape[2]).tril() == 0, -math.inf)
    dot: Callable[..., torch.Tensor] = torch.nn.functional.scaled_dot_product_attention
    made = dot(q, k, v, added, scale=scale)
    return made.transpose(1, 2).reshape(made.shape[0], made.shape[2], -1)


def not_dropping(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
    """Return the arguments of a call without dropout."""
    names = {"multi_head_attention_forward": _FORWARD, "scaled_dot_product_attention": _DOT}.get(name)
    if names is None:
        return args, kwargs
    place = names.index("dropout_p")
    if len(args) > place:
        return (*args[:place], 0.0, *args[place + 1 :]), kwargs
    return args, {**kwargs, **({"dropout_p": 0.0} if "dropout_p" in kwargs else {})}


SEVERAL = {"multi_head_attention_forward": _multi_head, "scaled_dot_product_attention": _dot_product}
