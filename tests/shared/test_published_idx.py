"""EMNIST, KMNIST and QMNIST are fetched from a server on this machine, and read as published."""

import gzip
import hashlib
import importlib.util
import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import idx_files
import numpy as np
import pytest

from shared.data import DataSpec, catalog, fetch, load
from shared.data.catalog import DATASETS, EMNIST, EMNIST_ARCHIVE, KMNIST, QMNIST
from shared.data.published_idx import PublishedIdx
from shared.errors import InputError

pytestmark = pytest.mark.usefixtures("serve")
N = {"train": 30, "test": 20}


def images(part: str) -> np.ndarray:
    return np.random.default_rng(N[part]).integers(0, 256, (N[part], 28, 28), np.uint8)


def labels(part: str, first: int = 0) -> np.ndarray:
    return (np.arange(N[part]) % 10 + first).astype(np.uint8)


def qmnist_labels(part: str) -> bytes:
    """Return labels as in QMNIST: eight big-endian 32-bit numbers for each digit, the first of which is the class."""
    table = np.arange(N[part] * 8).reshape(-1, 8)
    table[:, 0] = labels(part)
    return struct.pack(">HBBII", 0, 0x0C, 2, *table.shape) + table.astype(">i4").tobytes()


def files(dataset: PublishedIdx) -> dict[str, bytes]:
    """Return the content of each gzipped file of a small data set, by its name without .gz."""
    found = {}
    for number, part in enumerate(("train", "test")):
        x, y = dataset.file_names[2 * number : 2 * number + 2]
        plain = idx_files.idx_bytes(labels(part, dataset.first_label))
        of_labels = qmnist_labels(part) if dataset.name == "qmnist" else plain
        found |= {x: gzip.compress(idx_files.idx_bytes(images(part))), y: gzip.compress(of_labels)}
    return found


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def small(dataset: PublishedIdx) -> tuple[PublishedIdx, dict[str, bytes]]:
    """Return a data set like `dataset` with few images, and a server's files of it."""
    there = files(dataset)
    known = replace(dataset, md5={name: md5(content) for name, content in there.items()})
    return known, {f"/{name}.gz": content for name, content in there.items()}


