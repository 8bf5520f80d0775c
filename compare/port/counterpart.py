"""What a fix has to change: a node, and the node that it should equal."""

from collections.abc import Callable
from dataclasses import dataclass

from compare.graphs.node import Node

Write = Callable[["Want"], str]


@dataclass(frozen=True)
class Want:
    """A node to change (`mine`, None if there is none) and the node that it should equal (`theirs`)."""

    mine: Node | None
    theirs: Node | None
    role: str = ""

    def attribute(self, name: str) -> object:
        """Return the value that an attribute should have."""
        return None if self.theirs is None else self.theirs.attributes.get(name)

    @property
    def spatial(self) -> str:
        """ "1d", "2d" or "3d"."""
        node = self.theirs or self.mine
        return f"{len(node.shape) - 2}d" if node else "2d"

    @property
    def my_layer(self) -> str:
        """The layer to change, as its framework calls it."""
        return self.mine.layer if self.mine else ""
