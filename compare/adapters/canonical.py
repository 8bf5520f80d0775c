"""Make the canonical recording of a trace, with renumbered axes and weights in ONNX's layouts, and map it back."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np

from compare.adapters.adapter import Unreadable
from compare.adapters.changes import Change, Permuted, Reshaped, Taken, apply, undo
from compare.adapters.layouts import Form, Layouts, order_of
from compare.adapters.steps import Step, Trace, Value, Weight
from compare.adapters.weight_changes import changes_of
from compare.graphs.node import Arrays, Attribute, Graph, Node, Recording

Attributes = dict[str, Attribute]


class Canonical:
    """A trace in canonical form. `recording` is the result; `step_of` and `weight_of` lead back to the framework."""

    def __init__(self, trace: Trace, array: Any, known: Container[str] = ()) -> None:
        """`array` converts a framework's tensor to a NumPy array. `known` are weights whose entries need not be
        reordered again: they can be gigabytes."""
        self.layouts = Layouts(trace)
        self.step_of: dict[str, Step] = {}
        self.weight_of: dict[str, Weight] = {}
        self._array, self._known = array, known
        self.changes: dict[str, tuple[Change, ...]] = {}  # from the framework's array to the node's
        self._nodes: dict[str, Node] = {}
        self._values: Arrays = {}
        self._weights: Arrays = {}
        self._shapes: dict[str, tuple[int, ...]] = {}  # of the weights
        self._types: dict[str, np.dtype[Any]] = {}  # of the values
        self._made_by: dict[int, str] = {}
        self._uses: dict[int, list[Step]] = {}
        for step in trace.steps:
            for value in step.inputs:
                self._uses.setdefault(value.number, []).append(step)
        for step in trace.steps:
            self._put(step)
        graph = Graph(tuple(self._nodes.values()), tuple(self._made_by[value.number] for value in trace.outputs))
        self.recording = Recording(graph, self._values, self._weights)

    def _put(self, step: Step) -> None:
        """Add the nodes of one step."""
        if step.rule == "parameter":
            self._parameter(step)
            return
        form = self.layouts.form(step.output)
        forms = [self.layouts.form(value) for value in step.inputs]
        inputs = [self._made_by[value.number] for value in step.inputs]
        native = self._array(step.output.tensor)
        if step.rule == "reshape":
            self._reshape(step, inputs, forms[0], form, native)
            return
        if step.rule == "same":
            inputs = [
                self._broadcast(step, name, value, before, form)
                for name, value, before in zip(inputs, step.inputs, forms, strict=True)
            ]
        elif step.rule in ("product", "concat"):
            inputs = [
                self._in_order(step, name, before, order_of(before.rank, form.last))
                for name, before in zip(inputs, forms, strict=True)
            ]
        elif step.rule == "unsqueeze":
            new = {int(axis) % form.rank for axis in step.attributes["axes"]}
            kept = [axis for axis in range(form.rank) if axis not in new]
            wanted = tuple(kept.index(axis) for axis in form.order if axis not in new)
            inputs = [self._in_order(step, inputs[0], forms[0], wanted)]
        elif step.rule == "native" or (step.rule == "spatial" and len(inputs) > 0):
            last = step.rule == "spatial" and step.last
            inputs = [
                self._in_order(step, name, before, order_of(before.rank, last and before.rank >= 3))
                for name, before in zip(inputs, forms, strict=True)
            ]
        order = _natural_order(step, forms, form)
        kind, attributes = _renumbered(step, forms, form)
        value = form.canonical(native) if form.rows is not None else native.transpose(order)
        weights = {
            role: weight.then(*changes_of(step, role, weight, forms, form)) for role, weight in step.weights.items()
        }
        changes = form.changes if form.rows is not None else _turned(order)
        name = self._add(step, step.name, kind, inputs, attributes, value, changes, weights)
        self._made_by[step.output.number] = self._in_order(step, name, Form(form.rank, form.last), form.order, order)

    def _add(
        self,
        step: Step,
        name: str,
        kind: str,
        inputs: Sequence[str],
        attributes: Mapping[str, Attribute],
        value: np.ndarray,
        changes: Sequence[Change],
        weights: Mapping[str, Weight] | None = None,
    ) -> str:
        """Add one node with its output and weights. Return its name, which is `name` or a variant of it."""
        number, wanted = 1, name
        while name in self._nodes:
            name = f"{wanted}:{(number := number + 1)}"
        for role, weight in (weights or {}).items():
            self.weight_of[f"{name}/{role}"] = weight
            self._weights[f"{name}/{role}"] = self._read(f"{name}/{role}", weight)
            self._shapes[f"{name}/{role}"] = self._weights[f"{name}/{role}"].shape
        self._nodes[name] = Node(
            name, kind, tuple(inputs), dict(attributes), tuple(weights or ()), step.layer, tuple(value.shape)
        )
        self._values[name], self._types[name] = value, value.dtype
        self.changes[name], self.step_of[name] = tuple(changes), step
        return name

    def _read(self, key: str, weight: Weight) -> np.ndarray:
        """Return the canonical array of a weight. For a known one that would have to be copied, return its shape
        without numbers."""
        array, views = weight.read(), [change for change in weight.changes if not isinstance(change, Taken)]
        if key in self._known and len(views) < len(weight.changes):
            return np.broadcast_to(np.full((), np.nan, array.dtype), apply(views, array).shape)
        return weight.changed(array)

    def _in_order(
        self, step: Step, name: str, form: Form, wanted: tuple[int, ...], present: tuple[int, ...] | None = None
    ) -> str:
        """Return a node whose output is that of `name` with the native axes in the order `wanted`."""
        if wanted == (present := form.order if present is None else present):
            return name
        order = tuple(present.index(axis) for axis in wanted)
        value = self._values[name].transpose(order)
        return self._add(step, f"{step.name}:Transpose", "Transpose", [name], {"perm": order}, value, _turned(wanted))

    def _broadcast(self, step: Step, name: str, value: Value, before: Form, after: Form) -> str:
        """Return a node that broadcasts with values of the form `after` as the native ones do."""
        rank = len(value.shape)
        if rank == after.rank:
            return self._in_order(step, name, before, after.order) if before.last != after.last else name
        if rank == 0 or not after.last or self._nodes[name].kind in ("Parameter", "Constant"):
            return name
        full = (1,) * (after.rank - rank) + value.shape
        shape = tuple(full[axis] for axis in after.order)
        array = before.native(self._values[name]).reshape(full).transpose(after.order)
        changes = (Reshaped(value.shape, full), Permuted(after.order))
        return self._add(step, f"{step.name}:Reshape", "Reshape", [name], {"shape": shape}, array, changes)

    def _parameter(self, step: Step) -> None:
        """Add a parameter or constant, with the rank and layout of the values that it is combined with."""
        value, form = step.output, self.layouts.form(step.output)
        changes: tuple[Change, ...] = form.changes
        uses = [use for use in self._uses.get(value.number, []) if use.rule == "same"]
        if uses and len(value.shape) and len(uses) == len(self._uses[value.number]):
            after = self.layouts.form(uses[0].output)
            if len(value.shape) < after.rank and after.last:
                full = (1,) * (after.rank - len(value.shape)) + value.shape
                changes = (Reshaped(value.shape, full), Permuted(after.order))
            elif form.rows is None and after.rows is not None and value.shape[-1] == after.rows.size:
                changes = (Taken(len(value.shape) - 1, after.rows),)
        weights = {role: weight.then(*changes) for role, weight in step.weights.items()}
        array = apply(changes, self._array(value.tensor))
        self._made_by[value.number] = self._add(step, step.name, step.kind, [], {}, array, changes, weights)

    def _reshape(self, step: Step, inputs: list[str], before: Form, after: Form, native: np.ndarray) -> None:
        """Add a reshape: one node if the canonical values allow it, else with transposes around it."""
        name, target = inputs[0], after.canonical(native)
        there = np.arange(native.size).reshape(step.inputs[0].shape)
        if np.array_equal(before.canonical(there).ravel(), after.canonical(there.reshape(native.shape)).ravel()):
            kind, attributes = _kind_of_reshape(self._values[name].shape, target.shape)
            made = self._add(step, step.name, kind, [name], attributes, target, after.changes)
            self._made_by[step.output.number] = made
            return
        if before.rows is not None or after.rows is not None:
            raise Unreadable(f"{step.name}: this reshape of a flattened image cannot be followed.")
        name = self._in_order(step, name, before, tuple(range(before.rank)))
        kind, attributes = _kind_of_reshape(step.inputs[0].shape, native.shape)
        name = self._add(step, step.name, kind, [name], attributes, native, ())
        self._made_by[step.output.number] = self._in_order(step, name, after, after.order, tuple(range(after.rank)))

    def turned_for_channels(self, name: str) -> bool:
        """Whether an input that is kept unchanged is transposed, because a convolution needs its channels second.
        Operations that keep the layout, such as padding, may stand between both."""
        reached = {name}
        for node in self._nodes.values():
            if not reached.intersection(node.inputs):
                continue
            rule = self.step_of[node.name].rule
            if node.kind == "Transpose" and rule == "spatial":
                return True
            if rule == "same":
                reached.add(node.name)
        return False

    def drop_arrays(self) -> None:
        """Drop all values and weights, which can be gigabytes: the way back to the framework does not need them."""
        self._values.clear()
        self._weights.clear()
        for step in self.step_of.values():
            step.output.drop()

    def apply(
        self, name: str, inputs: Sequence[np.ndarray], training: bool, tensor: Callable[[np.ndarray], Any]
    ) -> np.ndarray:
        """Return the output of one node for other inputs. `tensor` converts an array to the framework's. Raises
        Unreadable if there is no such node or it cannot be called alone."""
        node = self._nodes.get(name)
        if node is None or len(inputs) != len(node.inputs):
            raise Unreadable(f"{name}: no node of this name takes {len(inputs)} inputs.")
        if node.kind in ("Transpose", "Identity", "Reshape", "Flatten"):
            return _move_elements(node, inputs[0])
        step = self.step_of[name]
        if step.call is None:
            raise Unreadable(f"{name}: {node.kind} cannot be called alone.")
        given = [tensor(self._native(source, each)) for source, each in zip(node.inputs, inputs, strict=True)]
        made = self._array(step.call(given, training))
        return np.ascontiguousarray(apply(self.changes[name], made))

    def _native(self, source: str, array: np.ndarray) -> np.ndarray:
        """Return the framework's array for a node's output; integers have the model's type at that place."""
        there = self._types[source]
        kind = there if array.dtype.kind in "iub" and there.kind in "iub" else array.dtype
        return np.ascontiguousarray(undo(self.changes[source], array), kind)

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Write weights by "NODE/ROLE". Raises Unreadable if one does not exist, cannot be set or does not fit."""
        for name, array in weights.items():
            weight = self.weight_of.get(name)
            if weight is None:
                raise Unreadable(f"{name}: no such weight.")
            if weight.write is None:
                if np.array_equal(apply(weight.changes, weight.read()), array):
                    continue
                raise Unreadable(f"{name}: it is a constant in the code and cannot be set.")
            if self._shapes[name] != array.shape:
                raise Unreadable(f"{name}: its shape is {self._shapes[name]}; the array to set has {array.shape}.")
            weight.set(array)


def _turned(order: tuple[int, ...]) -> tuple[Change, ...]:
    return () if order == tuple(range(len(order))) else (Permuted(order),)


def _move_elements(node: Node, array: np.ndarray) -> np.ndarray:
    """Return the result of a node that only moves elements."""
    if node.kind == "Identity":
        return array
    if node.kind == "Transpose":
        return array.transpose(node.attributes["perm"])
    if node.kind == "Flatten":
        return array.reshape(len(array), -1)
    return array.reshape(node.attributes["shape"])


def _kind_of_reshape(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[str, Attributes]:
    """Return Flatten if everything after the batch is joined, else Reshape with -1 for a batch that is kept."""
    if len(after) == 2 and after[0] == before[0] and len(before) >= 2:
        return "Flatten", {"axis": 1}
    kept = before and after and before[0] == after[0]
    return "Reshape", {"shape": (-1, *after[1:]) if kept else after}


def _natural_order(step: Step, forms: list[Form], form: Form) -> tuple[int, ...]:
    """Return the native axes of the output in the order in which the canonical operation leaves them."""
    rank = form.rank
    if step.rule in ("same", "concat", "product", "transpose", "unsqueeze", "input") or ":" in step.kind:
        return form.order
    if step.rule == "spatial":
        return order_of(rank, step.last and rank >= 3)
    if step.rule in ("reduce", "squeeze"):
        before = forms[0]
        if step.attributes.get("keepdims"):
            return before.order
        gone = {int(axis) % before.rank for axis in step.attributes["axes"]}
        kept = [axis for axis in range(before.rank) if axis not in gone]
        return tuple(kept.index(axis) for axis in before.order if axis not in gone)
    return tuple(range(rank))


def _renumbered(step: Step, forms: list[Form], form: Form) -> tuple[str, Attributes]:
    """Return the kind and the attributes with canonical axes."""
    attributes = dict(step.attributes)
    if step.rule == "transpose":
        perm = attributes["perm"]
        assert isinstance(perm, tuple)
        order = tuple(forms[0].axis(int(perm[axis])) for axis in form.order)
        return ("Identity", {}) if order == tuple(range(form.rank)) else ("Transpose", {"perm": order})
    if step.rule == "opaque" or not forms:
        return step.kind, attributes
    # The axes of an operation are those of its output, unless it removes some.
    of = forms[0] if step.rule in ("reduce", "squeeze") else form
    if "axis" in attributes and step.rule != "native" and attributes["axis"] is not None:
        attributes["axis"] = of.axis(int(attributes["axis"]))
    if "axes" in attributes and step.rule != "native":
        axes = [of.axis(int(axis)) for axis in attributes["axes"]]
        if step.kind == "Slice":
            places = np.argsort(axes)
            for name in ("starts", "ends", "steps"):
                attributes[name] = tuple(attributes[name][place] for place in places)
        attributes["axes"] = tuple(sorted(axes))
    if step.kind == "Pad":
        pads, rank = attributes["pads"], form.rank
        assert isinstance(pads, tuple)
        attributes["pads"] = tuple(pads[axis + side] for side in (0, rank) for axis in form.order)
    return step.kind, attributes
