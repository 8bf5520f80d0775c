"""The gate finds every single field that differs."""

from typing import Any

import numpy as np
import pytest

from compare.parity import gate
from compare.parity.check import Checker
from compare.subject import Subject
from compare.worker import fingerprint
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Build
from shared.training import Adam, TrainSpec
from shared.weights import initial_weights

MODEL = MODELS["dense_baseline"]
TRAIN = TrainSpec(epochs=2, batch_size=64, seed=3)


def fields(data: Data, **changes: object) -> fingerprint.Fields:
    train = TRAIN.model_copy(update=changes)
    return fingerprint.of_request(train, data, initial_weights(MODEL, train.seed), "cpu", 1)


def test_equal_fingerprints_pass(digits: Data) -> None:
    assert gate.check({"a": fields(digits), "b": fields(digits), "c": fields(digits)}) == []


def test_every_field_is_compared(digits: Data) -> None:
    whole = fields(digits)
    assert len(whole) > 20
    for name, value in whole.items():
        altered = whole | {name: value + " altered"}
        assert gate.check({"a": whole, "b": altered}) == [gate.Mismatch(name, {"a": value, "b": altered[name]})]


def test_a_version_that_some_lack_is_compared_among_the_others() -> None:
    said = {
        "torch": {"numpy": "2"},
        "keras": {"numpy": "2", "tensorflow": "1"},
        "raw": {"numpy": "2", "tensorflow": "3"},
    }
    assert gate.check(said) == [gate.Mismatch("tensorflow", {"keras": "1", "raw": "3"})]


def test_a_worker_without_a_field_does_not_agree() -> None:
    said = {gate.ASKED: {"epsilon": "1"}, "torch": {"epsilon": "1"}, "keras": {}}
    assert gate.check(said) == [gate.Mismatch("epsilon", {gate.ASKED: "1", "torch": "1", "keras": "nothing"})]


def test_constants_of_layers_are_compared_among_implementations() -> None:
    said = {gate.ASKED: {}, "torch": {"bn1: epsilon": "1"}, "keras": {"bn1: epsilon": "1"}}
    assert gate.check(said) == []
    said["keras"] = {}
    assert gate.check(said) == [gate.Mismatch("bn1: epsilon", {"torch": "1", "keras": "nothing"})]


def test_a_mismatch_names_the_field_and_both_values() -> None:
    assert str(gate.Mismatch("beta1", {"torch": "0.9", "keras": "0.8"})) == "beta1: torch has 0.9, keras has 0.8"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"batch_size": 32}, {"batches of an epoch", "learning rates"}),
        ({"epochs": 3}, {"order of the batches", "learning rates"}),
        ({"schedule": "constant"}, {"learning rates"}),
        ({"augmentation": "affine"}, {"augmentation", "images of the first batch, as the network gets them"}),
        ({"optimizer": Adam(beta2=0.99)}, {"beta2"}),
        ({"optimizer": Adam(epsilon=1e-8)}, {"epsilon"}),
        ({"seed": 4}, {"initial dense1/kernel", "initial dense2/kernel", "order of the batches"}),
        ({"dtype": "float64"}, {"dtype"}),
    ],
)
def test_every_part_of_the_training_has_its_field(digits: Data, changes: dict[str, object], names: set[str]) -> None:
    found = {mismatch.field for mismatch in gate.check({"a": fields(digits), "b": fields(digits, **changes)})}
    assert names <= found


def test_one_pixel_and_one_label_are_seen(digits: Data) -> None:
    pixels, labels = digits.x_train.copy(), digits.y_test.copy()
    pixels[7, 14, 14, 0] = np.nextafter(pixels[7, 14, 14, 0], np.float32(2))
    labels[3] = (labels[3] + 1) % 10
    altered = Data(pixels, digits.y_train, digits.x_test, labels)
    found = [mismatch.field for mismatch in gate.check({"a": fields(digits), "b": fields(altered)})]
    assert found[:2] == ["pixels, train", "labels, test"]


class Said:
    """A worker that reports the request as its settings. Its dropout rate is `rate`, unless the request states one."""

    def __init__(self, implementation: str, subject: Subject, rate: str) -> None:
        self.implementation, self.subject, self.rate = implementation, subject, rate

    def create(self, build: Build) -> None:
        assert build.weights is not None
        self.created, self.weights = build.train, build.weights

    def fingerprint(self) -> fingerprint.Fields:
        said = fingerprint.of_request(self.created, self.subject.data, self.weights, "cpu", 1)
        rate = self.rate if self.created.dropout is None else str(self.created.dropout)
        return said | {"dropout1: rate": rate}


@pytest.mark.parametrize(("rate", "found"), [("0.5", []), ("0.4", ["with dropout, dropout1: rate"])])
def test_the_network_with_its_own_rate_of_dropout_is_asked_too(rate: str, found: list[str]) -> None:
    spec = MODELS["cnn_deep_dropout"]
    images = np.zeros((4, *spec.input_shape), np.float32)
    labels = np.arange(4)
    subject = Subject(spec, TRAIN, Data(images, labels, images, labels))
    sessions: Any = {"a": Said("torch", subject, "0.5"), "b": Said("keras", subject, rate)}
    assert [mismatch.field for mismatch in Checker(sessions, threads=1).gate(subject)] == found
