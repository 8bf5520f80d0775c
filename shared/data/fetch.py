"""Fetching a data set into a data folder, in torchvision's layout, from the first mirror that answers.

Every request is limited in time, so that a machine without a network learns so within seconds. A file gets its name
only after its content was recognised; until then it lies in a temporary folder that is removed whatever happens.
"""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared import lock
from shared.data.dataset import Damaged, Dataset, Download
from shared.errors import InputError

MIRROR_VARIABLE = "COMPARE_MIRROR"
CONNECT_S = 3.0
READ_S = 10.0
CHUNK_BYTES = 1 << 16
STAGING = ".fetching-"


@dataclass(frozen=True)
class Progress:
    """How far a file is: `total_bytes` is 0 where the server does not say."""

    file: str
    done_bytes: int
    total_bytes: int


OnProgress = Callable[[Progress], None]


def fetch(
    dataset: Dataset,
    data_dir: Path,
    total_s: float = 600.0,
    on_progress: OnProgress = lambda _: None,
    mirrors: Sequence[str] | None = None,
) -> list[Path]:
    """Fetch the files of `dataset` that `data_dir` lacks; return their paths.

    `mirrors` defaults to the data set's own; the environment variable COMPARE_MIRROR, a base address under which
    `<data set>/<download>` lies, comes before them. Raises InputError where no mirror gives a download within
    `total_s` seconds.
    """
    if not dataset.missing_files(data_dir):
        return []
    folder = dataset.folder_in(data_dir)
    new_folders = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _closed(dataset, folder, error) from None
    with lock.held(folder):
        return _fetch(dataset, data_dir, folder, new_folders, total_s, on_progress, mirrors)


def _closed(dataset: Dataset, folder: Path, error: OSError) -> InputError:
    return InputError(
        f"The data set '{dataset.name}' cannot be put into {folder}: {error.strerror}. Give a folder that can be "
        "written to with --data-dir."
    )


def _fetch(
    dataset: Dataset,
    data_dir: Path,
    folder: Path,
    new_folders: Sequence[Path],
    total_s: float,
    on_progress: OnProgress,
    mirrors: Sequence[str] | None,
) -> list[Path]:
    """What is missing now that nobody else fetches it."""
    try:
        for abandoned in folder.glob(f"{STAGING}*"):  # by a command that was killed
            shutil.rmtree(abandoned)
        staging = tempfile.mkdtemp(prefix=STAGING, dir=folder)
    except OSError as error:
        raise _closed(dataset, folder, error) from None
    downloads = dataset.downloads(dataset.missing_files(data_dir))
    left = list(_mirrors(dataset) if mirrors is None else mirrors)
    deadline = time.monotonic() + total_s
    try:
        return [
            path.replace(folder / path.name)
            for download in downloads
            for path in _from_some_mirror(dataset, download, left, Path(staging), deadline, on_progress)
        ]
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for created in new_folders:
            if not any(created.iterdir()):
                created.rmdir()


def _mirrors(dataset: Dataset) -> list[str]:
    own = os.environ.get(MIRROR_VARIABLE)
    return ([f"{own.rstrip('/')}/{dataset.name}/"] if own else []) + list(dataset.mirrors)


def _from_some_mirror(
    dataset: Dataset, download: Download, mirrors: list[str], staging: Path, deadline: float, on_progress: OnProgress
) -> list[Path]:
    """The files from the first mirror that gives them; a mirror that fails is struck off `mirrors` for good."""
    failures = []
    while mirrors:
        # What time is left is shared out, so that one slow mirror does not use up the others'.
        limit_s = max(0.0, deadline - time.monotonic()) / len(mirrors)
        try:
            return _from_mirror(mirrors[0], download, staging, limit_s, on_progress)
        except _MirrorFailed as error:
            failures.append(f"{mirrors.pop(0)} ({error})")
    raise InputError(
        f"The data set '{dataset.name}' is not complete, and {download.name} could not be fetched: "
        f"{'; '.join(failures) or 'no mirror is left to ask'}. Connect to the network, give a folder that has it with "
        "--data-dir, or use '--dataset digits', which needs neither."
    )


class _MirrorFailed(Exception):
    """A mirror did not give the right file in time."""


def _from_mirror(mirror: str, download: Download, staging: Path, limit_s: float, on_progress: OnProgress) -> list[Path]:
    outcome: list[Path | BaseException] = []
    attempt = Path(tempfile.mkdtemp(dir=staging))  # so that nothing of another mirror's answer is taken for this one's
    progress = _Progress(download, on_progress, time.monotonic() + limit_s)

    def retrieve() -> None:
        try:
            outcome.append(_retrieve(mirror + download.name, attempt, progress))
        except BaseException as error:  # handed to the waiting thread, which tells what it means
            outcome.append(error)

    # A look-up of a name or a trickling server can outlast every time limit of a socket, so the wait is limited here.
    thread = threading.Thread(target=retrieve, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome or isinstance(outcome[0], TimeoutError):
        raise _MirrorFailed(f"not done within {limit_s:.0f} s")
    if isinstance(outcome[0], BaseException):
        raise _MirrorFailed(_reason(outcome[0])) from outcome[0]
    try:
        return download.unpack(outcome[0])
    except (Damaged, OSError) as error:
        raise _MirrorFailed(_reason(error)) from None


def _retrieve(url: str, folder: Path, progress: "_Progress") -> Path:
    import pooch

    pooch.get_logger().setLevel("ERROR")

    def download(url: str, output_file: str, _: object) -> None:
        _download(url, Path(output_file), progress)

    name = progress.download.name
    return Path(pooch.retrieve(url, known_hash=None, fname=name, path=folder, downloader=download))


def _download(url: str, path: Path, progress: "_Progress") -> None:
    """What pooch's own downloader does, but the connection is closed whatever happens, not left to the collector."""
    import requests

    as_it_lies = {"Accept-Encoding": "identity"}  # else a server may have the .gz unpacked on the way
    with requests.get(url, headers=as_it_lies, stream=True, timeout=(CONNECT_S, READ_S)) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0))
        with path.open("wb") as file:
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                progress.advance(len(chunk), total)


def _reason(error: BaseException) -> str:
    """The heart of what went wrong, often the last in a chain of network errors, in a few words."""
    import requests

    if isinstance(error, Damaged):
        return f"its file {error}"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"{type(error).__name__}: {error}"


class _Progress:
    """Tells how far a download is, and stops it when its time is up or it is too large."""

    def __init__(self, download: Download, on_progress: OnProgress, deadline: float) -> None:
        self.download = download
        self.on_progress = on_progress
        self.deadline = deadline
        self.done = 0

    def advance(self, n_bytes: int, total_bytes: int) -> None:
        if time.monotonic() > self.deadline:
            raise TimeoutError
        self.done += n_bytes
        if max(self.done, total_bytes) > self.download.max_bytes:
            raise Damaged(f"is larger than {self.download.max_bytes:,} bytes")
        self.on_progress(Progress(self.download.name, self.done, total_bytes))
