"""Records survive the way to disk and back, and refuse what they do not know."""

import json

import pytest
from pydantic import ValidationError
from results import failure, result

from shared.result import RunResult
from shared.training import SGD, Adam, TrainSpec


@pytest.mark.parametrize("record", [result(), failure("it broke")], ids=["ok", "failed"])
def test_json_round_trip(record: RunResult) -> None:
    text = record.model_dump_json()
    assert RunResult.model_validate_json(text) == record
    assert "NaN" not in text


def test_unknown_fields_and_newer_schemas_are_refused() -> None:
    record = json.loads(result().model_dump_json())
    for change in ({"surprise": 1}, {"schema_version": 2}, {"status": "fine"}):
        with pytest.raises(ValidationError):
            RunResult.model_validate(record | change)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_is_nan(value: float) -> None:
    record = json.loads(result().model_dump_json())
    record["outcome"]["test_loss"] = value
    with pytest.raises(ValidationError, match="finite"):
        RunResult.model_validate(record)


def test_optimizers_are_told_apart() -> None:
    for optimizer in (Adam(epsilon=1e-8), SGD(momentum=0.5)):
        spec = TrainSpec(epochs=1, optimizer=optimizer)
        assert TrainSpec.model_validate_json(spec.model_dump_json()) == spec


def test_learning_rates() -> None:
    linear, constant = (TrainSpec(epochs=1, schedule=s) for s in ("linear", "constant"))
    assert [linear.learning_rate(step, 4) for step in range(4)] == pytest.approx([2e-3, 1.5e-3, 1e-3, 5e-4])
    assert {constant.learning_rate(step, 4) for step in range(4)} == {2e-3}


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"seed": -1},
        {"dtype": "float16"},
        {"optimizer": {"name": "adam", "beta1": 1.0}},
    ],
)
def test_impossible_training_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainSpec.model_validate({"epochs": 1} | wrong)
