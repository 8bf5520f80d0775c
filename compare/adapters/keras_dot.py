"""Exact dot-product attention, in place of Keras's, which uses float32 within float64; records a user's calls."""

from collections.abc import Callable
from math import sqrt
from typing import Any

from keras import ops
from keras.backend import standardize_dtype

from compare.adapters.watching import BaseWatch
from compare.graphs.node import Attribute


def dot_product(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    *_: Any,
    **__: Any,
) -> Any:
    """Return (N, T, H, D) -> (N, T, H, Dv), in the type of its inputs."""
    scale = 1 / sqrt(query.shape[-1]) if scale is None else scale
    scores = ops.einsum("nthd,nshd->nhts", query, key) * scale
    if bias is not None:
        scores = scores + ops.cast(bias, scores.dtype)
    keep = None if mask is None else ops.cast(mask, "bool")
    if is_causal:
        causal = ops.cast(ops.tril(ops.ones(tuple(scores.shape[2:]))), "bool")
        keep = causal if keep is None else ops.logical_and(keep, causal)
    if keep is not None:
        scores = ops.where(keep, scores, ops.cast(-1e30, scores.dtype))
    return ops.einsum("nhts,nshd->nthd", ops.softmax(scores), value)


def watched(
    watch: BaseWatch, original: Callable[..., Any], query: Any, key: Any, value: Any, *args: Any, **kwargs: Any
) -> Any:
    """Record a user's call as Attention with reshapes around it; within a known layer only compute it exactly."""
    given = dict(zip(("bias", "mask", "scale", "is_causal"), args, strict=False)) | kwargs
    if key.shape[2] != query.shape[2]:  # groups of heads
        return original(query, key, value, *args, **kwargs)
    if watch.muted or given.get("bias") is not None or len(query.shape) != 4:
        exact = standardize_dtype(query.dtype) == "float64"
        return (dot_product if exact else original)(query, key, value, *args, **kwargs)
    scale = given.get("scale")
    scale = 1 / sqrt(int(query.shape[-1])) if scale is None else float(scale)
    heads, causal = int(query.shape[2]), bool(given.get("is_causal"))
    inputs = [_step(watch, "Reshape", [x], _flat, "reshape", {}) for x in (query, key, value)]
    mask = given.get("mask")
    takes: tuple[str, ...] = ()
    if mask is not None:
        with watch.mute():
            kept = ops.cast(mask, "int32")
        inputs.append(kept)
        takes = ("mask",)
    attributes: dict[str, Attribute] = {"num_heads": heads, "scale": scale, "is_causal": causal, "dropout": 0.0}

    def attend(q: Any, k: Any, v: Any, *more: Any) -> Any:
        return attended(heads, scale, causal, q, k, v, *more)

    inner = _step(watch, "Attention", inputs, attend, "native", {**attributes, "takes": takes})
    return _step(watch, "Reshape", [inner], lambda x: ops.reshape(x, (*x.shape[:2], heads, -1)), "reshape", {})


def attended(heads: int, scale: float, causal: bool, q: Any, k: Any, v: Any, *more: Any) -> Any:
    """Return attention of (N, T, H D), with an optional mask of what is kept in `more`."""
    q, k, v = (ops.reshape(x, (*x.shape[:2], heads, -1)) for x in (q, k, v))
    return _flat(dot_product(q, k, v, mask=more[0] if more else None, scale=scale, is_causal=causal))


def _flat(x: Any) -> Any:
    return ops.reshape(x, (*x.shape[:2], -1))


def _step(
    watch: BaseWatch,
    kind: str,
    inputs: list[Any],
    call: Callable[..., Any],
    rule: str,
    attributes: dict[str, Attribute],
) -> Any:
    with watch.mute():
        made = call(*inputs)
    more: dict[str, Any] = {"layer": "dot_product_attention", "call": watch.unwatched(call)}
    watch.trace.add(watch.name(kind), kind, inputs, made, rule, attributes=attributes, **more)
    return made
