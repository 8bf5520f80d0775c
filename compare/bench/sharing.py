"""What a bench reports on networks that several processes train: their speedup over one process, and what they send."""

import statistics

from compare.bench.result import BenchResult, Contestant
from compare.bench.statistics import Interval
from compare.bench.verdicts import ratio_between, step_time
from compare.registry import IMPLEMENTATIONS
from shared.plurals import number_of

HEADINGS = ("contestant", "processes", "threads each", "step", "against one", "efficiency", "gradients", "sent a step")


def alone(result: BenchResult, contestant: Contestant) -> Contestant | None:
    """Return the same contestant in one process; None if there is none."""
    one = IMPLEMENTATIONS.in_one_process(contestant.implementation)
    return next(
        (
            other
            for other in result.contestants
            if other.implementation == one
            and (other.mode, other.threads, other.batch_size, other.mixed_precision)
            == (contestant.mode, contestant.threads, contestant.batch_size, contestant.mixed_precision)
        ),
        None,
    )


def speedup(result: BenchResult, contestant: Contestant) -> Interval | None:
    """Return how many times as fast as one process it is, end to end; None if that was not measured."""
    one = alone(result, contestant)
    return ratio_between(result, contestant.name, one.name) if one else None


def sent_bytes(result: BenchResult, contestant: Contestant) -> float | None:
    """Return the bytes per step over all network interfaces, loopback included. They are from all processes on the
    machine, and therefore an upper bound of what the contestant's processes sent each other."""
    of = [launch.measured[contestant.name] for launch in result.launches if contestant.name in launch.measured]
    windows = [w for measured in of for w in measured.windows if w.what != "evaluation" and w.round >= 0]
    known = [w.sent_bytes / w.steps for w in windows if w.sent_bytes is not None]
    return statistics.median(known) if known else None


def shared(result: BenchResult) -> list[Contestant]:
    """Return the contestants with several processes; implementations that are not installed here are left out."""
    known = [c for c in result.contestants if c.implementation in IMPLEMENTATIONS]
    return [c for c in known if IMPLEMENTATIONS[c.implementation].n_workers > 1]


def cells(result: BenchResult) -> list[list[str]]:
    """Return a line for each contestant with several processes."""
    gradients = f"{4 * result.spec.n_trainable / 1e6:.2f} MB"
    lines = []
    for c in shared(result):
        n, step, faster, sent = (
            IMPLEMENTATIONS[c.implementation].n_workers,
            step_time(result, c.name),
            speedup(result, c),
            sent_bytes(result, c),
        )
        lines.append(
            [
                c.name,
                str(n),
                str(c.threads),
                "-" if step is None else f"{step.value * 1e3:.2f} ms",
                "-" if faster is None else f"{faster.value:.2f}x{_interval(faster)}",
                "-" if faster is None else f"{faster.value / n:.0%}",
                gradients,
                "-" if sent is None else f"{sent / 1e6:.2f} MB",
            ]
        )
    return lines


def verdicts(result: BenchResult) -> list[str]:
    """Return a sentence for each contestant with several processes that was timed beside its one-process equivalent."""
    said = []
    for c in shared(result):
        one, faster = alone(result, c), speedup(result, c)
        if one is None or faster is None:
            continue
        n = IMPLEMENTATIONS[c.implementation].n_workers
        said.append(
            f"{n} processes of {number_of(c.threads, 'thread')} are {faster.value:.2f}x{_interval(faster)} as "
            f"fast as one: {c.name} scales with an efficiency of {faster.value / n:.0%}."
        )
    return said


def _interval(found: Interval) -> str:
    return "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
