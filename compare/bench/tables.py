"""The tables of a bench, as text cells: the console and the report show the same ones."""

import statistics
from collections.abc import Callable, Sequence

from rich.console import Console

from compare.bench.result import BenchResult, Ceiling, Contestant
from compare.bench.statistics import LEAST_P, Interval
from compare.bench.verdicts import achieved, own_share, ratio_to_baseline, step_time
from compare.reporting.screen import print_first, print_lines, table, width
from compare.rpc.messages import Timed
from compare.worker.windows import EVALUATION_BATCH
from shared.plurals import number_of

Cell = Callable[[BenchResult, Contestant], str]
NONE = "-"


def milliseconds(time: Interval | None) -> str:
    """Return a time in seconds as milliseconds, with its interval if it has one."""
    if time is None:
        return NONE
    if time.low is None or time.high is None:
        return f"{time.value * 1e3:.2f} ms"
    return f"{time.value * 1e3:.2f} ms [{time.low * 1e3:.2f}, {time.high * 1e3:.2f}]"


def _step(what: Timed) -> Cell:
    return lambda result, contestant: milliseconds(step_time(result, contestant.name, what))


def _images_per_s(result: BenchResult, contestant: Contestant) -> str:
    time = step_time(result, contestant.name)
    return NONE if time is None else f"{contestant.batch_size / time.value:,.0f}"


def _evaluated_per_s(result: BenchResult, contestant: Contestant) -> str:
    time = step_time(result, contestant.name, "evaluation")
    return NONE if time is None else f"{min(EVALUATION_BATCH, result.n_test) / time.value:,.0f}"


def _ratio(result: BenchResult, contestant: Contestant) -> str:
    if contestant.name == result.baseline:
        return "1 (baseline)"
    found = ratio_to_baseline(result, contestant.name)
    if found is None:
        return NONE
    if found.low is None or found.high is None:
        return f"{found.value:.2f}x"
    return f"{found.value:.2f}x [{found.low:.2f}, {found.high:.2f}]"


def _p(result: BenchResult, contestant: Contestant) -> str:
    found = None if contestant.name == result.baseline else ratio_to_baseline(result, contestant.name)
    if found is None or found.p is None:
        return NONE
    return f"{found.p:.3f}" if found.p > LEAST_P else f"<= {LEAST_P:.3f}"


def _rate(result: BenchResult, contestant: Contestant) -> str:
    time = step_time(result, contestant.name, "compute")
    if time is None:
        return NONE
    rate, share = achieved(result, contestant, time)
    own = own_share(result, contestant, rate)
    shares = [f"{share:.0%}"] if share is not None else []
    shares += [f"{own:.0%} of its own products"] if own is not None else []
    return f"{rate / 1e9:,.0f} GFLOP/s" + (f" ({'; '.join(shares)})" if shares else "")


def _of_first_launch(show: Callable[[float], str], field: str) -> Cell:
    def cell(result: BenchResult, contestant: Contestant) -> str:
        measured = [
            launch.measured[contestant.name] for launch in result.launches if contestant.name in launch.measured
        ]
        value = getattr(measured[0], field) if measured else None
        return NONE if value is None else show(value)

    return cell


def _mixed(contestant: Contestant) -> list[str]:
    return [] if contestant.mixed_precision == "none" else [f"mixed with {contestant.mixed_precision}"]


def _waiting(contestant: Contestant) -> list[str]:
    return ["passive waiting"] if contestant.waiting == "passive" else []


def _memory(result: BenchResult, contestant: Contestant) -> str:
    measured = [launch.measured[contestant.name] for launch in result.launches if contestant.name in launch.measured]
    host = [m.peak_rss_bytes for m in measured if m.peak_rss_bytes is not None]
    device = [m.peak_device_bytes for m in measured if m.peak_device_bytes is not None]
    parts = [f"{max(host) / 2**20:,.0f} MiB"] if host else []
    return " + ".join(parts + ([f"{max(device) / 2**20:,.0f} MiB on the device"] if device else [])) or NONE


# In order of importance: a narrow window shows the first of them.
CELLS: dict[str, Cell] = {
    "contestant": lambda _, contestant: contestant.name,
    "speed": _ratio,
    "step, end to end": _step("end_to_end"),
    "images/s": _images_per_s,
    "mode": lambda _, contestant: ", ".join(
        [contestant.mode, *contestant.tuning.values(), *_mixed(contestant), *_waiting(contestant)]
    ),
    "p": _p,
    "step, compute only": _step("compute"),
    "achieved": _rate,
    "evaluated images/s": _evaluated_per_s,
    "start and import": _of_first_launch(lambda s: f"{s:.1f} s", "start_s"),
    "first step": _of_first_launch(lambda s: f"{s:.2f} s", "first_step_s"),
    "warm after": _of_first_launch(lambda n: number_of(int(n), "step"), "warmup_steps"),
    "peak memory": _memory,
}
LEFT_ALIGNED = ("contestant", "mode")


def cells(result: BenchResult) -> list[list[str]]:
    """Return the cells of the table, a line for each contestant."""
    return [[show(result, contestant) for show in CELLS.values()] for contestant in result.contestants]


def ceilings(result: BenchResult) -> list[str]:
    """Return a sentence on the machine's limits for each framework: the medians over launches, their range, and its
    matrix products' rate relative to the fastest framework's."""
    of_all: dict[tuple[str, int], list[Ceiling]] = {}
    for launch in result.launches:
        for c in launch.ceilings:
            of_all.setdefault((c.framework, c.threads), []).append(c)
    median = {key: statistics.median(c.flops_per_s for c in of_one) for key, of_one in of_all.items()}
    fastest = {threads: max(rate for key, rate in median.items() if key[1] == threads) for _, threads in of_all}
    return [
        f"{framework} with {number_of(threads, 'thread')}: "
        f"{_ranging([c.flops_per_s / 1e9 for c in of_one], ',.0f')} GFLOP/s in products "
        f"of large float32 matrices ({median[framework, threads] / fastest[threads]:.0%} of the fastest framework's), "
        f"{_ranging([c.copied_bytes_per_s / 1e9 for c in of_one], ',.1f')} GB/s "
        "copying (read and written)."
        for (framework, threads), of_one in of_all.items()
    ]


def _ranging(values: Sequence[float], form: str) -> str:
    """Return the median, and the range of the values."""
    middle, low, high = (format(v, form) for v in (statistics.median(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def print_result(result: BenchResult, console: Console) -> list[str]:
    """Print the table with a column for each contestant, because it is usually too wide otherwise. If it does not fit,
    print a line for each, with as many columns as fit. Return the names of the columns left out."""
    names, *lines = ([*line] for line in zip(CELLS, *cells(result), strict=True))
    if width(console, table(names, lines, ("contestant",))).maximum <= console.width:
        print_lines(console, names, lines, ("contestant",))
        return []
    return print_first(console, list(CELLS), cells(result), LEFT_ALIGNED)
