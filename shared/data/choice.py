"""What `auto` stands for: MNIST where it is at hand or comes within seconds, else the embedded digits."""

from dataclasses import dataclass
from pathlib import Path

from shared.data import own_idx
from shared.data.catalog import DATASETS, MNIST
from shared.data.download import OnProgress
from shared.data.embedded import EMBEDDED
from shared.data.fetch import fetch
from shared.errors import InputError, check_name
from shared.storage import mounts

AUTO_FETCH_S = 20.0


@dataclass(frozen=True)
class DataChoice:
    """The data set chosen, and why, as a sentence for the console and the report."""

    dataset: str
    reason: str


def choose(dataset: str, data_dir: Path, on_progress: OnProgress = lambda _: None) -> DataChoice:
    """Settle on a data set, fetching it where it is not in `data_dir`.

    A data set asked for by name is never replaced by another: where it cannot be had, InputError is raised.
    """
    if dataset == "auto":
        return _choose_auto(data_dir, on_progress)
    if own_idx.folder_of(dataset) is None and not dataset.endswith(".npz"):
        check_name("data set", dataset, ["auto", *EMBEDDED, *DATASETS, "FILE.npz", f"{own_idx.PREFIX}DIR"])
    if dataset in DATASETS:
        fetch(DATASETS[dataset], data_dir, on_progress=on_progress)
    return DataChoice(dataset, f"The data set is {dataset}, as asked for.")


def short_name(dataset: str) -> str:
    """Return a name for folders: of FILE.npz and of idx:DIR the last part of the path."""
    folder = own_idx.folder_of(dataset)
    return Path(dataset).stem if folder is None else folder.resolve().name or "idx"


def _choose_auto(data_dir: Path, on_progress: OnProgress) -> DataChoice:
    if not MNIST.missing_files(data_dir):
        return DataChoice("mnist", f"The data set is mnist, found in {mounts.shown(data_dir)}.")
    try:
        fetch(MNIST, data_dir, AUTO_FETCH_S, on_progress)
    except InputError as error:
        return DataChoice("digits", f"The data set is the embedded digits (not MNIST). {error}")
    return DataChoice("mnist", f"The data set is mnist, fetched into {mounts.shown(data_dir)}.")


def default_data_dir() -> Path:
    """The folder that data sets are kept in when none is given: the user's cache folder."""
    import pooch

    return Path(pooch.os_cache("compare"))
