"""The communication between the processes of one data-parallel worker, besides their framework's: requests, whether
they succeeded, and figures that belong together.

The first process, which the harness talks to, receives the messages of all others and answers them. It uses a Unix
socket that only they know.
"""

import os
import socket
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from compare.rpc import wire
from shared.world import FOLDER_VARIABLE, World

JOIN_S = 120.0
_LENGTH = struct.Struct(">Q")
_FAILED = b"\x00failed\x00"  # nothing exchanged begins with it: no float, logits or process number


class PeerFailed(Exception):
    """Another process could not carry out the request; its message."""


class Peers:
    """The other processes of a world of two or more."""

    def __init__(self, world: World) -> None:
        """Wait until all have joined. Raises TimeoutError if one does not."""
        self.world = world
        with _socket_path(Path(os.environ[FOLDER_VARIABLE])) as path:
            connections = _joined(path, world.size) if world.rank == 0 else [_connected(path, world.size)]
        self._streams = [_stream(connection) for connection in connections]
        if world.rank == 0:
            named = {int.from_bytes(self._receive(stream)): stream for stream in self._streams}
            self._streams = [named[rank] for rank in sorted(named)]
        else:
            self._send(self._streams[0], world.rank.to_bytes(8))
        pids = [int.from_bytes(part) for part in self.exchange(os.getpid().to_bytes(8))]
        self.others = [pid for pid in pids if pid != os.getpid()]  # their processes

    def tell(self, body: Mapping[str, Any], arrays: wire.Arrays) -> None:
        """Pass a request on to all others."""
        for stream in self._streams:
            wire.write(stream, body, arrays)

    def receive(self) -> tuple[dict[str, Any], wire.Arrays] | None:
        """Return the next request that was passed on; None if there are no more."""
        return wire.read(self._streams[0])

    def exchange(self, mine: bytes) -> list[bytes]:
        """Return what each contributes, in the order of their ranks; all receive it. Raises EOFError if one is gone
        and, in the first, PeerFailed if one had to give up."""
        if self.world.rank > 0:
            (stream,) = self._streams
            self._send(stream, mine)
            return [self._receive(stream) for _ in range(self.world.size)]
        said = [mine, *(self._receive(stream) for stream in self._streams)]
        for part in said[1:]:
            if part.startswith(_FAILED):
                raise PeerFailed(part.removeprefix(_FAILED).decode())
        for stream in self._streams:
            for part in said:
                self._send(stream, part, last=False)
            stream.flush()
        return said

    def gathered(self, mine: np.ndarray) -> np.ndarray:
        """Return the parts of all, one after the other along the first axis; they only differ in its length."""
        parts = [np.frombuffer(part, mine.dtype) for part in self.exchange(np.ascontiguousarray(mine).tobytes())]
        return np.concatenate(parts).reshape(-1, *mine.shape[1:])

    def as_the_first(self, mine: bool) -> bool:
        """Return the first process's decision."""
        return self.exchange(b"yes" if mine else b"no")[0] == b"yes"

    def give_up(self, why: str) -> None:
        """Report to the first process, instead of the next exchange, why there will be none."""
        self._send(self._streams[0], _FAILED + why.encode())

    def close(self) -> None:
        """Stop sending and receiving."""
        for stream in self._streams:
            stream.close()

    def _send(self, stream: BinaryIO, content: bytes, last: bool = True) -> None:
        stream.write(_LENGTH.pack(len(content)) + content)
        if last:
            stream.flush()

    def _receive(self, stream: BinaryIO) -> bytes:
        return _read(stream, _LENGTH.unpack(_read(stream, _LENGTH.size))[0])


@contextmanager
def _socket_path(folder: Path) -> Iterator[str]:
    """Yield a name for the socket: it has to be short, and on Linux an open folder has a short one."""
    if not sys.platform.startswith("linux"):
        yield str(folder / "peers")
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}/peers"
    finally:
        os.close(opened)


def _joined(path: str, size: int) -> list[socket.socket]:
    """Return the connections of all others, in order of arrival."""
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(JOIN_S)
        server.bind(f"{path}.new")
        server.listen(size)
        Path(f"{path}.new").rename(path)  # it can be found only now
        return [server.accept()[0] for _ in range(size - 1)]


def _connected(path: str, size: int) -> socket.socket:
    """Return a connection to the first, once it exists."""
    deadline = time.monotonic() + JOIN_S
    connection = socket.socket(socket.AF_UNIX)
    while True:
        try:
            connection.connect(path)
            return connection
        except FileNotFoundError:
            if time.monotonic() > deadline:
                connection.close()
                raise TimeoutError(f"the first of {size} processes did not start") from None
        time.sleep(0.01)


def _stream(connection: socket.socket) -> BinaryIO:
    with connection:
        connection.settimeout(None)
        return cast(BinaryIO, connection.makefile("rwb"))


def _read(stream: BinaryIO, n_bytes: int) -> bytes:
    content = stream.read(n_bytes)
    if len(content) < n_bytes:
        raise EOFError("another process of this worker is gone")
    return content
