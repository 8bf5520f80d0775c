"""The one table of a bench of inference: a line for each way to serve, and columns in order of importance."""

import math
from collections.abc import Callable
from typing import Any

from rich.console import Console

from compare.bench.inference import verdicts
from compare.bench.inference.record import WORDS, InferenceResult, Served
from compare.bench.statistics import Interval
from compare.reporting.screen import print_first

NONE = "-"
LEFT_ALIGNED = ("served as", "with")
FOLDED = ("with",)  # the column with the reason if there are no figures
Cell = Callable[[InferenceResult, Served], str]
Columns = dict[str, Cell]


def columns(result: InferenceResult) -> Columns:
    """Return the columns, the most important first: a narrow terminal shows the first of them."""
    one, *others = result.batch_sizes
    found: Columns = {"served as": lambda _, served: served.name, "with": lambda _, served: WORDS[served.form]}
    found |= _latencies(one)
    found |= {f"images/s at {n}": _rate(n) for n in (others or [one])}
    found |= {"first answer after": _start, "memory": _memory, f"speed at {one}": _speed(one)}
    for n in others:
        found |= _latencies(n) | {f"speed at {n}": _speed(n)}
    return found | {
        "first launch": lambda result, served: _seconds(verdicts.first_start(result, served.name)),
        "network on disk": lambda _, served: f"{served.files_bytes / 2**20:.2f} MiB",
        "libraries on disk": _libraries,
        **{f"processor at {n}": _processor(n) for n in result.batch_sizes},
    }


def cells(result: InferenceResult) -> list[list[str]]:
    """Return the cells of the table: a line for each way, with the reason if it was not measured. Unavailable ways come
    last."""
    shown = columns(result)
    lines = []
    for served in result.served:
        why = verdicts.why_not_measured(result, served.name)
        lines.append([show(result, served) for show in shown.values()] if why is None else _empty(served.name, why))
    lines += [_empty(one.name, f"not there: {one.why}") for one in result.unavailable]
    return [[*line, *[NONE] * (len(shown) - len(line))] for line in lines]


def _empty(name: str, why: str) -> list[str]:
    return [name, why]


def print_result(result: InferenceResult, console: Console) -> list[str]:
    """Print the table with as many columns as fit; return the names of the others."""
    return print_first(console, list(columns(result)), cells(result), LEFT_ALIGNED, folded=FOLDED)


def _latencies(n: int) -> Columns:
    return {
        f"p50 at {n}": lambda result, served: milliseconds(verdicts.latency(result, served.name, n)),
        f"p99 at {n}": lambda result, served: milliseconds(verdicts.slow_latency(result, served.name, n)),
    }


def milliseconds(time: Interval | None) -> str:
    """Return a time in seconds as milliseconds, with its interval if it has one."""
    if time is None:
        return NONE
    digits = max(0, min(4, 2 - math.floor(math.log10(time.value * 1e3))))  # three significant digits
    return _with_bounds(time, lambda seconds: f"{seconds * 1e3:.{digits}f}", " ms")


def _with_bounds(found: Interval, show: Callable[[float], str], unit: str) -> str:
    if found.low is None or found.high is None:
        return f"{show(found.value)}{unit}"
    return f"{show(found.value)}{unit} [{show(found.low)}, {show(found.high)}]"


def _rate(n: int) -> Cell:
    def cell(result: InferenceResult, served: Served) -> str:
        found = verdicts.throughput(result, served.name, n)
        return NONE if found is None else _with_bounds(found, lambda rate: f"{rate:,.0f}", "")

    return cell


def _speed(n: int) -> Cell:
    def cell(result: InferenceResult, served: Served) -> str:
        if served.name == result.baseline:
            return "1 (baseline)"
        found = verdicts.speed(result, served.name, result.baseline, n)
        return (
            NONE
            if found is None
            else _with_bounds(found, lambda times: f"{times:.2f}" if times >= 0.1 else f"{times:.1g}", "x")
        )

    return cell


def _start(result: InferenceResult, served: Served) -> str:
    found = verdicts.start(result, served.name)
    return NONE if found is None else _with_bounds(found, lambda seconds: f"{seconds:.2f}", " s")


def _memory(result: InferenceResult, served: Served) -> str:
    found = verdicts.memory(result, served.name)
    return NONE if found is None else f"{found.value / 2**20:,.0f} MiB"


def _libraries(result: InferenceResult, served: Served) -> str:
    found = result.libraries.get(served.name)
    return NONE if found is None else f"{found / 2**20:,.0f} MiB"


def _processor(n: int) -> Cell:
    def cell(result: InferenceResult, served: Served) -> str:
        found = verdicts.own_s(result, served.name, n)
        return NONE if found is None else f"{found * 1e3:.3g} ms an image"

    return cell


def _seconds(found: float | None) -> str:
    return NONE if found is None else f"{found:.2f} s"


def rows(result: InferenceResult) -> list[dict[str, Any]]:
    """Return the lines of results.csv: every figure of each way and batch size with its interval, times in seconds."""
    return [_row(result, served, n) for served in result.served for n in result.batch_sizes] + [
        dict.fromkeys(COLUMNS) | one.model_dump(include={"name", "implementation", "form"}) | {"why": one.why}
        for one in result.unavailable
    ]


def _row(result: InferenceResult, served: Served, n: int) -> dict[str, Any]:
    name = served.name
    found = {
        "p50_s": verdicts.latency(result, name, n),
        "p99_s": verdicts.slow_latency(result, name, n),
        "images_per_s": verdicts.throughput(result, name, n),
        "speed": None if name == result.baseline else verdicts.speed(result, name, result.baseline, n),
        "start_s": verdicts.start(result, name),
        "memory_bytes": verdicts.memory(result, name),
    }
    ends = {
        f"{key}{end}": None if one is None else getattr(one, field)
        for key, one in found.items()
        for end, field in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    return {
        **served.model_dump(include={"name", "implementation", "form", "threads", "waiting"}),
        "batch_size": n,
        **ends,
        "first_launch_s": verdicts.first_start(result, name),
        "own_s_per_image": verdicts.own_s(result, name, n),
        "files_bytes": served.files_bytes,
        "libraries_bytes": result.libraries.get(name),
        "n_calls": sum(len(w.call_us) for one in result.of(name) for w in one.at(n)),
        "distance": max((one.distance for one in result.of(name)), default=None),
        "why": None,
    }


_INTERVALS = ("p50_s", "p99_s", "images_per_s", "speed", "start_s", "memory_bytes")
COLUMNS: dict[str, type] = {
    **dict.fromkeys(("name", "implementation", "form"), str),
    "threads": int,
    "waiting": str,
    "batch_size": int,
    **{f"{key}{end}": float for key in _INTERVALS for end in ("", "_low", "_high")},
    "first_launch_s": float,
    "own_s_per_image": float,
    "files_bytes": int,
    "libraries_bytes": int,
    "n_calls": int,
    "distance": float,
    "why": str,
}
