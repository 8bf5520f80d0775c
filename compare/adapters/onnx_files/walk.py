"""The walk itself: it reads every node of an ONNX file in order, and returns the resulting graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import numpy_helper

from compare.adapters.adapter import Unreadable
from compare.adapters.onnx_files.layers import LAYERS
from compare.adapters.onnx_files.orders import name_of
from compare.adapters.onnx_files.products import PRODUCTS
from compare.adapters.onnx_files.reading import Reading, Unknown, array_of, attributes
from compare.adapters.onnx_files.recurrent import RECURRENT
from compare.adapters.onnx_files.shapes import SHAPES
from compare.adapters.onnx_files.values import PLAIN, VALUES, WITH
from compare.graphs.node import Node

TRANSLATORS = {**LAYERS, **PRODUCTS, **RECURRENT, **SHAPES, **VALUES}
OWN_DOMAINS = {"", "ai.onnx"}
RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
SPATIAL = {
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Resize",
    "Upsample",
}
CARRYING = {*PLAIN, *WITH, "Identity", "Cast", "Add", "Sub", "Mul", "Div", "Pad", "Clip", "BatchNormalization"}


def walk(reading: Reading, inputs: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Read all nodes, for canonical `inputs` by name; return the canonical names of the network's outputs."""
    for name, value in inputs.items():
        reading.append(Node(name, "Input", shape=value.shape), value)
        reading.define(name, name, _last(value.ndim) if reading.last else None)
    with np.errstate(all="ignore"):  # for constants of a damaged file
        _nodes(reading, reading.graph)
    return tuple(_output(reading, each.name) for each in reading.graph.output)


def channels_last(graph: Any) -> bool:
    """Whether the network's inputs have channels last: the file first moves the last axis of one to the front of a
    convolution or a pooling. Operations that treat all values alike may come before."""
    weights = {each.name for each in graph.initializer}
    shapes = {each.name: numpy_helper.to_array(each) for each in graph.initializer if len(each.dims) == 1}
    return any(
        _moved_to_front(graph, each.name, tuple(size.dim_value for size in each.type.tensor_type.shape.dim), shapes)
        for each in graph.input
        if each.name not in weights
    )


def _moved_to_front(graph: Any, name: str, shape: tuple[int, ...], shapes: dict[str, np.ndarray]) -> bool:
    values, moved = {name}, set[str]()
    for proto in graph.node:
        met, behind = values & set(proto.input), moved & set(proto.input)
        if proto.op_type == "Transpose" and met:
            perm = list(attributes(proto).get("perm", ()))
            if len(perm) > 2 and perm == [0, len(perm) - 1, *range(1, len(perm) - 1)]:
                moved.update(proto.output)
        elif proto.op_type == "Reshape" and name in met and shape[-1:] == (1,) and len(shape) > 2:
            wanted = shapes.get(proto.input[1], np.zeros(0, np.int64))  # one channel: nothing is moved in memory
            if tuple(wanted[1:]) == (1, *shape[1:-1]):
                moved.update(proto.output)
        elif proto.op_type in SPATIAL and (behind or met):
            return bool(behind)
        elif proto.op_type in CARRYING:
            values.update(proto.output if met else ())
            moved.update(proto.output if behind else ())
    return False


def _last(rank: int) -> tuple[int, ...] | None:
    """Return the permutation from canonical layout to channels last."""
    return (0, *range(2, rank), 1) if rank > 2 else None


def _output(reading: Reading, value: str) -> str:
    """Return the canonical node of a network output; with channels last, an output in that layout is the node."""
    if value not in reading.constants:
        view = reading.views[value]
        if reading.last and view.columns is None and view.perm == _last(len(view.perm)):
            return view.name
    return reading.plain(value)


def _nodes(reading: Reading, graph: Any) -> None:
    for proto in graph.node:
        if proto.op_type in RANDOM:
            raise Unreadable(
                f"{proto.op_type} {name_of(proto)} of the ONNX file draws at random: it cannot be compared."
            )
        given = [each for each in proto.input if each]
        unread = [each for each in given if each not in reading.constants and each not in reading.views]
        if unread:
            raise Unreadable(f"{name_of(proto)} of the ONNX file needs {unread[0]}, which nothing before it computes.")
        if proto.op_type == "If":
            _branch(reading, proto)
        elif proto.op_type in {"Shape", "Size"} and given[0] not in reading.constants:
            _sizes(reading, proto)
        elif all(each in reading.constants for each in given) and not _graphs(proto):
            inputs = {each: reading.constants[each] for each in given}
            for name, value in zip(proto.output, reading.call(proto, inputs), strict=True):
                if name:
                    reading.set_constant(name, np.asarray(value))
        else:
            _translate(reading, proto)


def _translate(reading: Reading, proto: Any) -> None:
    translator = TRANSLATORS.get(proto.op_type) if proto.domain in OWN_DOMAINS else None
    if translator is None:
        _other(reading, proto)
        return
    try:
        translator(reading, proto, attributes(proto))
    except Unknown:
        _other(reading, proto)
    except (AssertionError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"{proto.op_type} {name_of(proto)} of the ONNX file is not valid: {error}.") from error


def _other(reading: Reading, proto: Any) -> None:
    """Add a node without a canonical kind: one of its own kind per output, computed by onnx.reference."""
    if _graphs(proto):
        raise Unreadable(f"{proto.op_type} {name_of(proto)} of the ONNX file holds a graph of its own: it is not read.")
    moving = [each for each in proto.input if each and each not in reading.constants]
    inputs = tuple(dict.fromkeys(reading.plain(each) for each in moving))
    given: dict[str, str | np.ndarray] = {}
    for each in filter(None, proto.input):
        known = reading.constants.get(each)
        given[each] = reading.views[each].name if known is None else reading.computed(known)
    kind = f"onnx:{proto.op_type}" if proto.domain in OWN_DOMAINS else f"{proto.domain}:{proto.op_type}"
    arrays = {name: reading.values[each] if isinstance(each, str) else each for name, each in given.items()}
    for number, (output, value) in enumerate(zip(proto.output, reading.call(proto, arrays), strict=True)):
        if output:
            name = reading.unused(name_of(proto))
            result = reading.computed(np.asarray(value))
            reading.append(Node(name, kind, inputs, layer=proto.op_type, shape=result.shape), result)
            reading.others[name] = (proto, given, number)
            reading.define(output, name)


def _sizes(reading: Reading, proto: Any) -> None:
    """Add Shape and Size, which are known whatever the values are."""
    shape, own = reading.shape(proto.input[0]), attributes(proto)
    if proto.op_type == "Size":
        reading.set_constant(proto.output[0], np.array(np.prod(shape, dtype=np.int64)))
    else:
        reading.set_constant(proto.output[0], np.array(shape[own.get("start", 0) : own.get("end")], np.int64))


def _branch(reading: Reading, proto: Any) -> None:
    """Replace an If with a known condition by the nodes of its branch."""
    condition = reading.constants.get(proto.input[0])
    if condition is None:
        raise Unreadable(f"If {name_of(proto)} of the ONNX file depends on the network's input: it is not read.")
    branch = attributes(proto)["then_branch" if bool(condition) else "else_branch"]
    for each in branch.initializer:
        reading.set_constant(each.name, array_of(each))
    _nodes(reading, branch)
    for inner, outer in zip(branch.output, proto.output, strict=True):
        if inner.name in reading.constants:
            reading.set_constant(outer, reading.constants[inner.name])
        else:
            reading.views[outer] = reading.views[inner.name]


def _graphs(proto: Any) -> bool:
    return any(each.HasField("g") or each.graphs for each in proto.attribute)
