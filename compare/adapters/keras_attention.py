"""Keras's attention as canonical steps: a product for each projection, and Attention between them (docs/port.md)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import sqrt
from typing import Any

import numpy as np
from keras import ops
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask

from compare.adapters.adapter import Unreadable
from compare.adapters.changes import Permuted, Reshaped
from compare.adapters.keras_backend import weight_of
from compare.adapters.keras_dot import attended
from compare.adapters.keras_known import compound, converted, own_kind, without_dropout
from compare.adapters.keras_watch import KerasWatch, Original
from compare.adapters.steps import Weight
from compare.graphs.node import Attribute


@compound("MultiHeadAttention")
def _multi_head(watch: KerasWatch, path: str, layer: Any, original: Original, args: Any, kwargs: Any) -> Any:
    args, kwargs = converted(args), converted(kwargs)
    given = dict(zip(("query", "value", "key"), args, strict=False)) | kwargs
    query, value = given["query"], given["value"]
    key = value if given.get("key") is None else given["key"]
    plain = len(query.shape) == len(value.shape) == 3 and not getattr(layer, "_use_gate", False)
    if not plain or given.get("return_attention_scores") or layer._output_shape is not None:
        return own_kind(watch, path, layer, original, args, kwargs)
    with watch.mute(), without_dropout(layer), _mask_of(layer) as seen:
        output = original(layer, *args, **kwargs)
    heads, scale = int(layer.num_heads), 1 / sqrt(layer.key_dim)
    parts = [
        _project(watch, f"{path}.{name}", dense, x)
        for name, dense, x in (
            ("query", layer.query_dense, query),
            ("key", layer.key_dense, key),
            ("value", layer.value_dense, value),
        )
    ]
    mask, causal = seen[-1]
    attributes: dict[str, Attribute] = {
        "num_heads": heads,
        "scale": scale,
        "is_causal": causal,
        "dropout": float(layer.dropout),
        "takes": () if mask is None else ("mask",),
    }

    def attend(q: Any, k: Any, v: Any, *more: Any) -> Any:
        return attended(heads, scale, causal, q, k, v, *more)

    inner = emit(watch, path, "Attention", [*parts, *([] if mask is None else [mask])], attend, layer, attributes)
    # Keras keeps its scale in float32 in any precision; the computation here does not.
    made = _project(watch, f"{path}.output", layer.output_dense, inner, True)
    if not np.allclose(watch.array(made), watch.array(output), rtol=1e-4, atol=1e-5):
        raise Unreadable(f"{path}: this MultiHeadAttention does not compute what its class does.")
    if (kept := get_keras_mask(output)) is not None:
        set_keras_mask(made, kept)
    return made


@compound("Attention")
def _attention(watch: KerasWatch, path: str, layer: Any, original: Original, args: Any, kwargs: Any) -> Any:
    """Record Keras's Attention: one head, and no scale except a learnt one."""
    args, kwargs = converted(args), converted(kwargs)
    inputs = list(args[0] if args else kwargs["inputs"])
    simple = layer.score_mode == "dot" and not layer.use_scale and not kwargs.get("return_attention_scores")
    masks = kwargs.get("mask") or watch.resolved(layer).get("mask")
    if not simple or any(each is not None for each in masks or ()) or any(len(x.shape) != 3 for x in inputs):
        return own_kind(watch, path, layer, original, args, kwargs)
    with watch.mute(), without_dropout(layer):
        output = watch.own(original(layer, *args, **kwargs))
    masks = watch.resolved(layer).get("mask")
    if any(each is not None for each in masks or ()):
        return own_kind(watch, path, layer, original, args, kwargs)
    causal = bool(kwargs.get("use_causal_mask"))
    attributes: dict[str, Attribute] = {
        "num_heads": 1,
        "scale": 1.0,
        "is_causal": causal,
        "dropout": float(layer.dropout),
        "takes": (),
    }
    query, value = inputs[:2]
    key = inputs[2] if len(inputs) > 2 else value

    def attend(q: Any, k: Any, v: Any) -> Any:
        return attended(1, 1.0, causal, q, k, v)

    return emit(watch, path, "Attention", [query, key, value], attend, layer, attributes, output=output)


@contextmanager
def _mask_of(layer: Any) -> Iterator[list[tuple[Any, bool]]]:
    """Yield the masks that a layer computes during a call: what is kept, (N, 1, T, S), and whether it is causal too."""
    seen: list[tuple[Any, bool]] = []
    compute = layer._compute_attention

    def watched(query: Any, key: Any, value: Any, attention_mask: Any = None, *args: Any, **kwargs: Any) -> Any:
        mask = None
        if attention_mask is not None:
            mask = ops.cast(attention_mask, "int32")
            mask = mask[:, None] if len(mask.shape) == 3 else mask
        seen.append((mask, bool(kwargs.get("use_causal_mask"))))
        return compute(query, key, value, attention_mask, *args, **kwargs)

    object.__setattr__(layer, "_compute_attention", watched)
    try:
        yield seen
    finally:
        object.__delattr__(layer, "_compute_attention")


def _project(watch: KerasWatch, path: str, dense: Any, x: Any, joins: bool = False) -> Any:
    """Record a projection to heads (E, H, D), or from them (H, D, E) if it `joins`, as a product of (N, T, E) or
    (N, T, H D)."""
    shape = tuple(int(size) for size in dense.kernel.shape)
    flat = (shape[0] * shape[1], shape[2]) if joins else (shape[0], shape[1] * shape[2])
    weights: dict[str, Weight] = {
        "W": weight_of(dense.kernel, f"{path}.kernel").then(Reshaped(shape, flat), Permuted((1, 0)))
    }
    if dense.bias is not None:
        own = tuple(int(size) for size in dense.bias.shape)
        weights["B"] = weight_of(dense.bias, f"{path}.bias").then(Reshaped(own, (flat[1],)))

    def call(value: Any) -> Any:
        if joins:
            value = ops.reshape(value, (*value.shape[:2], *shape[:2]))
        made = dense(value)
        return made if joins else ops.reshape(made, (*made.shape[:2], -1))

    return emit(watch, path, "Gemm", [x], call, dense, {"axis": -1}, weights, "product")


def emit(
    watch: KerasWatch,
    path: str,
    kind: str,
    inputs: list[Any],
    call: Callable[..., Any],
    layer: Any,
    attributes: dict[str, Attribute],
    weights: dict[str, Weight] | None = None,
    rule: str = "native",
    output: Any = None,
) -> Any:
    """Add a step; `output` if Keras has computed it already."""
    with watch.mute():
        made = watch.own(call(*inputs)) if output is None else output
    more: dict[str, Any] = {"attributes": attributes, "weights": weights or {}, "layer": type(layer).__name__}
    watch.trace.add(path, kind, inputs, made, rule, call=watch.unwatched(call), **more)
    return made
