"""From options to a plan."""

from dataclasses import replace
from pathlib import Path

from compare.options.presets import PRESETS
from compare.options.run import RunOptions
from compare.training.plan import check_options, make_plan
from shared.choices import Device
from shared.result import Tuned
from shared.training import SGD, Adam, AdamW

DEVICES: tuple[Device, ...] = ("cpu", "cuda")
OPTIONS = RunOptions(dataset="mnist", data_dir=Path(), implementations=("torch",), command="compare")


def test_auto_batch_size_depends_on_the_device() -> None:
    plan = make_plan(check_options(replace(OPTIONS, batch_size="auto")), "mnist")
    sizes = {device: plan.runs(plan.training[0], device)[0].train.batch_size for device in DEVICES}
    assert sizes == {"cpu": 16, "cuda": 64}
    fixed = make_plan(check_options(replace(OPTIONS, batch_size=32)), "mnist")
    assert {fixed.runs(fixed.training[0], d)[0].train.batch_size for d in DEVICES} == {32}


def test_a_preset_fills_in_what_was_left_out() -> None:
    preset = PRESETS["stretch"]
    options = check_options(replace(OPTIONS, preset="stretch", epochs=2, validation=100))
    plan = make_plan(options, "mnist")
    (training,) = plan.training
    assert plan.model.name == preset.values["model"]
    assert (training.epochs, plan.data.validation) == (2, 100)  # as given
    assert (training.batch_size, training.augmentation) == (preset.values["batch_size"], preset.values["augment"])
    assert training.optimizer == Adam(learning_rate=preset.values["learning_rate"])


def test_a_run_that_may_end_early_has_a_lower_rate() -> None:
    """Its schedule does not come to its end. What was asked for goes before."""

    def rate(**options: object) -> float:
        (training,) = make_plan(check_options(replace(OPTIONS, **options)), "mnist").training  # type: ignore[arg-type]
        assert training.optimizer is not None
        return training.optimizer.learning_rate

    assert (rate(), rate(stop_at=0.98)) == (0.002, 0.001)
    assert rate(stop_at=0.98, learning_rate=0.003) == 0.003
    assert rate(stop_at=0.98, optimizer="sgd") == rate(optimizer="sgd") == 0.01


def test_weight_decay_is_the_optimizers() -> None:
    def optimizer(**options: object) -> object:
        (training,) = make_plan(check_options(replace(OPTIONS, **options)), "mnist").training  # type: ignore[arg-type]
        return training.optimizer

    assert optimizer() == Adam()
    assert optimizer(weight_decay=0.05) == Adam(weight_decay=0.05)
    assert optimizer(optimizer="adamw") == AdamW(weight_decay=0.01)
    assert optimizer(optimizer="adamw", weight_decay=0.0, learning_rate=0.1) == AdamW(weight_decay=0, learning_rate=0.1)
    assert optimizer(optimizer="sgd", weight_decay=1e-4) == SGD(weight_decay=1e-4)
    assert optimizer(optimizer="adamw", stop_at=0.9) == AdamW(learning_rate=0.001)


def test_the_idiomatic_recipe_states_no_optimizer() -> None:
    (training,) = make_plan(check_options(replace(OPTIONS, recipe="idiomatic")), "mnist").training
    assert (training.optimizer, training.schedule) == (None, "constant")


def test_tuned_is_as_it_was_found_fastest_and_else_as_users_run_it() -> None:
    plan = make_plan(check_options(replace(OPTIONS, implementations=("torch", "keras"), mode="tuned")), "mnist")
    how = Tuned(factor="a factor", tuning={"layout": "channels_last"}, variables={"A": "1"}, threads=1)
    torch, keras = plan.runs(plan.training[0], "cpu", {"torch": ("graph", how)})
    assert (torch.mode, torch.tuned) == ("graph", how)
    assert (keras.mode, keras.tuned) == ("graph", None)


def test_float64_is_what_was_asked_for_and_off_otherwise() -> None:
    for asked in ("float32", "float64"):
        plan = make_plan(check_options(replace(OPTIONS, precision=asked)), "mnist")
        assert [train.dtype for train in plan.training] == [asked]
    assert make_plan(check_options(OPTIONS), "mnist").training[0].dtype == "float32"


def test_mixed_precision_is_what_was_asked_for_and_off_otherwise() -> None:
    for asked in ("none", "bfloat16"):
        plan = make_plan(check_options(replace(OPTIONS, mixed_precision=asked)), "mnist")
        assert [train.mixed_precision for train in plan.training] == [asked]
    assert make_plan(check_options(OPTIONS), "mnist").training[0].mixed_precision == "none"
