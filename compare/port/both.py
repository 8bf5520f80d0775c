"""Two models and what is known of both once their losses were differentiated: what their training starts from."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from compare.graphs.node import Arrays
from compare.port.align import Alignment
from compare.port.side import Differentiated, Side

Batch = Callable[[int], tuple[Arrays, np.ndarray]]  # of a step, from 0: inputs and targets


@dataclass(frozen=True)
class Both:
    """Both sides, each differentiated for the same targets in its own form; `batch` gives what every step takes.
    `inherited`: the outputs differ in training mode."""

    sides: tuple[Side, Side]
    pool: ThreadPoolExecutor
    tell: Callable[[str], None]
    left: Differentiated
    right: Differentiated
    alignment: Alignment
    forms: tuple[str, str]
    batch: Batch
    inherited: bool

    @property
    def frameworks(self) -> tuple[str, str]:
        """What each is written in."""
        left, right = self.sides
        return left.loaded.framework, right.loaded.framework

    def parameters(self) -> list[tuple[str, str]]:
        """NODE/ROLE on either side of every weight that both have and can train, one that is used twice once."""
        found = []
        seen: dict[str, list[np.ndarray]] = {}
        for name_l, name_r in self.alignment.pairs:
            for role in self.left.recording.graph[name_l].roles:
                keys = f"{name_l}/{role}", f"{name_r}/{role}"
                if keys[0] not in self.left.parameters or keys[1] not in self.right.parameters:
                    continue
                weights = [side.recording.weights[key] for side, key in zip((self.left, self.right), keys, strict=True)]
                others = seen.setdefault(self.left.parameters[keys[0]][0], [])
                if weights[0].shape == weights[1].shape and not any(_alike(weights[0], other) for other in others):
                    others.append(weights[0])
                    found.append(keys)
        return found


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two uses of what has one name are of the same numbers, and not of two parts of a tensor."""
    return a.size == b.size and np.array_equal(np.sort(a, axis=None), np.sort(b, axis=None))
