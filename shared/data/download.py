"""Download one file over HTTP, within a time and up to a size, and decide whether a failure is worth a retry."""

import errno
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.data.dataset import Damaged, Download

CONNECT_S = 3.0
READ_S = 10.0
CHUNK_BYTES = 1 << 16
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
BUSY = {408, 425, 429, 500, 502, 503, 504}  # answers of a server that may succeed after a moment


@dataclass(frozen=True)
class DownloadProgress:
    """The progress of a file: `total_bytes` is 0 if the server does not state it."""

    file: str
    done_bytes: int
    total_bytes: int


OnProgress = Callable[[DownloadProgress], None]


class DownloadFailed(Exception):
    """A server did not send the file. If `passing`, it may do so in a moment, after `wait_s` seconds if it said so."""

    def __init__(self, reason: str, passing: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.passing = passing
        self.wait_s = wait_s


def download(url: str, wanted: Download, folder: Path, limit_s: float, on_progress: OnProgress) -> Path:
    """Fetch `url` into `folder` and return its path. Raises DownloadFailed if that takes more than `limit_s` seconds,
    the file is larger than `wanted` says, or the server does not send it. Raises OSError if `folder` cannot be written
    to."""
    outcome: list[Path | BaseException] = []
    watched = _Watched(wanted, on_progress, time.monotonic() + limit_s)

    def retrieve() -> None:
        try:
            outcome.append(_retrieve(url, folder, watched))
        except BaseException as error:  # handed to the waiting thread, which interprets it
            outcome.append(error)

    # A name look-up or a slow server can outlast every time limit of a socket, and the wait is therefore limited here.
    thread = threading.Thread(target=retrieve, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome or isinstance(outcome[0], TimeoutError):
        raise DownloadFailed(f"not done within {limit_s:.0f} s")
    if isinstance(outcome[0], BaseException):
        if isinstance(outcome[0], OSError) and outcome[0].errno in NO_ROOM:
            raise outcome[0]
        raise _failure(outcome[0]) from outcome[0]
    return outcome[0]


def _retrieve(url: str, folder: Path, watched: "_Watched") -> Path:
    import pooch

    pooch.get_logger().setLevel("ERROR")

    def to_file(url: str, output_file: str, _: object) -> None:
        _to_file(url, Path(output_file), watched)

    return Path(pooch.retrieve(url, known_hash=None, fname=watched.wanted.name, path=folder, downloader=to_file))


def _to_file(url: str, path: Path, watched: "_Watched") -> None:
    """Do the same as pooch's own downloader, but always close the connection instead of leaving it to the collector."""
    import requests

    as_it_lies = {"Accept-Encoding": "identity"}  # otherwise a server may send the .gz unpacked
    with requests.get(url, headers=as_it_lies, stream=True, timeout=(CONNECT_S, READ_S)) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0))
        with path.open("wb") as file:
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                watched.advance(len(chunk), total)


def _failure(error: BaseException) -> DownloadFailed:
    """Return the actual error, often the last in a chain of network errors, in a few words."""
    import requests
    from urllib3.exceptions import NameResolutionError

    match error:
        case Damaged():
            return DownloadFailed(f"its file {error}")
        case requests.HTTPError(response=requests.Response() as response):
            status = response.status_code
            return DownloadFailed(f"HTTP status {status}", status in BUSY, _asked_to_wait(response.headers))
        case requests.TooManyRedirects():
            return DownloadFailed("redirects without end")
        case requests.exceptions.ProxyError():
            return DownloadFailed("no connection through the proxy that the environment names")
        case requests.Timeout():
            return DownloadFailed("no answer in time")
        case requests.ConnectionError():  # a machine without a network gets an unknown name
            unknown = isinstance(getattr(error.args[0] if error.args else None, "reason", None), NameResolutionError)
            return DownloadFailed("no connection", passing=not unknown)
        case requests.exceptions.ChunkedEncodingError():
            return DownloadFailed("the connection broke off", passing=True)
    return DownloadFailed(f"{type(error).__name__}: {error}")


def _asked_to_wait(headers: Mapping[str, str]) -> float:
    said = headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else 0.0


class _Watched:
    """Reports the progress of a download, and stops it when its time is up or it is too large."""

    def __init__(self, wanted: Download, on_progress: OnProgress, deadline: float) -> None:
        self.wanted = wanted
        self.on_progress = on_progress
        self.deadline = deadline
        self.done = 0

    def advance(self, n_bytes: int, total_bytes: int) -> None:
        if time.monotonic() > self.deadline:
            raise TimeoutError
        self.done += n_bytes
        if max(self.done, total_bytes) > self.wanted.max_bytes:
            raise Damaged(f"is larger than {self.wanted.max_bytes:,} bytes")
        self.on_progress(DownloadProgress(self.wanted.name, self.done, total_bytes))
