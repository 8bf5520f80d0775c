"""Keras's LSTM, GRU, SimpleRNN and Bidirectional as canonical steps: one per direction, then the slices of its output.

A layer's output is in the order of its own steps, a canonical node's output in that of the input. Masked steps repeat
the state before them in both.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops, tree
from keras.backend import standardize_dtype

from compare.adapters.changes import Permuted, Taken
from compare.adapters.keras_activations import kind_of_function
from compare.adapters.keras_backend import is_tensor, weight_of
from compare.adapters.keras_known import compound, converted, own_kind, without_dropout
from compare.adapters.keras_watch import KerasWatch, Original
from compare.adapters.steps import Weight
from compare.graphs.node import Attribute
from compare.graphs.operators.recurrent import FUNCTIONS, GATES

KINDS = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}
ORDERS = {"LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2), "RNN": (0,)}  # Keras's gates in ONNX's order


@dataclass(frozen=True)
class _Run:
    """One call of a recurrent layer: its sequence (N, T, F), its mask (N, T) or None, and its first states."""

    watch: KerasWatch
    original: Original
    x: Any
    mask: Any
    states: tuple[Any, ...]
    training: bool

    def emit(
        self,
        name: str,
        kind: str,
        inputs: Sequence[Any],
        call: Callable[..., Any],
        rule: str,
        layer: Any,
        attributes: dict[str, Attribute] | None = None,
        weights: dict[str, Weight] | None = None,
        output: Any = None,
    ) -> Any:
        """Add a step; `output` if Keras has computed it already."""
        with self.watch.mute():
            made = call(*inputs) if output is None else output
            made = self.watch.own(made)
        more: dict[str, Any] = {"attributes": attributes or {}, "weights": weights or {}}
        more |= {"layer": type(layer).__name__, "call": self.watch.unwatched(call)}
        self.watch.trace.add(name, kind, list(inputs), made, rule, **more)
        return made


def readable(layer: Any) -> bool:
    """Whether a layer has a canonical form."""
    kind = type(layer).__name__
    return kind in KINDS and not layer.stateful and _activations(layer, KINDS[kind]) is not None


@compound(*KINDS)
def _layer(watch: KerasWatch, path: str, layer: Any, original: Original, args: Any, kwargs: Any) -> Any:
    run, output = _begun(watch, layer, original, args, kwargs)
    if not readable(layer) or run is None:
        return own_kind(watch, path, layer, original, args, kwargs)
    parts = tree.flatten(output)
    y, cell = _direction(run, path, layer)
    made = [_taken(run, path, layer, y, output=parts[0])]
    if layer.return_state:
        made.append(_last(run, f"{path}:h", layer, y, parts[1]))
        if cell is not None:
            made.append(run.emit(f"{path}:c:Identity", "Identity", [cell], ops.copy, "same", layer, output=parts[2]))
    return made[0] if len(parts) == 1 else made if isinstance(output, list) else type(output)(made)


@compound("Bidirectional")
def _bidirectional(watch: KerasWatch, path: str, layer: Any, original: Original, args: Any, kwargs: Any) -> Any:
    run, output = _begun(watch, layer, original, args, kwargs)
    both = (layer.forward_layer, layer.backward_layer)
    if run is None or not all(map(readable, both)) or type(layer) is not keras.layers.Bidirectional:
        return own_kind(watch, path, layer, original, args, kwargs)
    parts = tree.flatten(output)
    half = len(run.states) // 2
    ways, states = [], []
    for each, own in zip(both, (run.states[:half], run.states[half:]), strict=True):
        name = f"{path}.{'backward' if each is layer.backward_layer else 'forward'}"
        one = _Run(watch, original, run.x, run.mask, own, run.training)
        y, cell = _direction(one, name, each)
        if not layer.return_sequences:
            ways.append(_last(one, f"{name}:last", each, y))
        else:
            ways.append(_zeroed(one, name, each, y) if each.zero_output_for_mask else y)
        if layer.return_state:
            states += [_last(one, f"{name}:h", each, y)] + ([] if cell is None else [cell])
    if layer.merge_mode is None:
        made = [
            run.emit(f"{path}:Identity", "Identity", [way], ops.copy, "same", layer, output=part)
            for way, part in zip(ways, parts, strict=False)
        ]
    else:
        made = [_merged(run, path, layer, ways, parts[0])]
    for state, part in zip(states, parts[len(made) :], strict=True):
        made.append(run.emit(f"{path}:state", "Identity", [state], ops.copy, "same", layer, output=part))
    return made[0] if len(parts) == 1 else made if isinstance(output, list) else type(output)(made)


def _begun(watch: KerasWatch, layer: Any, original: Original, args: Any, kwargs: Any) -> tuple[_Run | None, Any]:
    """Return a layer's call and its output; no run if the call cannot be read."""
    args, kwargs = converted(args), converted(kwargs)
    with watch.mute(), without_dropout(layer):
        output = original(layer, *args, **kwargs)
    resolved = watch.resolved(layer)
    given = dict(zip(("sequences", "initial_state", "mask"), args, strict=False)) | kwargs
    x, mask = given["sequences"], resolved.get("mask", given.get("mask"))
    mask = mask[0] if isinstance(mask, list | tuple) and mask else mask
    states = tuple(tree.flatten(given.get("initial_state"))) if given.get("initial_state") is not None else ()
    if not is_tensor(x):
        return None, output
    if mask is not None and standardize_dtype(mask.dtype) == "bool":
        with watch.mute():
            mask = ops.cast(mask, "int32")
    return _Run(watch, original, x, mask, states, bool(resolved.get("training"))), output


