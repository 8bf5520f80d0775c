"""Names of nodes: their owner's names, made unique."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Named:
    """An operation's identity: the `path` of its module or layer, the `call` of that layer, its kind, and whether it
    has weights. The path ends in ":" if the layer does other things, too."""

    path: str
    call: int
    kind: str
    weighted: bool


def unique_names(operations: Sequence[Named]) -> list[str]:
    """Return a unique name for each. The operation with the weights gets the layer's own name; without weights, the
    first one gets it. The others get their kind as a suffix, and a number from the second on ("conv1", "conv1:Relu",
    "relu", "relu:2")."""
    first: dict[tuple[str, int], int] = {}
    for place, one in enumerate(operations):
        key = one.path, one.call
        if key not in first or (one.weighted and not operations[first[key]].weighted):
            first[key] = place
    counts: Counter[str] = Counter()
    names = []
    for place, one in enumerate(operations):
        kind = one.kind.rpartition(":")[2]
        path = one.path.rstrip(":")
        plain = not one.path.endswith(":") and first[one.path, one.call] == place
        name = path if plain and path else f"{path}:{kind}" if path else kind
        counts[name] += 1
        n = counts[name]
        while n > 1 and counts[f"{name}:{n}"]:
            n += 1
        unique = name if n == 1 else f"{name}:{n}"
        if n > 1:
            counts[unique] += 1
        names.append(unique)
    return names
