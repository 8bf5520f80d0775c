"""Render the times of two models: a table for the terminal, a section of their comparison's report, and a file."""

from typing import Any

from compare.bench.inference.tables import milliseconds
from compare.bench.ported import verdicts
from compare.bench.ported.record import RECORD, SIDES, PortTimes
from compare.bench.statistics import Interval
from compare.reporting import waiting
from compare.reporting.markdown import markdown_environment

PASS_HEADINGS = ("model", "pass", "batch", "time", "speed")
NODE_HEADINGS = ("left", "right", "kind", "left ms", "right ms", "ratio")
NARROW_HEADINGS = ("left", "right", "left ms", "right ms", "ratio")
FOLDED = ("left", "right")
MOST_SHOWN = 10  # layers in the terminal
MOST_LISTED = 100  # layers in the report
NONE = "-"


def pass_cells(times: PortTimes) -> list[list[str]]:
    """Return the table of passes, a line each: times with intervals, and how many times as fast as the baseline."""
    return [
        [
            name,
            what,
            str(n),
            milliseconds(verdicts.pass_time(times, name, what, n)),
            "1 (baseline)" if name == times.baseline else _times(verdicts.speed(times, name, times.baseline, what, n)),
        ]
        for what in times.whats
        for n in times.batch_sizes
        for name in times.names
    ]


def _times(found: Interval | None) -> str:
    if found is None:
        return NONE
    interval = "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.value:.2f}x{interval}"


def node_cells(times: PortTimes, most: int) -> list[list[str]]:
    """Return the table of layers, the most expensive pairs first; then their sum, the whole pass, and the rest."""
    found = verdicts.costs(times)
    lines = [[c.left or NONE, c.right or NONE, c.kind, _ms(c.left_s), _ms(c.right_s), _times(c.ratio)] for c in found]
    if not lines:
        return []
    shown, rest = lines[:most], found[most:]
    if rest:
        others = [sum(cost.left_s or 0.0 for cost in rest), sum(cost.right_s or 0.0 for cost in rest)]
        shown.append([f"{len(rest)} others", "", "", *map(_ms, others), ""])
    sums, wholes = verdicts.totals(times), []
    for what, pick in (("all layers", 0), ("the forward pass", 1)):
        wholes.append([what, "", "", *(_ms(sums[side][pick] if side in sums else None) for side in SIDES), ""])
    left_over = [_ms(sums[side][1] - sums[side][0] if side in sums else None) for side in SIDES]
    return [*shown, *wholes, ["left over", "", "", *left_over, ""]]


def narrow_cells(times: PortTimes) -> list[list[str]]:
    """Return the table of layers for the terminal, without the kind and without intervals."""
    cells = node_cells(times, MOST_SHOWN)
    return [[left, right, *both, ratio.partition(" ")[0]] for left, right, _, *both, ratio in cells]


def _ms(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds * 1e3:.3f}"


def section(times: PortTimes) -> str:
    """Return the section of the report, in Markdown."""
    variables = times.models[0].variables
    return (
        markdown_environment()
        .get_template("port_times.md.j2")
        .render(
            times=times,
            remarks=verdicts.remarks(times),
            warnings=verdicts.warnings(times),
            ended=verdicts.why_ended(times),
            headings=PASS_HEADINGS,
            cells=pass_cells(times),
            node_headings=NODE_HEADINGS,
            node_cells=node_cells(times, MOST_LISTED),
            allocator=" ".join(f"{k}={v}" for k, v in variables.items() if k.startswith("MALLOC_")),
            waiting=waiting.sentence(one.waiting for one in times.models),
            threads=times.models[0].threads,
            environments=list({(e.framework, e.framework_version): e for e in times.environments.values()}.values()),
        )
    )


def files(times: PortTimes) -> dict[str, bytes]:
    """Return the record, by its path in the output folder."""
    return {RECORD: times.model_dump_json(indent=1).encode()}


def answer(times: PortTimes) -> dict[str, Any]:
    """Return what `--json` includes: every figure with its interval, in seconds."""
    return {
        "verdicts": verdicts.verdicts(times),
        "warnings": verdicts.warnings(times),
        "ended": verdicts.why_ended(times),
        "passes": [
            {
                "model": name,
                "what": what,
                "batch_size": n,
                "seconds": _bounds(verdicts.pass_time(times, name, what, n)),
                "speed": None
                if name == times.baseline
                else _bounds(verdicts.speed(times, name, times.baseline, what, n)),
            }
            for what in times.whats
            for n in times.batch_sizes
            for name in times.names
        ],
        "layers": [
            {"left": c.left or None, "right": c.right or None, "left_s": c.left_s, "right_s": c.right_s,
             "ratio": _bounds(c.ratio)}
            for c in verdicts.costs(times)
        ],
    }  # fmt: skip


def _bounds(found: Interval | None) -> dict[str, float | None] | None:
    return None if found is None else {"value": found.value, "low": found.low, "high": found.high}
