"""A folder on a store that is reached by an address: s3://, gs:// and memory://, each as fsspec knows it.

Only stores on which a file appears whole or not at all are among them; what they lack is what a folder has: a lock, and
the certainty of being there. What fails is tried again, by the store's own library and then here.
"""

import errno
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from shared.errors import InputError

EXTRAS = {"s3": "s3", "gs": "gs"}  # the extra of this package that a protocol needs
PROTOCOLS = (*EXTRAS, "memory")
FIRST_ANSWER_S = 10.0
LONGEST_S = 60.0  # after which nothing is tried once more
PAUSES_S = (0.5, 1.0, 2.0)  # between tries, each of which is several of the library's own
MOST_SAID = 300  # by a store, of what it did not like

Found = TypeVar("Found")


class StoreError(OSError):
    """A store took no more, or gave nothing, for the reason in `strerror`."""

    def __init__(self, said: str) -> None:
        super().__init__(errno.EIO, said)


def is_address(text: str) -> bool:
    """Whether `text` is the address of a store and not a path."""
    return "://" in text


class Store:
    """What lies under one address. Names are paths below it, with slashes."""

    def __init__(self, address: str) -> None:
        """Raises InputError where the protocol is none of those above, or its library is missing. Nothing is asked of
        the store yet."""
        protocol, _, rest = address.partition("://")
        self.address = f"{protocol}://{rest.rstrip('/')}"
        if protocol not in PROTOCOLS:
            raise InputError(
                f"{address}: stores are reached by {', '.join(f'{p}://' for p in PROTOCOLS)} and file://, and not by "
                f"{protocol}://. Give one of these, or a folder."
            )
        if not rest.strip("/"):
            raise InputError(f"{address} names no folder of a store. Give one, such as {protocol}://bucket/folder.")
        try:
            import fsspec

            self._system: Any = fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True)
        except ImportError:
            extra = EXTRAS[protocol]
            raise InputError(
                f"{address}: a library is missing that speaks with such stores. Install the extra {extra}: "
                f"pip install 'compare[{extra}]'."
            ) from None
        self._root: str = self._system._strip_protocol(self.address)

    def __str__(self) -> str:
        return self.address

    def first(self, do: Callable[[], Found]) -> Found:
        """What `do` finds when the store is asked for the first time. Raises InputError, within seconds, where the
        store does not answer, or not us."""
        found: list[Found] = []
        failed: list[BaseException] = []

        def ask() -> None:
            try:
                found.append(do())
            except BaseException as error:
                failed.append(error)

        asked = threading.Thread(target=ask, daemon=True)
        asked.start()
        asked.join(FIRST_ANSWER_S)
        if found:
            return found[0]
        if failed and not isinstance(failed[0], StoreError):
            raise failed[0]
        what = (failed[0].strerror if isinstance(failed[0], StoreError) else "") if failed else "it does not answer"
        raise InputError(
            f"The store {self.address} cannot be used: {what}. Look at the address, at the network, and at the "
            "credentials in the environment, or give a folder."
        )

    def occupied(self) -> bool:
        """Whether there is anything below the address; asked at little cost, however much there is. Raises
        StoreError."""
        with _talking():
            try:
                return bool(self._system.ls(self._root, detail=False))
            except FileNotFoundError:
                return False

    def names(self) -> dict[str, int]:
        """Every file below the address, and its size in bytes. Raises StoreError; InputError where a file's name would
        lead out of a folder."""
        return {name: int(about["size"]) for name, about in self._files().items()}

    def versions(self) -> dict[str, str]:
        """Every file below the address, and a text that is another one once the file has been written again. Raises as
        `names` does."""
        marks = ("ETag", "etag", "generation", "created")  # of S3, of Google's, and of fsspec's memory
        return {
            name: " ".join(str(about[mark]) for mark in ("size", *marks) if mark in about)
            for name, about in self._files().items()
        }

    def _files(self) -> dict[str, Mapping[str, Any]]:
        with _talking():
            try:
                found = self._system.find(self._root, detail=True)
            except FileNotFoundError:  # of a bucket that is not there, too: whoever writes to it is told
                found = {}
        files: dict[str, Mapping[str, Any]] = {}
        for path, about in found.items():
            name = path.removeprefix(self._root).lstrip("/")
            if not name:
                continue
            if ".." in PurePosixPath(name).parts or "\\" in name or not name.isprintable():
                raise InputError(f"{self.address} holds {name!r}, which is no name of a file. Give another folder.")
            files[name] = about
        return files

    def get(self, names: Mapping[str, Path]) -> None:
        """Copy files here, to the paths given. Raises StoreError."""
        paths = [self._at(name) for name in names], [str(path) for path in names.values()]
        with _talking():
            _again(lambda: self._system.get(*paths))

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none. Raises StoreError."""
        with _talking():
            try:
                content: bytes = self._system.cat_file(self._at(name))
            except FileNotFoundError:
                return None
        return content

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. Raises StoreError."""
        with _talking():
            _again(lambda: self._system.pipe_file(self._at(name), content))

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one of that name; whether it was written. Raises StoreError."""
        with _talking():
            try:
                self._system.pipe_file(self._at(name), content, mode="create")
            except FileExistsError:
                return False
        return True

    def remove(self, name: str) -> None:
        """Take a file away, where it is there. Raises StoreError."""
        with _talking():
            try:
                _again(lambda: self._system.rm_file(self._at(name)))
            except FileNotFoundError:
                return

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


@contextmanager
def _talking() -> Iterator[None]:
    """Every library has errors of its own, of any kind, so that all are told alike."""
    try:
        yield
    except (InputError, StoreError, MemoryError):
        raise
    except Exception as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise StoreError(" ".join(said.split())[:MOST_SAID].rstrip(".")) from error


def _again(do: Callable[[], Found]) -> Found:
    """What `do` gives, with pauses between the tries where it fails in a way that may pass."""
    start = time.monotonic()
    for pause_s in PAUSES_S:
        try:
            return do()
        except (FileNotFoundError, PermissionError, MemoryError):
            raise
        except Exception:  # of what kind, only the store's library knows
            if time.monotonic() - start > LONGEST_S:
                raise
            time.sleep(pause_s)
    return do()
