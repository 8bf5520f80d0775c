"""Two models whose losses were differentiated: the starting point for comparing their training."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from compare.graphs.node import Arrays
from compare.port.align import Alignment
from compare.port.side import Differentiated, Side

Batch = Callable[[int], tuple[Arrays, np.ndarray]]  # the inputs and targets of a step, counted from 0


@dataclass(frozen=True)
class Both:
    """Both sides, each differentiated for the same targets in its own form. `batch` gives the inputs and targets of
    every step. `inherited` says that the outputs already differ in training mode."""

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
        """The framework of each side."""
        left, right = self.sides
        return left.loaded.framework, right.loaded.framework

    def parameters(self) -> list[tuple[str, str]]:
        """NODE/ROLE on each side of every weight that both have and can train. A shared weight is listed once."""
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
    """Whether two uses of one name hold the same numbers, instead of two parts of one tensor."""
    return a.size == b.size and np.array_equal(np.sort(a, axis=None), np.sort(b, axis=None))
