"""Folders on stores, mounted for the time of one command. A local folder has the store's content, and its files are
copied to the store, each whole, in the order in which they are written.

Every command therefore works on stores as on folders. Code that writes a file reports it here, and code that shows a
path shows its address.
"""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import InputError
from shared.storage import temporary
from shared.storage.stores import Store, StoreError, is_address

LOCK = ".lock"  # names the command at work there


class Mount:
    """One folder of a store. `files` are those that are equal on both sides, by name: the size and the time of the
    local copy. `writable` says whether files written here are copied to the store."""

    def __init__(self, store: Store, local: Path, writable: bool) -> None:
        self.store, self.local, self.writable = store, local, writable
        self.files: dict[str, tuple[int, int]] = {}
        self.held = self.broken = False
        self.must_be_new = False
        self._seen: dict[str, str] | None = None  # the store's content when it was first listed
        self._brought: set[str] = set()

    def pull(self, under: str = "") -> None:
        """Copy the store's content, below the folder `under`, to here."""
        self._seen = self._held_there() if self.store.first(self.store.occupied) else {}
        self._get([name for name in self._seen if name.startswith(under) and not (self.local / name).exists()])

    def _held_there(self) -> dict[str, str]:
        """Return the files of the store, and their versions."""
        return {name: version for name, version in self.store.versions().items() if name != LOCK}

    def _get(self, names: list[str]) -> None:
        paths = {name: self.local / name for name in names}
        for folder in {path.parent for path in paths.values()}:
            folder.mkdir(parents=True, exist_ok=True)
        if paths:
            self.store.get(paths)
        self.files |= {name: _stamp(path) for name, path in paths.items()}

    def bring(self, under: str) -> None:
        """Do `pull`, but only once."""
        if under not in self._brought:
            self.pull(under)
            self._brought.add(under)

    def push(self, path: Path) -> None:
        """Copy the file to the store. Raises StoreError."""
        name = path.relative_to(self.local).as_posix()
        stamp = _stamp(path)
        try:
            self.store.put(name, path.read_bytes())
        except StoreError:
            self.broken = True
            raise
        self.files[name] = stamp

    def remove(self, name: str) -> None:
        """Remove the file from the store, if it exists. Raises StoreError."""
        if self.files.pop(name, None) is not None:
            self.store.remove(name)

    def push_rest(self) -> None:
        """Copy files written without a call of this module, such as logs, and remove files that no longer exist here.
        Raises StoreError."""
        here = {p.relative_to(self.local).as_posix(): p for p in self.local.rglob("*") if p.is_file()}
        changed = [path for name, path in here.items() if self.files.get(name) != _stamp(path)]
        for path in sorted(changed, key=lambda p: p.stat().st_mtime_ns):
            self.push(path)
        for name in self.files.keys() - here.keys():
            self.remove(name)

    def hold(self) -> None:
        """Lock the store's folder for this command. Raises InputError if another one is at work there."""
        if self.held:
            return
        mine = {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}
        content = json.dumps(mine).encode()
        if not self.store.first(lambda: self.store.create(LOCK, content)):
            with _alone_here(self.store.address):
                self._take_over(content)
        self.held = True
        try:
            self._catch_up()
        except BaseException:
            self.release()
            raise

    def _take_over(self, content: bytes) -> None:
        """Take over the lock of a command that is gone; only one command of this machine may do so at a time."""
        known = self.store.read(LOCK)
        # The lock is ours if only the store's answer was lost.
        if known not in (None, content) and not _gone(known or b""):
            raise InputError(
                f"Another command is at work in {self.store}, or was cut off there. Wait until it has ended; if it "
                f"has, remove {self.store}/{LOCK}."
            )
        if known is None and not self.store.create(LOCK, content):  # it was unlocked, and locked again
            raise InputError(f"Another command is at work in {self.store}. Wait until it has ended.")
        self.store.put(LOCK, content)
        if self.store.read(LOCK) != content:  # another machine's command was quicker
            raise InputError(f"Another command is at work in {self.store}. Wait until it has ended.")

    def _catch_up(self) -> None:
        """Copy here what others changed there since the first listing. Raises InputError if the folder should have been
        empty."""
        if self._seen is None:
            return
        now = self._held_there()
        if self.must_be_new and now:
            raise _not_empty(self.store.address)
        for name in self._seen.keys() - now.keys():
            (self.local / name).unlink(missing_ok=True)
            self.files.pop(name, None)
        self._get([name for name, version in now.items() if self._seen.get(name) != version])
        self._seen = now

    def release(self) -> None:
        """Unlock the store's folder."""
        if self.held:
            self.held = False
            self.store.remove(LOCK)


