"""Warn of data that load without an error, but are probably not what their owner expects."""

from collections.abc import Iterator, Sequence

import numpy as np

from shared.choices import Scale
from shared.data.alike import label_warnings
from shared.data.dataset import RawImages, unit

DIM = 0.25  # photographs and drawings have some pixel brighter than a quarter of the range
BLACK = 1.5 / 255  # no pixel above 1 of 255
MANY = 0.01  # from this share of images on, a property is no accident
BLANK = 0.05  # tolerated share of blank images: Fashion-MNIST has none, and a user's own may have some
MUCH_BRIGHTER = 4.0  # the images of one part may be so many times as bright as the other's
PARTS = ("training", "test")
LARGE = 100.0  # for a regression's labels


def data_warnings(raw: RawImages, scale: Scale = "unit", limited: bool = False) -> tuple[str, ...]:
    """Return a sentence for each doubt about the images and labels of training and testing; () if there is none.

    `limited` says that the training images are only the first ones.
    """
    of_pixels = tuple(_of_pixels(raw, scale)) if raw.inputs == "images" else ()
    if raw.task != "classification":
        return (*raw.notes, *of_pixels, *_of_numbers(raw), *_of_duplicates(raw))
    of_classes = tuple(_of_classes(raw, limited))
    numbering = () if raw.classes else tuple(_of_numbering(raw.y_train, raw.y_test))
    of_labels: tuple[str, ...] = ()
    if (
        raw.inputs == "images" and not of_pixels and not numbering
    ):  # these explain images that differ from others of their class
        of_labels = tuple(label_warnings(raw.x_train, raw.y_train, raw.x_test, raw.y_test))
    return (*raw.notes, *of_pixels, *of_classes, *numbering, *of_labels, *_of_duplicates(raw))


def _of_pixels(raw: RawImages, scale: Scale) -> Iterator[str]:
    """Yield warnings on images that are blank, almost black, or scaled in two ways."""
    both = dict(zip(PARTS, (raw.x_train, raw.x_test), strict=True))
    peaks = {part: _peaks(images) for part, images in both.items()}
    for part, images in both.items():
        if images.min() == images.max():
            yield f"Every pixel of the {part} images is {_value(images, float(peaks[part][0]))}: they show nothing."
        else:
            yield from _blank(part, images)
            yield from _mixed(part, images, peaks[part])
    if scale == "unit":  # otherwise the deviation compensates for a small range
        yield from _dim(both, {part: float(found.max()) for part, found in peaks.items()})
    yield from _brightness_differs(both, peaks)


def _peaks(images: np.ndarray) -> np.ndarray:
    """Return the largest pixel of every image, (N,), in [0, 1]."""
    return unit(images.reshape(len(images), -1).max(axis=1))


def _value(images: np.ndarray, peak: float) -> str:
    return f"{round(peak * 255)} of 255" if images.dtype == np.uint8 else f"{peak:.3g} of 1"


def _dim(both: dict[str, np.ndarray], brightest: dict[str, float]) -> Iterator[str]:
    said: dict[str, list[str]] = {}  # by the warning, the parts that it applies to
    for part, images in both.items():
        if 0 < brightest[part] < DIM and images.min() < images.max():
            what = (
                f"{_value(images, brightest[part])}, so the networks see "
                f"{'almost black' if brightest[part] <= BLACK else 'dark'} images. "
                f"{_rescaling(images, brightest[part])}"
            )
            said.setdefault(what, []).append(f"the {part} images")
    for what, parts in said.items():
        yield f"The largest pixel of {' and of '.join(parts)} is {what}"


def _rescaling(images: np.ndarray, brightest: float) -> str:
    if images.dtype != np.uint8:
        return "Floating pixels must reach from 0 to 1. These look as if they were divided by 255 once too many times."
    if brightest <= BLACK:
        return "8-bit pixels are divided by 255. Multiply images of 0 and 1 by 255, or save them as floating numbers."
    return "8-bit pixels are divided by 255. Scale these images so that they reach from 0 to 255."


def _blank(part: str, images: np.ndarray) -> Iterator[str]:
    """Yield a warning on images of one colour each, unless all have the same colour."""
    rows = images.reshape(len(images), -1)
    n_blank = int((rows.max(axis=1) == rows.min(axis=1)).sum())
    if n_blank > BLANK * len(images):
        yield f"{n_blank:,} of the {len(images):,} {part} images are of one colour: they show nothing."


def _mixed(part: str, images: np.ndarray, peaks: np.ndarray) -> Iterator[str]:
    """Yield a warning if some images of a part were scaled in another way than the rest."""
    black = (peaks > 0) & (peaks <= BLACK)
    n_black, brightest = int(black.sum()), float(peaks.max())
    if brightest >= DIM and n_black > MANY * len(peaks):
        yield (
            f"{n_black:,} of the {len(peaks):,} {part} images have no pixel above "
            f"{_value(images, float(peaks[black].max()))}, and others have up to {_value(images, brightest)}. Scale "
            "all images alike."
        )


