"""Data sets in MNIST's format with published MD5s of compressed files or of an archive, but no hash of the content:
EMNIST, KMNIST and QMNIST. They have torchvision's layout.

A gzipped file is recognised by its MD5. Unpacked files, and those from EMNIST's one archive, are recognised by their
shape and type alone; the archive by its MD5, when it is fetched.
"""

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from shared.data import own_idx
from shared.data.dataset import Damaged, Download, RawImages, looking_into, reading
from shared.errors import InputError

SIZE = (28, 28)
MAX_GZIP_BYTES = 256 << 20
MAX_ARCHIVE_BYTES = 1 << 30  # EMNIST's has 562 million


@dataclass(frozen=True)
class Zipped:
    """An archive with the gzipped files of several data sets in a folder; and its MD5."""

    name: str
    md5: str
    folder: str
    members: tuple[str, ...]  # of all data sets, without .gz


@dataclass(frozen=True)
class PublishedIdx:
    """A data set of four IDX files (without .gz: training images and labels, test images and labels), in
    `<data-dir>/<folder>/raw`.

    `md5` has that of each gzipped file by its name without .gz; `zipped` is the archive that contains them instead.
    `turned` says that rows and columns of the images are exchanged in the files, and `first_label` is the first class's
    label there.
    """

    name: str
    folder: str
    mirrors: tuple[str, ...]
    file_names: tuple[str, str, str, str]
    classes: tuple[str, ...]
    md5: Mapping[str, str] = field(default_factory=dict)
    zipped: Zipped | None = None
    turned: bool = False
    first_label: int = 0

    def folder_in(self, data_dir: Path) -> Path:
        """Return the folder of the files."""
        return data_dir / self.folder / "raw"

    def missing_files(self, data_dir: Path) -> list[str]:
        """Return the names of the files that exist neither raw nor gzipped."""
        folder = self.folder_in(data_dir)
        with looking_into(data_dir, folder):
            return [name for name in self.file_names if not _find(name, folder).exists()]

    def recognised(self, data_dir: Path) -> str:
        """Return how the existing files are recognised, in words."""
        by_shape = [name for name in self.file_names if not self._has_md5(_find(name, self.folder_in(data_dir)))]
        if not by_shape:
            return "every file recognised by its content"
        return f"recognised by shape and type alone: {', '.join(by_shape)}"

    def read(self, data_dir: Path) -> RawImages:
        """Return the four arrays, images (N, 28, 28, 1) upright, labels from 0.

        Raises InputError if a file is missing, unreadable, cut off or altered.
        """
        folder = self.folder_in(data_dir)
        if missing := self.missing_files(data_dir):
            raise InputError(
                f"The data set '{self.name}' is not complete in {folder}: no {' and no '.join(missing)} (with or "
                f"without .gz). Give the folder that holds {self.folder}/raw with --data-dir, or fetch it with 'python "
                f"-m compare data {self.name}'."
            )
        x_train, y_train, x_test, y_test = (self._array(_find(name, folder)) for name in self.file_names)
        return RawImages(
            *self._part(folder, self.file_names[:2], x_train, y_train),
            *self._part(folder, self.file_names[2:], x_test, y_test),
            classes=self.classes,
        )

    def downloads(self, missing: Sequence[str]) -> list[Download]:
        """Return one gzipped file for each file in `missing`, or the archive of all."""
        if self.zipped and missing:
            return [Download(self.zipped.name, MAX_ARCHIVE_BYTES, partial(_unpacked, self.zipped))]
        return [Download(f"{name}.gz", MAX_GZIP_BYTES, self._checked) for name in missing]

    @property
    def _advice(self) -> str:
        return (
            f"Move it elsewhere and fetch it again with 'python -m compare data {self.name}', or give another folder "
            "with --data-dir."
        )

    def _has_md5(self, path: Path) -> bool:
        return path.suffix == ".gz" and path.stem in self.md5

    def _array(self, path: Path) -> np.ndarray:
        with reading(path, self._advice):
            self._check_md5(path)
            return own_idx.array_in(path)

    def _checked(self, path: Path) -> list[Path]:
        """Check a download, which is the file itself and stays gzipped."""
        self._check_md5(path)
        return [path]

    def _check_md5(self, path: Path) -> None:
        if self._has_md5(path) and (md5 := _md5(path)) != self.md5[path.stem]:
            raise Damaged(
                f"is not the original {path.name}: the MD5 of its {path.stat().st_size:,} bytes is {md5}, and the "
                f"original's is {self.md5[path.stem]}"
            )

    def _part(
        self, folder: Path, names: Sequence[str], images: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of one part, checked, upright and counted from 0."""
        x, y = (_find(name, folder) for name in names)
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != SIZE:
            raise InputError(f"{x} holds no 8-bit images of 28 x 28: its shape is {images.shape}. {self._advice}")
        if labels.ndim == 2:  # in QMNIST: the label, and the digit's origin
            labels = labels[:, 0]
        if labels.dtype.kind not in "iu" or labels.ndim != 1 or len(labels) != len(images):
            raise InputError(f"{y} holds no label for each of the {len(images):,} images of {x.name}. {self._advice}")
        labels = labels.astype(np.int64) - self.first_label
        if not len(labels) or labels.min() < 0 or labels.max() >= len(self.classes):
            raise InputError(f"{y} holds labels of other classes than those of {self.name}. {self._advice}")
        if self.turned:
            images = np.ascontiguousarray(images.transpose(0, 2, 1))
        return images[..., None], labels


def _find(name: str, folder: Path) -> Path:
    """Return a file's path: the gzipped one, which has a hash, if it exists, else the raw one, existing or not."""
    gzipped = folder / f"{name}.gz"
    return gzipped if gzipped.exists() else folder / name


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _unpacked(zipped: Zipped, path: Path) -> list[Path]:
    """Unpack all gzipped files from the archive at `path` to its folder: another data set may be requested next."""
    if (md5 := _md5(path)) != zipped.md5:
        raise Damaged(f"is not the original {zipped.name}: its MD5 is {md5}, and the original's is {zipped.md5}")
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in (f"{member}.gz" for member in zipped.members):
                member = archive.getinfo(f"{zipped.folder}/{name}")
                if member.file_size > MAX_GZIP_BYTES:
                    raise Damaged(f"has a {name} of {member.file_size:,} bytes, more than {MAX_GZIP_BYTES:,}")
                with archive.open(member) as content, path.with_name(name).open("wb") as file:
                    shutil.copyfileobj(content, file)
                found.append(path.with_name(name))
    except KeyError:
        raise Damaged(f"holds no {name}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Damaged(f"cannot be unpacked: {error}") from None
    path.unlink()  # it takes as much room as its content
    return found
