"""`compare data`: which data sets are at hand and whole, and fetching one."""

import sys
from pathlib import Path

from compare.commands.fetching import show_fetching
from compare.options.inventory import DataOptions
from compare.reporting.screen import Screen
from shared.data.catalog import DATASETS
from shared.data.dataset import Dataset
from shared.data.embedded import EMBEDDED
from shared.data.fetch import fetch
from shared.errors import InputError, check_name


def command(options: DataOptions, screen: Screen) -> int:
    """Do what `compare data` says; return the exit code."""
    name, data_dir = options.name, options.data_folder
    if name is not None and name not in EMBEDDED:
        dataset = DATASETS[check_name("data set to fetch", name, [*DATASETS, *EMBEDDED])]
        fetch(dataset, data_dir, on_progress=(lambda _: None) if screen.quiet else show_fetching(sys.stderr))
        dataset.read(data_dir)
    states = dict.fromkeys(EMBEDDED, "embedded, nothing to fetch")
    states |= {dataset.name: state(dataset, data_dir) for dataset in DATASETS.values() if name in (None, dataset.name)}
    if name is not None:
        states = {name: states[name]}
    for each, said in states.items():
        screen.say(f"{each}: {said}")
    screen.answer(data_sets=states)
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
