"""A folder on a store with an address: s3://, gs:// and memory://, through obstore.

All three write a file whole or not at all. They can write a file on the condition that it does not exist, which a lock
needs. obstore retries requests after errors that may be temporary.
"""

import errno
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from shared.errors import InputError

EXTRAS = {"s3": "s3", "gs": "gs", "memory": "s3"}  # this package's extra for each protocol
FIRST_ANSWER_S = 12.0  # a store that takes longer for its first answer counts as unavailable
# Settings of obstore: the time limit of one request, and of its retries.
BRISK = {"timeout_s": 4.0, "retry_s": 4.0}  # for the first request
PATIENT = {"timeout_s": 60.0, "retry_s": 60.0}
FILES_AT_ONCE = 8
MOST_SAID = 300  # characters of a store's own message

Found = TypeVar("Found")
_memory: list[Any] = []  # the one store of memory://, once there is one


class StoreError(OSError):
    """A store refused a file, or returned nothing, for the reason in `strerror`."""

    def __init__(self, said: str) -> None:
        super().__init__(errno.EIO, said)


def is_address(text: str) -> bool:
    """Whether `text` is the address of a store and not a path."""
    return "://" in text


class Store:
    """The files under one address. Names are paths below it, with slashes."""

    def __init__(self, address: str) -> None:
        """Raise InputError if the protocol is unknown, its library is missing or there are no credentials. The store
        itself is not contacted yet."""
        protocol, _, rest = address.partition("://")
        self.address = f"{protocol}://{rest.rstrip('/')}"
        if protocol not in EXTRAS:
            raise InputError(
                f"{address}: stores are reached by {', '.join(f'{p}://' for p in EXTRAS)} and file://, and not by "
                f"{protocol}://. Give one of these, or a folder."
            )
        bucket, _, folder = rest.strip("/").partition("/")
        if not bucket:
            raise InputError(f"{address} names no folder of a store. Give one, such as {protocol}://bucket/folder.")
        self._root = folder if protocol != "memory" else f"{bucket}/{folder}".rstrip("/")
        self._protocol, self._bucket = protocol, bucket
        try:
            import obstore

            self._obstore: Any = obstore
            self._stores = {patience: self._opened(**settings) for patience, settings in _patiences().items()}
        except ImportError as error:
            extra = EXTRAS[protocol]
            raise InputError(
                f"{address}: the library {error.name} is missing, and such stores need it. Install the extra "
                f"{extra}: pip install 'compare[{extra}]'."
            ) from None
        self._patience = "patient"

    def __str__(self) -> str:
        return self.address

    def _opened(self, timeout_s: float, retry_s: float) -> Any:
        from obstore.store import GCSStore, MemoryStore, S3Store

        if self._protocol == "memory":
            if not _memory:
                _memory.append(MemoryStore())
            return _memory[0]
        options: dict[str, Any] = {
            "client_options": {"timeout": timedelta(seconds=timeout_s), "connect_timeout": timedelta(seconds=3)},
            "retry_config": {
                "max_retries": 1000,  # the time limit decides
                "retry_timeout": timedelta(seconds=retry_s),
                "backoff": {
                    "init_backoff": timedelta(seconds=min(0.5, retry_s / 10)),
                    "max_backoff": timedelta(seconds=min(10.0, retry_s / 3)),
                    "base": 2,
                },
            },
        }
        with _telling():
            if self._protocol == "gs":
                return GCSStore(self._bucket, **options)
            own = _as_other_tools(self.address)
            if own.get("endpoint", "").startswith("http://"):
                options["client_options"]["allow_http"] = True
            return S3Store(self._bucket, **own, **options)

    def first(self, do: Callable[[], Found]) -> Found:
        """Return the result of `do`, the first request to the store. Raise InputError within seconds if the store does
        not answer, or refuses us."""
        self._patience = "brisk"
        try:
            return _interruptible(do, FIRST_ANSWER_S)
        except (StoreError, TimeoutError) as error:
            what = error.strerror if isinstance(error, StoreError) else "it does not answer"
            raise InputError(
                f"The store {self.address} cannot be used: {what}. Check the address, the network, and the "
                "credentials in the environment, or give a folder."
            ) from None
        finally:
            self._patience = "patient"

    def occupied(self) -> bool:
        """Return whether any file exists below the address; one request, however many there are. Raise StoreError."""
        return any(self._listed(page=1))

    def names(self) -> dict[str, int]:
        """Return every file below the address with its size in bytes. Raise StoreError, and InputError if a file's name
        would lead out of a folder."""
        return {name: int(about["size"]) for name, about in self._files().items()}

    def versions(self) -> dict[str, str]:
        """Return every file below the address with a text that changes when the file is written again. Raise as `names`
        does."""
        return {
            name: " ".join(str(about[mark]) for mark in ("size", "e_tag", "version", "last_modified"))
            for name, about in self._files().items()
        }

    def _files(self) -> dict[str, Mapping[str, Any]]:
        files: dict[str, Mapping[str, Any]] = {}
        for about in self._listed():
            name = about["path"].removeprefix(self._root).lstrip("/")
            if ".." in PurePosixPath(name).parts or "\\" in name or not name.isprintable():
                raise InputError(f"{self.address} holds {name!r}, which is not a valid file name. Give another folder.")
            files[name] = about
        return files

    def _listed(self, page: int = 1000) -> list[Mapping[str, Any]]:
        """Return every file below the address, or a first page of them. A missing bucket counts as empty."""

        def ask() -> list[Mapping[str, Any]]:
            pages = self._obstore.list(self._store, self._root, chunk_size=page)
            return list(next(iter(pages), [])) if page == 1 else [about for part in pages for about in part]

        try:
            with _telling():
                return _interruptible(ask)
        except StoreError as error:
            if "NoSuchBucket" in str(error.__cause__):
                return []
            if isinstance(error.__cause__, self._obstore.exceptions.InvalidPathError):
                raise InputError(
                    f"{self.address} holds a file whose name is not a valid file name: {error.strerror}. Give another "
                    "folder."
                ) from None
            raise

    def get(self, names: Mapping[str, Path]) -> None:
        """Copy files here, to the paths given. Raise StoreError."""

        def copy(name: str, path: Path) -> None:
            with path.open("wb") as stream:
                for chunk in self._obstore.get(self._store, self._at(name)).stream():
                    stream.write(chunk)

        def copy_all() -> None:
            with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
                list(pool.map(copy, names.keys(), names.values()))

        with _telling():
            _interruptible(copy_all)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None if it does not exist. Raise StoreError."""
        with _telling():
            try:
                return _interruptible(lambda: bytes(self._obstore.get(self._store, self._at(name)).bytes()))
            except FileNotFoundError:
                return None

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. Raise StoreError."""
        with _telling():
            _interruptible(lambda: self._obstore.put(self._store, self._at(name), content))

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless one of that name exists; return whether it was written. Raise StoreError."""
        with _telling():
            try:
                _interruptible(lambda: self._obstore.put(self._store, self._at(name), content, mode="create"))
            except self._obstore.exceptions.AlreadyExistsError:
                return False
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if it exists. Raise StoreError."""
        with _telling():
            try:
                _interruptible(lambda: self._obstore.delete(self._store, self._at(name)))
            except FileNotFoundError:
                return

    @property
    def _store(self) -> Any:
        return self._stores[self._patience]

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if self._root else name


