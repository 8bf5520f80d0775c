"""Read a user's own pictures: a folder with one subfolder for each class, `--dataset folder:DIR`."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shared import pictures, randomness
from shared.choices import Channels
from shared.data.dataset import RawImages, Unsplit
from shared.data.own import CLASS_NAMES_RULE, MAX_CLASSES, folder_after, is_class_name, listed
from shared.data.resizing import Size, check_room, in_words
from shared.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

PREFIX = "folder:"
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
PARTS = {"train": ("train", "training"), "test": ("test", "testing")}
TEST_BY_OTHER_NAMES = ("val", "valid", "validation", "dev", "eval")
OF_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")  # left by file managers and archives; hidden files, too
LAYOUT = (
    f"The folder must hold one subfolder for each class with its pictures ({', '.join(SUFFIXES)}), or train/ and test/ "
    "with such subfolders each."
)


@dataclass
class _Listing:
    """The content of the folder: each class's pictures by part, and what is not read, by its path in the folder."""

    root: Path
    pictures: dict[str, dict[str, list[Path]]] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)  # links that lead out of the folder
    others: list[str] = field(default_factory=list)  # files that are not pictures, by their names
    loose: list[str] = field(default_factory=list)  # pictures outside of classes
    empty: list[str] = field(default_factory=list)  # subfolders without pictures
    beside: list[str] = field(default_factory=list)  # entries next to train/ and test/

    def name(self, path: Path) -> str:
        """Return the path in the folder, in the form for messages."""
        return path.relative_to(self.root).as_posix()

    @property
    def notes(self) -> tuple[str, ...]:
        """Return sentences on what is not read."""
        said = (
            (self.outside, "link", "that lead out of the folder are not followed"),
            (self.others, "file", f"are not read: their names do not end in {', '.join(SUFFIXES)}"),
            (self.loose, "picture", "are not read: they lie in no class's subfolder"),
            (self.empty, "folder", "are not read: they hold no pictures"),
            (self.beside, "entry", "beside the training and test images are not read"),
        )
        return tuple(_counted(names, noun, what) for names, noun, what in said if names)


def _counted(names: Sequence[str], noun: str, what: str) -> str:
    if len(names) > 1:
        noun = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    else:
        what = what.replace("are ", "is ").replace("their names do", "its name does").replace("they lie", "it lies")
        what = what.replace("they hold", "it holds").replace("that lead", "that leads")
    return f"{len(names):,} {noun} {what} ({listed(names)})."


def folder_of(dataset: str) -> Path | None:
    """Return DIR if `dataset` is `folder:DIR`, else None. Raises InputError if DIR is empty."""
    return folder_after(PREFIX, dataset, LAYOUT)


def read(folder: Path, size: Size | None, channels: Channels | None) -> RawImages | Unsplit:
    """Return the pictures in `folder` as images (N, H, W, C), 8-bit, and labels (N,), which are the places of their
    classes in the sorted names. There are two parts if the folder has train/ and test/.

    Pictures are read as a person sees them (shared/pictures.py). With a `size` (height, width) each is resized to it by
    `pictures.fitted`. `channels` None means grey if every picture is grey. The order is random, but always the same.

    Raises InputError if the folder has no classes, a picture cannot be read, or pictures differ in size without `size`.
    """
    found = _listing(folder)
    names = sorted({name for classes in found.pictures.values() for name in classes})
    _check_classes(found, names)
    paths = {part: [p for name in names for p in classes.get(name, [])] for part, classes in found.pictures.items()}
    images = _Reader(found, size, channels).read([path for of_part in paths.values() for path in of_part])
    labels = {
        part: np.repeat(np.arange(len(names)), [len(classes.get(name, [])) for name in names])
        for part, classes in found.pictures.items()
    }
    if "train" not in paths:
        return Unsplit(images, labels[""], tuple(names), found.notes)
    n_train = len(paths["train"])
    train = randomness.permutation(n_train, "folder", "train")
    test = randomness.permutation(len(paths["test"]), "folder", "test")
    return RawImages(
        images[:n_train][train],
        labels["train"][train],
        images[n_train:][test],
        labels["test"][test],
        found.notes,
        tuple(names),
    )