def _brightness_differs(both: dict[str, np.ndarray], peaks: dict[str, np.ndarray]) -> Iterator[str]:
    if any(not found.any() for found in peaks.values()):
        return
    # The median, because a single bright image then hides nothing. Blank images give no information about the scale.
    typical = {part: float(np.median(found[found > 0])) for part, found in peaks.items()}
    brighter, darker = sorted(typical, key=lambda part: -typical[part])
    ratio = typical[brighter] / typical[darker]
    if ratio >= MUCH_BRIGHTER:
        values = {part: _value(both[part], typical[part]) for part in PARTS}
        yield (
            f"The {brighter} images are about {ratio:,.0f} times as bright as the {darker} images: the largest pixel "
            f"of a typical one is {values[brighter]}, against {values[darker]}. Scale both alike."
        )


def _of_classes(raw: RawImages, limited: bool) -> Iterator[str]:
    y_train, y_test = raw.y_train, raw.y_test
    trained, tested = (np.unique(labels).tolist() for labels in (y_train, y_test))
    taken = " The training images are the first ones of the data: shuffle data that are sorted by class."
    advice = taken if limited else ""
    for part, classes in zip(PARTS, (trained, tested), strict=True):
        if len(classes) == 1:
            yield (
                f"All {part} {raw.noun} are of class {_named(raw, classes)}, so there is nothing to distinguish."
                f"{advice if part == 'training' else ''}"
            )
    if missing := [label for label in tested if label not in trained]:
        n_missing = int(np.isin(y_test, missing).sum())
        yield (
            f"No training image is of class {_named(raw, missing)}, but {n_missing:,} of the {len(y_test):,} test "
            f"images are: no network can get them right.{advice}"
        )


def _of_numbering(y_train: np.ndarray, y_test: np.ndarray) -> Iterator[str]:
    """Yield a warning on labels that count from 1, in both parts or in one of them."""
    trained, tested = (np.unique(labels).tolist() for labels in (y_train, y_test))
    known = sorted({*trained, *tested})
    if known[0] > 0 and len(known) > 1 and _without_gap(known):
        yield (
            f"No image is of class 0, and the labels are {known[0]} to {known[-1]}. Labels count from 0: if yours "
            f"count from {known[0]}, subtract {known[0]} from all of them."
        )
    alike = len(trained) == len(tested) > 2 and _without_gap(trained) and _without_gap(tested)
    if alike and abs(trained[0] - tested[0]) == 1:
        yield (
            f"The training labels are {trained[0]} to {trained[-1]} and the test labels {tested[0]} to {tested[-1]}. "
            "One of them may count from 1 and the other from 0."
        )


def _without_gap(classes: list[int]) -> bool:
    return classes[-1] - classes[0] == len(classes) - 1


def _named(raw: RawImages, classes: list[int]) -> str:
    """Return the classes by their names, if they have any."""
    return _listed([raw.classes[label] for label in classes] if raw.classes else classes)


def _listed(classes: Sequence[int | str]) -> str:
    *others, last = map(str, classes)
    return f"{', '.join(others)} or {last}" if others else last


def _of_duplicates(raw: RawImages) -> Iterator[str]:
    as_they_are = raw.x_train.dtype == raw.x_test.dtype == np.uint8
    test, train = (images if as_they_are else unit(images) for images in (raw.x_test, raw.x_train))
    known = [row.tobytes() for row in _rows(test)]
    wanted = set(known)
    found: dict[bytes, set[object]] = {}
    for row, label in zip(_rows(train), _as_keys(raw.y_train), strict=True):
        if (content := row.tobytes()) in wanted:
            found.setdefault(content, set()).add(label)
    if n_found := sum(content in found for content in known):
        labelled = zip(known, _as_keys(raw.y_test), strict=True)
        n_otherwise = sum(label not in found[content] for content, label in labelled if content in found)
        exactly = "pixel for pixel" if raw.inputs == "images" else "number for number"
        otherwise = f", {n_otherwise:,} of them with another label" if n_otherwise else ""
        yield (
            f"{n_found:,} of the {len(known):,} test {raw.noun} {'is' if n_found == 1 else 'are'} among the training "
            f"{raw.noun}, {exactly}{otherwise}. On those, the test "
            f"{'accuracy says' if raw.task == 'classification' else 'figures say'} nothing about new {raw.noun}."
        )


def _as_keys(labels: np.ndarray) -> list[object]:
    """Return labels (N,) or (N, K) as values that can be compared and looked up."""
    return labels.tolist() if labels.ndim == 1 else list(map(tuple, labels.tolist()))


def _of_numbers(raw: RawImages) -> Iterator[str]:
    """Yield warnings on labels (N, K) that are all equal, or so large that training would begin far from them."""
    names = raw.classes or tuple(map(str, range(raw.y_train.shape[1])))
    constant = [name for name, same in zip(names, np.ptp(raw.y_train, axis=0) == 0, strict=True) if same]
    if constant:
        yield f"The training labels of {_listed(constant)} are all the same: there is nothing to learn."
    largest = float(np.abs(raw.y_train).max())
    if raw.task == "regression" and largest >= LARGE:
        yield (
            f"The training labels go up to {largest:,.4g}. A network starts with outputs of about 1, and may need very "
            "many steps to get there: divide the labels, or subtract their mean and divide them by their deviation."
        )


def _rows(images: np.ndarray) -> np.ndarray:
    """Return the images as (N, pixels), with -0.0 as 0.0."""
    rows = np.ascontiguousarray(images).reshape(len(images), -1)
    return rows if rows.dtype == np.uint8 else rows + np.float32(0)
