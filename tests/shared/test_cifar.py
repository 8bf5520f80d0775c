"""Reading CIFAR-10's format."""

import os
import pickle
import warnings
from importlib.util import find_spec
from pathlib import Path

import cifar_files
import numpy as np
import pytest

from compare.commands import data as data_command
from compare.options.inventory import DataOptions
from compare.reporting.screen import PLAIN
from shared.data import DataSpec, inert_pickle, load
from shared.data.catalog import CIFAR10, DATASETS
from shared.errors import InputError

TINY, CONTENTS = cifar_files.make()
ARRAYS = cifar_files.arrays()
ROWS, LABELS = ARRAYS["data_batch_1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cifar_files.write(tmp_path / cifar_files.FOLDER, CONTENTS)
    return tmp_path / cifar_files.FOLDER


def pixel(rows: np.ndarray, image: int, y: int, x: int) -> list[int]:
    """Return red, green and blue of one pixel, by the layout that CIFAR-10's authors describe."""
    return [int(rows[image, plane * 1024 + y * 32 + x]) for plane in range(3)]


def test_arrays_are_those_in_the_files(folder: Path) -> None:
    raw = TINY.read(folder.parent)
    assert (raw.x_train.shape, raw.x_test.shape) == ((20, 32, 32, 3), (4, 32, 32, 3))
    assert (raw.x_train.dtype, raw.y_train.dtype) == (np.uint8, np.uint8)
    assert raw.x_train.flags.c_contiguous
    assert raw.y_train.tolist() == [label for name in cifar_files.TRAIN for label in ARRAYS[name][1]]
    assert raw.y_test.tolist() == ARRAYS["test_batch"][1]
    for image, y, x in [(0, 0, 0), (3, 31, 0), (1, 0, 31), (2, 7, 19)]:
        assert raw.x_test[image, y, x].tolist() == pixel(ARRAYS["test_batch"][0], image, y, x)
        assert raw.x_train[8 + image, y, x].tolist() == pixel(ARRAYS["data_batch_3"][0], image, y, x)


VARIANTS = {
    "Python 3": cifar_files.python3(ROWS, LABELS),
    "Python 3, by columns": cifar_files.python3(np.asfortranarray(ROWS), LABELS),
    "Python 2, by columns": cifar_files.python2(np.asfortranarray(ROWS), LABELS),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_writers_of_the_same_arrays(folder: Path, variant: str) -> None:
    assert VARIANTS[variant] != CONTENTS["data_batch_1"]
    expected = TINY.read(folder.parent)
    raw = cifar_files.with_content(TINY, folder, VARIANTS[variant]).read(folder.parent)
    np.testing.assert_array_equal(raw.x_train, expected.x_train)
    np.testing.assert_array_equal(raw.y_train, expected.y_train)


def test_an_ordinary_unpickler_finds_the_same_in_the_hand_made_pickles() -> None:
    """The files made up for these tests are what Python 2 would write, as far as Python 3 can tell."""
    for variant in (cifar_files.python2(ROWS, LABELS), cifar_files.python2(np.asfortranarray(ROWS), LABELS)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy.core is now numpy._core, and the type has changed
            fields = pickle.loads(variant, encoding="bytes")
        np.testing.assert_array_equal(fields[b"data"], ROWS)
        assert fields[b"labels"] == LABELS


def test_missing_files(folder: Path) -> None:
    (folder / "data_batch_2").unlink()
    (folder / "batches.meta").unlink()
    with pytest.raises(
        InputError,
        match=r"no data_batch_2 and no batches.meta. Give the folder that holds cifar-10-batches-py with --data-dir, "
        "or fetch it with 'python -m compare data tiny'",
    ):
        TINY.read(folder.parent)


@pytest.mark.parametrize("name", TINY.file_names)
def test_one_altered_byte(folder: Path, name: str) -> None:
    content = CONTENTS[name][:-2] + bytes([CONTENTS[name][-2] ^ 1]) + CONTENTS[name][-1:]
    (folder / name).write_bytes(content)
    original = next(file.md5 for file in TINY.files if file.name == name)
    with pytest.raises(InputError) as caught:
        TINY.read(folder.parent)
    message = str(caught.value)
    assert message.startswith(f"{folder / name} is not the original {name}: the MD5 of its {len(content):,} bytes is ")
    assert (
        f", and the original's is {original}. Move it elsewhere and fetch it again, or give another folder" in message
    )
    assert ".npz" in message


def test_truncated_file(folder: Path) -> None:
    (folder / "test_batch").write_bytes(CONTENTS["test_batch"][:-1])
    with pytest.raises(InputError, match=f"test_batch.* the MD5 of its {len(CONTENTS['test_batch']) - 1:,} bytes is"):
        TINY.read(folder.parent)


def test_a_file_too_large_is_not_read_to_its_end(folder: Path) -> None:
    with (folder / "data_batch_1").open("wb") as stream:
        stream.truncate(1 << 40)  # a sparse file, larger than any memory
    with pytest.raises(InputError, match="holds more than 33,554,432 bytes"):
        TINY.read(folder.parent)


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "data_batch_1").unlink()
    (folder / "data_batch_1").mkdir()
    with pytest.raises(InputError, match=r"data_batch_1 is not a file"):
        TINY.read(folder.parent)


def test_what_is_not_the_original_is_not_unpickled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a file was unpickled before it was recognised")

    monkeypatch.setattr(inert_pickle, "loads", never)
    with pytest.raises(AssertionError, match="unpickled before"):
        TINY.read(folder.parent)  # unpickles the originals
    (folder / "data_batch_1").write_bytes(CONTENTS["data_batch_2"])
    with pytest.raises(InputError, match="MD5"):
        TINY.read(folder.parent)


NO_ARRAY = "its 'data' is not an 8-bit array"
NO_LABELS = "its 'labels' are not a list of 4 integers from 0 to 9"
WRONG = {
    "too few rows": (ROWS[:3], LABELS, NO_ARRAY),
    "too many rows": (np.concatenate([ROWS, ROWS]), LABELS, NO_ARRAY),
    "short rows": (ROWS[:, :-1], LABELS, NO_ARRAY),
    "flat": (ROWS.ravel(), LABELS, NO_ARRAY),
    "images": (ROWS.reshape(4, 3, 32, 32), LABELS, NO_ARRAY),
    "16 bits": (ROWS.astype(np.uint16), LABELS, NO_ARRAY),
    "signed": (ROWS.view(np.int8), LABELS, NO_ARRAY),
    "bytes": (ROWS.tobytes(), LABELS, NO_ARRAY),
    "no rows": (None, LABELS, NO_ARRAY),
    "a label too large": (ROWS, [*LABELS[:3], 10], NO_LABELS),
    "a negative label": (ROWS, [-1, *LABELS[1:]], NO_LABELS),
    "a label too few": (ROWS, LABELS[:3], NO_LABELS),
    "a label too many": (ROWS, [*LABELS, 0], NO_LABELS),
    "a floating label": (ROWS, [1.0, *LABELS[1:]], NO_LABELS),
    "a truth value": (ROWS, [True, *LABELS[1:]], NO_LABELS),
    "labels in a tuple": (ROWS, tuple(LABELS), NO_LABELS),
    "no labels": (ROWS, None, NO_LABELS),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arrays(folder: Path, case: str) -> None:
    rows, labels, message = WRONG[case]
    dataset = cifar_files.with_content(TINY, folder, cifar_files.python3(rows, labels))
    with pytest.raises(InputError, match=f"data_batch_1 holds no batch of images: {message}"):
        dataset.read(folder.parent)


def test_raw_bytes_too_few_for_the_shape(folder: Path) -> None:
    content = CONTENTS["data_batch_1"]
    head = b"T" + (4 * 3072).to_bytes(4, "little")
    start = content.index(head)
    shorter = content[:start] + b"T" + (4 * 3072 - 1).to_bytes(4, "little") + content[start + 6 :]
    with pytest.raises(InputError, match=NO_ARRAY):
        cifar_files.with_content(TINY, folder, shorter).read(folder.parent)


def test_the_state_of_an_array_in_something_else(folder: Path) -> None:
    other = CONTENTS["data_batch_1"].replace(b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\ndtype\n")
    with pytest.raises(InputError, match=NO_ARRAY):
        cifar_files.with_content(TINY, folder, other).read(folder.parent)


def test_another_pickle_than_a_batch(folder: Path) -> None:
    dataset = cifar_files.with_content(TINY, folder, pickle.dumps([1, 2], protocol=2))
    with pytest.raises(InputError, match="holds no batch of images but another kind of pickle"):
        dataset.read(folder.parent)


def test_loaded_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "tiny", TINY)
    data = load(DataSpec(dataset="tiny", n_train=7), folder.parent)
    assert (data.x_train.shape, data.x_train.dtype) == ((7, 32, 32, 3), np.float32)
    assert data.x_train[0, 0, 0].tolist() == [np.float32(v) / np.float32(255) for v in pixel(ROWS, 0, 0, 0)]
    assert data.y_test.tolist() == ARRAYS["test_batch"][1]


def test_the_data_command_tells_how_it_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(DATASETS, "tiny", TINY)

    def message_for(name: str) -> str:
        assert data_command.command(DataOptions(data_dir=folder.parent), PLAIN) == 0
        return next(line for line in capsys.readouterr().out.splitlines() if line.startswith(name))

    assert message_for("tiny") == f"tiny: complete in {folder}, every file recognised by its content"
    assert message_for("cifar10").startswith(f"cifar10: {folder / 'batches.meta'} is not the original batches.meta")
    (folder / "data_batch_5").unlink()
    assert message_for("tiny") == f"tiny: incomplete in {folder}: no data_batch_5"
    for path in folder.iterdir():
        path.unlink()
    assert message_for("cifar10") == f"cifar10: not in {folder}; 'python -m compare data cifar10' fetches it"


def test_the_real_hashes_are_torchvisions() -> None:
    """Read its source without importing it."""
    spec = find_spec("torchvision")
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / "datasets" / "cifar.py").read_text()
    assert source.index("class CIFAR10(") < source.index("class CIFAR100(")
    ours = source[: source.index("class CIFAR100(")]
    assert len(CIFAR10.files) == 7
    for file in CIFAR10.files:
        assert ours.count(f'"{file.name}"') == 1
        assert f'"{file.md5}"' in ours[ours.index(f'"{file.name}"') :].split("]")[0].split("}")[0]
    assert f'base_folder = "{CIFAR10.folder}"' in ours
    assert f'url = "{CIFAR10.mirrors[0]}{CIFAR10.archive}"' in ours


def test_the_real_data() -> None:
    """If the user has them, every file is the original, and the first labels and pixels are the known ones."""
    data_dir = Path(os.environ.get("COMPARE_DATA_DIR", "data"))
    if CIFAR10.missing_files(data_dir):
        pytest.skip(f"cifar10 is not in {data_dir}: set COMPARE_DATA_DIR to a folder in torchvision's layout")
    raw = CIFAR10.read(data_dir)
    assert raw.x_train.shape == (50_000, 32, 32, 3)
    assert raw.x_test.shape == (10_000, 32, 32, 3)
    assert raw.y_train[:5].tolist() == [6, 9, 9, 4, 1]
    assert raw.y_test[:5].tolist() == [3, 8, 8, 0, 6]
    assert raw.x_train[0, 0, :2].tolist() == [[59, 62, 63], [43, 46, 45]]
