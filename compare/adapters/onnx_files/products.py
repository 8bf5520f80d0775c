"""Products with weights, and look-ups in them."""

from functools import partial
from typing import Any

import numpy as np

from compare.adapters.onnx_files.orders import (
    Translator,
    in_order,
    name_of,
    out_of_order,
    then,
    weight,
    weights_of,
)
from compare.adapters.onnx_files.reading import Reading, Source, Unknown


def gemm(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """Gemm of a value and weights; its factors are multiplied into the weights."""
    if attrs.get("transA") or proto.input[0] in reading.constants:
        raise Unknown
    alpha, beta, transposed = attrs.get("alpha", 1.0), attrs.get("beta", 1.0), bool(attrs.get("transB"))

    def scaled(x: np.ndarray, factor: float) -> np.ndarray:
        return x if factor == 1 else x * factor

    def turned(x: np.ndarray, factor: float = 1.0) -> np.ndarray:
        return scaled(x if transposed else x.T, factor)

    table = weight(reading, proto, 1, partial(turned, factor=alpha), partial(turned, factor=1 / alpha if alpha else 0))
    assert table is not None
    outputs = len(table[0])
    bias = None
    if (given := reading.known(proto, 2)) is not None:
        if given.size != outputs or (given.ndim > 1 and given.shape[-1] != outputs):
            raise Unknown
        flat = partial(_flat, factor=beta)
        bias = weight(reading, proto, 2, flat, partial(_shaped, shape=given.shape, factor=1 / beta if beta else 0))
    _product(reading, proto, table, bias)


def matmul(reading: Reading, proto: Any, _attrs: dict[str, Any]) -> None:
    """MatMul: a Gemm if its right side is a table of weights."""
    left, right = proto.input
    if left not in reading.constants and (table := reading.constants.get(right)) is not None and table.ndim == 2:
        _product(reading, proto, weight(reading, proto, 1, np.transpose, np.transpose), None)
        return
    node = reading.emit(name_of(proto), "MatMul", (reading.plain(left), reading.plain(right)), layer=proto.op_type)
    reading.define(proto.output[0], node)


def _product(
    reading: Reading, proto: Any, table: tuple[np.ndarray, Source] | None, bias: tuple[np.ndarray, Source] | None
) -> None:
    """Add a Gemm along the last axis of a value, wherever the canonical node has that axis."""
    view = reading.views[proto.input[0]]
    if table is not None and view.columns is not None:
        source, order = table[1], view.columns
        table = (in_order(table[0], order), Source(source.value, then(source.forward, partial(in_order, order=order)),
                 then(partial(out_of_order, order=order), source.backward)))  # fmt: skip
    attrs = {"axis": view.perm[-1]}
    node = reading.emit(name_of(proto), "Gemm", (view.name,), attrs, weights_of(W=table, B=bias), proto.op_type)
    reading.define(proto.output[0], node, view.perm)


def gather(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """Gather: a table of weights, or one place along an axis."""
    data, places = proto.input
    axis = attrs.get("axis", 0)
    if data in reading.constants and reading.constants[data].ndim == 2 and axis == 0:
        x = reading.plain(places)
        table = {"axis": 0, "padding_idx": None}
        node = reading.emit(
            name_of(proto), "Gather", (x,), table, weights_of(W=weight(reading, proto, 0)), proto.op_type
        )
    else:
        x = reading.plain(data)
        axis %= reading.values[x].ndim
        index = reading.constants.get(places)
        if index is not None and index.ndim == 0:
            at = int(index)
            own: dict[str, Any] = {
                "axes": (axis,),
                "starts": (at,),
                "ends": (at + 1 if at != -1 else 2**31 - 1,),
                "steps": (1,),
            }
            cut = reading.emit(name_of(proto), "Slice", (x,), own, layer=proto.op_type)
            node = reading.emit(f"{name_of(proto)}:Squeeze", "Squeeze", (cut,), {"axes": (axis,)}, layer=proto.op_type)
        else:
            node = reading.emit(
                name_of(proto), "Gather", (x, reading.plain(places)), {"axis": axis}, layer=proto.op_type
            )
    reading.define(proto.output[0], node)


def _flat(x: np.ndarray, factor: float) -> np.ndarray:
    return x.reshape(-1) if factor == 1 else x.reshape(-1) * factor


def _shaped(x: np.ndarray, shape: tuple[int, ...], factor: float) -> np.ndarray:
    return x.reshape(shape) if factor == 1 else x.reshape(shape) * factor


PRODUCTS: dict[str, Translator] = {"Gemm": gemm, "MatMul": matmul, "Gather": gather}
