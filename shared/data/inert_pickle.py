"""Read a pickle without executing anything.

A pickle is a program: it names functions, and unpickling calls them. Here nothing that a pickle names is ever imported.
A `Recorded` replaces it, which keeps its arguments and does nothing.
"""

import io
import pickle
import pickletools
from collections.abc import Collection

from shared.data.dataset import Damaged

# Instructions other than GLOBAL and REDUCE that create objects, or fetch them from elsewhere.
REFUSED = {"INST", "OBJ", "NEWOBJ", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"}


class Recorded:
    """Replaces something that a pickle names or calls: its name, the arguments, the state."""

    def __init__(self, name: str, args: tuple[object, ...] = ()) -> None:
        self.name = name
        self.args = args
        self.state: object = None

    def __call__(self, *args: object) -> "Recorded":
        return Recorded(self.name, args)

    def __setstate__(self, state: object) -> None:
        self.state = state


def loads(content: bytes, names: Collection[str]) -> object:
    """Return the content of a pickle of protocol 2 or lower; Python 2's strings are bytes.

    Everything that it names is a `Recorded`. Raises Damaged if it names anything but `names`, or is no such pickle.
    """
    try:
        _check_instructions(content)
        return _Unpickler(content, names).load()
    except Damaged:
        raise
    except Exception as error:  # a dozen kinds, each for another sort of damage
        raise Damaged(f"holds no readable pickle: {type(error).__name__}: {error}") from None


def _check_instructions(content: bytes) -> None:
    """Raise Damaged if there are instructions that `_Unpickler` must not receive."""
    for position, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if opcode.proto > 2 or opcode.name in REFUSED:
            raise Damaged(f"holds a pickle with the instruction {opcode.name}, which no file of this kind has")
        # Objects are numbered one by one. The unpickler immediately makes room up to the highest number, however large.
        if opcode.name.endswith("PUT") and isinstance(argument, int) and argument > position:
            raise Damaged(f"holds a pickle that numbers an object {argument:,} with fewer objects before it")


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes, names: Collection[str]) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")
        self.names = names

    def find_class(self, module: str, name: str) -> object:
        full_name = f"{module}.{name}"
        if full_name == "_codecs.encode":
            return _Latin1()
        if full_name not in self.names:
            raise Damaged(f"holds a pickle that names {full_name!r}, which no file of this kind does")
        return Recorded(full_name)


class _Latin1:
    """Replaces `_codecs.encode`, with which Python 3 writes bytes in the protocols that Python 2 reads."""

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise ValueError(f"bytes are written as latin1, not {encoding!r}")
        return text.encode("latin-1")
