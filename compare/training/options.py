"""What `compare run` was asked for: the options of the command line, and whether they go together."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

from compare import checks
from compare.analysis.condensed import MANY
from compare.checks import (
    TUNED,
    check_mixed_precision,
    check_mode,
    check_paths,
)
from compare.extras import require
from compare.registry import IMPLEMENTATIONS, implementation
from compare.registry.candidates import Allocator
from compare.reporting.screen import PLAIN, Screen
from compare.training.executor import AskedDevice, check_executor
from compare.training.presets import PRESETS
from shared.data import Scale
from shared.errors import InputError, check_name
from shared.models import MODELS, ModelSpec
from shared.protocol import Recipe
from shared.training import OPTIMIZERS, Augmentation, Dtype, Schedule

AskedMode = Literal["default", "eager", "graph", "xla", "tuned"]
DEFAULT_MODEL = "cnn_same"
Given = TypeVar("Given")


@dataclass(frozen=True)
class Options:
    """The options of the command line as they were given; None where an option was left out."""

    dataset: str
    data_dir: Path
    implementations: str
    command: str
    preset: str | None = None
    model: str | None = None
    recipe: str = "matched"
    epochs: int | None = None
    batch_size: str | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    schedule: str | None = None
    augmentation: str | None = None
    dropout: float | None = None
    precision: str = "float32"
    mixed_precision: str = "none"
    stop_at: float | None = None
    seed: int = 0
    seeds: int = 1
    margin: float = 0.003
    target: float | None = None
    limit: int | None = None
    validation: int | None = None
    scale: str | None = None
    mode: str = "default"
    device: str = "auto"
    threads: int | None = None
    allocator: str = "kept"
    out: Path | None = None
    timeout_s: float = 300.0
    parity: bool = False
    tensorboard: bool = False
    mlflow: str | None = None
    executor: str = "local"
    address: str = "auto"
    world_size: int = 1
    screen: Screen = PLAIN


def check_options(options: Options) -> Options:
    """Check what can be checked without the data; return the options with those of the preset filled in."""
    options = _with_preset(options)
    model = MODELS[check_name("architecture", given_or(options.model, DEFAULT_MODEL), MODELS)]
    _check_names(options)
    _check_implementations(options, model)
    _check_numbers(options)
    if options.dropout is not None and model.dropout is None:
        having = ", ".join(name for name, spec in MODELS.items() if spec.dropout is not None)
        raise InputError(f"--dropout: the architecture '{model.name}' has no dropout. Use --model {having}.")
    _check_recipe(options)
    _check_tuned(options)
    _check_many(options)
    if options.tensorboard:
        require("tensorboard", "--tensorboard")
    check_paths(options.out, options.data_dir, options.dataset)
    return options


def _check_tuned(options: Options) -> None:
    """What was found fastest is so on this machine, and is looked for before anything is trained."""
    if options.mode != TUNED:
        return
    if options.executor != "local":
        raise InputError(
            "--mode tuned is what was found fastest on this machine, and --executor ray trains on others. Leave one of "
            "them out."
        )
    if options.allocator != "kept":
        raise InputError(
            "--mode tuned chooses what becomes of freed memory, too, and --allocator says something else. Leave one of "
            "them out."
        )
    if options.parity:
        raise InputError(
            "--parity compares the implementations as they are written, not as --mode tuned carries them out. Leave "
            "one of them out."
        )


def _check_many(options: Options) -> None:
    """What is kept of every step has to be in memory at once, and of so many runs there is no room for it."""
    n_runs = options.seeds * len(implementation_names(options))
    kept = {"--tensorboard": options.tensorboard, "--mlflow": options.mlflow is not None}
    if n_runs > MANY and (asked := [name for name, given in kept.items() if given]):
        raise InputError(
            f"{' and '.join(asked)} cannot be given for {n_runs:,} runs, {MANY:,} at the most: every step of every run "
            "would be in memory at once. Leave it out, or ask for fewer --seeds."
        )


def _with_preset(options: Options) -> Options:
    if options.preset is None:
        return options
    preset = PRESETS[check_name("preset", options.preset, PRESETS)]
    return replace(
        options,
        model=given_or(options.model, preset.model),
        epochs=given_or(options.epochs, preset.epochs),
        batch_size=given_or(options.batch_size, str(preset.batch_size)),
        learning_rate=given_or(options.learning_rate, preset.learning_rate),
        augmentation=given_or(options.augmentation, preset.augmentation),
        validation=given_or(options.validation, preset.validation),
    )


def _check_names(options: Options) -> None:
    check_name("recipe", options.recipe, get_args(Recipe))
    check_name("optimizer", given_or(options.optimizer, "adam"), OPTIMIZERS)
    check_name("schedule", given_or(options.schedule, "linear"), get_args(Schedule))
    check_name("augmentation", given_or(options.augmentation, "none"), get_args(Augmentation))
    check_name("scale", given_or(options.scale, "unit"), get_args(Scale))
    check_name("mode", options.mode, get_args(AskedMode))
    check_name("device", options.device, get_args(AskedDevice))
    check_name("allocator", options.allocator, get_args(Allocator))
    check_executor(options.executor, options.address)
    check_mixed_precision(options.mixed_precision, options.device)
    check_name("precision", options.precision, get_args(Dtype))
    if options.precision == "float64" and options.mixed_precision != "none":
        raise InputError(
            f"--precision float64 and --mixed-precision {options.mixed_precision} contradict each other: one asks for "
            "more digits than float32, the other for fewer. Give one of them."
        )


def implementation_names(options: Options) -> list[str]:
    """The names in --implementations, in their order, and how many processes each is."""
    names = [name.strip() for name in options.implementations.split(",") if name.strip()]
    return checks.named(names, [options.world_size])


def _check_implementations(options: Options, model: ModelSpec) -> None:
    checks.check_size(options.world_size)
    names = implementation_names(options)
    if not names:
        raise InputError(f"--implementations names none. Known: {', '.join(IMPLEMENTATIONS)}.")
    for name in names:
        spec = implementation(name)
        checks.check_model(name, model.name)
        if model.name not in spec.models:
            raise InputError(
                f"The implementation '{name}' has no '{model.name}', only {', '.join(spec.models)}. Leave it out of "
                "--implementations, or give another --model."
            )
        if options.mode != TUNED:
            check_mode(name, options.mode)
        elif spec.n_workers > 1 or not spec.candidates:
            raise InputError(f"'{name}' has no mode '{TUNED}'. Leave it out, or give another --mode.")
    if len(set(names)) < len(names):
        raise InputError(f"--implementations names one twice: {', '.join(names)}. Name each once.")


def _check_numbers(options: Options) -> None:
    _check_range("--epochs", options.epochs, 1, 1_000_000)
    _check_range("--batch-size", batch_size_of(options), 1)
    _check_range("--seed", options.seed, 0, 2**32 - 1)
    _check_range("--seeds", options.seeds, 1, 100_000)
    _check_range("--limit", options.limit, 1)
    _check_range("--validation", options.validation, 0)
    _check_range("--threads", options.threads, 1, 1024)
    _check_range("--timeout", options.timeout_s, 1, 1_000_000)
    rate, dropout, stop_at = options.learning_rate, options.dropout, options.stop_at
    if rate is not None and not (rate > 0 and math.isfinite(rate)):
        raise InputError(f"--learning-rate {rate:g} is not possible. Give a number above 0.")
    decay = options.weight_decay
    if decay is not None and not (decay >= 0 and math.isfinite(decay)):
        raise InputError(f"--weight-decay {decay:g} is not possible. Give a number from 0 up, as 0.01.")
    if not 0 < options.margin < 1:
        raise InputError(
            f"--margin {options.margin:g} is not possible. Give a difference in accuracy above 0 and below 1: 0.003 "
            "stands for 0.3 points."
        )
    if options.target is not None and not 0 < options.target <= 1:
        raise InputError(
            f"--target {options.target:g} is not possible. Give an accuracy above 0 and up to 1: 0.99 stands for 99 %."
        )
    if dropout is not None and not 0 <= dropout < 1:
        raise InputError(f"--dropout {dropout:g} is not possible. Give a rate from 0 to below 1.")
    if stop_at is not None and not 0 < stop_at <= 1:
        raise InputError(
            f"--stop-at {stop_at:g} is not possible. Give an accuracy above 0 and up to 1: 0.98 stands for 98 %."
        )


def _check_recipe(options: Options) -> None:
    """The idiomatic recipe makes its own choices, so that it cannot be told others."""
    if options.recipe != "idiomatic":
        return
    told = {
        "--world-size": None if checks.most_workers(implementation_names(options)) == 1 else options.world_size,
        "--preset": options.preset,
        "--optimizer": options.optimizer,
        "--learning-rate": options.learning_rate,
        "--weight-decay": options.weight_decay,
        "--schedule": options.schedule,
        "--augment": options.augmentation,
        "--validation": options.validation,
        "--scale": options.scale,
        "--mode": None if options.mode == "default" else options.mode,
        "--precision": None if options.precision == "float32" else options.precision,
        "--mixed-precision": None if options.mixed_precision == "none" else options.mixed_precision,
    }
    if given := [name for name, value in told.items() if value is not None]:
        raise InputError(
            f"{' and '.join(given)} cannot be given with --recipe idiomatic, in which each framework's own defaults "
            "decide. Leave it out, or use --recipe matched."
        )


def batch_size_of(options: Options) -> int | None:
    """The batch size as a number, None for auto."""
    given = given_or(options.batch_size, "64")
    if given == "auto":
        return None
    try:
        return int(given)
    except ValueError:
        raise InputError(f"--batch-size {given!r} is not possible. Give a whole number, or auto.") from None


def _check_range(option: str, value: float | None, least: int, most: int | None = None) -> None:
    if value is None or (least <= value and (most is None or value <= most)):
        return
    wanted = f"{least} or more" if most is None or not value > most else f"{most:,} or less"
    raise InputError(f"{option} {value} is not possible. Give {wanted}.")


def given_or(given: Given | None, default: Given) -> Given:
    return default if given is None else given
