"""How a node is to become like its partner: what a line that mends it is written from."""

from collections.abc import Callable
from dataclasses import dataclass

from compare.graphs.node import Node

Write = Callable[["Want"], str]


@dataclass(frozen=True)
class Want:
    """How one node (`mine`, None if there is none) is to become like another (`theirs`)."""

    mine: Node | None
    theirs: Node | None
    role: str = ""

    def attribute(self, name: str) -> object:
        """What an attribute is to be."""
        return None if self.theirs is None else self.theirs.attributes.get(name)

    @property
    def spatial(self) -> str:
        """ "1d", "2d" or "3d"."""
        node = self.theirs or self.mine
        return f"{len(node.shape) - 2}d" if node else "2d"

    @property
    def my_layer(self) -> str:
        """What the layer is called that is changed."""
        return self.mine.layer if self.mine else ""
