"""What `compare parity` was asked for, checked: from the options of the command line to the networks to compare."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from compare import checks
from compare.checks import check_batch_size, check_mode, check_number, check_paths, check_shape
from compare.parity.observation import RUNGS
from compare.registry import IMPLEMENTATIONS, implementation
from compare.reporting.screen import PLAIN, Screen
from compare.subject import Subject
from shared.batches import n_batches
from shared.data import Data, DataSpec, load
from shared.data.choice import choose
from shared.errors import InputError, check_name
from shared.models import MODELS, ModelSpec
from shared.protocol import Device, Mode
from shared.training import OPTIMIZERS, Dtype, TrainSpec

Precision = Literal["both", "float64", "float32"]
PRECISIONS: dict[Precision, tuple[Dtype, ...]] = {
    "both": ("float64", "float32"),
    "float64": ("float64",),
    "float32": ("float32",),
}
EMBEDDED = "embedded"


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    model: str
    dataset: str
    data_dir: Path
    command: str
    implementations: str | None = None
    precision: str = "both"
    steps: int = 100
    draws: int = 3
    seed: int = 0
    seeds: int = 1
    batch_size: int = 64
    optimizer: str = "adam"
    rung: str | None = None
    device: str = "cpu"
    mode: str = "default"
    world_size: int = 1
    out: Path | None = None
    timeout_s: float = 300.0
    screen: Screen = PLAIN


@dataclass(frozen=True)
class Plan:
    """The options, checked."""

    models: list[ModelSpec]
    implementations: dict[str, list[str]]  # of each architecture
    dtypes: tuple[Dtype, ...]
    device: Device
    mode: Mode | None  # None: each implementation's default

    @property
    def all_implementations(self) -> list[str]:
        """Every implementation that some architecture needs, in the order of the registry."""
        order = list(IMPLEMENTATIONS)
        names = dict.fromkeys(name for of_one in self.implementations.values() for name in of_one)
        return sorted(names, key=lambda name: (order.index(name.partition("@")[0]), IMPLEMENTATIONS[name].n_workers))


def make_plan(options: Options) -> Plan:
    """Check what can be checked without the data. Raises InputError."""
    models = _models(options.model)
    precision = cast(Precision, check_name("precision", options.precision, get_args(Precision)))
    check_name("optimizer", options.optimizer, OPTIMIZERS)
    if options.rung is not None:
        check_name("rung", options.rung, RUNGS)
    for option, value, least, most in (
        ("--steps", options.steps, 1, 100_000),
        ("--draws", options.draws, 1, 1_000),
        ("--seed", options.seed, 0, 2**32 - 1),
        ("--seeds", options.seeds, 1, 10_000),
        ("--batch-size", options.batch_size, 1, 1_000_000),
        ("--timeout", options.timeout_s, 1, 1_000_000),
    ):
        check_number(option, value, least, most)
    check_paths(options.out, options.data_dir, options.dataset)
    device = cast(Device, check_name("device", options.device, get_args(Device)))
    dtypes = PRECISIONS[precision]
    checks.check_size(options.world_size)
    implementations = {model.name: _implementations(options, model) for model in models}
    for name in {name for names in implementations.values() for name in names}:
        # The consensus is one of float64 runs, whatever is judged by it.
        lacking = {"float64", *dtypes} - set(IMPLEMENTATIONS[name].dtypes[device])
        if lacking:
            raise InputError(
                f"The implementation '{name}' cannot compute in {' and '.join(sorted(lacking))} on the device "
                f"'{device}', which this comparison needs. Leave it out with --implementations, or give another "
                "--device."
            )
    mode = check_name("mode", options.mode, ["default", *get_args(Mode)])
    for name in {name for names in implementations.values() for name in names}:
        check_mode(name, mode)
    return Plan(models, implementations, dtypes, device, None if mode == "default" else cast(Mode, mode))


def _models(asked: str) -> list[ModelSpec]:
    if asked == "all":
        return list(MODELS.values())
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if not names:
        raise InputError(f"--model names none. Known: all, {', '.join(MODELS)}.")
    return [MODELS[check_name("architecture", name, ["all", *MODELS])] for name in dict.fromkeys(names)]


def _implementations(options: Options, model: ModelSpec) -> list[str]:
    """Those that are compared: with --world-size each as one process and as several."""
    asked, sizes = options.implementations, [1] if options.world_size == 1 else [1, options.world_size]
    if asked is None:
        able = [name for name, spec in IMPLEMENTATIONS.items() if model.name in spec.models]
        names = checks.named(able, sizes)
        for name in names:
            checks.check_model(name, model.name)
        return names
    names = list(dict.fromkeys(checks.named([n.strip() for n in asked.split(",") if n.strip()], sizes)))
    for name in names:
        implementation(name)
        checks.check_model(name, model.name)
    having = [name for name in names if model.name in IMPLEMENTATIONS[name].models]
    if len(having) < 2:
        raise InputError(
            f"A comparison needs two implementations, and of --implementations {asked} {len(having)} has "
            f"'{model.name}'. Known: {', '.join(n for n, s in IMPLEMENTATIONS.items() if model.name in s.models)}."
        )
    return having


def load_data(options: Options, plan: Plan) -> dict[str, Data]:
    """The data of each architecture, each data set read once. Raises InputError where an architecture cannot take
    them."""
    datasets = {model.name: _dataset(options, model) for model in plan.models}
    loaded = {name: load(DataSpec(dataset=name), options.data_dir) for name in dict.fromkeys(datasets.values())}
    for model in plan.models:
        check_shape(model, loaded[datasets[model.name]], datasets[model.name])
        data = loaded[datasets[model.name]]
        check_batch_size(options.batch_size, data)
        checks.check_shares(plan.implementations[model.name], options.batch_size, len(data.x_train))
    return {model: loaded[name] for model, name in datasets.items()}


def make_subject(options: Options, plan: Plan, model: ModelSpec, data: Data, seed: int) -> Subject:
    """The network, its training and its data."""
    optimizer = OPTIMIZERS[options.optimizer]()
    epochs = math.ceil(options.steps / n_batches(len(data.x_train), options.batch_size))
    train = TrainSpec(epochs=epochs, batch_size=options.batch_size, seed=seed, optimizer=optimizer)
    return Subject(model, train, data, plan.device, plan.mode)


def _dataset(options: Options, model: ModelSpec) -> str:
    if options.dataset != EMBEDDED:
        return choose(options.dataset, options.data_dir).dataset
    return "photographs" if model.input_shape == (32, 32, 3) else "digits"
