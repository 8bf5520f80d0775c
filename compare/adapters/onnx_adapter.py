"""An `.onnx` file as a model.

In float32 its values are ONNX Runtime's, if that is installed and can run the file. In float64 no ONNX runtime computes
convolutions. The reference evaluator does (compare/graphs/evaluate.py), and onnx.reference computes nodes without a
canonical kind.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from compare.adapters.adapter import Unreadable
from compare.adapters.onnx_files import runtime
from compare.adapters.onnx_files.file import copy_with, opset, read_model
from compare.adapters.onnx_files.fusions import fused
from compare.adapters.onnx_files.orders import in_order
from compare.adapters.onnx_files.reading import Reading
from compare.adapters.onnx_files.walk import channels_last, walk
from compare.graphs.evaluate import NoReference, evaluate, evaluate_node
from compare.graphs.node import Arrays, Node, Recording


class OnnxAdapter:
    """The Adapter (compare/adapters/adapter.py) of an `.onnx` file."""

    framework = "onnx"

    def __init__(self, path: Path) -> None:
        """Read the file. Raises Unreadable."""
        self.path = path
        self.model = read_model(path)
        self.opset = opset(self.model)
        self.last = channels_last(self.model.graph)
        self.overrides: Arrays = {}
        self.reading: Reading | None = None
        self.recording: Recording | None = None

    def stated_inputs(self) -> dict[str, tuple[int, ...]] | None:
        """Return the shape of one example of every input; None if the file leaves more than the batch open."""
        shapes = {name: self._canonical(shape)[1:] for name, shape in self._inputs().items()}
        if any(size is None for shape in shapes.values() for size in shape):
            return None
        return {name: tuple(size for size in shape if size is not None) for name, shape in shapes.items()}

    def fixed_batch(self) -> int | None:
        """The number of examples of a call, if the file fixes it. The graph of such a file may be valid for that number
        alone: an exporter can write it into any shape."""
        fixed = {shape[0] for shape in self._inputs().values() if shape and shape[0]}
        return fixed.pop() if len(fixed) == 1 else None

    def record(self, inputs: Mapping[str, np.ndarray], training: bool) -> Recording:
        """Call the network in evaluation mode, the only one in a file. A file with a fixed number of examples is called
        several times, and the values are joined. Inputs that are all integers are computed in float64."""
        if training:
            raise Unreadable(f"{self.path} holds a network for evaluation: it cannot be called in training mode.")
        inputs = {name: self._of_one_channel(name, each) for name, each in inputs.items()}
        size = self._check(inputs)
        count = len(next(iter(inputs.values())))
        if count % size:
            raise Unreadable(f"{self.path} takes {size} examples at a time, and {count} is not a multiple of that.")
        parts = [
            self._call({name: value[start : start + size] for name, value in inputs.items()})
            for start in range(0, count, size)
        ]
        self.recording = _joined(parts) if len(parts) > 1 else parts[0]
        return self.recording

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Set the weights of the last recording. They keep their own type until the file is written."""
        reading, recording = self._last()
        found: Arrays = {}
        for key, value in weights.items():
            if key not in recording.weights or key not in reading.sources:
                raise Unreadable(f"{self.path} has no weight {key} that can be set.")
            if value.shape != recording.weights[key].shape:
                expected = recording.weights[key].shape
                raise Unreadable(f"{key} of {self.path} has the shape {expected}, and the new one {value.shape}.")
            source = reading.sources[key]
            if source.into is not None:
                before = self.overrides.get(source.value, reading.constants[source.value])
                found[source.value] = source.into(found.get(source.value, before), value)
                continue
            own = np.ascontiguousarray(source.backward(value))
            if source.value in found and not np.array_equal(found[source.value], own):
                raise Unreadable(f"{key} of {self.path} is shared with another layer, which gets other values.")
            found[source.value] = own
        self.overrides |= found

    def apply(self, node: str, inputs: list[np.ndarray], training: bool) -> np.ndarray:
        """Return the output of one node for other inputs, by the reference evaluator, or by onnx.reference for a node
        without a canonical kind."""
        reading, recording = self._last()
        if training:
            raise Unreadable(f"{self.path} holds a network for evaluation: {node} has no training mode.")
        try:
            its = recording.graph[node]
            weights = {role: self._weight(f"{node}/{role}") for role in its.roles}
            dtype = next((each.dtype for each in inputs if each.dtype.kind == "f"), None)
            typed = {k: v.astype(dtype) if dtype and v.dtype.kind == "f" else v for k, v in weights.items()}
            return evaluate_node(its, inputs, typed)
        except NoReference:
            return self._apply_other(reading, its, inputs)
        except (KeyError, ValueError) as error:
            raise Unreadable(f"{node} of {self.path} cannot be called alone: {error}.") from error

    def save_weights(self, path: Path) -> None:
        """Write a copy of the file with the weights that were set, in the file's own types."""
        if path.suffix != ".onnx":
            raise Unreadable(
                f"An ONNX file keeps its own weights: they cannot be written to {path}. Name an .onnx file."
            )
        types = {each.name: onnx.numpy_helper.to_array(each).dtype for each in self.model.graph.initializer}
        narrow = {name: value.astype(types.get(name, np.float32)) for name, value in self.overrides.items()}
        try:
            onnx.save_model(copy_with(self.model, narrow), str(path))
        except Exception as error:  # OSError, or protobuf's own beyond 2 GiB
            raise Unreadable(f"{path} cannot be written: {error}.") from error

    def _inputs(self) -> dict[str, tuple[int | None, ...]]:
        """Return the shapes of the network's inputs in the file's layout, with None for an open size."""
        graph = self.model.graph
        weights = {each.name for each in graph.initializer}
        found: dict[str, tuple[int | None, ...]] = {}
        for each in graph.input:
            if each.name not in weights:
                if not each.type.HasField("tensor_type"):
                    raise Unreadable(f"the input {each.name} of {self.path} is not a tensor.")
                sizes = each.type.tensor_type.shape.dim
                found[each.name] = tuple(size.dim_value if size.dim_value > 0 else None for size in sizes)
        if not found:
            raise Unreadable(f"{self.path} has no input.")
        return found

    def _canonical(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return (shape[0], shape[-1], *shape[1:-1]) if self.last and len(shape) > 2 else shape

    def _of_one_channel(self, name: str, given: np.ndarray) -> np.ndarray:
        """Return an input of one channel in the file's shape for it: a reshape moves nothing in memory."""
        stated = self._canonical(self._inputs().get(name, ()))[1:]
        own = [size for size in stated if size != 1]
        if None in stated or own != [size for size in given.shape[1:] if size != 1]:
            return given
        return given.reshape(len(given), *stated)

    def _check(self, inputs: Mapping[str, np.ndarray]) -> int:
        """Return the number of examples of one call, which the file may fix. Raises Unreadable if inputs do not fit."""
        stated = self._inputs()
        if set(stated) != set(inputs):
            raise Unreadable(f"{self.path} has the inputs {', '.join(stated)}, not {', '.join(inputs)}.")
        for name, shape in stated.items():
            expected, given = self._canonical(shape), inputs[name].shape
            free = not shape  # a file may omit the whole shape
            if not free and (
                len(expected) != len(given)
                or any(size not in {None, own} for size, own in zip(expected[1:], given[1:], strict=True))
            ):
                sizes = " x ".join("?" if size is None else str(size) for size in expected[1:])
                raise Unreadable(f"the input {name} of {self.path} takes {sizes} for an example, not {given[1:]}.")
        return self.fixed_batch() or len(next(iter(inputs.values())))

    def _call(self, inputs: Mapping[str, np.ndarray]) -> Recording:
        dtype = next((each.dtype for each in inputs.values() if each.dtype.kind == "f"), np.dtype(np.float64))
        reading = self.reading = Reading(self.model, self.opset, dtype, self.overrides, self.last)
        outputs = walk(reading, inputs)
        if dtype == np.float32:
            self._run_for_real(reading, inputs)
        graph, rounded = fused(reading, outputs)
        keys = {f"{node.name}/{role}" for node in graph.nodes for role in node.roles}
        weights = {key: value for key, value in reading.weights.items() if key in keys}
        values = {node.name: reading.values[node.name] for node in graph.nodes}
        if rounded and dtype == np.float64:
            # As if the file had the root of two, or a sixth, in all digits, as its author's network does.
            values = evaluate(graph, inputs, weights, partial(self._apply_other, reading))
        return Recording(graph, values, weights)

    def _run_for_real(self, reading: Reading, inputs: Mapping[str, np.ndarray]) -> None:
        """Replace the evaluator's values by those of ONNX Runtime."""
        own = {name: np.moveaxis(x, 1, -1) if self.last and x.ndim > 2 else x for name, x in inputs.items()}
        kept = {node: value for node, value in reading.named.items() if value not in inputs}
        found = runtime.run(self.model, own, list(dict.fromkeys(kept.values())), self.overrides)
        for node, value in (kept if found else {}).items():
            assert found is not None
            view, array = reading.views[value], found[value]
            if view.name == node and array.dtype == reading.values[node].dtype:
                turned = array.transpose(np.argsort(view.perm))
                reading.values[node] = turned if view.columns is None else in_order(turned, view.columns)

    def _last(self) -> tuple[Reading, Recording]:
        if self.reading is None or self.recording is None:
            raise Unreadable(f"{self.path} has not been called yet: its layers are known after a call.")
        return self.reading, self.recording

    def _weight(self, key: str) -> np.ndarray:
        reading, recording = self._last()
        source = reading.sources.get(key)
        if source and source.into is None and source.value in self.overrides:
            return source.forward(self.overrides[source.value])
        return recording.weights[key]

    def _apply_other(self, reading: Reading, node: Node, inputs: list[np.ndarray]) -> np.ndarray:
        if node.name not in reading.others:
            raise Unreadable(f"{node.name} of {self.path} cannot be called alone.")
        proto, given, number = reading.others[node.name]
        own = dict(zip(node.inputs, inputs, strict=True))
        dtype = next((each.dtype for each in inputs if each.dtype.kind == "f"), reading.dtype)
        arrays = {
            name: own[each] if isinstance(each, str) else each.astype(dtype) if each.dtype.kind == "f" else each
            for name, each in given.items()
        }
        return np.asarray(reading.call(proto, arrays)[number])


def _joined(parts: list[Recording]) -> Recording:
    """Join several calls into one: values that depend on an input have the examples of all."""
    first, moving = parts[0], set[str]()
    for node in first.graph.nodes:
        if node.kind == "Input" or moving & set(node.inputs):
            moving.add(node.name)
    values = {
        name: np.concatenate([part.values[name] for part in parts]) if name in moving and value.ndim else value
        for name, value in first.values.items()
    }
    nodes = tuple(replace(node, shape=values[node.name].shape) for node in first.graph.nodes)
    return replace(first, graph=replace(first.graph, nodes=nodes), values=values)
