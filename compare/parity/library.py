"""Check parity from your own programs and tests, and within a run: with its network, its data, its first seed, and the
first steps of its training."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypedDict, Unpack

from compare.options.parity import ParityOptions
from compare.parity import tables
from compare.parity.check import Checker
from compare.parity.plan import make_plan
from compare.parity.report import ParityExtent
from compare.parity.result import ParityResult
from compare.parity.runs import Extent
from compare.processes.pool import THREADS, Workers
from compare.reporting.screen import PLAIN
from compare.subject import Subject
from shared.choices import Device, Mode
from shared.data import Data
from shared.errors import InputError
from shared.models import ModelSpec
from shared.storage import temporary
from shared.training import TrainSpec

EXTENT = Extent(n_steps=20, n_draws=1)
STUDY = ParityExtent(steps=EXTENT.n_steps, draws=EXTENT.n_draws)


class CheckOptions(TypedDict, total=False):
    """The options of a comparison, with the names that `python -m compare parity` uses."""

    implementations: str
    precision: str
    steps: int
    rung: str
    dataset: str
    data_dir: Path
    seed: int
    batch_size: int
    optimizer: str
    draws: int
    mode: str


class Parity:
    """Workers for several comparisons, one after the other. Use it in a `with`."""

    def __init__(self, device: str = "cpu", timeout_s: float = 300.0) -> None:
        self.device = device
        self.timeout_s = timeout_s

    def __enter__(self) -> "Parity":
        self._logs = ExitStack()
        logs = self._logs.enter_context(temporary.folder("parity"))
        self._workers = Workers(logs, "cuda" if self.device == "cuda" else "cpu", self.timeout_s)
        self._workers.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._workers.__exit__(kind, error, at)
        self._logs.close()

    def check(self, model: str = "cnn_same", **given: Unpack[CheckOptions]) -> ParityResult:
        """Compare the implementations of one architecture, as `python -m compare parity` does with the same options.

        Raises InputError if they cannot be compared.
        """
        texts = {"model": model, "precision": "float64", "steps": 20, **given}
        options = ParityOptions.of_texts(device=self.device, **texts)
        options.checked()
        plan = make_plan(options)
        if len(plan.models) != 1:
            raise InputError(f"One architecture is compared at a time, and '{model}' names {len(plan.models)}.")
        (spec,) = plan.models
        subject = plan.subject(spec, plan.load_data()[spec.name], options.seed)
        sessions = self._workers.start(plan.implementations[spec.name])
        return Checker(sessions, THREADS).check(subject, plan.extent)


def assert_parity(
    model: str = "cnn_same", parity: Parity | None = None, **options: Unpack[CheckOptions]
) -> ParityResult:
    """Compare the implementations of `model`, in float64 over 20 steps by default, and return the result.

    Raises AssertionError, with the verdict and the ladder, unless all agree. Raises InputError if they cannot be
    compared. `parity` supplies workers that are already running (the pytest fixture of that name); without it, workers
    are started for this comparison alone.
    """
    __tracebackhide__ = True  # pytest then shows the calling line
    if parity is None:
        with Parity() as own:
            result = own.check(model, **options)
    else:
        result = parity.check(model, **options)
    if not result.passed:
        raise AssertionError(f"{result.verdict}\n\n{_ladder_text(result)}")
    return result


def _ladder_text(result: ParityResult) -> str:
    console = PLAIN.console(160)
    with console.capture() as capture:
        tables.print_ladders(result, console)
    return "\n".join([*tables.summary(result)[1:], capture.get()])


def check_possible(implementations: list[str], recipe: str, mixed_precision: str) -> None:
    """Raise InputError if there is nothing to compare, or if a difference is intended."""
    if recipe != "matched" or mixed_precision != "none":
        raise InputError(
            "--parity is for the matched recipe in float32: others are meant to differ. Leave one of them out."
        )
    if len(implementations) < 2:
        raise InputError("--parity compares implementations. Name two or more.")


def check_run(
    model: ModelSpec,
    train: TrainSpec,
    data: Data,
    implementations: list[str],
    device: Device,
    mode: Mode | None,
    logs: Path,
    timeout_s: float,
) -> ParityResult:
    """Compare the implementations over the first steps of a run, in workers of their own."""
    with Workers(logs, device, timeout_s) as workers:
        sessions = workers.start(implementations)
        return Checker(sessions, THREADS).check(Subject(model, train, data, device, mode), EXTENT)