def read_one(path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the picture in `path` as one image of `shape`, 8-bit, in the same way as resized pictures of a folder.

    Raises InputError if it cannot be read.
    """
    flat = pictures.on_a_ground(pictures.decoded(path)).convert("L" if shape[2] == 1 else "RGB")
    return pictures.fitted(flat, pictures.edge_colour(flat), shape[:2]).reshape(shape)


def _listing(folder: Path) -> _Listing:
    try:
        there = folder.is_dir()
    except (OSError, ValueError) as error:
        raise InputError(f"The folder {folder} cannot be read: {error}. Give another folder.") from None
    if not there:
        raise InputError(f"There is no folder {folder}. Give one with {PREFIX}DIR. {LAYOUT}")
    found = _Listing(folder)
    subfolders, files = _entries(found, folder)
    by_name = {sub.name.lower(): sub for sub in subfolders if _holds_folders_alone(found, sub)}
    parts = {part: next((by_name[name] for name in names if name in by_name), None) for part, names in PARTS.items()}
    train, test = parts["train"], parts["test"]
    if train is None and test is None:
        _list_classes(found, "", subfolders, files)
        return found
    if train is None or test is None:
        raise _one_part(folder, train or test or folder, list(by_name), is_train=train is not None)
    unread = [*files, *(sub for sub in subfolders if sub not in (train, test))]
    found.beside += [found.name(path) for path in unread]
    for part, of_part in (("train", train), ("test", test)):
        _list_classes(found, part, *_entries(found, of_part))
    return found


def _one_part(folder: Path, there: Path, names: Sequence[str], is_train: bool) -> InputError:
    missing = "test" if is_train else "train"
    other = next((name for name in TEST_BY_OTHER_NAMES if name in names), None)
    advice = f"Rename {other}/ to {missing}/ if it holds" if is_train and other else f"Add {missing}/ with"
    return InputError(
        f"{folder} has {there.name}/ and no {missing}/, so the {missing} images are unknown. {advice} the "
        f"{missing} images, or give {PREFIX}{there}, which --split divides. {LAYOUT}"
    )


def _holds_folders_alone(found: _Listing, folder: Path) -> bool:
    """Whether `folder` can be a part: it has classes in it, and no pictures. A folder named train/ may be a class."""
    subfolders, files = _entries(_Listing(found.root), folder)
    return bool(subfolders) and not any(_is_picture(path) for path in files)


def _list_classes(found: _Listing, part: str, subfolders: Sequence[Path], files: Sequence[Path]) -> None:
    classes: dict[str, list[Path]] = {}
    for path in files:
        (found.loose if _is_picture(path) else found.others).append(found.name(path))
    for sub in subfolders:
        deeper, inside = _entries(found, sub)
        shown = [path for path in inside if _is_picture(path)]
        found.others += [found.name(path) for path in inside if not _is_picture(path)]
        if deeper:
            hint = "" if shown else f" If those are the classes, give {PREFIX}{sub}."
            raise InputError(
                f"{sub} has folders within it ({listed([path.name for path in deeper])}), and a class's pictures must "
                f"lie in its own folder.{hint} {LAYOUT}"
            )
        if shown:
            classes[sub.name] = shown
        else:
            found.empty.append(found.name(sub))
    found.pictures[part] = classes


def _entries(found: _Listing, folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the subfolders and files in `folder`, sorted by name, without hidden ones and links out of the root."""
    try:
        root = found.root.resolve()
        there = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be read: {error.strerror}. Make it readable.") from None
    subfolders, files = [], []
    for name in there:
        path = folder / name
        if name.startswith(".") or name.lower() in OF_SYSTEMS:
            continue
        if path.is_symlink() and not _within(path, root):
            found.outside.append(found.name(path))
        elif path.is_dir():
            subfolders.append(path)
        else:
            files.append(path)
    return subfolders, files


def _within(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a circle of links
        return False


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _check_classes(found: _Listing, names: Sequence[str]) -> None:
    root = found.root
    if len(names) < 2:
        there = f"has one class ({names[0]})" if names else "has no class"
        idx = any("ubyte" in name for name in found.others)
        hint = f" For files in MNIST's format give idx:{root}." if idx else ""
        raise InputError(f"{root} {there}, and there must be two or more. {' '.join((*found.notes, LAYOUT))}{hint}")
    for part, classes in found.pictures.items():
        if not classes:
            raise InputError(f"{root / part} holds no pictures. {' '.join(found.notes)} {LAYOUT}")
    if len(names) > MAX_CLASSES:
        raise InputError(f"{root} has {len(names):,} classes, and at most {MAX_CLASSES:,} are possible.")
    if wrong := [name for name in names if not is_class_name(name)]:
        raise InputError(f"{root}: {wrong[0]!r} cannot be the name of a class. {CLASS_NAMES_RULE} Rename the folder.")


class _Reader:
    """Reads pictures one by one into one array."""

    def __init__(self, found: _Listing, size: Size | None, channels: Channels | None) -> None:
        self.found, self.size, self.channels = found, size, channels
        self.unreadable: list[str] = []

    def read(self, paths: Sequence[Path]) -> np.ndarray:
        """Return the pictures in `paths` as (N, H, W, C), 8-bit."""
        images, first = np.empty((0, 0, 0, 1), np.uint8), paths[0]
        for n_read, (path, image) in enumerate(self._each(paths)):
            if not n_read:
                first = path
                check_room(f"The {len(paths):,} pictures in {self.found.root}", len(paths), image.shape)
                images = np.empty((len(paths), *image.shape), np.uint8)
            if image.shape[:2] != images.shape[1:3]:
                raise self._unlike(first, images.shape[1:3], path, image.shape[:2])
            if image.shape[2] > images.shape[3]:  # the first coloured one
                images = np.repeat(images, 3, axis=3)
            images[n_read] = image
        if self.unreadable:
            n = len(self.unreadable)
            raise InputError(
                f"{n:,} of the {len(paths):,} pictures in {self.found.root} cannot be read: "
                f"{listed(self.unreadable, '; ')}. Fix {'it' if n == 1 else 'them'}, or move "
                f"{'it' if n == 1 else 'them'} out of the folder."
            )
        return images

    def _each(self, paths: Sequence[Path]) -> Iterator[tuple[Path, np.ndarray]]:
        """Yield each readable picture as (H, W, C), 8-bit: with one channel if it is grey or should be."""
        for path in paths:
            try:
                flat = pictures.on_a_ground(pictures.decoded(path, pictures.LONGEST if self.size else None))
            except InputError as error:
                why = str(error).removeprefix(f"{path} ").removesuffix(f" {pictures.ADVICE}").rstrip(".")
                self.unreadable.append(f"{self.found.name(path)} {why}")
                continue
            if flat.mode != "L" and self.channels == "grey":
                flat = flat.convert("L")
            yield path, self._with_channels(self._at_size(flat))

    def _at_size(self, flat: "Image.Image") -> np.ndarray:
        return pictures.fitted(flat, pictures.edge_colour(flat), self.size) if self.size else np.asarray(flat)

    def _with_channels(self, image: np.ndarray) -> np.ndarray:
        if image.ndim == 2:
            image = image[..., None]
        elif self.channels is None and (image == image[..., :1]).all():
            image = image[..., :1]
        return np.repeat(image, 3, axis=2) if self.channels == "colour" and image.shape[2] == 1 else image

    def _unlike(self, one: Path, its: tuple[int, ...], other: Path, others: tuple[int, ...]) -> InputError:
        return InputError(
            f"The pictures in {self.found.root} differ in size: {self.found.name(one)} is {in_words(its)} (height x "
            f"width) and {self.found.name(other)} is {in_words(others)}. Resize all to one size, with --resize 28 or "
            "--resize 28x40, for example."
        )
