"""The tasks of networks: metrics equal scikit-learn's, and labels are read as their task states."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics
from results import result
from scipy.special import expit

from compare import checks
from shared import contract, metrics
from shared.choices import Inputs
from shared.data import Data, DataSpec, load
from shared.errors import InputError
from shared.models import LayerSpec, ModelSpec, weighted
from shared.task import LOSSES, MULTILABEL, REGRESSION

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((40, 5, 4)).astype(np.float32)
NUMBERS = RANDOM.normal(size=(40, 3))
LABELS = (RANDOM.random((40, 3)) < 0.4).astype(np.uint8)
SPEC = ModelSpec(
    name="mine",
    input_shape=(5, 4, 1),
    n_classes=3,
    parameters=weighted("head", (20, 3), flattened=(5, 4, 1)),
    layers=(LayerSpec("flat", (20,), flattened=(5, 4, 1)), LayerSpec("head", (3,), flops=120)),
    n_params=63,
    n_trainable=63,
    flops=120,
    task="regression",
    loss="mae",
)


def test_figures_of_a_regression_are_those_of_scikit_learn() -> None:
    outputs = NUMBERS + 0.3 * RANDOM.normal(size=NUMBERS.shape)
    found = REGRESSION.measured(outputs, NUMBERS)
    squared = sklearn.metrics.mean_squared_error(NUMBERS, outputs)
    assert found["rmse"] == pytest.approx(np.sqrt(squared), rel=1e-12)
    assert found["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(NUMBERS, outputs), rel=1e-12)
    assert found["r2"] == pytest.approx(sklearn.metrics.r2_score(NUMBERS, outputs), rel=1e-12)
    assert LOSSES["mse"](outputs, NUMBERS) == pytest.approx(squared, rel=1e-12)
    constant = np.ones((4, 1))
    assert [metrics.r2(constant, constant), metrics.r2(constant + 1, constant)] == [1, 0]
    with pytest.raises(ValueError, match="outputs are"):
        metrics.mean_squared_error(outputs[:, :1], NUMBERS)  # it would be broadcast


def test_figures_of_several_labels_are_those_of_scikit_learn() -> None:
    logits = 2 * RANDOM.normal(size=LABELS.shape)
    found, predicted = MULTILABEL.measured(logits, LABELS), logits >= 0
    assert found["macro_f1"] == pytest.approx(sklearn.metrics.f1_score(LABELS, predicted, average="macro"), rel=1e-12)
    assert found["subset_accuracy"] == sklearn.metrics.accuracy_score(LABELS, predicted)
    loss = sklearn.metrics.log_loss(LABELS.ravel(), expit(logits).ravel())
    assert LOSSES["binary_cross_entropy"](logits, LABELS) == pytest.approx(loss, rel=1e-12)
    assert np.isfinite(LOSSES["binary_cross_entropy"](np.array([[-1e4, 1e4]]), np.array([[1, 0]])))
    assert metrics.label_counts(logits, LABELS).sum(axis=1).tolist() == [40, 40, 40]


def test_a_contract_states_its_task_and_that_of_a_classification_stays_as_it_was() -> None:
    content = contract.write(SPEC)
    assert content.startswith(b'{\n "schema_version": 1,\n "task": "regression",\n "loss": "mae",\n "input_shape"')
    assert contract.read(content, "mine") == SPEC
    usual = contract.read(content.replace(b' "loss": "mae",\n', b""), "mine")
    assert usual.loss == "mse"
    with pytest.raises(ValueError, match="its loss is cross_entropy, and regression has mse and mae"):
        contract.read(content.replace(b'"mae"', b'"cross_entropy"'), "mine")
    with pytest.raises(ValueError, match="its loss is mae"):
        contract.read(content.replace(b'"regression"', b'"multilabel"'), "mine")


def test_the_record_of_a_classification_has_no_new_fields() -> None:
    said = result().model_dump_json()
    assert not [name for name in ("metrics", "points", "label_counts", "task") if name in said]


def saved(path: Path, labels: np.ndarray, **more: object) -> str:
    arrays = {"x_train": IMAGES[:30], "x_test": IMAGES[30:], "y_train": labels[:30], "y_test": labels[30:]}
    np.savez(path, **arrays, **more)  # type: ignore[arg-type]
    return str(path)


@pytest.mark.parametrize(
    ("labels", "asked", "task", "shape"),
    [
        (NUMBERS[:, 0], None, "regression", (30, 1)),
        (NUMBERS, None, "regression", (30, 3)),
        (LABELS, None, "multilabel", (30, 3)),
        (LABELS.astype(bool), None, "multilabel", (30, 3)),
        (LABELS, "regression", "regression", (30, 3)),
        (LABELS[:, 0], "regression", "regression", (30, 1)),
        (LABELS[:, 0], None, None, (30,)),
    ],
)
def test_labels_say_what_they_are_for(
    tmp_path: Path, labels: np.ndarray, asked: str | None, task: str | None, shape: tuple[int, ...]
) -> None:
    data = load(DataSpec(dataset=saved(tmp_path / "data.npz", labels), task=asked), tmp_path)
    assert data.spec is not None
    assert data.spec.task == task
    assert (data.y_train.shape, data.y_train.dtype) == (shape, np.int64 if task is None else np.float32)
    np.testing.assert_array_equal(data.y_train.reshape(30, -1), labels[:30].reshape(30, -1).astype(np.float32))
    assert load(data.spec, tmp_path).digest() == data.digest(), "what was settled is read alike"


def test_labels_of_another_task_are_parted_and_held_out_without_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=IMAGES, y=NUMBERS, classes=["a", "b", "c"])
    data = load(DataSpec(dataset=str(tmp_path / "data.npz"), split=0.25, validation=5), tmp_path)
    assert (len(data.x_train), data.n_validation, len(data.x_test)) == (25, 5, 10)
    parts = (data.y_train, data.y_validation, data.y_test)
    together = np.concatenate([part for part in parts if part is not None])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(NUMBERS.astype(np.float32), axis=0))
    assert "for regression, with 3 numbers for each (a, b, c)" in data.description


@pytest.mark.parametrize(
    ("labels", "more", "said"),
    [
        (np.where(NUMBERS.max() == NUMBERS, np.nan, NUMBERS), {}, "holds NaN or an infinite number at index"),
        (NUMBERS[..., None], {}, "has shape"),
        (NUMBERS, {"classes": ["a", "b"]}, "classes has 2 names. Give one name for each"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path: Path, labels: np.ndarray, more: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        load(DataSpec(dataset=saved(tmp_path / "data.npz", labels, **more)), tmp_path)
    with pytest.raises(InputError, match=r"holds numbers from .* For multi-label classification a label is 0 or 1"):
        load(DataSpec(dataset=saved(tmp_path / "other.npz", 2 * NUMBERS), task="multilabel"), tmp_path)


def test_large_and_constant_numbers_are_warned_of(tmp_path: Path) -> None:
    labels = np.stack([1_000 * NUMBERS[:, 0], np.ones(40)], axis=1)
    data = load(DataSpec(dataset=saved(tmp_path / "data.npz", labels)), tmp_path)
    assert any("The training labels of 1 are all the same" in text for text in data.warnings)
    assert any("divide the labels" in text for text in data.warnings)


def read(path: Path, labels: np.ndarray) -> Data:
    return load(DataSpec(dataset=saved(path, labels)), path.parent)


def test_data_and_contract_must_be_of_one_task(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    checks.check_shape(SPEC, read(path, NUMBERS), "data.npz")
    for labels, said in (
        (LABELS, "'mine' is for regression, and the labels of data.npz are for multi-label classification"),
        (LABELS[:, 0], "the labels of data.npz are for classification. For regression a label is numbers"),
        (NUMBERS[:, 0], "has 3 outputs, and data.npz has 1 numbers for each image"),
    ):
        with pytest.raises(InputError, match=said):
            checks.check_shape(SPEC, read(path, labels), "data.npz")
    with pytest.raises(InputError, match=r"--task regression is not possible with digits, whose labels are classes"):
        load(DataSpec(dataset="digits", task="regression"), tmp_path)


VECTORS = 3 * RANDOM.normal(size=(40, 6))
TOKENS = RANDOM.integers(0, 11, (40, 6))


def examples(path: Path, x: np.ndarray) -> str:
    np.savez(path, x_train=x[:30], x_test=x[30:], y_train=np.arange(30) % 3, y_test=np.arange(10) % 3)
    return str(path)


@pytest.mark.parametrize(
    ("x", "inputs", "dtype"),
    [
        (VECTORS, "values", np.float32),
        (VECTORS.reshape(40, 2, 3), "values", np.float32),
        (TOKENS, "values", np.float32),
        (TOKENS.astype(np.uint16), "tokens", np.int64),
    ],
)
def test_vectors_sequences_and_tokens_are_read_as_they_are(
    tmp_path: Path, x: np.ndarray, inputs: Inputs, dtype: type
) -> None:
    dataset = examples(tmp_path / "data.npz", x)
    data = load(DataSpec(dataset=dataset, inputs=inputs), tmp_path)
    assert data.x_train.dtype == dtype
    np.testing.assert_array_equal(data.x_train, x[:30].astype(dtype))
    assert data.spec is not None
    assert load(data.spec, tmp_path).digest() == data.digest()
    assert "30 " not in data.description
    assert "40 examples of" in data.description
    assert "images" not in data.description + "".join(data.warnings)
    if inputs == "values":
        scaled = load(DataSpec(dataset=dataset, inputs=inputs, scale="standard"), tmp_path)
        axes = tuple(range(x.ndim - 1))
        np.testing.assert_allclose(scaled.x_train.std(axis=axes), 1, rtol=1e-5)


def test_what_is_no_vector_or_token_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    for x, inputs, asked, said in (
        (VECTORS, "tokens", {}, "The network takes tokens: whole numbers"),
        (TOKENS - 1, "tokens", {}, "The network takes tokens"),
        (TOKENS, "tokens", {"scale": "standard"}, "tokens are numbers of words"),
        (np.where(VECTORS.max() == VECTORS, np.inf, VECTORS), "values", {}, "holds NaN or infinite numbers"),
        (VECTORS, "values", {"resize": (3, 3)}, "--resize is for images"),
    ):
        with pytest.raises(InputError, match=said):
            load(DataSpec(dataset=examples(path, x), inputs=inputs, **asked), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"The network takes tokens, and digits has images. Give an .npz file"):
        load(DataSpec(dataset="digits", inputs="tokens"), tmp_path)
    network = replace(SPEC, input_shape=(6,), vocabulary=9, task="classification", loss="cross_entropy")
    tokens = load(DataSpec(dataset=examples(path, TOKENS), inputs="tokens"), tmp_path)
    with pytest.raises(InputError, match=r"has 9 tokens, 0 to 8, and those of data.npz go up to 10"):
        checks.check_shape(network, tokens, "data.npz")
    with pytest.raises(InputError, match=r"takes tokens of 5, and those of data.npz are 6"):
        checks.check_shape(replace(network, input_shape=(5,)), tokens, "data.npz")
    with pytest.raises(InputError, match=r"--augment is for images, and 'mine' takes tokens. Leave it out"):
        checks.check_only_images(network, "--augment")
