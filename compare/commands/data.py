"""`compare data`: list which data sets are available and intact, and fetch one."""

import sys
from pathlib import Path

from compare.checks import resizing as advice
from compare.commands.fetching import show_fetching
from compare.options.inventory import DataOptions
from compare.reporting.screen import Screen
from shared.data import load
from shared.data.catalog import DATASETS, class_names
from shared.data.choice import OWN, is_own, settled
from shared.data.dataset import Dataset
from shared.data.embedded import EMBEDDED
from shared.data.fetch import fetch
from shared.data.published_idx import PublishedIdx
from shared.data.resizing import in_words
from shared.errors import InputError, check_name
from shared.models import MODELS


def command(options: DataOptions, screen: Screen) -> int:
    """Carry out `compare data`, and return the exit code."""
    name, data_dir = options.name, options.data_folder
    if name is not None and name not in (*DATASETS, *EMBEDDED) and is_own(settled(name)):
        return _describe(settled(name), options, screen)
    if asked := [f"--{option}" for option in ("resize", "channels", "split") if getattr(options, option) is not None]:
        raise InputError(f"{' and '.join(asked)} can only be given with data of your own, as folder:DIR.")
    if name is not None and name not in EMBEDDED:
        dataset = DATASETS[check_name("data set to fetch", name, [*DATASETS, *EMBEDDED, *OWN])]
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


def _describe(dataset: str, options: DataOptions, screen: Screen) -> int:
    """Read data of the user's own, and print their properties and the architectures that take them."""
    data = load(options.data_spec(dataset), options.data_folder)
    assert data.spec is not None
    if data.spec.task not in (None, "classification"):
        screen.say(f"{dataset}: {data.description}")
        screen.answer(data_set=dataset, task=data.spec.task, shape=data.x_train.shape[1:], warnings=data.warnings)
        return 0
    shape, n_classes = data.x_train.shape[1:], max(int(labels.max()) for labels in (data.y_train, data.y_test)) + 1
    names = class_names(dataset, max(n_classes, len(data.spec.classes)), data.spec.classes)
    counts = {
        name: [int((labels == label).sum()) for labels in (data.y_train, data.y_test)]
        for label, name in enumerate(names)
    }
    screen.say(
        f"{dataset}: {len(data.x_train):,} training and {len(data.x_test):,} test images of {in_words(shape)}, "
        f"{len(names)} classes"
    )
    for name, (n_train, n_test) in counts.items():
        screen.say(f"  {name}: {n_train:,} and {n_test:,}")
    fitting = [m.name for m in MODELS.values() if m.input_shape == shape and m.n_classes >= len(names)]
    screen.say(f"Architectures that take them: {', '.join(fitting) or f'none of the built-in ones. {advice(shape)}'}")
    for text in data.warnings:
        screen.say(f"Check the data: {text}")
    screen.answer(
        dataset=dataset,
        shape=list(shape),
        classes=counts,
        digest=data.digest(),
        architectures=fitting,
        warnings=list(data.warnings),
    )
    return 0


def state(dataset: Dataset, data_dir: Path) -> str:
    """Return whether `dataset` is in `data_dir`, and intact."""
    folder = dataset.folder_in(data_dir)
    missing = dataset.missing_files(data_dir)
    if len(missing) == len(dataset.file_names):
        return f"not in {folder}; 'python -m compare data {dataset.name}' fetches it"
    if missing:
        return f"incomplete in {folder}: no {' and no '.join(missing)}"
    try:
        dataset.read(data_dir)
    except InputError as error:
        return str(error)
    how = dataset.recognised(data_dir) if isinstance(dataset, PublishedIdx) else "every file recognised by its content"
    return f"complete in {folder}, {how}"