def _patiences() -> dict[str, dict[str, float]]:
    return {"brisk": BRISK, "patient": PATIENT}


def _as_other_tools(address: str) -> dict[str, Any]:
    """Return the credentials, region and endpoint that AWS's own tools would use: from the environment, ~/.aws or the
    role of the machine. Raises InputError if there are no credentials."""
    import boto3
    from obstore.auth.boto3 import Boto3CredentialProvider

    session = boto3.Session()
    if session.get_credentials() is None:
        raise InputError(
            f"The store {address} cannot be used: there are no credentials. Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a profile of ~/.aws with AWS_PROFILE."
        )
    region = session.region_name or "us-east-1"
    endpoint: str = session.client("s3", region_name=region).meta.endpoint_url
    own: dict[str, Any] = {"region": region, "credential_provider": Boto3CredentialProvider(session)}
    return own if endpoint.endswith(".amazonaws.com") else {"endpoint": endpoint, **own}


def _interruptible(do: Callable[[], Found], timeout_s: float | None = None) -> Found:
    """Return the result of `do`, which runs in a thread. obstore's calls do not end at Ctrl-C, but waiting for a thread
    does. Raises TimeoutError."""
    asked: Future[Found] = Future()

    def ask() -> None:
        try:
            asked.set_result(do())
        except BaseException as error:
            asked.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return asked.result(timeout_s)


@contextmanager
def _telling() -> Iterator[None]:
    """Turn every error of a store's library into a StoreError with its reason."""
    try:
        yield
    except (InputError, StoreError, ImportError, MemoryError, TimeoutError):
        raise
    except Exception as error:
        raise StoreError(_reason(str(error) or type(error).__name__)) from error


def _reason(said: str) -> str:
    """Return the reason of an error, without the request's internals: the message of the store's XML answer, the
    system's reason for a failed connection, or else the first line."""
    for pattern in (r"<Message>(.*?)</Message>", r'message: "(.*?)"', r'error: "(.*?)"'):
        if found := re.search(pattern, said, re.DOTALL):
            text = found.group(1)
            break
    else:
        text = "it did not answer in time" if "kind: Timeout" in said else said.partition("Debug source:")[0]
    return " ".join(text.split())[:MOST_SAID].rstrip(".")
