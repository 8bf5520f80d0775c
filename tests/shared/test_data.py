"""Data sets as the implementations receive them."""

import ast
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.datasets import load_digits

from shared.data import Data, DataSpec, _held_out, load
from shared.errors import InputError


def test_digits_are_scikit_learns(digits: Data) -> None:
    assert digits.x_train.shape == (1_437, 28, 28, 1)
    assert digits.x_test.shape == (360, 28, 28, 1)
    assert (digits.x_train.dtype, digits.y_train.dtype) == (np.float32, np.int64)
    small = np.concatenate([digits.x_train, digits.x_test])[:, 2:26:3, 2:26:3, 0]
    images, labels = load_digits(return_X_y=True)
    ours = {(np.rint(x * 16).astype(int).tobytes(), y) for x, y in zip(small, _labels(digits), strict=True)}
    theirs = {(x.reshape(8, 8).astype(int).tobytes(), y) for x, y in zip(images, labels, strict=True)}
    assert ours == theirs


def test_digits_are_stratified_and_disjoint(digits: Data) -> None:
    shares = np.bincount(digits.y_train) / 1_437 - np.bincount(digits.y_test) / 360
    assert abs(shares).max() < 0.002


def test_the_digest_sees_every_change(digits: Data) -> None:
    digest = digits.digest()
    assert digest == load(DataSpec(dataset="digits"), Path()).digest()
    pixel, label = digits.x_test.copy(), digits.y_train.copy()
    pixel[-1, -1, -1, -1] += 1e-7
    label[[0, 1]] = label[[1, 0]] if label[0] != label[1] else label[0] + 1
    for change in ({"x_test": pixel}, {"y_train": label}, {"x_train": digits.x_train[::-1]}):
        assert dataclasses.replace(digits, **change).digest() != digest


def test_limits_take_the_first_images(digits: Data) -> None:
    limited = load(DataSpec(dataset="digits", n_train=100, n_test=7), Path())
    np.testing.assert_array_equal(limited.x_train, digits.x_train[:100])
    np.testing.assert_array_equal(limited.y_test, digits.y_test[:7])


def test_a_limit_beyond_the_data() -> None:
    with pytest.raises(InputError, match="1,437 training images, and 2,000 were asked for"):
        load(DataSpec(dataset="digits", n_train=2_000), Path())


def test_standard_scale() -> None:
    data = load(DataSpec(dataset="digits", scale="standard"), Path())
    assert data.x_train.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert data.x_train.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert data.x_test.dtype == np.float32


def test_standard_scale_of_a_blank_channel(tmp_path: Path) -> None:
    blank, labels = np.zeros((4, 28, 28), np.uint8), np.zeros(4, np.uint8)
    np.savez(tmp_path / "b.npz", x_train=blank, y_train=labels, x_test=blank, y_test=labels)
    with pytest.raises(InputError, match="cannot be standardised"):
        load(DataSpec(dataset=str(tmp_path / "b.npz"), scale="standard"), tmp_path)


def _texts(path: Path) -> list[str]:
    """Return every text in a module except its docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs]


def test_no_message_advises_to_remove_a_file() -> None:
    """It may be a user's only copy. A file written by this program (a store's lock) is named explicitly."""
    root = Path(__file__).parents[2]
    sources = [path for package in ("shared", "compare") for path in (root / package).rglob("*.py")]
    assert len(sources) > 100
    advice = re.compile(r"\b(remove|delete|erase)\b (it|them|those|that|this|the)\b", re.IGNORECASE)
    said = [(path, text) for path in sources for text in _texts(path) if advice.search(text)]
    assert said == []


def test_specs_refuse_nonsense() -> None:
    for wrong in ({"n_train": 0}, {"n_test": -1}, {"scale": "weird"}, {"unknown": 1}):
        with pytest.raises(ValidationError):
            DataSpec.model_validate({"dataset": "digits"} | wrong)


def _labels(data: Data) -> np.ndarray:
    return np.concatenate([data.y_train, data.y_test])


@pytest.mark.parametrize("n", [1, 100, 143, 500, 1_400])
def test_validation_images_are_held_out(digits: Data, n: int) -> None:
    """No image is lost or in two parts, the order is kept, and every class gives the same share."""
    split = load(DataSpec(dataset="digits", validation=n), Path())
    assert (len(split.x_train), split.n_validation) == (1_437 - n, n)
    x, y = split.part("validation")
    whole = [(image.tobytes(), label) for image, label in zip(*digits.part("train"), strict=True)]
    training, validation = (
        [(image.tobytes(), label) for image, label in zip(*part, strict=True)] for part in (split.part("train"), (x, y))
    )
    assert sorted(training + validation) == sorted(whole)
    kept = iter(whole)
    assert all(image in kept for image in training)  # in the order of the whole
    counts = np.bincount(y, minlength=10)
    assert abs(counts - np.bincount(digits.y_train) * n / 1_437).max() < 1.5
    assert split.x_test.tobytes() == digits.x_test.tobytes()
    assert split.digest() != digits.digest()


@settings(max_examples=60)
@given(
    labels=st.lists(st.integers(0, 9), min_size=2, max_size=300).map(np.array),
    share=st.floats(0, 1, exclude_max=True),
)
def test_any_split_is_stratified(labels: np.ndarray, share: float) -> None:
    """Every class gives the same share, as nearly as whole images allow."""
    n = int(share * len(labels))
    held_out = _held_out(DataSpec(dataset="digits", validation=n), labels)
    assert held_out.sum() == n
    expected = np.bincount(labels, minlength=10) * n / len(labels)
    assert (abs(np.bincount(labels[held_out], minlength=10) - expected) < 1.5).all()


def test_validation_needs_something_left_to_train_on() -> None:
    with pytest.raises(InputError, match="--validation 1,437 leaves none of the 1,437 training images"):
        load(DataSpec(dataset="digits", validation=1_437), Path())


def test_a_part_that_is_not_there(digits: Data) -> None:
    with pytest.raises(ValueError, match="no validation images"):
        digits.part("validation")