_mounts: list[Mount] = []


def located(text: str) -> Path:
    """Return a path; for an address, the folder with the store's content. Raises InputError."""
    if not is_address(text):
        return Path(text)
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    mount = _mounted(text, writable=True)
    mount.pull()
    return mount.local


def here(text: str) -> Path:
    """Return a path. Raises InputError for an address, if only a path is possible."""
    if is_address(text):
        raise InputError(f"{text} is the address of a store, and this must be on this machine. Give a path.")
    return Path(text)


def located_new(text: str) -> Path:
    """Return a path; for an address, a new folder for files to be written there. Raises InputError if it is not
    empty."""
    if not is_address(text) or text.startswith("file://"):
        return located(text)
    mount = _mounted(text, writable=True)
    if mount.store.first(mount.store.occupied):
        raise _not_empty(text)
    mount.must_be_new, mount._seen = True, {}
    return mount.local


def located_data(text: str) -> Path:
    """Return a path; for an address, an empty folder, to which `bring` copies what is needed. Raises InputError."""
    if not is_address(text) or text.startswith("file://"):
        return located(text)
    return _mounted(text, writable=False).local


def bring(folder: Path) -> None:
    """Copy the files of `folder` here, if it is within a mounted folder for data. Raises StoreError."""
    if (mount := of(folder)) and not mount.writable:
        mount.bring(f"{folder.relative_to(mount.local).as_posix()}/")


def of(path: Path) -> Mount | None:
    """Return the mount that contains `path`; None if there is none."""
    return next((mount for mount in _mounts if path.is_relative_to(mount.local)), None)


def written(path: Path) -> None:
    """Note that a file was written: if it is within a mount, it is copied to the store. Raises StoreError."""
    if (mount := of(path)) and mount.writable:
        mount.push(path)


def fetched(path: Path) -> None:
    """Note that a data set's file was fetched: if it is within a mount, it is copied there. Raises StoreError."""
    if mount := of(path):
        mount.push(path)


def removed(path: Path) -> None:
    """Note that a file was removed: it is removed from the store, too. Raises StoreError."""
    if (mount := of(path)) and mount.writable:
        mount.remove(path.relative_to(mount.local).as_posix())


def with_addresses(text: object) -> str:
    """Return a text in which every path within a mount is replaced by its address."""
    said = str(text)
    for mount in _mounts:
        said = said.replace(str(mount.local), mount.store.address)
    return said


def unmount_all() -> list[str]:
    """Copy the rest to the stores, and remove the local folders; return what went wrong."""
    complaints = []
    for mount in _mounts:
        try:
            if mount.held and not mount.broken:
                mount.push_rest()
            mount.store.first(mount.release) if mount.broken else mount.release()
        except (InputError, OSError) as error:
            said = getattr(error, "strerror", None) or str(error).rstrip(".")
            complaints.append(f"{mount.store.address} did not receive everything (perhaps its logs): {said}.")
        shutil.rmtree(mount.local.parent, ignore_errors=True)
    _mounts.clear()
    return complaints


def _mounted(address: str, writable: bool) -> Mount:
    store = Store(address)
    for mount in _mounts:
        if mount.store.address == store.address:
            return mount
    local = temporary.make("store") / "folder"
    local.mkdir()
    _mounts.append(Mount(store, local, writable))
    return _mounts[-1]


@contextmanager
def _alone_here(address: str) -> Iterator[None]:
    """Be the only process of this machine and user that takes over a lock of `address`."""
    with _file_of(address).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _file_of(address: str) -> Path:
    """Return a file of this machine that represents the lock of `address`."""
    name = hashlib.sha256(f"{os.getuid()} {address}".encode()).hexdigest()[:16]
    return temporary.place() / f"compare-lock-{name}"


def _not_empty(address: str) -> InputError:
    return InputError(
        f"The output folder {address} is not empty, and nothing in it is overwritten. Give another one with --out, or "
        "move it elsewhere."
    )


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _gone(held_by: bytes) -> bool:
    """Whether the process that locked a store was on this machine, and is gone."""
    try:
        holder = json.loads(held_by)
        if holder["host"] != socket.gethostname():
            return False
        os.kill(int(holder["pid"]), 0)
    except (ValueError, TypeError, KeyError, OverflowError, PermissionError):
        return False
    except ProcessLookupError:
        return True
    return False
