"""The plan of `compare bench`: its options checked and turned into contestants."""

import itertools
from dataclasses import dataclass, replace

from compare import checks, networks
from compare.bench.result import BenchResult, Contestant
from compare.checks import TUNED
from compare.options.bench import BenchOptions
from compare.options.common import BY_DEFAULT
from compare.registry import implementation
from compare.registry.candidates import ALLOCATOR_VARIABLES
from compare.subject import Subject
from shared.choices import MixedPrecision, Mode
from shared.data import Data, load
from shared.data.choice import choose
from shared.errors import InputError, check_name
from shared.models import ModelSpec
from shared.training import TrainSpec

EMBEDDED = "embedded"


@dataclass(frozen=True)
class BenchPlan:
    """A checked bench; `options` is everything that was asked for."""

    options: BenchOptions
    model: ModelSpec
    contestants: list[Contestant]
    baseline: str
    to_tune: list[str]  # contestants without settings yet: from a search, or a remembered one
    lacking: list[str]  # a sentence for each mode that an implementation does not have
    threads: list[int]

    def load_data(self) -> tuple[str, Data]:
        """Return the data set's name and the data. Raises InputError if the network cannot take them."""
        options = self.options
        if options.dataset == EMBEDDED:
            dataset = "photographs" if self.model.input_shape == (32, 32, 3) else "digits"
        else:
            dataset = choose(options.dataset, options.data_folder).dataset
        data = load(options.data_spec(dataset, inputs=self.model.inputs), options.data_folder)
        checks.check_shape(self.model, data, dataset)
        return dataset, data

    def subject(self, data: Data) -> Subject:
        """Return what is timed. Raises InputError if a batch is larger than all training images."""
        implementations = [contestant.implementation for contestant in self.contestants]
        for batch_size in self.options.batch_sizes:
            checks.check_batch_size(batch_size, data, "--batch-sizes")
            checks.check_shares(implementations, batch_size, len(data.x_train), whole_batches=True)
        return Subject(self.model, TrainSpec(epochs=1, seed=self.options.seed), data, self.options.device)

    def nothing_yet(self, dataset: str, data: Data) -> BenchResult:
        """Return the record of this bench before its first launch."""
        bytes_per_image, bytes_per_step = self.model.training_bytes
        return BenchResult(
            model=self.model.name,
            dataset=dataset,
            data_digest=data.digest(),
            n_test=len(data.x_test),
            device=self.options.device,
            seed=self.options.seed,
            contestants=tuple(self.contestants),
            lacking=tuple(self.lacking),
            baseline=self.baseline,
            flops_per_image=self.model.training_flops,
            bytes_per_image=bytes_per_image,
            bytes_per_step=bytes_per_step,
            precision=self.options.interval,
            budget_s=self.options.budget_s,
            took_s=0.0,
            ending="interrupted",
            environments={},
            launches=(),
            network=self.model if self.model.code else None,
        )


def make_plan(options: BenchOptions) -> BenchPlan:
    """Check what can be checked without the data. Raises InputError."""
    model = networks.named(options.model)
    for mixed in options.mixed_precision:
        checks.check_mixed_precision(mixed, options.device)
    names = checks.having(options.implementations, BY_DEFAULT, model)
    options = replace(options, implementations=names)
    _check_aa(options)
    threads = list(options.threads or [checks.default_threads(_names(options))])
    contestants, to_tune, lacking = _contestants(options, model, threads[0])
    return BenchPlan(options, model, contestants, _baseline(options, contestants), to_tune, lacking, threads)


def _check_aa(options: BenchOptions) -> None:
    """Raise InputError unless --aa times one implementation in one way."""
    for name, several in (
        ("--modes", options.modes),
        ("--mixed-precision", options.mixed_precision),
        ("--world-size", options.world_size),
    ):
        if options.aa and len(several) > 1:
            raise InputError(f"--aa pits one against itself, not {' and '.join(map(str, several))}. Give one {name}.")


def _names(options: BenchOptions) -> list[str]:
    """Return the contestants' names, with their numbers of processes. Raises InputError."""
    names = [options.aa] if options.aa else options.implementations
    for name in names:
        implementation(name)
    return checks.named(names, options.world_size)


def _contestants(
    options: BenchOptions, model: ModelSpec, threads: int
) -> tuple[list[Contestant], list[str], list[str]]:
    """Return the contestants, the names of those to tune, and a sentence for each mode that is missing."""
    variables = ALLOCATOR_VARIABLES[options.allocator]

    def contestant(name: str, implementation: str, mode: Mode, mixed_precision: MixedPrecision) -> Contestant:
        return Contestant(
            name=name,
            implementation=implementation,
            mode=mode,
            threads=threads,
            batch_size=options.batch_sizes[0],
            tuning={},
            variables=variables,
            mixed_precision=mixed_precision,
            waiting=options.waiting,
        )

    found: list[Contestant] = []
    to_tune: list[str] = []
    lacking: list[str] = []
    for name in _names(options):
        spec = implementation(name)
        checks.check_model(name, model)
        for asked, mixed_with in itertools.product(options.modes, options.mixed_precision):
            mode = spec.default_mode if asked in ("default", "tuned") else asked
            cannot_be_tuned = asked == TUNED and (spec.n_workers > 1 or not spec.candidates)
            if cannot_be_tuned or mode not in spec.modes:
                lacking.append(f"{name} has no mode '{asked}', only {' and '.join(spec.modes)}.")
                continue
            single = name if options.modes == ("default",) else f"{name}-{TUNED if asked == TUNED else mode}"
            single += "" if mixed_with == "none" else f"-{mixed_with}"
            taking_part = [
                contestant(f"{single}{which}", name, mode, mixed_with)
                for which in (("-a", "-b") if options.aa else ("",))
            ]
            found += taking_part
            to_tune += [one.name for one in taking_part if asked == TUNED]
    if len({c.name for c in found}) < len(found):
        raise InputError("--implementations and --modes name a contestant twice. Name each once.")
    if len(found) < 2:
        said = "".join(f" {text}" for text in lacking)
        raise InputError(
            f"A bench needs two contestants, and there {'is one' if found else 'is none'}.{said} Give more "
            "--implementations or --modes, or pit one against itself with --aa."
        )
    return found, to_tune, list(dict.fromkeys(lacking))


def _baseline(options: BenchOptions, contestants: list[Contestant]) -> str:
    names = [contestant.name for contestant in contestants]
    return names[0] if options.baseline is None else check_name("baseline", options.baseline, names)
