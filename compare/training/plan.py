"""The plan of a study: from its options to the specs of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import cast

from compare import checks, networks
from compare.analysis.condensed import MANY
from compare.analysis.seeds import Judging
from compare.checks import TUNED
from compare.options.common import BY_DEFAULT
from compare.options.run import DEFAULT_MODEL, RunOptions
from compare.registry import IMPLEMENTATIONS, implementation
from shared.choices import Device, Mode
from shared.data import Data, DataSpec
from shared.data.choice import short_name
from shared.errors import InputError
from shared.models import MODELS, ModelSpec
from shared.result import Run, Tuned
from shared.training import OPTIMIZERS, Optimizer, TrainSpec

DEFAULT_EPOCHS = {"digits": 20, "photographs": 20}
OTHER_EPOCHS = 3
# A run that may end early never reaches the low end of the schedule, for which 0.002 is meant.
STOPPING_LEARNING_RATE = 0.001
AUTO_BATCH_SIZE: dict[Device, int] = {"cuda": 64, "cpu": 16}
DEFAULT_BATCH_SIZE = 64


@dataclass(frozen=True)
class RunPlan:
    """A checked study. `data` names the chosen data set, and `options` is everything that was asked for."""

    options: RunOptions
    model: ModelSpec
    implementations: list[str]
    data: DataSpec
    training: list[TrainSpec]  # one for each seed, in batches of `batch_size`
    threads: int

    def batch_size(self, device: Device) -> int:
        """Return the images in a batch on the chosen device."""
        return AUTO_BATCH_SIZE[device] if self.options.batch_size == "auto" else self.training[0].batch_size

    @property
    def judging(self) -> Judging:
        """The criteria for its results."""
        return Judging(
            implementations=tuple(self.implementations),
            margin=self.options.margin,
            target=self.options.target,
            tensorboard=self.options.tensorboard,
        )

    @property
    def folder_name(self) -> str:
        """The part of its output folder's name after the time, unless a folder was given."""
        return f"{self.model.name}-{short_name(self.data.dataset)}"

    def runs(
        self, training: TrainSpec, device: Device, tuned: Mapping[str, tuple[Mode, Tuned]] = MappingProxyType({})
    ) -> list[Run]:
        """Return the runs of one seed, one per implementation, on the chosen device. Implementations in `tuned` get its
        modes and settings."""
        training = training.model_copy(update={"batch_size": self.batch_size(device)})
        modes = {name: self._mode(name) for name in self.implementations}
        modes |= {name: mode for name, (mode, _) in tuned.items()}
        return [
            Run(
                implementation=name,
                model=self.model.name,
                data=self.data,
                train=training,
                recipe=self.options.recipe,
                mode=modes[name],
                device=device,
                tuned=tuned[name][1] if name in tuned else None,
                network=self.model if self.model.code else None,
            )
            for name in self.implementations
        ]

    def _mode(self, implementation: str) -> Mode:
        usual, asked = IMPLEMENTATIONS[implementation].default_mode, self.options.mode
        return usual if asked in ("default", TUNED) else cast(Mode, asked)

    def of_data(self, data: Data) -> "RunPlan":
        """Return the plan with what the data determine, such as the names of their classes."""
        return self if data.spec is None else replace(self, data=data.spec)

    def check_fit(self, data: Data) -> None:
        """Check what needs the data: they have the network's shape, and a batch is not larger than all of them. No
        implementation's own recipe may get a batch that it cannot train on. Raises InputError."""
        checks.check_shape(self.model, data, self.data.dataset)
        checks.check_batch_size(self.training[0].batch_size, data)
        auto = self.options.batch_size == "auto"
        for batch_size in AUTO_BATCH_SIZE.values() if auto else [self.training[0].batch_size]:
            checks.check_shares(self.implementations, batch_size, len(data.x_train))
            if self.options.recipe == "idiomatic":
                checks.check_held_out(len(data.x_train))
                checks.check_own_norm(
                    "--recipe idiomatic",
                    self.implementations,
                    self.model,
                    batch_size,
                    len(data.x_train),
                    "Give another --batch-size or --limit",
                )


