"""Fetch a data set into a data folder, in torchvision's layout, from the first mirror that answers.

Every request has a time limit: a machine without a network gets an error within seconds. A file gets its name only
after its content was recognised; until then it is in a temporary folder that is always removed. These environment
variables are used: HTTP_PROXY and similar ones, COMPARE_MIRROR (an address to ask first) and COMPARE_OFFLINE.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from shared.data.dataset import Damaged, Dataset, Download
from shared.data.download import DownloadFailed, OnProgress, download
from shared.errors import InputError
from shared.storage import lock, mounts

MIRROR_VARIABLE = "COMPARE_MIRROR"
OFFLINE_VARIABLE = "COMPARE_OFFLINE"
STAGING = ".fetching-"
ATTEMPTS = 3
PAUSE_S = 0.5


def fetch(
    dataset: Dataset,
    data_dir: Path,
    total_s: float = 600.0,
    on_progress: OnProgress = lambda _: None,
    mirrors: Sequence[str] | None = None,
) -> list[Path]:
    """Fetch the files of `dataset` that `data_dir` lacks, and return their paths.

    `mirrors` defaults to the data set's own. The environment variable COMPARE_MIRROR, a base address for
    `<data set>/<download>`, comes before them. Raises InputError if no mirror gives a download within `total_s`
    seconds, or the environment variable COMPARE_OFFLINE is set to anything but 0.
    """
    missing = dataset.missing_files(data_dir)
    if not missing:
        return []
    if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0"):
        raise InputError(
            f"The data set '{dataset.name}' is not complete in {dataset.folder_in(data_dir)}: no "
            f"{' and no '.join(missing)}. {OFFLINE_VARIABLE} is set, so nothing is fetched. Unset it, give a "
            "folder that has it with --data-dir, or use '--dataset digits', which needs neither."
        )
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
        f"The data set '{dataset.name}' cannot be written to {folder}: {error.strerror or error}. Give a writable "
        "folder with enough room with --data-dir."
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
    """Fetch what is missing while no other process fetches it."""
    try:
        for abandoned in folder.glob(f"{STAGING}*"):  # left by a command that was killed
            shutil.rmtree(abandoned)
        staging = tempfile.mkdtemp(prefix=STAGING, dir=folder)
    except OSError as error:
        raise _closed(dataset, folder, error) from None
    left = list(_mirrors(dataset) if mirrors is None else mirrors)
    deadline = time.monotonic() + total_s
    try:
        fetched = [
            path.replace(folder / path.name)
            for wanted in dataset.downloads(dataset.missing_files(data_dir))
            for path in _from_some_mirror(dataset, wanted, left, Path(staging), deadline, on_progress)
        ]
        for path in fetched:
            mounts.fetched(path)
        return fetched
    except OSError as error:
        raise _closed(dataset, folder, error) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for created in new_folders:
            if not any(created.iterdir()):
                created.rmdir()


def _mirrors(dataset: Dataset) -> list[str]:
    own = os.environ.get(MIRROR_VARIABLE)
    return ([f"{own.rstrip('/')}/{dataset.name}/"] if own else []) + list(dataset.mirrors)


def _from_some_mirror(
    dataset: Dataset, wanted: Download, mirrors: list[str], staging: Path, deadline: float, on_progress: OnProgress
) -> list[Path]:
    """Return the files from the first mirror that sends them. All are asked in turn. Those that may succeed in a moment
    are asked again, after a pause that doubles. Any other that fails is removed from `mirrors` for good."""
    failures: dict[str, DownloadFailed] = {}
    pause_s = PAUSE_S
    for attempt in range(ATTEMPTS):
        for n_asked, mirror in enumerate(list(mirrors)):
            # The remaining time is divided, to keep one slow mirror from using up the others' share.
            limit_s = max(0.0, deadline - time.monotonic()) / max(1, len(mirrors) - n_asked)
            try:
                return _from_mirror(mirror, wanted, staging, limit_s, on_progress)
            except DownloadFailed as failed:
                failures[mirror] = failed
        mirrors[:] = [mirror for mirror in mirrors if failures[mirror].passing]
        wait_s = max([pause_s, *(failures[mirror].wait_s for mirror in mirrors)])
        if not mirrors or attempt == ATTEMPTS - 1 or time.monotonic() + wait_s > deadline:
            break
        time.sleep(wait_s)
        pause_s *= 2
    said = "; ".join(f"{mirror} ({failed})" for mirror, failed in failures.items())
    raise InputError(
        f"The data set '{dataset.name}' is not complete, and {wanted.name} could not be fetched: "
        f"{said or 'no mirror is left to ask'}. Connect to the network, give a folder that has it with "
        "--data-dir, or use '--dataset digits', which needs neither."
    )


def _from_mirror(mirror: str, wanted: Download, staging: Path, limit_s: float, on_progress: OnProgress) -> list[Path]:
    attempt = Path(tempfile.mkdtemp(dir=staging))  # separates the answers of different mirrors
    path = download(mirror + wanted.name, wanted, attempt, limit_s, on_progress)
    try:
        return wanted.unpack(path)
    except Damaged as damaged:
        raise DownloadFailed(f"its file {damaged}") from None
