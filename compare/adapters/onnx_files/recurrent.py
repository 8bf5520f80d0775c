"""LSTM, GRU and RNN of an ONNX file as canonical nodes: one for each direction."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from compare.adapters.onnx_files.orders import Translator, Weights, name_of
from compare.adapters.onnx_files.reading import Reading, Source, Unknown
from compare.graphs.operators.recurrent import DEFAULTS, FUNCTIONS, GATES

SWAP = {"perm": (1, 0, 2)}
OTHERWISE = ("clip", "input_forget", "activation_alpha", "activation_beta")  # no framework writes these


def recurrent(reading: Reading, proto: Any, attrs: dict[str, Any]) -> None:
    """Add a layer of one or two directions, whose sequences are (T, N, F), or (N, T, F) with layout 1."""
    kind, name = proto.op_type, name_of(proto)
    given = [reading.known(proto, place) for place in (1, 2)]
    if any(attrs.get(each) for each in OTHERWISE) or any(each is None for each in given) or _has_input(proto, 7):
        raise Unknown
    direction, first = attrs.get("direction", "forward"), attrs.get("layout", 0) == 1
    ways = ("forward", "reverse") if direction == "bidirectional" else (direction,)
    x = reading.plain(proto.input[0])
    if not first:
        x = reading.emit(f"{name}:turned", "Transpose", (x,), SWAP, layer=kind)
    length = reading.values[x].shape[1]
    if _has_input(proto, 4) and not (np.asarray(reading.known(proto, 4)) == length).all():
        raise Unknown
    size = given[1].shape[2] if given[1] is not None else 0
    takes, states = _states(reading, proto, name, first)
    ends, cells, outputs = [], [], []
    for way, each in enumerate(ways):
        own = name if len(ways) == 1 else f"{name}.{each}"
        attributes = {"direction": each, "activations": _activations(kind, attrs, way), "takes": takes}
        if kind == "GRU":
            attributes["linear_before_reset"] = int(attrs.get("linear_before_reset", 0))
        weights = _weights(reading, proto, way, size, bool(attributes.get("linear_before_reset")))
        inputs = (x, *(one[way] for one in states))
        outputs.append(reading.emit(own, kind, inputs, attributes, weights, kind))
        at = length - 1 if each == "forward" else 0
        cut = {"axes": (1,), "starts": (at,), "ends": (at + 1,), "steps": (1,)}
        ends.append(reading.emit(f"{own}:h", "Slice", (outputs[-1],), cut, layer=kind))
        if kind == "LSTM" and _made(proto, 2):
            cell = reading.emit(f"{own}:c", kind, inputs, {**attributes, "output": "C"}, weights, kind)
            cells.append(reading.emit(f"{own}:c:wide", "Unsqueeze", (cell,), {"axes": (1,)}, layer=kind))
    if _made(proto, 0):
        whole = _joined(reading, f"{name}:Concat", outputs, 2, kind)
        split = {"shape": (-1, length, len(ways), size)}
        whole = reading.emit(f"{name}:apart", "Reshape", (whole,), split, layer=kind)
        reading.define(proto.output[0], whole, (0, 1, 2, 3) if first else (1, 2, 0, 3))
    for place, parts in ((1, ends), (2, cells)):
        if _made(proto, place):
            whole = _joined(reading, f"{name}:state", parts, 1, kind)
            reading.define(proto.output[place], whole, (0, 1, 2) if first else (1, 0, 2))


def _has_input(proto: Any, place: int) -> bool:
    return place < len(proto.input) and bool(proto.input[place])


def _made(proto: Any, place: int) -> bool:
    return place < len(proto.output) and bool(proto.output[place])


def _joined(reading: Reading, name: str, parts: list[str], axis: int, layer: str) -> str:
    return parts[0] if len(parts) == 1 else reading.emit(name, "Concat", parts, {"axis": axis}, layer=layer)


def _activations(kind: str, attrs: Mapping[str, Any], way: int) -> tuple[str, ...]:
    usual = DEFAULTS[kind]
    named = attrs.get("activations")
    if not named:
        return usual
    found = [each.decode() if isinstance(each, bytes) else str(each) for each in named]
    own = tuple(each.capitalize() for each in found[way * len(usual) : (way + 1) * len(usual)])
    if not set(own) <= FUNCTIONS.keys() - {"Affine"}:
        raise Unknown
    return own


def _states(reading: Reading, proto: Any, name: str, first: bool) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return the first states of every direction (N, H), by their names; none if they are zeros."""
    takes: list[str] = []
    states: list[list[str]] = []
    for place, role in ((5, "h"), (6, "c")):
        known = reading.constants.get(proto.input[place]) if _has_input(proto, place) else None
        if not _has_input(proto, place) or (known is not None and not known.any()):
            continue
        if first:
            raise Unknown
        whole = reading.plain(proto.input[place])
        takes.append(role)
        states.append([])
        for way in range(reading.values[whole].shape[0]):
            cut = {"axes": (0,), "starts": (way,), "ends": (way + 1,), "steps": (1,)}
            one = reading.emit(f"{name}:first {role}", "Slice", (whole,), cut)
            states[-1].append(reading.emit(f"{one}:one", "Squeeze", (one,), {"axes": (0,)}))
    if takes == ["c"]:
        raise Unknown
    return tuple(takes), states


def _weights(reading: Reading, proto: Any, way: int, size: int, resets: bool) -> Weights:
    """Return the weights of one direction, each of which is a part of an array of the file."""
    found: Weights = {}
    for role, place in (("W", 1), ("R", 2)):
        array = reading.known(proto, place)
        assert array is not None
        found[role] = (array[way], _part(proto.input[place], lambda whole, own: _at(whole, way, own)))
    if not _has_input(proto, 3):
        return found
    array, rows = reading.known(proto, 3), GATES[proto.op_type] * size
    assert array is not None
    split = rows - size if resets else rows  # a GRU that resets after the product has two biases in its last gate
    both = array[way].reshape(2, rows)
    summed = np.concatenate([both[0, :split] + both[1, :split], both[0, split:]])

    def with_first(whole: np.ndarray, own: np.ndarray) -> np.ndarray:
        return _at(whole, way, np.concatenate([own, np.zeros(split), whole[way, rows + split :]]))

    def with_second(whole: np.ndarray, own: np.ndarray) -> np.ndarray:
        return _at(whole, way, np.concatenate([whole[way, : rows + split], own]))

    found["B"] = (summed, _part(proto.input[3], with_first))
    if resets:
        found["RB"] = (both[1, split:], _part(proto.input[3], with_second))
    return found


def _part(value: str, into: Any) -> Source:
    return Source(value, into=into)


def _at(whole: np.ndarray, way: int, own: np.ndarray) -> np.ndarray:
    made = np.array(whole)
    made[way] = own
    return made


RECURRENT: dict[str, Translator] = dict.fromkeys(GATES, recurrent)
