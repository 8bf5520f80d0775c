"""Records survive the way to disk and back, and refuse what they do not know."""

import json
from itertools import pairwise

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


def test_the_linear_schedule_rises_over_a_tenth_and_falls_to_0() -> None:
    spec = TrainSpec(epochs=1)
    rates = [spec.learning_rate(step, 1_000) for step in range(1_001)]
    assert max(rates) == rates[100] == 2e-3
    assert rates[0] == pytest.approx(2e-3 / 101)
    assert rates[-1] == 0  # of the step that would follow the last
    changes = [after - before for before, after in pairwise(rates)]
    assert changes[:100] == pytest.approx([2e-3 / 101] * 100)
    assert changes[100:] == pytest.approx([-2e-3 / 900] * 900)


def test_the_last_epoch() -> None:
    assert [TrainSpec(epochs=3).is_last(epoch, 1.0) for epoch in (1, 2, 3)] == [False, False, True]
    stopping = TrainSpec(epochs=3, stop_at=0.98)
    assert [stopping.is_last(1, accuracy) for accuracy in (0.9799, 0.98, 0.99)] == [False, True, True]
    assert stopping.is_last(3, 0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"seed": -1},
        {"dtype": "float16"},
        {"dropout": 1.0},
        {"stop_at": 0.0},
        {"stop_at": 98},
        {"optimizer": {"name": "adam", "beta1": 1.0}},
    ],
)
def test_impossible_training_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainSpec.model_validate({"epochs": 1} | wrong)
