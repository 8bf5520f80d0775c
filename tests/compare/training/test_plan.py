"""From options to a plan."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compare.options.presets import PRESETS
from compare.options.run import RunOptions
from compare.training.plan import RunPlan, check_options, make_plan
from shared.choices import Device
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS
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
    assert plan.model.name == preset["model"]
    assert (training.epochs, plan.data.validation) == (2, 100)  # as given
    assert (training.batch_size, training.augmentation) == (preset["batch_size"], preset["augment"])
    assert training.optimizer == Adam(learning_rate=preset["learning_rate"])


def test_a_run_that_may_end_early_has_a_lower_rate() -> None:
    """Its schedule does not decay. An explicit rate takes precedence."""

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


def of_images(model: str, n_images: int) -> Data:
    """Return data with this number of training images, in the network's shape."""
    shape, labels = MODELS[model].input_shape, np.arange(n_images) % 10
    return Data(np.zeros((n_images, *shape), np.float32), labels, np.zeros((10, *shape), np.float32), np.arange(10))


def idiomatic(model: str, *implementations: str, batch_size: int = 64) -> RunPlan:
    options = replace(OPTIONS, recipe="idiomatic", model=model, implementations=implementations, batch_size=batch_size)
    return make_plan(check_options(options), "photographs")


@pytest.mark.parametrize(
    ("n_images", "batch_size", "which"),
    [
        (72, 64, "the last batch of an epoch"),  # 65 are trained on
        (143, 64, "the last batch of an epoch"),
        (37, 11, "the last batch of an epoch"),
        (100, 1, "every batch"),
    ],
)
def test_a_batch_of_one_that_pytorchs_normalisation_refuses(n_images: int, batch_size: int, which: str) -> None:
    """It is refused before training, with the numbers and the options that help."""
    data = of_images("cnn_bn_cifar", n_images)
    n_kept = n_images - n_images // 10
    with pytest.raises(InputError) as caught:
        idiomatic("cnn_bn_cifar", "torch", "keras", batch_size=batch_size).check_fit(data)
    said = str(caught.value)
    assert f"--recipe idiomatic trains on {n_kept:,} of the {n_images:,} training images" in said
    assert f"So {which} has one image." in said
    assert "PyTorch's own batch normalisation" in said
    assert "Give another --batch-size or --limit, or leave torch out of --implementations." in said


@pytest.mark.parametrize("n_images", [71, 73, 71 * 64])
def test_a_last_batch_of_more_is_trained_on(n_images: int) -> None:
    idiomatic("cnn_bn_cifar", "torch", "keras").check_fit(of_images("cnn_bn_cifar", n_images))


@pytest.mark.parametrize(
    ("model", "implementations"),
    [("cnn_bn_valid", ("torch",)), ("cnn_same", ("torch",)), ("cnn_bn_cifar", ("keras", "keras_functional"))],
)
def test_a_batch_of_one_that_others_train_on(model: str, implementations: tuple[str, ...]) -> None:
    """Normalisation of feature maps has many values per image. Other frameworks' own normalisation accepts any
    batch."""
    idiomatic(model, *implementations).check_fit(of_images(model, 72))


def test_the_matched_recipe_trains_on_a_batch_of_one() -> None:
    options = replace(OPTIONS, model="cnn_bn_cifar", batch_size=64)
    make_plan(check_options(options), "photographs").check_fit(of_images("cnn_bn_cifar", 65))


@pytest.mark.parametrize("n_images", [1, 9])
def test_too_few_images_to_hold_a_tenth_out(n_images: int) -> None:
    plan = idiomatic("dense_baseline", "torch", batch_size=1)
    with pytest.raises(InputError, match=r"there is no tenth of \d\. Train on ten images or more \(--limit\)"):
        plan.check_fit(of_images("dense_baseline", n_images))
    plan.check_fit(of_images("dense_baseline", 10))


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
