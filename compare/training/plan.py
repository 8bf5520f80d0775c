"""What a study sets out to do: from the options, which were checked, to the specs of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from compare import checks
from compare.checks import (
    TUNED,
    check_batch_size,
    check_shape,
)
from compare.registry import IMPLEMENTATIONS
from compare.registry.candidates import Allocator
from compare.training.executor import AskedDevice, ExecutorName
from compare.training.options import DEFAULT_MODEL, AskedMode, Options, batch_size_of, given_or, implementation_names
from shared.data import Data, DataSpec, Scale
from shared.models import MODELS, ModelSpec
from shared.protocol import Device, Mode, Recipe
from shared.result import Run, Tuned
from shared.training import OPTIMIZERS, Augmentation, Dtype, MixedPrecision, Optimizer, Schedule, TrainSpec

DEFAULT_EPOCHS = {"digits": 20, "photographs": 20}
OTHER_EPOCHS = 3
# A run that may end early never comes to the low end of the schedule, which 0.002 is made for.
STOPPING_LEARNING_RATE = 0.001
AUTO_BATCH_SIZE: dict[Device, int] = {"cuda": 64, "cpu": 16}


@dataclass(frozen=True)
class Plan:
    """The options, checked. Where `auto_batch_size`, that of `training` is replaced by what suits the device."""

    model: ModelSpec
    implementations: list[str]
    data: DataSpec
    training: list[TrainSpec]  # one for each seed
    auto_batch_size: bool
    recipe: Recipe
    mode: AskedMode
    device: AskedDevice
    threads: int
    allocator: Allocator
    executor: ExecutorName

    def batch_size(self, device: Device) -> int:
        """The images of a batch on the device that was settled on."""
        return AUTO_BATCH_SIZE[device] if self.auto_batch_size else self.training[0].batch_size

    def runs(
        self, training: TrainSpec, device: Device, tuned: Mapping[str, tuple[Mode, Tuned]] = MappingProxyType({})
    ) -> list[Run]:
        """The runs of one seed, an implementation each, on the device that was settled on, and as `tuned` says of those
        that it names."""
        training = training.model_copy(update={"batch_size": self.batch_size(device)})
        modes = {name: self._mode(name) for name in self.implementations}
        modes |= {name: mode for name, (mode, _) in tuned.items()}
        return [
            Run(
                implementation=name,
                model=self.model.name,
                data=self.data,
                train=training,
                recipe=self.recipe,
                mode=modes[name],
                device=device,
                tuned=tuned[name][1] if name in tuned else None,
            )
            for name in self.implementations
        ]

    def _mode(self, implementation: str) -> Mode:
        usual = IMPLEMENTATIONS[implementation].default_mode
        return usual if self.mode in ("default", TUNED) else cast(Mode, self.mode)


def make_plan(options: Options, dataset: str) -> Plan:
    """The plan for options that were checked, on the data set that was settled on."""
    batch_size = batch_size_of(options)
    matched = options.recipe == "matched"
    return Plan(
        model=MODELS[given_or(options.model, DEFAULT_MODEL)],
        implementations=implementation_names(options),
        data=DataSpec(
            dataset=dataset,
            scale=cast(Scale, given_or(options.scale, "unit")),
            n_train=options.limit,
            validation=given_or(options.validation, 0),
        ),
        training=[
            TrainSpec(
                epochs=given_or(options.epochs, DEFAULT_EPOCHS.get(dataset, OTHER_EPOCHS)),
                batch_size=given_or(batch_size, max(AUTO_BATCH_SIZE.values())),
                seed=seed,
                optimizer=_optimizer(options) if matched else None,
                schedule=_schedule(options),
                augmentation=cast(Augmentation, given_or(options.augmentation, "none")),
                dropout=options.dropout,
                dtype=cast(Dtype, options.precision),
                mixed_precision=cast(MixedPrecision, options.mixed_precision),
                stop_at=options.stop_at,
            )
            for seed in range(options.seed, options.seed + options.seeds)
        ],
        auto_batch_size=batch_size is None,
        recipe=cast(Recipe, options.recipe),
        mode=cast(AskedMode, options.mode),
        device=cast(AskedDevice, options.device),
        threads=options.threads or checks.default_threads(implementation_names(options)),
        allocator=cast(Allocator, options.allocator),
        executor=cast(ExecutorName, options.executor),
    )


def _schedule(options: Options) -> Schedule:
    if options.recipe == "idiomatic":
        return "constant"
    return cast(Schedule, given_or(options.schedule, "linear"))


def _optimizer(options: Options) -> Optimizer:
    name = given_or(options.optimizer, "adam")
    stopping = STOPPING_LEARNING_RATE if name != "sgd" and options.stop_at is not None else None
    constants = {
        "learning_rate": given_or(options.learning_rate, stopping),
        "weight_decay": options.weight_decay,
    }
    return OPTIMIZERS[name].model_validate({key: value for key, value in constants.items() if value is not None})


def check_fit(plan: Plan, data: Data) -> None:
    """Check what needs the data: that their shape is the network's, and that a batch is not larger than all of them."""
    check_shape(plan.model, data, plan.data.dataset)
    check_batch_size(plan.training[0].batch_size, data)
    sizes = AUTO_BATCH_SIZE.values() if plan.auto_batch_size else [plan.training[0].batch_size]
    for batch_size in sizes:
        checks.check_shares(plan.implementations, batch_size, len(data.x_train))
