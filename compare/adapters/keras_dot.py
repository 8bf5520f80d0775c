"""Keras's dot-product attention, which computes in float32 within float64: exactly, and recorded if a user calls it."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import tensorflow as tf

from compare.adapters.tensorflow_watch import Watch
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
    """(N, T, H, D) -> (N, T, H, Dv), in the type of its inputs."""
    scale = 1 / sqrt(query.shape[-1]) if scale is None else scale
    scores = tf.einsum("nthd,nshd->nhts", query, key) * tf.constant(scale, query.dtype)
    if bias is not None:
        scores += tf.cast(bias, scores.dtype)
    keep = None if mask is None else tf.cast(mask, tf.bool)
    if is_causal:
        causal = tf.cast(tf.linalg.band_part(tf.ones(scores.shape[2:]), -1, 0), tf.bool)
        keep = causal if keep is None else keep & causal
    if keep is not None:
        scores = tf.where(keep, scores, tf.constant(-1e30, scores.dtype))
    return tf.einsum("nhts,nshd->nthd", tf.nn.softmax(scores), value)


def watched(
    watch: Watch, original: Callable[..., Any], query: Any, key: Any, value: Any, *args: Any, **kwargs: Any
) -> Any:
    """A call by a user is Attention with reshapes around it; within a layer that is known it is only exact."""
    given = dict(zip(("bias", "mask", "scale", "is_causal"), args, strict=False)) | kwargs
    if key.shape[2] != query.shape[2]:  # groups of heads
        return original(query, key, value, *args, **kwargs)
    if watch.muted or given.get("bias") is not None or len(query.shape) != 4:
        exact = query.dtype == tf.float64
        return (dot_product if exact else original)(query, key, value, *args, **kwargs)
    scale = given.get("scale")
    scale = 1 / sqrt(int(query.shape[-1])) if scale is None else float(scale)
    heads, causal = int(query.shape[2]), bool(given.get("is_causal"))
    inputs = [_step(watch, "Reshape", [x], _flat, "reshape", {}) for x in (query, key, value)]
    mask = given.get("mask")
    takes: tuple[str, ...] = ()
    if mask is not None:
        with watch.mute():
            kept = tf.cast(tf.convert_to_tensor(mask), tf.int32)
        inputs.append(kept)
        takes = ("mask",)
    attributes: dict[str, Attribute] = {"num_heads": heads, "scale": scale, "is_causal": causal, "dropout": 0.0}

    def attend(q: Any, k: Any, v: Any, *more: Any) -> Any:
        return attended(heads, scale, causal, q, k, v, *more)

    inner = _step(watch, "Attention", inputs, attend, "native", {**attributes, "takes": takes})
    return _step(watch, "Reshape", [inner], lambda x: tf.reshape(x, (*x.shape[:2], heads, -1)), "reshape", {})


def attended(heads: int, scale: float, causal: bool, q: Any, k: Any, v: Any, *more: Any) -> Any:
    """Attention of (N, T, H D), with a mask of what is kept in `more` or none."""
    q, k, v = (tf.reshape(x, (*x.shape[:2], heads, -1)) for x in (q, k, v))
    return _flat(dot_product(q, k, v, mask=more[0] if more else None, scale=scale, is_causal=causal))


def _flat(x: Any) -> Any:
    return tf.reshape(x, (*x.shape[:2], -1))


def _step(
    watch: Watch, kind: str, inputs: list[Any], call: Callable[..., Any], rule: str, attributes: dict[str, Attribute]
) -> Any:
    with watch.mute():
        made = call(*inputs)
    more: dict[str, Any] = {"layer": "dot_product_attention", "call": watch.unwatched(call)}
    watch.trace.add(watch.name(kind), kind, inputs, made, rule, attributes=attributes, **more)
    return made
