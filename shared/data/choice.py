"""Resolve `auto`: MNIST if it is available or can be fetched within seconds, else the embedded digits."""

from dataclasses import dataclass
from pathlib import Path

from shared.data import own_csv, own_folder, own_idx
from shared.data.catalog import DATASETS, MNIST
from shared.data.download import OnProgress
from shared.data.embedded import EMBEDDED
from shared.data.fetch import fetch
from shared.errors import InputError, check_name
from shared.storage import mounts

AUTO_FETCH_S = 20.0
OWN_SUFFIXES = (".npz", own_csv.SUFFIX)
OWN = (f"{own_folder.PREFIX}DIR", f"{own_idx.PREFIX}DIR", *(f"FILE{suffix}" for suffix in OWN_SUFFIXES))


@dataclass(frozen=True)
class DataChoice:
    """The chosen data set, and the reason, as a sentence for the console and the report."""

    dataset: str
    reason: str


def choose(dataset: str, data_dir: Path, on_progress: OnProgress = lambda _: None) -> DataChoice:
    """Choose a data set, fetching it if it is not in `data_dir`. The path of a folder means folder:DIR.

    A data set given by name is never replaced by another: InputError is raised if it is unavailable.
    """
    if dataset == "auto":
        return _choose_auto(data_dir, on_progress)
    dataset = settled(dataset)
    if not is_own(dataset):
        check_name("data set", dataset, ["auto", *EMBEDDED, *DATASETS, *OWN])
    if dataset in DATASETS:
        fetch(DATASETS[dataset], data_dir, on_progress=on_progress)
    return DataChoice(dataset, f"The data set is {dataset}, as requested.")


def settled(dataset: str) -> str:
    """Return folder:DIR for the path of a folder, and any other text unchanged. A text with a slash is such a path, and
    not a name."""
    if dataset not in (*EMBEDDED, *DATASETS) and not is_own(dataset) and ("/" in dataset or _is_folder(dataset)):
        return f"{own_folder.PREFIX}{dataset}"
    return dataset


def is_own(dataset: str) -> bool:
    """Whether `dataset` is a folder or a file, not a name. Raises InputError if it is a folder without a path."""
    return _own_folder(dataset) is not None or dataset.endswith(OWN_SUFFIXES)


def short_name(dataset: str) -> str:
    """Return a name for folders: the last part of the path for a file or a folder."""
    folder = _own_folder(dataset)
    return Path(dataset).stem if folder is None else folder.resolve().name or dataset.partition(":")[0]


def _own_folder(dataset: str) -> Path | None:
    folder = own_folder.folder_of(dataset)
    return own_idx.folder_of(dataset) if folder is None else folder


def _is_folder(dataset: str) -> bool:
    try:
        return Path(dataset).is_dir()
    except (OSError, ValueError):  # a name that is too long, or with a NUL; an inaccessible folder
        return False


def _choose_auto(data_dir: Path, on_progress: OnProgress) -> DataChoice:
    if not MNIST.missing_files(data_dir):
        return DataChoice("mnist", f"The data set is mnist, found in {mounts.with_addresses(data_dir)}.")
    try:
        fetch(MNIST, data_dir, AUTO_FETCH_S, on_progress)
    except InputError as error:
        return DataChoice("digits", f"The data set is the embedded digits (not MNIST). {error}")
    return DataChoice("mnist", f"The data set is mnist, fetched into {mounts.with_addresses(data_dir)}.")


def default_data_dir() -> Path:
    """Return the default folder for data sets: the user's cache folder."""
    import pooch

    return Path(pooch.os_cache("compare"))
