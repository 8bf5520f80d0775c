"""`compare port --bench`: time both models in turns, after comparing them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from compare.bench.ported import report, verdicts
from compare.bench.ported.launcher import PortLauncher, launches
from compare.bench.ported.record import SIDES, PortTimes, TimedModel, TimedPair
from compare.options.port import PortOptions
from compare.port.record import PortRecord
from compare.port.result import PortResult
from compare.port.workers import backend_of
from compare.processes.environment import usable_cores
from compare.processes.interpreters import interpreter
from compare.processes.process import Tell
from compare.processes.timed_session import TimedWorker, asked
from compare.registry.candidates import ALLOCATOR_VARIABLES
from compare.reporting.screen import Screen, print_lines
from compare.rpc.timing_messages import Pass, TimesPrepared
from shared.choices import Mode
from shared.errors import InputError

WAITING = "system"
NO_PARTNER = ("Input", "Parameter", "Constant")  # kinds that take no time
NOT_TRAINED = {
    "loss": "Training steps were not timed: give a loss, and an optimizer, as --loss mse --optimizer adam.",
    "optimizer": "Training steps were not timed: give an optimizer, too, as --optimizer adam.",
}
# The modes that a framework lacks, and those that it has.
LACKING: dict[str, tuple[tuple[Mode, ...], tuple[Mode, ...]]] = {
    "torch": (("xla",), ("eager", "graph")),
    "onnx": (("eager", "xla"), ("graph",)),
}
NARROW = 80  # columns of the tables, if no terminal states its width


def times_of(
    options: PortOptions, result: PortResult, record: PortRecord, logs: Path, tell: Tell
) -> Iterator[PortTimes]:
    """Yield the times so far, after each launch."""
    nothing = _nothing_yet(options, result, record)
    launcher = PortLauncher(
        nothing.models,
        [(what, n) for what in nothing.whats for n in nothing.batch_sizes],
        nothing.pairs,
        nothing.node_batch_size,
        _starter(options, result, nothing, logs),
        options.budget,
        tell,
    )
    for times in launches(nothing, launcher):
        yield times
        left_s = max(0.0, times.budget_s - times.took_s)
        tell(f"launch {len(times.launches)}, {times.took_s:.0f} s, at most {left_s:.0f} s left")


def _nothing_yet(options: PortOptions, result: PortResult, record: PortRecord) -> PortTimes:
    whats: tuple[Pass, ...] = ("forward",)
    learned, untrained = result.learned, ""
    if learned is None:
        untrained = NOT_TRAINED["loss"]
    elif not any(learned.optimizers):
        untrained = NOT_TRAINED["optimizer"]
    else:
        whats = ("forward", "training")
    modes: list[Mode | None] = [None if mode == "default" else mode for mode in options.modes]
    variables = ALLOCATOR_VARIABLES["kept"]
    frameworks = {side: getattr(record, side).framework for side in SIDES}
    lacking = [
        f"{side} has no mode '{mode}': {frameworks[side]} has {' and '.join(LACKING[frameworks[side]][1])}."
        for mode in modes
        for side in SIDES
        if _lacks(frameworks[side], mode)
    ]
    models = tuple(
        TimedModel(
            name=side if mode is None else f"{side}-{mode}",
            side=side,
            asked=mode,
            threads=usable_cores(),
            waiting=WAITING,
            variables=variables,
        )
        for mode in modes
        for side in SIDES
        if not _lacks(frameworks[side], mode)
    )
    if {one.side for one in models} != set(SIDES):
        raise InputError(f"There is nothing to time in --modes {','.join(options.modes)}: {' '.join(lacking)}")
    sizes = tuple(sorted(set(options.batch_sizes)))
    pairs = [TimedPair(left=p.left, right=p.right, kind=p.kind) for p in record.pairs if p.kind not in NO_PARTNER]
    return PortTimes(
        references={"left": options.left, "right": options.right},
        models=models,
        lacking=tuple(lacking),
        baseline=next(one.name for one in models if one.side == "left"),
        whats=whats,
        untrained=untrained,
        batch_sizes=sizes,
        node_batch_size=sizes[-1],
        pairs=tuple(pairs),
        precision=options.interval,
        budget_s=options.budget,
        took_s=0.0,
        ending="interrupted",
        environments={},
        launches=(),
    )


def _lacks(framework: str, mode: Mode | None) -> bool:
    return mode in LACKING.get(framework, ((), ()))[0]


def _starter(
    options: PortOptions, result: PortResult, times: PortTimes, logs: Path
) -> Callable[[TimedModel], tuple[TimedWorker, Callable[[], TimesPrepared]]]:
    """Return a function that starts a process for a model, and returns it with a function that makes it ready. The
    process gets the inputs and targets of the comparison, repeated to fill the largest batch."""
    largest = times.batch_sizes[-1]
    inputs = {name: repeated(array, largest) for name, array in result.inputs.items()}
    learned = result.learned if "training" in times.whats else None
    targets = None if learned is None or learned.targets is None else repeated(learned.targets, largest)
    wanted = result.request.wanted

    def start(model: TimedModel) -> tuple[TimedWorker, Callable[[], TimesPrepared]]:
        place = SIDES.index(model.side)
        python = result.request.pythons[place]
        worker = TimedWorker(
            model.side,
            times.references[model.side],
            logs / f"{model.name}-times.log",
            model.threads,
            options.timeout,
            model.variables,
            model.waiting,
            None if python is None else interpreter(python),
            backend_of(result.request.backends[place], getattr(result, model.side).framework),
        )
        form = None if learned is None else learned.forms[place]
        request = asked(model.asked, form, wanted.losses[place], wanted.optimizers[place])
        own = _by_place(inputs, getattr(result, model.side).inputs)
        return worker, lambda: worker.prepare(request, own, targets)

    return start


def _by_place(inputs: Mapping[str, np.ndarray], stated: Mapping[str, object] | None) -> dict[str, np.ndarray]:
    """Return inputs under the names that a model states for them, matched by position."""
    if not stated or set(stated) == set(inputs) or len(stated) != len(inputs):
        return dict(inputs)
    return dict(zip(stated, inputs.values(), strict=True))


def repeated(array: np.ndarray, n: int) -> np.ndarray:
    """Return `n` examples of an array, repeated in order, in the precision that users compute in."""
    found: np.ndarray = array[np.arange(n) % len(array)]
    return found.astype(np.float32) if found.dtype.kind == "f" else found


def show(times: PortTimes, screen: Screen) -> None:
    """Print the results: sentences first, and then both tables."""
    screen.headlines(verdicts.headlines(times))
    for text in (*verdicts.remarks(times), verdicts.why_ended(times), *verdicts.warnings(times)):
        screen.say(text)
    console = screen.console(NARROW)
    cells = report.pass_cells(times)
    print_lines(console, list(report.PASS_HEADINGS), cells, report.PASS_HEADINGS[:2])
    if cells := report.narrow_cells(times):
        title = f"Layers, each computed alone, forward, batches of {times.node_batch_size}:"
        print_lines(console, list(report.NARROW_HEADINGS), cells, report.FOLDED, title, report.FOLDED)
