"""How messages travel between the harness and a worker: a header in JSON, then the bytes of any arrays.

A frame is the length of the header (8 bytes, big-endian), the header, and each array's bytes in C order. Nothing is
ever unpickled, and arrays are read straight into their final memory.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

LENGTH = struct.Struct(">Q")
MAX_HEADER_BYTES = 1 << 28

Arrays = dict[str, np.ndarray]


def write(stream: BinaryIO, body: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Send one frame."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    layout = [[name, array.dtype.str, array.shape] for name, array in contiguous.items()]
    header = json.dumps({"body": body, "arrays": layout}).encode()
    stream.write(LENGTH.pack(len(header)))
    stream.write(header)
    for array in contiguous.values():
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def read(stream: BinaryIO) -> tuple[dict[str, Any], Arrays] | None:
    """Receive one frame; None if the stream ends before another begins. Raises EOFError if it ends inside one."""
    prefix = stream.read(LENGTH.size)
    if not prefix:
        return None
    if len(prefix) < LENGTH.size:
        raise EOFError("the stream ended inside a message")
    (n_bytes,) = LENGTH.unpack(prefix)
    if n_bytes > MAX_HEADER_BYTES:
        raise ValueError(f"a message header of {n_bytes:,} bytes is no message of ours")
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
