"""Read the data files that scikit-learn ships without importing it, which would take most of the start."""

import importlib.util
from pathlib import Path

import numpy as np

from shared.errors import InputError


def path(*parts: str) -> Path:
    """Return the path of a file below `sklearn/datasets`. Raise InputError if it is not installed."""
    found = importlib.util.find_spec("sklearn")
    for folder in found.submodule_search_locations or [] if found else []:
        if (file := Path(folder).joinpath("datasets", *parts)).is_file():
            return file
    raise InputError(
        f"The embedded data set is missing: {'/'.join(parts)} of scikit-learn. Install it again: "
        "pip install --force-reinstall scikit-learn."
    )


def stratified_split(labels: np.ndarray, n_test: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the test part of `labels` (N,), in which all classes have the same
    share.

    The algorithm and the random numbers are those of `train_test_split(stratify=labels)` of scikit-learn 1.5 to 1.9
    (`StratifiedShuffleSplit`), with which a test compares it.
    """
    random = np.random.RandomState(seed)
    _, classes = np.unique(labels, return_inverse=True)
    counts = np.bincount(classes)
    by_class = np.split(np.argsort(classes, kind="stable"), np.cumsum(counts)[:-1])
    n_train = _shares(counts, len(labels) - n_test, random)
    n_rest = _shares(counts - n_train, n_test, random)
    train, test = [], []
    for indices, first, rest in zip(by_class, n_train, n_rest, strict=True):
        shuffled = indices[random.permutation(len(indices))]
        train.append(shuffled[:first])
        test.append(shuffled[first : first + rest])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(test))


def _shares(counts: np.ndarray, n_drawn: int, random: np.random.RandomState) -> np.ndarray:
    """Return how many of each class are drawn among `n_drawn`: its share, rounded down, plus 1 for large remainders."""
    exact = counts / counts.sum() * n_drawn
    drawn = np.floor(exact)
    missing = int(n_drawn - drawn.sum())
    remainders = exact - drawn
    for value in np.unique(remainders)[::-1]:
        if missing <= 0:
            break
        (tied,) = np.where(remainders == value)
        chosen = random.choice(tied, size=min(len(tied), missing), replace=False)
        drawn[chosen] += 1
        missing -= len(chosen)
    whole: np.ndarray = drawn.astype(int)
    return whole