def _direction(run: _Run, path: str, layer: Any) -> tuple[Any, Any]:
    """Add one layer in one direction. Return its state after every step (N, T, H), in the order of the input, and the
    last state of an LSTM's cells (N, H)."""
    kind, x = KINDS[type(layer).__name__], run.x
    if layer.cell.dropout:
        rate: dict[str, Attribute] = {"ratio": float(layer.cell.dropout), "active": run.training}
        x = run.emit(f"{path}:Dropout", "Dropout", [x], ops.copy, "same", layer, rate)
    masked, n = run.mask is not None, len(run.states)
    attributes: dict[str, Attribute] = {
        "direction": "reverse" if layer.go_backwards else "forward",
        "activations": _activations(layer, kind),
        "takes": (("mask",) if masked else ()) + ("h", "c")[:n],
        **({"linear_before_reset": int(layer.cell.reset_after)} if kind == "GRU" else {}),
        **({"recurrent_dropout": float(layer.cell.recurrent_dropout)} if layer.cell.recurrent_dropout else {}),
    }
    inputs = [x, *([run.mask] if masked else []), *run.states]
    weights = _weights(path, layer, kind)
    y = run.emit(
        path, kind, inputs, partial(_called, run.original, layer, masked, 0), "native", layer, attributes, weights
    )
    if kind != "LSTM":
        return y, None
    call = partial(_called, run.original, layer, masked, 1)
    return y, run.emit(f"{path}:c", kind, inputs, call, "native", layer, {**attributes, "output": "C"}, weights)


def _called(original: Original, layer: Any, masked: bool, part: int, x: Any, *more: Any) -> Any:
    """Call the layer in Keras; return every step in the order of the input, or its last state of cells."""
    mask = ops.cast(more[0], "bool") if masked else None
    states = list(more[1:] if masked else more) or None
    changed = {"return_sequences": not part, "return_state": bool(part), "zero_output_for_mask": False}
    with without_dropout(layer), _as_if(layer, changed):
        made = original(layer, x, initial_state=states, mask=mask)
    if part:
        return made[2]
    return ops.flip(made, 1) if layer.go_backwards else made


@contextmanager
def _as_if(layer: Any, attributes: dict[str, Any]) -> Iterator[None]:
    """Give a layer other attributes for this context, bypassing Keras's own bookkeeping."""
    before = {name: vars(layer)[name] for name in attributes}
    try:
        for name, value in attributes.items():
            object.__setattr__(layer, name, value)
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(layer, name, value)


def _taken(run: _Run, path: str, layer: Any, y: Any, output: Any) -> Any:
    """Add and return what a layer returns of its steps."""
    if not layer.return_sequences:
        return _last(run, f"{path}:last", layer, y, output)
    if layer.zero_output_for_mask:
        y = _zeroed(run, path, layer, y)
    if layer.go_backwards:
        n = int(y.shape[1])
        turned: dict[str, Attribute] = {"axes": (1,), "starts": (n - 1,), "ends": (None,), "steps": (-1,)}
        return run.emit(f"{path}:Slice", "Slice", [y], lambda v: ops.flip(v, 1), "same", layer, turned, output=output)
    return run.emit(f"{path}:Identity", "Identity", [y], ops.copy, "same", layer, output=output)


