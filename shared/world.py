"""Data-parallel training: which of several processes this one is, if each takes a share of every batch."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

SIZE_VARIABLE, RANK_VARIABLE = "COMPARE_WORLD_SIZE", "RANK"  # the second one has torchrun's name
FOLDER_VARIABLE = "COMPARE_PEERS"  # the folder of the processes' socket, which only they know
MAX_SIZE = 64


@dataclass(frozen=True)
class World:
    """`size` processes, of which this one is number `rank`, from 0."""

    rank: int = 0
    size: int = 1

    @classmethod
    def here(cls, variables: Mapping[str, str] = os.environ) -> "World":
        """Read the environment; one process if it says nothing."""
        size = int(variables.get(SIZE_VARIABLE, "1"))
        return cls(int(variables[RANK_VARIABLE]), size) if size > 1 else cls()

    def share(self, n_images: int) -> slice:
        """Return this process's images of a batch, in their order: as many as any other process's, or one more."""
        return slice(n_images * self.rank // self.size, n_images * (self.rank + 1) // self.size)
