"""Send messages between the harness and a worker: a header in JSON, then the bytes of any arrays.

A frame is the length of the header (8 bytes, big-endian), the header, and each array's bytes in C order. Nothing is
ever unpickled, and arrays are read straight into their final memory.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

LENGTH = struct.Struct(">Q")
MAX_HEADER_BYTES = 1 << 28
BLOCK_BYTES = 32 << 20

Arrays = dict[str, np.ndarray]


def write(stream: BinaryIO, body: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Send one frame."""
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    layout = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    header = json.dumps({"body": body, "arrays": layout}).encode()
    stream.write(LENGTH.pack(len(header)))
    stream.write(header)
    for array in arrays.values():
        for block in _blocks(array):
            stream.write(block.reshape(-1).view(np.uint8).data)
    stream.flush()


def _blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the array in C order: unchanged, or in parts along its first axis if it would have to be copied."""
    if array.flags.c_contiguous or array.nbytes <= BLOCK_BYTES:
        yield np.asarray(array, order="C")
        return
    n_rows = max(1, BLOCK_BYTES * len(array) // array.nbytes)
    for start in range(0, len(array), n_rows):
        yield np.asarray(array[start : start + n_rows], order="C")


def read(stream: BinaryIO) -> tuple[dict[str, Any], Arrays] | None:
    """Receive one frame; None if the stream ends before another begins. Raises EOFError if it ends inside one."""
    prefix = stream.read(LENGTH.size)
    if not prefix:
        return None
    if len(prefix) < LENGTH.size:
        raise EOFError("the stream ended inside a message")
    (n_bytes,) = LENGTH.unpack(prefix)
    if n_bytes > MAX_HEADER_BYTES:
        raise ValueError(f"a message header of {n_bytes:,} bytes is not one of our messages")
    encoded = bytearray(n_bytes)
    _read_into(stream, memoryview(encoded))
    header = json.loads(encoded)
    arrays: Arrays = {}
    for name, dtype, shape in header["arrays"]:
        array = np.empty(shape, np.dtype(dtype))
        _read_into(stream, array.reshape(-1).view(np.uint8).data)
        arrays[name] = array
    return header["body"], arrays


def _read_into(stream: BinaryIO, view: memoryview) -> None:
    """Fill `view`."""
    while view:
        n_bytes = stream.readinto(view)  # type: ignore[attr-defined]  # BinaryIO lacks it; every real one has it
        if not n_bytes:
            raise EOFError("the stream ended inside a message")
        view = view[n_bytes:]
