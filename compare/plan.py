"""What `compare run` was asked for, checked: from the options of the command line to the specs of the runs."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from compare import environment
from compare.implementations import IMPLEMENTATIONS
from shared.data import Data, DataSpec, Scale
from shared.errors import InputError
from shared.models import MODELS, ModelSpec
from shared.names import check_name
from shared.protocol import Device
from shared.result import Run
from shared.training import SGD, Adam, Optimizer, Schedule, TrainSpec

AskedMode = Literal["default", "eager", "graph"]
AskedDevice = Literal["auto", "cpu", "cuda"]
DEFAULT_EPOCHS = {"digits": 20}
OTHER_EPOCHS = 3


@dataclass(frozen=True)
class Options:
    """The options of the command line as they were given."""

    model: str
    dataset: str
    data_dir: Path
    implementations: str
    epochs: int | None
    batch_size: int
    optimizer: str
    learning_rate: float | None
    schedule: str
    seed: int
    seeds: int
    limit: int | None
    scale: str
    mode: str
    device: str
    threads: int | None
    out: Path | None
    timeout_s: float
    command: str


@dataclass(frozen=True)
class Plan:
    """The options, checked."""

    model: ModelSpec
    implementations: list[str]
    data: DataSpec
    training: list[TrainSpec]  # one for each seed
    mode: AskedMode
    device: AskedDevice
    threads: int

    def runs(self, training: TrainSpec, device: Device) -> list[Run]:
        """The runs of one seed, an implementation each, on the device that was settled on."""
        return [
            Run(
                implementation=name,
                model=self.model.name,
                data=self.data,
                train=training,
                recipe="matched",
                mode=IMPLEMENTATIONS[name].default_mode if self.mode == "default" else self.mode,
                device=device,
            )
            for name in self.implementations
        ]


def check_options(options: Options) -> list[str]:
    """Check what can be checked without the data; return the names of the implementations."""
    check_name("architecture", options.model, MODELS)
    check_name("optimizer", options.optimizer, ["adam", "sgd"])
    check_name("schedule", options.schedule, get_args(Schedule))
    check_name("scale", options.scale, get_args(Scale))
    check_name("mode", options.mode, get_args(AskedMode))
    check_name("device", options.device, get_args(AskedDevice))
    names = [name.strip() for name in options.implementations.split(",") if name.strip()]
    if not names:
        raise InputError(f"--implementations names none. Known: {', '.join(IMPLEMENTATIONS)}.")
    for name in names:
        check_name("implementation", name, IMPLEMENTATIONS)
    if len(set(names)) < len(names):
        raise InputError(f"--implementations names one twice: {', '.join(names)}. Name each once.")
    _check_range("--epochs", options.epochs, 1, 1_000_000)
    _check_range("--batch-size", options.batch_size, 1)
    _check_range("--seed", options.seed, 0, 2**32 - 1)
    _check_range("--seeds", options.seeds, 1, 10_000)
    _check_range("--limit", options.limit, 1)
    _check_range("--threads", options.threads, 1, 1024)
    _check_range("--timeout", options.timeout_s, 1, 1_000_000)
    rate = options.learning_rate
    if rate is not None and not (rate > 0 and math.isfinite(rate)):
        raise InputError(f"--learning-rate {rate:g} is not possible. Give a number above 0.")
    for option, path in (("--out", options.out), ("--data-dir", options.data_dir), ("--dataset", options.dataset)):
        if not str(path).isprintable():
            raise InputError(f"{option} {str(path)!r} has characters that cannot be shown. Give a readable path.")
    return names


def _check_range(option: str, value: float | None, least: int, most: int | None = None) -> None:
    if value is None or (least <= value and (most is None or value <= most)):
        return
    wanted = f"{least} or more" if most is None or not value > most else f"{most:,} or less"
    raise InputError(f"{option} {value} is not possible. Give {wanted}.")


def make_plan(options: Options, names: list[str], dataset: str) -> Plan:
    epochs = options.epochs or DEFAULT_EPOCHS.get(dataset, OTHER_EPOCHS)
    optimizer = _optimizer(options)
    return Plan(
        model=MODELS[options.model],
        implementations=names,
        data=DataSpec(dataset=dataset, scale=cast(Scale, options.scale), n_train=options.limit),
        training=[
            TrainSpec(
                epochs=epochs,
                batch_size=options.batch_size,
                seed=seed,
                optimizer=optimizer,
                schedule=cast(Schedule, options.schedule),
            )
            for seed in range(options.seed, options.seed + options.seeds)
        ],
        mode=cast(AskedMode, options.mode),
        device=cast(AskedDevice, options.device),
        threads=options.threads or environment.usable_cores(),
    )


def _optimizer(options: Options) -> Optimizer:
    kind: type[Adam] | type[SGD] = Adam if options.optimizer == "adam" else SGD
    return kind() if options.learning_rate is None else kind(learning_rate=options.learning_rate)


def check_fit(plan: Plan, data: Data) -> None:
    """Check what needs the data: that their shape is the network's, and that a batch is not larger than all of them."""
    shape = data.x_train.shape[1:]
    if shape != plan.model.input_shape:
        fitting = [name for name, spec in MODELS.items() if spec.input_shape == shape]
        advice = f"Use --model {' or '.join(fitting)}" if fitting else "There is no architecture for that shape yet"
        raise InputError(
            f"The architecture '{plan.model.name}' takes images of {plan.model.input_shape} (height, width, channels), "
            f"and those of {plan.data.dataset} are {shape}. {advice}, or another data set."
        )
    batch_size = plan.training[0].batch_size
    if batch_size > len(data.x_train):
        raise InputError(
            f"--batch-size {batch_size:,} is larger than the {len(data.x_train):,} training images. Give that many or "
            "fewer."
        )
