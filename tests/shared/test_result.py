"""Records survive being written and read back, and refuse unknown fields."""

import json
import re
from itertools import pairwise

import pytest
from pydantic import ValidationError
from results import failure, result

from shared.result import RunResult, Samples
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


def test_a_record_of_before_is_read() -> None:
    """The first records of this schema lacked all fields that now have a default."""
    record = json.loads(result().model_dump_json())
    for name in ("n_validation", "error", "history"):
        del record[name]
    for name in ("scale", "own_choices", "foreign_load", "resumed_after"):
        del record["outcome"][name]
    for name in ("yardstick_s", "epoch_s", "epoch_steps"):
        del record["outcome"]["samples"][name]
    assert RunResult.model_validate_json(json.dumps(record)) == result()


CONTRADICTIONS = {
    "an outcome that failed": ({"status": "failed", "error": "it broke"}, "status is 'failed', and it has an outcome"),
    "no outcome": ({"outcome": None}, "status is 'ok', and it has no outcome"),
    "an error that is none": ({"error": "it broke"}, "status is 'ok', and it names an error"),
    "a negative number": ({"n_train": -1}, "greater than or equal to 1"),
    "a step too few": ({"outcome.samples.loss": [1.0]}, "there are 1 losses, 46 times of steps, and turns of 46 steps"),
    "a step of no time": ({"outcome.samples.step_s": [0.0] * 46}, "greater than or equal to 0.000000001"),
    "other epochs": ({"n_train": 6_400}, "its samples are not those of 2 epochs"),
    "epochs of another order": ({"outcome.epochs.0.epoch": 2}, "not numbered 1, 2, 3"),
    "more than all": ({"outcome.test_accuracy": 1.5}, "less than or equal to 1"),
    "no square": ({"outcome.confusion": [[1, 0], [0]]}, "not square"),
    "no text": ({"environment.settings": {"tf32": 1}}, "'tf32' should be a text"),
    "a seed too large": ({"run.train.seed": 2**32}, "less than"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_record_that_contradicts_itself(case: str) -> None:
    changes, said = CONTRADICTIONS[case]
    record = json.loads(result().model_dump_json())
    for path, value in changes.items():
        *folders, last = path.split(".")
        place = record
        for name in folders:
            place = place[int(name) if name.isdecimal() else name]
        place[last] = value
    with pytest.raises(ValidationError, match=re.escape(said)):
        RunResult.model_validate(record)


def test_of_a_file_full_of_nonsense_the_first_piece_is_reported() -> None:
    """Each piece costs a kilobyte, and a few megabytes can contain a million of them."""
    for nonsense in ({"loss": ["x"] * 1_000}, {f"field{i}": 1 for i in range(1_000)}):
        with pytest.raises(ValidationError) as caught:
            Samples.model_validate_json(json.dumps(nonsense))
        assert caught.value.error_count() == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_is_nan(value: float) -> None:
    record = json.loads(result().model_dump_json())
    record["outcome"]["test_loss"] = value
    with pytest.raises(ValidationError, match="finite"):
        RunResult.model_validate(record)


def test_optimizers_are_distinguished() -> None:
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
    assert rates[-1] == 0  # rate of the step after the last one
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