def archived(**changed: bytes) -> tuple[dict[str, PublishedIdx], bytes]:
    """Return all of EMNIST with few images, and its archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for dataset in EMNIST:
            for name, of_one in (files(dataset) | changed).items():
                if f"gzip/{name}.gz" not in archive.namelist():
                    archive.writestr(f"gzip/{name}.gz", of_one)
    zipped = replace(EMNIST_ARCHIVE, md5=md5(content.getvalue()))
    return {dataset.name: replace(dataset, zipped=zipped) for dataset in EMNIST}, content.getvalue()


@pytest.mark.parametrize("dataset", [KMNIST, QMNIST], ids=lambda dataset: dataset.name)
def test_fetched_by_their_hashes(dataset: PublishedIdx, tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    known, there = small(dataset)
    paths = fetch.fetch(known, tmp_path, 20, mirrors=[serve(there).url])
    assert {path.parent for path in paths} == {tmp_path / dataset.folder / "raw"}
    assert known.recognised(tmp_path) == "every file recognised by its content"
    monkeypatch.setitem(DATASETS, dataset.name, known)
    data = load(DataSpec(dataset=dataset.name), tmp_path)
    np.testing.assert_array_equal(data.x_test[..., 0], images("test").astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(data.y_train, labels("train"))
    assert data.spec is not None
    assert data.spec.classes == dataset.classes


@pytest.mark.parametrize("dataset", [KMNIST, QMNIST], ids=lambda dataset: dataset.name)
def test_another_file_than_the_original_is_refused(dataset: PublishedIdx, tmp_path: Path, serve) -> None:
    known, there = small(dataset)
    other = f"/{dataset.file_names[1]}.gz"
    wrong = serve(there | {other: gzip.compress(b"another")})
    with pytest.raises(InputError, match=f"is not the original {other[1:]}: the MD5 of its .* and the original's is"):
        fetch.fetch(known, tmp_path, 20, mirrors=[wrong.url])
    assert not (tmp_path / dataset.folder / "raw" / other[1:]).exists()
    fetch.fetch(known, tmp_path, 20, mirrors=[wrong.url, serve(there).url])
    (tmp_path / dataset.folder / "raw" / other[1:]).write_bytes(gzip.compress(b"altered"))
    with pytest.raises(InputError, match=f"is not the original {other[1:]}.*fetch it again with .*data {dataset.name}"):
        known.read(tmp_path)


def test_unpacked_files_are_recognised_by_their_shape(tmp_path: Path) -> None:
    known, there = small(KMNIST)
    folder = tmp_path / "KMNIST" / "raw"
    folder.mkdir(parents=True)
    for name, content in there.items():
        (folder / name[1:].removesuffix(".gz")).write_bytes(gzip.decompress(content))
    assert known.recognised(tmp_path).startswith("recognised by shape and type alone: train-images-idx3-ubyte, train")
    np.testing.assert_array_equal(known.read(tmp_path).y_test, labels("test"))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx_files.idx_bytes(images("test")[:, :14]))
    with pytest.raises(InputError, match=r"holds no 8-bit images of 28 x 28: its shape is \(20, 14, 28\)"):
        known.read(tmp_path)
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx_files.idx_bytes(images("test")[:19]))
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte holds no label for each of the 19 images"):
        known.read(tmp_path)


@pytest.mark.parametrize("split", ["letters", "balanced"])
def test_emnist_comes_in_one_archive(split: str, tmp_path: Path, serve) -> None:
    datasets, content = archived()
    server = serve({"/gzip.zip": content})
    known = datasets[f"emnist_{split}"]
    assert len(fetch.fetch(known, tmp_path, 20, mirrors=[server.url])) == 24
    assert not list((tmp_path / "EMNIST" / "raw").glob("*.zip"))
    raw = known.read(tmp_path)
    np.testing.assert_array_equal(raw.x_train[..., 0], images("train").transpose(0, 2, 1))
    np.testing.assert_array_equal(raw.y_train, labels("train"))
    for other in datasets.values():
        assert fetch.fetch(other, tmp_path, 20, mirrors=[server.url]) == [], "it is there already"
    assert server.handler.asked == ["/gzip.zip"]


def test_another_archive_than_emnists_is_refused(tmp_path: Path, serve) -> None:
    datasets, content = archived()
    known = datasets["emnist_digits"]
    with pytest.raises(InputError, match=r"is not the original gzip\.zip: its MD5 is"):
        fetch.fetch(known, tmp_path, 20, mirrors=[serve({"/gzip.zip": content[:-1]}).url])
    for bad, reason in ((b"no archive", "cannot be unpacked"), (empty_archive(), "holds no emnist-byclass-train")):
        zipped = replace(EMNIST_ARCHIVE, md5=md5(bad))
        with pytest.raises(InputError, match=reason):
            fetch.fetch(replace(known, zipped=zipped), tmp_path, 20, mirrors=[serve({"/gzip.zip": bad}).url])
    assert list(tmp_path.iterdir()) == []


def empty_archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w"):
        pass
    return content.getvalue()


def test_labels_beyond_the_classes(tmp_path: Path, serve) -> None:
    name = EMNIST[4].file_names[3]
    datasets, content = archived(**{name: gzip.compress(idx_files.idx_bytes(labels("test", 1)))})
    known = datasets["emnist_digits"]
    fetch.fetch(known, tmp_path, 20, mirrors=[serve({"/gzip.zip": content}).url])
    with pytest.raises(InputError, match=rf"{name}\.gz holds labels of other classes than those of emnist_digits"):
        known.read(tmp_path)


def test_the_classes_of_emnist() -> None:
    """Their numbers are those of its paper."""
    counts = {dataset.name.removeprefix("emnist_"): len(dataset.classes) for dataset in EMNIST}
    assert counts == {"byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10, "mnist": 10}
    balanced = next(dataset for dataset in EMNIST if dataset.name == "emnist_balanced")
    assert "".join(balanced.classes) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
    assert catalog.class_names("emnist_letters", 26, EMNIST[3].classes)[0] == "a"


@pytest.mark.parametrize("dataset", [KMNIST, QMNIST, EMNIST[0]], ids=lambda dataset: dataset.name)
def test_addresses_and_hashes_are_torchvisions(dataset: PublishedIdx) -> None:
    """Read the source as text, because importing torchvision would import PyTorch."""
    found = importlib.util.find_spec("torchvision")
    assert found is not None
    assert found.submodule_search_locations
    source = (Path(found.submodule_search_locations[0]) / "datasets" / "mnist.py").read_text()
    assert dataset.mirrors[0] in source
    hashes = {dataset.zipped.name: dataset.zipped.md5} if dataset.zipped else dataset.md5
    assert hashes
    for name, md5 in hashes.items():
        assert name in source
        assert md5 in source
