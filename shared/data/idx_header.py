"""The header of an IDX file: the type of its array, then the length of each axis, all big-endian."""

import math
import struct
from dataclasses import dataclass

import numpy as np

# By the third byte of a file.
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 4  # for images with channels
MAX_HEADER_BYTES = 4 + 4 * MAX_AXES


@dataclass(frozen=True)
class IdxHeader:
    """The shape and the type of the array in an IDX file."""

    shape: tuple[int, ...]
    type: str = "u1"

    @property
    def dtype(self) -> np.dtype:
        """The type of the array's values."""
        return np.dtype(self.type)

    @property
    def size(self) -> int:
        """The bytes of the header itself."""
        return 4 + 4 * len(self.shape)

    @property
    def n_bytes(self) -> int:
        """The bytes of the whole file, header and array."""
        return self.size + math.prod(self.shape) * self.dtype.itemsize

    @property
    def in_words(self) -> str:
        """The content of the file, such as '2 images of 28 x 28' or '2 labels'."""
        if len(self.shape) == 1:
            return f"{self.shape[0]:,} labels"
        return f"{self.shape[0]:,} images of {' x '.join(map(str, self.shape[1:]))}"

    def content(self) -> bytes:
        """The header's bytes in the file."""
        code = next(code for code, name in TYPES.items() if name == self.type)
        return struct.pack(f">HBB{len(self.shape)}I", 0, code, len(self.shape), *self.shape)


def parse(content: bytes) -> IdxHeader | None:
    """Return the header at the start of `content`; None if there is none, or it has more axes than MAX_AXES."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES or not 1 <= content[3] <= MAX_AXES:
        return None
    n_axes = content[3]
    if len(content) < 4 + 4 * n_axes:
        return None
    return IdxHeader(struct.unpack_from(f">{n_axes}I", content, 4), TYPES[content[2]])
