"""One difference between two aligned networks, and how its values are written."""

from dataclasses import dataclass, field
from typing import Literal

from compare.graphs.node import Node, Recording

Change = Literal["attributes", "kind", "bypass", "insert", "move", "wiring", "weights", "none"]
ARITHMETIC = ("Add", "Sub", "Mul", "Div")


@dataclass(frozen=True)
class Difference:
    """One difference, and the change that makes the right network equal to the left there. A change is one of these:
    `attributes` set as the left's, the whole `kind` replaced, a node left out (`bypass`), put in (`insert`) or put
    elsewhere (`move`), inputs connected otherwise (`wiring`), or other `weights`. "none" changes nothing in a forward
    pass."""

    cause: str
    left: str | None
    right: str | None
    left_value: str
    right_value: str
    change: Change
    attributes: tuple[str, ...] = field(default=())


def near_input(node: Node, recording: Recording) -> bool:
    """Whether only arithmetic with numbers and constants stands between the input and this node."""
    graph = recording.graph
    while node.kind != "Input":
        taken = [graph[name] for name in node.inputs if graph[name].kind != "Constant"]
        if node.kind not in (*ARITHMETIC, "Pad", "Cast", "Transpose", "Slice") or len(taken) != 1:
            return False
        node = taken[0]
    return True


def by_constant(node: Node, recording: Recording) -> bool:
    """Whether a node is arithmetic with a number or a constant."""
    constant = any(recording.graph[name].kind == "Constant" for name in node.inputs)
    return node.kind in ARITHMETIC and ("scalar" in node.attributes or constant)


def shown(value: object) -> str:
    """Return a value as it is written for the user: `0.001`, `(1,1)`."""
    if isinstance(value, tuple):
        return "(" + ",".join(map(shown, value)) + ")"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)


def spoken(node: Node) -> str:
    """Return a short name of a node: its kind, and its distinguishing attributes."""
    settings = {
        name: value
        for name, value in node.attributes.items()
        if name in ("alpha", "ratio", "min", "max", "scalar", "kernel_shape", "axis")
    }
    inside = ", ".join(f"{name}={shown(value)}" for name, value in settings.items() if value is not None)
    return f"{node.kind}({inside})" if inside else node.kind


def where(node: Node) -> str:
    return f"behind {node.inputs[0]}" if node.inputs else "at the start"
