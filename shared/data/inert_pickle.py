"""Reading a pickle without executing anything.

A pickle is a program: it names functions, and unpickling calls them. Here nothing that a pickle names is
ever imported. A `Recorded` stands for it, which keeps what it is given and does nothing.
"""

import io
import pickle
import pickletools
from collections.abc import Collection

from shared.data.dataset import Damaged

# Other ways than GLOBAL and REDUCE to have something made, or fetched from elsewhere.
REFUSED = {"INST", "OBJ", "NEWOBJ", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"}


class Recorded:
    """Stands for something that a pickle names, or has made by calling it: its name, the arguments, the state."""

    def __init__(self, name: str, args: tuple[object, ...] = ()) -> None:
        self.name = name
        self.args = args
        self.state: object = None

    def __call__(self, *args: object) -> "Recorded":
        return Recorded(self.name, args)

    def __setstate__(self, state: object) -> None:
        self.state = state


def loads(content: bytes, names: Collection[str]) -> object:
    """What a pickle of protocol 2 or lower holds; Python 2's strings are bytes.

    Everything it names is a `Recorded`. Raises Damaged if it names anything but `names`, or is no such pickle.
    """
    try:
        _check_instructions(content)
        return _Unpickler(content, names).load()
    except Damaged:
        raise
    except Exception as error:  # a dozen kinds, each for another sort of nonsense
        raise Damaged(f"holds no readable pickle: {type(error).__name__}: {error}") from None


def _check_instructions(content: bytes) -> None:
    """Raise Damaged if there are instructions that `_Unpickler` should not even be given."""
    for position, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if opcode.proto > 2 or opcode.name in REFUSED:
            raise Damaged(f"holds a pickle with the instruction {opcode.name}, which no file of this kind has")
        # Objects are numbered one by one. The unpickler makes room up to the highest number, at once, whatever it is.
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
    """Stands for `_codecs.encode`, with which Python 3 writes bytes in the protocols that Python 2 reads."""

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise ValueError(f"bytes are written as latin1, not {encoding!r}")
        return text.encode("latin-1")
