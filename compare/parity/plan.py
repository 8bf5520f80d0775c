"""The plan of `compare parity`: its options checked and turned into networks to compare."""

import math
from dataclasses import dataclass

from compare import checks, networks
from compare.options.parity import ParityOptions
from compare.parity.runs import Extent
from compare.registry import IMPLEMENTATIONS, ImplementationSpec, implementation
from compare.subject import Subject
from shared.batches import n_batches
from shared.choices import Dtype, Mode, Precision
from shared.data import Data, load
from shared.data.choice import choose
from shared.errors import InputError
from shared.models import MODELS, ModelSpec
from shared.training import OPTIMIZERS, TrainSpec

PRECISIONS: dict[Precision, tuple[Dtype, ...]] = {
    "both": ("float64", "float32"),
    "float64": ("float64",),
    "float32": ("float32",),
}
EMBEDDED = "embedded"


@dataclass(frozen=True)
class ParityPlan:
    """A checked comparison; `options` is everything that was asked for."""

    options: ParityOptions
    models: list[ModelSpec]
    implementations: dict[str, list[str]]  # by architecture

    @property
    def all_implementations(self) -> list[str]:
        """Every implementation that some architecture needs, in the order of the registry."""
        order = list(IMPLEMENTATIONS)
        names = dict.fromkeys(name for of_one in self.implementations.values() for name in of_one)

        def place(name: str) -> tuple[int, int]:
            return order.index(IMPLEMENTATIONS.in_one_process(name)), IMPLEMENTATIONS[name].n_workers

        return sorted(names, key=place)

    @property
    def dtypes(self) -> tuple[Dtype, ...]:
        """The types that are compared."""
        return PRECISIONS[self.options.precision]

    @property
    def mode(self) -> Mode | None:
        """The mode of all implementations; None: each in its default."""
        return None if self.options.mode == "default" else self.options.mode

    @property
    def extent(self) -> Extent:
        """How far the comparison goes."""
        return Extent(self.options.rung, self.options.steps, self.dtypes, self.options.draws)

    @property
    def seeds(self) -> range:
        """All seeds."""
        return range(self.options.seed, self.options.seed + self.options.n_seeds)

    def load_data(self) -> dict[str, Data]:
        """Return the data of each architecture, reading each data set once. Raises InputError if an architecture cannot
        take them."""
        batch_size = self.options.batch_size
        datasets = {model.name: (self._dataset(model), model.inputs) for model in self.models}
        folder = self.options.data_folder
        loaded = {
            (name, inputs): load(self.options.data_spec(name, inputs=inputs), folder)
            for name, inputs in dict.fromkeys(datasets.values())
        }
        for model in self.models:
            data = loaded[datasets[model.name]]
            checks.check_shape(model, data, datasets[model.name][0])
            checks.check_batch_size(batch_size, data)
            checks.check_shares(self.implementations[model.name], batch_size, len(data.x_train))
        return {model: loaded[which] for model, which in datasets.items()}

    def subject(self, model: ModelSpec, data: Data, seed: int) -> Subject:
        """Return the network, its training and its data."""
        options = self.options
        epochs = math.ceil(options.steps / n_batches(len(data.x_train), options.batch_size))
        optimizer = OPTIMIZERS[options.optimizer]()
        train = TrainSpec(epochs=epochs, batch_size=options.batch_size, seed=seed, optimizer=optimizer)
        return Subject(model, train, data, options.device, self.mode)

    def _dataset(self, model: ModelSpec) -> str:
        if self.options.dataset != EMBEDDED:
            return choose(self.options.dataset, self.options.data_folder).dataset
        return "photographs" if model.input_shape == (32, 32, 3) else "digits"


def make_plan(options: ParityOptions) -> ParityPlan:
    """Check what can be checked without the data. Raises InputError."""
    models = _models(options.model)
    plan = ParityPlan(options, models, {model.name: _implementations(options, model) for model in models})
    for name in plan.all_implementations:
        # The consensus is from float64 runs, whatever is compared with it.
        lacking = {"float64", *plan.dtypes} - set(IMPLEMENTATIONS[name].dtypes[options.device])
        if lacking:
            raise InputError(
                f"The implementation '{name}' cannot compute in {' and '.join(sorted(lacking))} on the device "
                f"'{options.device}', which this comparison needs. Leave it out with --implementations, or "
                "give another --device."
            )
        checks.check_mode(name, options.mode)
    return plan


def _models(asked: tuple[str, ...]) -> list[ModelSpec]:
    if "all" in asked:
        return list(MODELS.values())
    models = [networks.named(name, "all") for name in asked]
    if len({model.name for model in models}) < len(models):
        raise InputError("--model names two networks of one name. Compare them one after another.")
    return models


def _implementations(options: ParityOptions, model: ModelSpec) -> list[str]:
    """Return the implementations to compare: with --world-size each as one process and as several."""
    asked, sizes = options.implementations, [1] if options.world_size == 1 else [1, options.world_size]
    able = [name for name, spec in IMPLEMENTATIONS.items() if spec.has(model)]
    if options.waterfall:
        able = [name for name in able if IMPLEMENTATIONS[name].idiomatic_scale]
    names = list(dict.fromkeys(checks.named(able if asked is None else asked, sizes)))
    if options.waterfall:
        checks.check_own_recipe("--waterfall", names)
    # Networks that several processes cannot share are reported below instead of being left out.
    having = [name for name in names if implementation(name) and _alone(name).has(model)]
    for name in having:
        checks.check_model(name, model)
    if len(having) < 2:
        raise InputError(
            f"A comparison needs two implementations, and of --implementations {','.join(asked or able)} {len(having)} "
            f"has '{model.name}'. Known: {', '.join(able)}."
        )
    return having


def _alone(name: str) -> ImplementationSpec:
    return IMPLEMENTATIONS[IMPLEMENTATIONS.in_one_process(name)]
