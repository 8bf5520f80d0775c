"""`compare data`: which data sets are at hand and whole, and fetching one."""

import sys
from pathlib import Path

from compare.commands.fetching import show_fetching
from compare.reporting.screen import PLAIN
from shared.data.catalog import DATASETS
from shared.data.dataset import Dataset
from shared.data.embedded import EMBEDDED
from shared.data.fetch import fetch
from shared.errors import InputError, check_name


def data_command(name: str | None, data_dir: Path) -> int:
    """Fetch the data set `name` where it is missing, and check it; without a name, say how every data set stands."""
    if name in EMBEDDED:
        PLAIN.say(f"{name}: embedded, nothing to fetch")
        return 0
    if name is not None:
        dataset = DATASETS[check_name("data set to fetch", name, [*DATASETS, *EMBEDDED])]
        fetch(dataset, data_dir, on_progress=show_fetching(sys.stderr))
        dataset.read(data_dir)
        PLAIN.say(f"{name}: {state(dataset, data_dir)}")
        return 0
    for embedded in EMBEDDED:
        PLAIN.say(f"{embedded}: embedded")
    for dataset in DATASETS.values():
        PLAIN.say(f"{dataset.name}: {state(dataset, data_dir)}")
    return 0


def state(dataset: Dataset, data_dir: Path) -> str:
    """Whether `dataset` is in `data_dir`, and whole."""
    folder = dataset.folder_in(data_dir)
    missing = dataset.missing_files(data_dir)
    if len(missing) == len(dataset.file_names):
        return f"not in {folder}; 'python -m compare data {dataset.name}' fetches it"
    if missing:
        return f"not whole in {folder}: no {' and no '.join(missing)}"
    try:
        dataset.read(data_dir)
    except InputError as error:
        return str(error)
    return f"whole in {folder}, every file recognised by its content"
