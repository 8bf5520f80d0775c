"""What `compare bench` was asked for, checked: from the options of the command line to the contestants."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from compare import checks
from compare.bench.result import Contestant
from compare.checks import TUNED, check_batch_size, check_mixed_precision, check_number, check_paths, check_shape
from compare.registry import implementation
from compare.registry.candidates import ALLOCATOR_VARIABLES, Allocator
from compare.reporting.screen import PLAIN, Screen
from compare.subject import Subject
from shared.data import Data, DataSpec, load
from shared.data.choice import choose
from shared.errors import InputError, check_name
from shared.models import MODELS, ModelSpec
from shared.protocol import Device, Mode
from shared.training import MixedPrecision, TrainSpec
from shared.world import MAX_SIZE

EMBEDDED = "embedded"
MODES = ("default", *get_args(Mode), TUNED)


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    dataset: str
    data_dir: Path
    command: str
    model: str = "cnn_same"
    implementations: str = "torch,keras,tf_lowlevel"
    modes: str = "default"
    mixed_precisions: str = "none"
    world_sizes: str = "1"
    aa: str | None = None
    baseline: str | None = None
    batch_sizes: str = "64"
    threads: str | None = None
    interval: float = 0.03
    budget_s: float = 120.0
    allocator: str = "kept"
    device: str = "cpu"
    retune: bool = False
    profile: bool = False
    seed: int = 0
    out: Path | None = None
    timeout_s: float = 300.0
    screen: Screen = PLAIN


@dataclass(frozen=True)
class Plan:
    """The options, checked."""

    model: ModelSpec
    contestants: list[Contestant]
    baseline: str
    device: Device
    to_tune: list[str]  # contestants that a search, or the memory of one, still has to settle
    lacking: list[str]  # modes that an implementation does not have, in words


def make_plan(options: Options) -> Plan:
    """Check what can be checked without the data. Raises InputError."""
    model = MODELS[check_name("architecture", options.model, MODELS)]
    check_number("--interval", options.interval, 0.001, 1)
    check_number("--budget", options.budget_s, 1, 1_000_000)
    check_number("--seed", options.seed, 0, 2**32 - 1)
    check_number("--timeout", options.timeout_s, 1, 1_000_000)
    check_paths(options.out, options.data_dir, options.dataset)
    device = cast(Device, check_name("device", options.device, get_args(Device)))
    check_name("allocator", options.allocator, get_args(Allocator))
    contestants, to_tune, lacking = _contestants(options, model)
    return Plan(model, contestants, _baseline(options, contestants), device, to_tune, lacking)


def _contestants(options: Options, model: ModelSpec) -> tuple[list[Contestant], list[str], list[str]]:
    variables = ALLOCATOR_VARIABLES[cast(Allocator, options.allocator)]
    threads, *_ = threads_of(options)
    batch_size, *_ = batch_sizes_of(options)

    def contestant(name: str, implementation: str, mode: Mode, mixed_precision: MixedPrecision) -> Contestant:
        return Contestant(
            name=name,
            implementation=implementation,
            mode=mode,
            threads=threads,
            batch_size=batch_size,
            tuning={},
            variables=variables,
            mixed_precision=mixed_precision,
        )

    modes = [check_name("mode", mode, MODES) for mode in _listed("--modes", options.modes)]
    mixed = [
        check_mixed_precision(given, options.device) for given in _listed("--mixed-precision", options.mixed_precisions)
    ]
    if options.aa and len(modes) > 1:
        raise InputError(f"--aa pits one mode against itself, not {' and '.join(modes)}. Give one with --modes.")
    if options.aa and len(mixed) > 1:
        raise InputError(f"--aa pits one against itself, not {' and '.join(mixed)}. Give one with --mixed-precision.")
    if options.aa and len(numbers("--world-size", options.world_sizes, MAX_SIZE)) > 1:
        raise InputError(f"--aa pits one against itself, not --world-size {options.world_sizes}. Give one.")
    names = implementation_names(options)
    found: list[Contestant] = []
    to_tune: list[str] = []
    lacking: list[str] = []
    for name in names:
        spec = implementation(name)
        checks.check_model(name, model.name)
        if model.name not in spec.models:
            raise InputError(
                f"The implementation '{name}' has no '{model.name}', only {', '.join(spec.models)}. Leave it out of "
                "--implementations, or give another --model."
            )
        for asked, mixed_with in itertools.product(modes, mixed):
            mode = spec.default_mode if asked in ("default", TUNED) else cast(Mode, asked)
            if asked == TUNED and (spec.n_workers > 1 or not spec.candidates):
                lacking.append(f"{name} has no mode '{TUNED}', only {' and '.join(spec.modes)}.")
                continue
            if mode not in spec.modes:
                lacking.append(f"{name} has no mode '{mode}', only {' and '.join(spec.modes)}.")
                continue
            single = name if modes == ["default"] else f"{name}-{TUNED if asked == TUNED else mode}"
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


def _baseline(options: Options, contestants: list[Contestant]) -> str:
    names = [contestant.name for contestant in contestants]
    return names[0] if options.baseline is None else check_name("baseline", options.baseline, names)


def _listed(option: str, text: str) -> list[str]:
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items:
        raise InputError(f"{option} names none. Separate several by commas.")
    return items


def threads_of(options: Options) -> list[int]:
    """The numbers of threads asked for. Raises InputError."""
    return numbers("--threads", options.threads or str(checks.default_threads(implementation_names(options))), 1024)


def implementation_names(options: Options) -> list[str]:
    """Who takes part, as how many processes. Raises InputError."""
    names = [options.aa] if options.aa else _listed("--implementations", options.implementations)
    for name in names:
        implementation(name)
    return checks.named(names, numbers("--world-size", options.world_sizes, MAX_SIZE))


def batch_sizes_of(options: Options) -> list[int]:
    """The batch sizes asked for. Raises InputError."""
    return numbers("--batch-sizes", options.batch_sizes, 1_000_000)


def numbers(option: str, text: str, most: int) -> list[int]:
    """The whole numbers from 1 to `most` in `text`, separated by commas. Raises InputError."""
    found = []
    for item in _listed(option, text):
        if not item.isascii() or not item.isdigit() or not 1 <= int(item) <= most:
            raise InputError(f"{option} {item!r} is not possible. Give whole numbers from 1 to {most:,}.")
        found.append(int(item))
    if len(set(found)) < len(found):
        raise InputError(f"{option} {text} names a number twice. Name each once.")
    return found


def load_data(options: Options, model: ModelSpec) -> tuple[str, Data]:
    """The data set's name and the data. Raises InputError where the network cannot take them."""
    if options.dataset == EMBEDDED:
        dataset = "photographs" if model.input_shape == (32, 32, 3) else "digits"
    else:
        dataset = choose(options.dataset, options.data_dir).dataset
    data = load(DataSpec(dataset=dataset), options.data_dir)
    check_shape(model, data, dataset)
    return dataset, data


def make_subject(options: Options, plan: Plan, data: Data) -> Subject:
    """What is timed. Raises InputError where a batch is larger than all training images."""
    for batch_size in batch_sizes_of(options):
        check_batch_size(batch_size, data, "--batch-sizes")
        implementations = [contestant.implementation for contestant in plan.contestants]
        checks.check_shares(implementations, batch_size, len(data.x_train), whole_batches=True)
    return Subject(plan.model, TrainSpec(epochs=1, seed=options.seed), data, plan.device)