def _last(run: _Run, path: str, layer: Any, y: Any, output: Any = None) -> Any:
    """Add and return the state after the last step of a layer."""
    at = 0 if layer.go_backwards else int(y.shape[1]) - 1
    cut: dict[str, Attribute] = {"axes": (1,), "starts": (at,), "ends": (at + 1,), "steps": (1,)}
    one = run.emit(f"{path}:Slice", "Slice", [y], lambda v: v[:, at : at + 1], "same", layer, cut)
    axes: dict[str, Attribute] = {"axes": (1,)}
    return run.emit(path, "Squeeze", [one], lambda v: ops.squeeze(v, 1), "squeeze", layer, axes, output=output)


def _zeroed(run: _Run, path: str, layer: Any, y: Any) -> Any:
    """Add zeros for masked steps."""
    if run.mask is None:
        return y
    axes: dict[str, Attribute] = {"axes": (2,)}
    wide = run.emit(f"{path}:mask", "Unsqueeze", [run.mask], lambda m: ops.expand_dims(m, 2), "unsqueeze", layer, axes)
    return run.emit(f"{path}:zeroed", "Mul", [y, wide], lambda a, b: a * ops.cast(b, a.dtype), "same", layer)


def _merged(run: _Run, path: str, layer: Any, ways: list[Any], output: Any) -> Any:
    mode = layer.merge_mode
    if mode == "concat":
        axis: dict[str, Attribute] = {"axis": len(ways[0].shape) - 1}
        return run.emit(path, "Concat", ways, lambda *v: ops.concatenate(v, -1), "concat", layer, axis, output=output)
    if mode == "mul":
        return run.emit(path, "Mul", ways, lambda a, b: a * b, "same", layer, output=output)
    if mode == "sum":
        return run.emit(path, "Add", ways, lambda a, b: a + b, "same", layer, output=output)
    both = run.emit(f"{path}:sum", "Add", ways, lambda a, b: a + b, "same", layer)
    return run.emit(path, "Div", [both], lambda v: v / 2, "same", layer, {"scalar": 2.0}, output=output)


def _weights(path: str, layer: Any, kind: str) -> dict[str, Weight]:
    cell, size = layer.cell, int(layer.units)
    assert len(ORDERS[kind]) == GATES[kind]
    index = np.concatenate([np.arange(gate * size, (gate + 1) * size) for gate in ORDERS[kind]])
    found = {
        role: weight_of(getattr(cell, name), f"{path}.{name}").then(Permuted((1, 0)), Taken(0, index))
        for role, name in (("W", "kernel"), ("R", "recurrent_kernel"))
    }
    if cell.bias is None:
        return found
    if kind == "GRU" and cell.reset_after:
        return found | _two_biases(path, cell.bias, size)
    return found | {"B": weight_of(cell.bias, f"{path}.bias").then(Taken(0, index))}


def _two_biases(path: str, variable: Any, size: int) -> dict[str, Weight]:
    """Return a GRU's biases (2, 3 H). They are summed except for the last gate; new values go to the first one."""
    n = 2 * size

    def read() -> np.ndarray:
        both = np.array(variable)
        return np.concatenate([both[0, :n] + both[1, :n], both[0, n:]])

    def write(array: np.ndarray) -> None:
        variable.assign(np.stack([array, np.concatenate([np.zeros(n), np.array(variable)[1, n:]])]))

    def write_last(array: np.ndarray) -> None:
        both = np.array(variable)
        both[1, n:] = array
        variable.assign(both)

    last = Weight(f"{path}.recurrent_bias", lambda: np.array(variable)[1, n:], write_last)
    return {"B": Weight(f"{path}.bias", read, write), "RB": last}


def _activations(layer: Any, kind: str) -> tuple[str, ...] | None:
    """Return the names of a layer's activations; None if one has no name."""
    inner, gates = _name(layer.activation), "" if kind == "RNN" else _name(layer.recurrent_activation)
    found = {"RNN": (inner,), "GRU": (gates, inner), "LSTM": (gates, inner, inner)}[kind]
    return tuple(each or "" for each in found) if all(found) else None


def _name(function: Any) -> str | None:
    if getattr(function, "__name__", "") == "linear":
        return "Affine"
    meant = kind_of_function(function) if callable(function) and not isinstance(function, keras.layers.Layer) else None
    plain = meant is not None and (not meant[1] or meant[0] == "HardSigmoid" or meant == ("Elu", {"alpha": 1.0}))
    return meant[0] if meant is not None and plain and meant[0] in FUNCTIONS else None
