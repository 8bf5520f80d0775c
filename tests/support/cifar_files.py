"""A small made-up data set in CIFAR-10's format, for tests of reading and fetching."""

import dataclasses
import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np

from shared.data.cifar import CifarDataset, CifarFile

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
TRAIN = [f"data_batch_{i}" for i in range(1, 6)]
N_IMAGES = 4


class Python2:
    """Writes pickles that are byte-identical to those of Python 2's cPickle in protocol 2."""

    def __init__(self) -> None:
        self.n_memos = 0

    def memo(self) -> bytes:
        self.n_memos += 1
        return b"q" + bytes([self.n_memos]) if self.n_memos < 256 else b"r" + struct.pack("<i", self.n_memos)

    def text(self, text: bytes) -> bytes:
        head = b"U" + bytes([len(text)]) if len(text) < 256 else b"T" + struct.pack("<i", len(text))
        return head + text + self.memo()

    def name(self, module: bytes, name: bytes) -> bytes:
        return b"c" + module + b"\n" + name + b"\n" + self.memo()

    def integer(self, value: int) -> bytes:
        if 0 <= value < 1 << 8:
            return b"K" + bytes([value])
        return b"M" + struct.pack("<H", value) if 0 <= value < 1 << 16 else b"J" + struct.pack("<i", value)

    def sequence(self, items: list[bytes]) -> bytes:
        return b"]" + self.memo() + b"(" + b"".join(items) + b"e"

    def array(self, array: np.ndarray) -> bytes:
        in_columns = array.flags.f_contiguous and not array.flags.c_contiguous
        made = self.name(b"numpy.core.multiarray", b"_reconstruct") + self.name(b"numpy", b"ndarray")
        made += b"K\x00\x85" + self.memo() + self.text(b"b") + b"\x87" + self.memo() + b"R" + self.memo()
        shape = b"".join(map(self.integer, array.shape)) + b"\x86" + self.memo()
        kind = self.name(b"numpy", b"dtype") + self.text(array.dtype.str[1:].encode()) + b"K\x00K\x01\x87" + self.memo()
        kind += b"R" + self.memo() + b"(K\x03" + self.text(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00t"
        kind += self.memo() + b"b"
        raw = (b"\x88" if in_columns else b"\x89") + self.text(array.tobytes(order="A"))
        return made + b"(K\x01" + shape + kind + raw + b"t" + self.memo() + b"b"

    def batch(self, rows: np.ndarray, labels: list[int]) -> bytes:
        start = b"\x80\x02}" + self.memo() + b"("
        start += self.text(b"batch_label") + self.text(b"training batch 1 of 5")
        start += self.text(b"labels") + self.sequence([self.integer(label) for label in labels])
        start += self.text(b"data") + self.array(rows)
        names = [self.text(b"cat_s_%06d.png" % i) for i in range(len(labels))]
        return start + self.text(b"filenames") + self.sequence(names) + b"u."


def python2(rows: np.ndarray, labels: list[int]) -> bytes:
    """Return a batch as in the real files."""
    return Python2().batch(rows, labels)


def python3(rows: object, labels: object) -> bytes:
    """Return a batch of any content, as Python 3 and NumPy 2 pickle it for Python 2."""
    fields = {b"batch_label": b"training batch 1 of 5", b"labels": labels, b"data": rows, b"filenames": [b"cat.png"]}
    return pickle.dumps(fields, protocol=2)


def arrays(n_images: int = N_IMAGES) -> dict[str, tuple[np.ndarray, list[int]]]:
    """Return rows of pixels and labels for each batch."""
    rng = np.random.default_rng(0)
    return {
        name: (rng.integers(0, 256, (n_images, 3072), np.uint8), rng.integers(0, 10, n_images).tolist())
        for name in [*TRAIN, "test_batch"]
    }


def make(n_images: int = N_IMAGES) -> tuple[CifarDataset, dict[str, bytes]]:
    """Return the description of a data set `tiny`, and the content of its files by name."""
    contents = {name: python2(rows, labels) for name, (rows, labels) in arrays(n_images).items()}
    contents["batches.meta"] = pickle.dumps({"label_names": [f"class {i}" for i in range(10)]}, protocol=2)
    return describe(contents, n_images), contents


def describe(contents: dict[str, bytes], n_images: int = N_IMAGES) -> CifarDataset:
    """Return the description of a data set with these original files."""
    files = {name: CifarFile(name, hashlib.md5(content).hexdigest()) for name, content in contents.items()}
    train = tuple(files[name] for name in TRAIN)
    return CifarDataset("tiny", FOLDER, (), ARCHIVE, n_images, train, (files["test_batch"],), files["batches.meta"])


def with_content(dataset: CifarDataset, folder: Path, content: bytes) -> CifarDataset:
    """Put `content` into the first batch in `folder`, and return a data set with that file as its original."""
    (folder / TRAIN[0]).write_bytes(content)
    first = CifarFile(TRAIN[0], hashlib.md5(content).hexdigest())
    return dataclasses.replace(dataset, train=(first, *dataset.train[1:]))


def write(folder: Path, contents: dict[str, bytes]) -> None:
    """Write the files to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def tar(contents: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """Return an uncompressed archive of the files, after the members `others`, which are filled with zeros."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for other in others:
            archive.addfile(other, io.BytesIO(bytes(other.size)))
        for name, content in contents.items():
            archive.addfile(member(f"{FOLDER}/{name}", size=len(content)), io.BytesIO(content))
    return stream.getvalue()


def tar_gz(contents: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """Return the same archive, compressed."""
    return gzip.compress(tar(contents, *others))


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    """Return the header of an archive's member."""
    header = tarfile.TarInfo(name)
    header.type, header.linkname, header.size = kind, link, size
    return header
