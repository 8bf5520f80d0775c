"""PyTorch's modules as graphs: one call is watched, function by function.

The call is watched through PyTorch's mode for overriding its functions. Control flow in Python therefore runs as usual,
and functions called on tensors are seen like modules. A saved program (`.pt2`) is called and watched in the same way.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from compare.adapters import torch_exact
from compare.adapters.adapter import Unreadable
from compare.adapters.naming import Named, unique_names
from compare.adapters.patterns import Joined, joined
from compare.adapters.torch_call import Held
from compare.adapters.torch_watch import Seen, TorchWatch, flat, replaced
from compare.graphs.node import Graph, Node, Recording, needed

_SENT = np.empty(0)


class TorchAdapter:
    """An adapter for a torch.nn.Module, or any other callable with a module's parameters."""

    framework = "torch"

    def __init__(self, model: torch.nn.Module, precision: str = "float64") -> None:
        """`precision` is the one in which a model of integers computes."""
        torch_exact.mend()
        self.model, self.precision = model, precision
        self._joined: Joined | None = None
        self._seen: list[Seen] = []
        self._places: dict[str, int] = {}
        self._tensors: dict[str, torch.Tensor | Held] = {}

    def stated_inputs(self) -> dict[str, tuple[int, ...]] | None:
        """Return None: PyTorch's modules state no inputs."""
        return None

    def record(self, inputs: Mapping[str, np.ndarray], training: bool) -> Recording:
        """See Adapter.record."""
        with self.watched(inputs, training) as (_, recording):
            made = joined(recording, arithmetic=True)
            self._joined = made.without_arrays()
            return made.recording

    @contextmanager
    def watched(
        self, inputs: Mapping[str, np.ndarray], training: bool, gradients: bool = False
    ) -> Iterator[tuple[TorchWatch, Recording]]:
        """Call the model; return the call and its recording. With `gradients` it can be differentiated. The model's
        buffers are restored afterwards."""
        given = {array.dtype.name for array in inputs.values() if array.dtype.kind == "f"} or {self.precision}
        self.convert(torch.float64 if "float64" in given else torch.float32)
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in inputs.items()}
        if gradients:  # a copy, because the model may change its input in place
            tensors = {n: t.requires_grad_().clone() if t.is_floating_point() else t for n, t in tensors.items()}
        self.set_mode(training)
        self._seen, self._places = [], {}  # the values of the last call can be gigabytes
        kept = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        watch = TorchWatch(self.model, training, gradients)
        try:
            outputs = watch.call(tensors)
            recording = self._recording(watch, outputs, kept)
            if training:
                recording.statistics.update(self._statistics(recording))
            yield watch, recording
        finally:
            with torch.no_grad():
                for name, buffer in self.model.named_buffers():
                    if name in kept:
                        buffer.copy_(kept[name])

    def convert(self, dtype: torch.dtype) -> None:
        """Give the model's floating-point numbers another type."""
        if any(t.is_floating_point() and t.dtype != dtype for t in (*self.model.parameters(), *self.model.buffers())):
            self.model.to(dtype)

    def set_mode(self, training: bool) -> None:
        """Put the model into training or evaluation mode. Raises Unreadable if it has none."""
        try:
            self.model.train(training)
        except NotImplementedError:  # an exported program keeps the mode in which it was exported
            if training:
                raise Unreadable("An exported program has no training mode: it is compared in evaluation.") from None

    def _recording(self, watch: TorchWatch, outputs: list[int], kept: Mapping[str, torch.Tensor]) -> Recording:
        before = {id(buffer): kept[name] for name, buffer in self.model.named_buffers()}
        seen = self._seen = watch.seen
        named = [Named(s.path, s.call, s.meaning.kind, bool(s.meaning.weights)) for s in seen]
        names = unique_names(named)
        self._places = {name: place for place, name in enumerate(names)}
        self._tensors = {}
        nodes, values, weights = [], {}, {}
        for name, one in zip(names, seen, strict=True):
            held = {role: tensor for role, tensor in one.meaning.weights.items() if tensor is not None}
            for role, tensor in held.items():
                self._tensors[f"{name}/{role}"] = tensor
                parts = tensor.tensors if isinstance(tensor, Held) else (tensor,)
                arrays = [_array(before.get(id(part), part)) for part in parts]
                weights[f"{name}/{role}"] = tensor.read(arrays) if isinstance(tensor, Held) else arrays[0]
            inputs = tuple(names[place] for place in one.inputs)
            shape = tuple(one.output.shape)
            nodes.append(Node(name, one.meaning.kind, inputs, one.meaning.attributes, tuple(held), one.layer, shape))
            values[name], one.value = one.value, _SENT  # sent values need not be kept
        graph = Graph(tuple(nodes), tuple(names[place] for place in outputs))
        return needed(Recording(graph, values, weights))

    def _statistics(self, recording: Recording) -> dict[str, np.ndarray]:
        kept = {}
        for node in recording.graph.nodes:
            if node.kind == "BatchNormalization" and node.attributes["training_mode"]:
                for role in ("mean", "var"):
                    tensor = self._tensors.get(f"{node.name}/{role}")
                    if isinstance(tensor, torch.Tensor):
                        kept[f"{node.name}/{role}"] = _array(tensor).copy()
        return kept

    def operations(self) -> dict[str, list[Seen]]:
        """Return the calls that compute each node of the last recording, each call under one node alone."""
        assert self._joined is not None
        found: dict[str, list[Seen]] = {}
        done: set[tuple[int, int]] = set()  # if a call has several results, the first one includes it
        for node in self._joined.recording.graph.nodes:
            for member in self._joined.members.get(node.name, (node,)):
                one = self.seen(member.name)
                key = id(one.func), id(one.args)
                if one.func is not None and key not in done:
                    done.add(key)
                    found.setdefault(node.name, []).append(one)
        return found

    def seen(self, node: str) -> Seen:
        """Return what was recorded of one node of the last recording."""
        return self._seen[self._places[node]]

    @property
    def tensors(self) -> Mapping[str, torch.Tensor | Held]:
        """Return the weights of the last recording by "NODE/ROLE"."""
        return self._tensors

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """See Adapter.set_weights."""
        plain = {name: array for name, array in weights.items() if name in self._tensors}
        if self._joined is not None:
            plain |= self._joined.unjoined({name: array for name, array in weights.items() if name not in plain})
        with torch.no_grad():
            for name, array in plain.items():
                held = self._tensors[name]
                parts = held.tensors if isinstance(held, Held) else (held,)
                present = [_array(part) for part in parts]
                shape = held.read(present).shape if isinstance(held, Held) else present[0].shape
                if shape != array.shape:
                    raise Unreadable(f"{name} has the shape {shape}, and was given {array.shape}.")
                new = held.write(array, present) if isinstance(held, Held) else (array,)
                for part, each in zip(parts, new, strict=True):
                    part.copy_(torch.from_numpy(np.array(each)).to(part.dtype))

    def apply(self, node: str, inputs: list[np.ndarray], training: bool) -> np.ndarray:
        """See Adapter.apply."""
        if self._joined is not None and node in self._joined.members:
            return self._joined.apply(node, inputs, lambda name, given: self.apply(name, given, training))
        one = self._seen[self._places[node]]
        old = {
            id(self._seen[place].output): _as_seen(torch.from_numpy(np.array(array)), self._seen[place].output)
            for place, array in zip(one.inputs, inputs, strict=True)
        }
        with torch.no_grad():
            result = one.func(*replaced(one.args, old), **replaced(one.kwargs, old))
        return flat(result)[one.part].detach().cpu().numpy()

    def save_weights(self, path: Path) -> None:
        """See Adapter.save_weights."""
        if path.suffix != ".safetensors":
            raise Unreadable(f"{path.name} must end in .safetensors for the weights of a PyTorch model.")
        from safetensors.torch import load_file, save_file  # another Python may lack it

        state = {name: tensor.detach().clone().contiguous() for name, tensor in self.model.state_dict().items()}
        save_file(state, path)
        back = load_file(path)
        if set(back) != set(state) or not all(torch.equal(back[name], state[name]) for name in state):
            raise Unreadable(f"What was written to {path.name} differs when it is read back.")


def _as_seen(given: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Return a tensor that replaces another one; if both are integers or truth values, in the other's type."""
    whole = not (given.is_floating_point() or seen.is_floating_point())
    return given.to(seen.dtype) if whole else given


def _array(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy())
