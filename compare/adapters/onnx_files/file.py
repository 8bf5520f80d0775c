"""Read an `.onnx` file: check its size, its external data and its validity, with one sentence for every failure."""

from pathlib import Path
from typing import Any

import onnx
import onnx.checker
import onnx.inliner
from onnx import external_data_helper, numpy_helper

from compare.adapters.adapter import Unreadable
from shared.storage import files

FILE_BYTES = 2 * 2**30 - 1  # protobuf's limit
DATA_BYTES = 8 * 2**30
Model = Any  # onnx.ModelProto, a generated class without types for mypy


def read_model(path: Path) -> Model:
    """Return the model of an `.onnx` file, with its external data and with its local functions inlined.

    External data must be in the file's folder or below: onnx refuses any other place, links included. Raises Unreadable
    for a file that is not a model, is damaged, or is too large.
    """
    try:
        if (size := path.stat().st_size) > FILE_BYTES:
            raise Unreadable(f"{path} has {size:,} bytes, and an ONNX file has at most {FILE_BYTES:,}.")
        model = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # protobuf's exceptions have no common class of their own
        raise Unreadable(f"{path} is not an ONNX file, or it is damaged: {_line(error)}.") from error
    if not model.graph.node and not model.graph.output:
        raise Unreadable(f"{path} is not an ONNX file, or it is empty: it has neither nodes nor outputs.")
    _read_external_data(model, path)
    try:
        onnx.checker.check_model(model)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        _separate_constants(model.graph)  # it reads them: a stated size may differ from that of the data
    except Exception as error:
        raise Unreadable(f"{path} is not a valid ONNX model: {_line(error)}.") from error
    return model


def opset(model: Model) -> int:
    """Return the version of ONNX's own operators that the model uses."""
    return next((each.version for each in model.opset_import if each.domain in {"", "ai.onnx"}), 1)


def copy_with(model: Model, arrays: dict[str, Any]) -> Model:
    """Return a copy of `model` in which the values named in `arrays` are initializers with this content, whatever
    produced them before."""
    copy = type(model)()
    copy.CopyFrom(model)
    graph = copy.graph
    kept = [each for each in graph.initializer if each.name not in arrays]
    nodes = [each for each in graph.node if not set(each.output) & set(arrays)]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in arrays.items())
    graph.node.extend(nodes)
    return copy


def _separate_constants(graph: Any) -> None:
    """Give every layer its own constants: exporters keep one array for all that happen to be equal, such as the biases
    of a new model. A constant that varies stays shared, because that is intended."""
    constant = {}
    for each in graph.initializer:
        if each.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE) and list(each.dims):
            array = numpy_helper.to_array(each)
            if array.size and (array == array.flat[0]).all():
                constant[each.name] = array
    taken: dict[str, int] = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in constant:
                taken[name] = taken.get(name, 0) + 1
                if taken[name] > 1:
                    node.input[place] = f"{name}:{taken[name]}"
                    graph.initializer.append(numpy_helper.from_array(constant[name], node.input[place]))


def _read_external_data(model: Model, path: Path) -> None:
    """Load the data in files beside the model's. Raises Unreadable if there is too much, or if it is elsewhere."""
    external = [each for each in _tensors(model) if external_data_helper.uses_external_data(each)]
    if not external:
        return
    try:
        size = sum(_stated_bytes(each, path.parent) for each in external)
        if size > DATA_BYTES:
            raise Unreadable(f"{path} names {size:,} bytes of external data; at most {DATA_BYTES:,} are read.")
        external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Unreadable:
        raise
    except Exception as error:  # onnx raises ValidationError, OSError and ValueError
        raise Unreadable(f"the external data of {path} cannot be read: {_line(error)}.") from error


def _stated_bytes(tensor: Any, folder: Path) -> int:
    """Return the bytes of a tensor's external data: the stated size, or that of the whole file. Raises OSError if it is
    not a regular file: reading a pipe would wait."""
    stated = external_data_helper.ExternalDataInfo(tensor)
    place = folder / stated.location
    with files.opened(place):
        return int(stated.length) if stated.length is not None else place.stat().st_size


def _tensors(model: Model) -> list[Any]:
    """Return every constant, including those in the bodies of loops, branches and functions."""
    return _of_graph(model.graph) + [each for one in model.functions for each in _of_nodes(one.node)]


def _of_graph(graph: Any) -> list[Any]:
    return [*graph.initializer, *_of_nodes(graph.node)]


def _of_nodes(nodes: Any) -> list[Any]:
    found = []
    for attribute in (each for node in nodes for each in node.attribute):
        found += [attribute.t] if attribute.HasField("t") else []
        found += attribute.tensors
        for graph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
            found += _of_graph(graph)
    return found


def _line(error: Exception) -> str:
    """Return the first line of an error's message, cut to one sentence's length."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(".")
