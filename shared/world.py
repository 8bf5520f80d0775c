"""Data-parallel training: which of several processes this one is, where each takes a share of every batch."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

SIZE_VARIABLE, RANK_VARIABLE = "COMPARE_WORLD_SIZE", "RANK"  # the second by the name that torchrun gives it
FOLDER_VARIABLE = "COMPARE_PEERS"  # the folder of the socket by which the processes talk, known to them alone
MAX_SIZE = 64


@dataclass(frozen=True)
class World:
    """`size` processes, of which this one is number `rank`, from 0."""

    rank: int = 0
    size: int = 1

    @classmethod
    def here(cls, variables: Mapping[str, str] = os.environ) -> "World":
        """What the environment says; one process if it says nothing."""
        size = int(variables.get(SIZE_VARIABLE, "1"))
        return cls(int(variables[RANK_VARIABLE]), size) if size > 1 else cls()

    def share(self, n_images: int) -> slice:
        """Which images of a batch are this process's: as many as of any other, or one more, in their order."""
        return slice(n_images * self.rank // self.size, n_images * (self.rank + 1) // self.size)
