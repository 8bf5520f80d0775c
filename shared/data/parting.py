"""Split test images from data that have no test part of their own."""

import math

import numpy as np

from shared.data.dataset import RawImages, Unsplit
from shared.data.own import listed
from shared.data.shipped import stratified_split
from shared.errors import InputError

DEFAULT_SHARE = 0.2
SEED = 0


def parted(found: Unsplit, share: float, dataset: str) -> RawImages:
    """Return `found` with a `share` of its images as the test images. It is the same share of every class, up to whole
    images; for tasks other than classification, any images.

    They are those that scikit-learn's `train_test_split(test_size=share, stratify=labels, random_state=0)` chooses,
    whatever the seed of a study. Raises InputError if one part would be empty.
    """
    n = len(found.labels)
    n_test = math.ceil(share * n)
    if not 0 < n_test < n:
        raise InputError(
            f"{dataset} has {n:,} images, and --split {share:g} leaves none of them to train on. Give a smaller share, "
            "or more images."
        )
    strata = found.labels if found.task == "classification" else np.zeros(n, np.int64)
    train, test = stratified_split(strata, n_test, SEED)
    return RawImages(
        found.images[train],
        found.labels[train],
        found.images[test],
        found.labels[test],
        (*found.notes, *_single(found)),
        found.classes,
        found.task,
        found.inputs,
    )


def _single(found: Unsplit) -> list[str]:
    """Return a sentence on classes with one image, which cannot be in both parts."""
    if found.task != "classification":
        return []
    labels, counts = np.unique(found.labels, return_counts=True)
    names = [found.classes[label] if found.classes else str(label) for label in labels[counts == 1]]
    if not names:
        return []
    one = len(names) == 1
    return [
        f"{len(names):,} class{'' if one else 'es'} {'has' if one else 'have'} one image each ({listed(names)}): it is "
        "either trained on or tested on."
    ]
