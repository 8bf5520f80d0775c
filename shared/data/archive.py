"""Take files by name out of a .tar.gz that a stranger may have made, within limits."""

import gzip
import io
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from shared.data.dataset import Damaged

MAX_MEMBERS = 1_000
BLOCK_BYTES = 1 << 16


def take(archive: Path, targets: Mapping[str, Path], max_member_bytes: int, max_bytes: int) -> None:
    """Write each regular file of `archive` that `targets` names to the path given there.

    No other member is read: the target of its name or link does not matter. Raises Damaged if a file is missing or
    larger than `max_member_bytes`, or if `archive` cannot be read or unpacks to more than `max_bytes`.
    """
    left = dict(targets)
    try:
        with (
            gzip.open(archive) as unpacked,
            tarfile.open(fileobj=_Limited(unpacked, max_bytes), mode="r|", bufsize=BLOCK_BYTES) as members,
        ):
            for n_members, member in enumerate(members, 1):
                if n_members > MAX_MEMBERS:
                    raise Damaged(f"has more than {MAX_MEMBERS:,} members")
                if member.name in left and member.isreg():
                    _write(members, member, left.pop(member.name), max_member_bytes)
                if not left:
                    return
    except gzip.BadGzipFile as error:
        raise Damaged(f"cannot be unpacked: {error}") from None
    except (Damaged, OSError):
        raise
    except EOFError:
        raise Damaged("is cut off: its gzip stream ends early") from None
    except Exception as error:  # zlib and tarfile each have their own for a damaged archive, tarfile others by mistake
        raise Damaged(f"cannot be unpacked: {type(error).__name__}: {error}") from None
    raise Damaged(f"holds no {' and no '.join(left)}")


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, target: Path, max_bytes: int) -> None:
    if member.size > max_bytes:
        raise Damaged(f"has a {member.name} of {member.size:,} bytes, more than {max_bytes:,}")
    content = members.extractfile(member)
    assert content is not None  # it is a regular file
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)


class _Limited(io.RawIOBase):
    """A stream with a limit, because a few bytes of a gzip stream can stand for very many."""

    def __init__(self, stream: gzip.GzipFile, max_bytes: int) -> None:
        self.stream = stream
        self.max_bytes = max_bytes
        self.left = max_bytes

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(content)
        if self.left < 0:
            raise Damaged(f"unpacks to more than {self.max_bytes:,} bytes")
        return content