def check_options(options: RunOptions) -> RunOptions:
    """Return the options, completed from the preset. Raises InputError if anything other than the data forbids
    them."""
    options = options.with_preset()
    model = networks.named(options.model or DEFAULT_MODEL)
    checks.check_mixed_precision(options.mixed_precision, options.device)
    names = checks.having(options.implementations, BY_DEFAULT, model)
    options = replace(options, implementations=names)
    _check_implementations(options, model)
    if options.dropout is not None and model.dropout is None:
        having = ", ".join(name for name, spec in MODELS.items() if spec.dropout is not None)
        own = " Its constructor takes no argument `dropout`." if model.code else ""
        raise InputError(f"--dropout: the architecture '{model.name}' has no dropout.{own} Use --model {having}.")
    for asked, option in (
        (options.recipe == "idiomatic", "--recipe idiomatic"),
        (options.stop_at is not None, "--stop-at"),
        (options.target is not None, "--target"),
    ):
        if asked:
            checks.check_only_classification(model, option)
    for asked, option in (
        (options.recipe == "idiomatic", "--recipe idiomatic"),
        (options.augment not in (None, "none"), "--augment"),
    ):
        if asked:
            checks.check_only_images(model, option)
    _check_many(options)
    return options


def make_plan(options: RunOptions, dataset: str) -> RunPlan:
    """Return the plan for options that were checked, on the chosen data set."""
    names, model = implementation_names(options), networks.named(options.model or DEFAULT_MODEL)
    return RunPlan(
        options=options,
        model=model,
        implementations=names,
        data=options.data_spec(
            dataset,
            scale=options.scale or "unit",
            n_train=options.limit,
            validation=options.validation or 0,
            inputs=model.inputs,
        ),
        training=[_training(options, dataset, options.seed + number) for number in range(options.seeds)],
        threads=options.threads or checks.default_threads(names),
    )


def _training(options: RunOptions, dataset: str, seed: int) -> TrainSpec:
    idiomatic = options.recipe == "idiomatic"
    return TrainSpec(
        epochs=options.epochs or DEFAULT_EPOCHS.get(dataset, OTHER_EPOCHS),
        batch_size=DEFAULT_BATCH_SIZE if options.batch_size in (None, "auto") else options.batch_size,
        seed=seed,
        optimizer=None if idiomatic else _optimizer(options),
        schedule="constant" if idiomatic else options.schedule or "linear",
        augmentation=options.augment or "none",
        dropout=options.dropout,
        dtype=options.precision,
        mixed_precision=options.mixed_precision,
        stop_at=options.stop_at,
    )


def _optimizer(options: RunOptions) -> Optimizer:
    """Return the optimizer, with the constants that options of the same names give."""
    kind = OPTIMIZERS[options.optimizer or "adam"]
    given = {name: value for name in kind.model_fields if (value := getattr(options, name, None)) is not None}
    if options.stop_at is not None and options.optimizer != "sgd":
        given = {"learning_rate": STOPPING_LEARNING_RATE} | given
    return kind.model_validate(given)


def implementation_names(options: RunOptions) -> list[str]:
    """Return the names in --implementations, in their order, with their numbers of processes."""
    return checks.named(options.implementations, [options.world_size])


def _check_implementations(options: RunOptions, model: ModelSpec) -> None:
    names = implementation_names(options)
    for name in names:
        spec = implementation(name)
        checks.check_model(name, model)
        if options.mode != TUNED:
            checks.check_mode(name, options.mode)
        elif spec.n_workers > 1 or not spec.candidates:
            raise InputError(f"'{name}' has no mode '{TUNED}'. Leave it out, or give another --mode.")
    if options.recipe == "idiomatic":
        checks.check_own_recipe("--recipe idiomatic", names)
        if checks.most_workers(names) > 1:
            raise InputError("--recipe idiomatic uses one process a network. Name the implementations without @N.")


def _check_many(options: RunOptions) -> None:
    """Raise InputError if an option needs every step in memory at once, and there are too many runs for that."""
    n_runs = options.seeds * len(options.implementations)
    kept = {"--tensorboard": options.tensorboard, "--mlflow": options.mlflow is not None}
    if n_runs > MANY and (asked := [name for name, given in kept.items() if given]):
        raise InputError(
            f"At most {MANY:,} runs are possible with {' and '.join(asked)}, not {n_runs:,}: every step of every run "
            "would be in memory at once. Leave it out, or give fewer --seeds."
        )
