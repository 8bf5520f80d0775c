"""The summary of a folder of any kind that the program wrote, as rows of one table."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compare.analysis import condensed, seeds
from compare.analysis.diff import Side
from compare.analysis.figures import ACCURACY, KeyFigure, figure_of
from compare.analysis.headline import Headline, headlines
from compare.bench import beside, scaling
from compare.bench import verdicts as bench_verdicts
from compare.bench import waterfall as speed
from compare.bench.inference import verdicts as serving
from compare.bench.inference.record import RECORD as INFERENCE
from compare.bench.inference.record import InferenceResult
from compare.bench.ported import verdicts as ported_verdicts
from compare.bench.result import BenchResult
from compare.bench.verdicts import ratio_to_baseline, step_time
from compare.commands.rendering import comparisons, extent, listed, times_of
from compare.folders.manifest import Manifest
from compare.folders.run_folder import MAX_LIST_BYTES, load_manifest, load_record
from compare.parity import report as parity_report
from compare.parity import waterfall, waterfall_report
from compare.port import record as port_record
from compare.port import words
from shared.errors import InputError
from shared.plurals import number_of


@dataclass(frozen=True)
class Row:
    """One implementation, contestant or comparison of a folder. `step_s` is in seconds. `value` is the figure of the
    run's task, which `figure` names; for classification it is the accuracy, as a share of 1."""

    name: str
    value: float | None = None
    step_s: float | None = None
    speed: str = ""
    n: int | None = None  # number of seeds, or of launches
    status: str = "ok"
    figure: KeyFigure = ACCURACY

    @property
    def accuracy(self) -> float | None:
        """The accuracy as a share of 1; None if the row has another figure, or none."""
        return self.value if self.figure.task.classifies else None

    @property
    def cell(self) -> str:
        """The value as a cell: "97.50%", or with its name "RMSE 0.1234"."""
        if self.value is None:
            return "-"
        value = self.figure.text_of(self.value)
        return value if self.figure.task.classifies else f"{self.figure.metric.title} {value}"


@dataclass(frozen=True)
class Entry:
    """A folder: its kind, its subject, its verdict line by line, and its rows. `side` has the records of a run, for
    comparisons with other runs."""

    folder: Path
    kind: str
    about: str
    manifest: Manifest
    headline: Sequence[Headline]
    rows: Sequence[Row] = ()
    side: Side | None = field(default=None, repr=False)

    @property
    def verdict(self) -> str:
        """The verdict in one paragraph."""
        return " ".join(f"{line.text}." for line in self.headline)


def read(folder: Path) -> Entry:
    """Return the entry of `folder`. Raises InputError if it has no records, or they cannot be read."""
    for name, of_kind in KINDS.items():
        if (folder / name).exists():
            return of_kind(folder, load_manifest(folder))
    raise InputError(f"{folder} holds no records of a run, a comparison or a bench.")


def _run(folder: Path, manifest: Manifest) -> Entry:
    judging = load_record(folder / "study.json", seeds.Judging)
    results = seeds.in_order(condensed.load(folder, judging.target), judging)
    parity = None
    if (folder / "parity" / "parity.json").exists():
        parity = parity_report.within(comparisons(folder / "parity"), extent(folder / "parity"), manifest).headline
    rows = []
    figure = figure_of(results)
    for name in dict.fromkeys(result.run.implementation for result in results):
        own = [result for result in results if result.run.implementation == name]
        values = [figure.of(result.outcome) for result in own if result.outcome]
        steps = [s.step_s for s in seeds.summaries(own, judging)]
        bad = [result.status for result in own if result.status != "ok"]
        value = statistics.mean(values) if values else None
        rows.append(Row(name, value, steps[0] if steps else None, "", len(own), bad[0] if bad else "ok", figure))
    first = results[0].run
    recipe = "" if first.recipe == "matched" else f", {first.recipe}"
    said = headlines(results, judging, parity)
    side = Side(str(folder), manifest, results)
    task = "" if figure.task.classifies else f", {figure.task.title}"
    about = f"{first.model} on {first.data.dataset}{recipe}{task}"
    return Entry(folder, "run", about, manifest, said, rows, side)


def _bench(folder: Path, manifest: Manifest) -> Entry:
    result = load_record(folder / "bench.json", BenchResult, MAX_LIST_BYTES)
    return Entry(folder, "bench", result.model, manifest, bench_verdicts.headlines(result), _contestants(result))


def _contestants(result: BenchResult) -> list[Row]:
    rows = []
    for contestant in result.contestants:
        name = contestant.name
        time = step_time(result, name)
        found = None if name == result.baseline else ratio_to_baseline(result, name)
        ratio = "1 (baseline)" if name == result.baseline else "" if found is None else f"{found.value:.2f}x"
        if found is not None and found.low is not None and found.high is not None:
            ratio += f" [{found.low:.2f}, {found.high:.2f}]"
        rows.append(Row(name, None, None if time is None else time.value, ratio, len(result.launches)))
    return rows


def _parity(folder: Path, manifest: Manifest) -> Entry:
    results = comparisons(folder)
    said = [parity_report.headline(results, extent(folder))]
    rows = [Row(f"seed {one.seed}", status="agree" if one.passed else "do not agree") for one in results]
    about = ", ".join(dict.fromkeys(result.model for result in results))
    return Entry(folder, "parity", about, manifest, said, rows)


def _port(folder: Path, manifest: Manifest) -> Entry:
    record = load_record(folder / port_record.RECORD, port_record.PortRecord, MAX_LIST_BYTES)
    about = f"{record.left.name} ({record.left.framework}) / {record.right.name} ({record.right.framework})"
    rows = [Row(number_of(len(record.causes), "cause"), status=record.verdict)]
    times = times_of(folder)
    said = [words.headline(record), *([] if times is None else ported_verdicts.headlines(times))]
    return Entry(folder, "port", about, manifest, said, rows)


def _inference(folder: Path, manifest: Manifest) -> Entry:
    result = load_record(folder / INFERENCE, InferenceResult, MAX_LIST_BYTES)
    rows = []
    for name in result.names:
        found = serving.speed(result, name, result.baseline, result.batch_sizes[0])
        ratio = "1 (baseline)" if name == result.baseline else "" if found is None else f"{found.value:.2g}x"
        why = serving.why_not_measured(result, name)
        rows.append(Row(name, speed=ratio, n=len(result.launches), status="ok" if why is None else "failed"))
    return Entry(folder, "bench inference", result.model, manifest, serving.headlines(result), rows)


def _beside(folder: Path, manifest: Manifest) -> Entry:
    found = load_record(folder / beside.RECORD, beside.BesideResult, MAX_LIST_BYTES)
    said = beside.headlines(found)
    return Entry(folder, "bench beside", found.result.model, manifest, said, _contestants(found.at(0)))


def _curves(folder: Path, manifest: Manifest) -> Entry:
    found = listed(folder / scaling.RECORD, scaling.RECORDS)
    said = scaling.headlines(found)
    rows = [Row(contestant.name, n=len(found)) for contestant in found[0].contestants]
    return Entry(folder, "bench curves", found[0].model, manifest, said, rows)


def _speed_waterfall(folder: Path, manifest: Manifest) -> Entry:
    found = listed(folder / speed.RECORD, speed.RECORDS)
    said = [speed.headline(one) for one in found]
    rows = [Row(one.implementation, n=len(one.result.launches)) for one in found]
    return Entry(folder, "bench waterfall", found[0].result.model, manifest, said, rows)


def _recipes(folder: Path, manifest: Manifest) -> Entry:
    found = load_record(folder / waterfall.RECORD, waterfall.RecipeWaterfall, MAX_LIST_BYTES)
    rows = [Row(name, n=len(found.stages[0].runs)) for name in found.stages[0].runs[0]]
    said = waterfall_report.headlines(found.stages)
    return Entry(folder, "parity waterfall", found.model, manifest, said, rows)


# By the record that identifies each kind of folder.
KINDS: dict[str, Callable[[Path, Manifest], Entry]] = {
    "results": _run,
    "bench.json": _bench,
    "parity.json": _parity,
    port_record.RECORD: _port,
    waterfall.RECORD: _recipes,
    speed.RECORD: _speed_waterfall,
    scaling.RECORD: _curves,
    beside.RECORD: _beside,
    INFERENCE: _inference,
}
HEADINGS = (
    "folder",
    "implementation",
    "test accuracy",
    "step",
    "speed",
    "kind",
    "about",
    "started",
    "n",
    "status",
    "commit",
)
LEFT = ("folder", "implementation", "speed", "kind", "about", "started", "status", "commit")


def headings(entries: Sequence[Entry]) -> list[str]:
    """Return HEADINGS; they name accuracy only if all runs among the entries are of classification."""
    others = any(not row.figure.task.classifies for entry in entries for row in entry.rows)
    return ["test figure" if others and heading == "test accuracy" else heading for heading in HEADINGS]


def cells(entry: Entry, name: str) -> list[list[str]]:
    """Return the rows of an entry as text cells, in the order of HEADINGS; `name` is the folder's name."""
    return [
        [
            name,
            row.name or "-",
            row.cell,
            "-" if row.step_s is None else f"{row.step_s * 1e3:.2f} ms",
            row.speed or "-",
            entry.kind,
            entry.about,
            entry.manifest.started.removesuffix("Z").replace("T", " "),
            "-" if row.n is None else str(row.n),
            row.status,
            entry.manifest.commit or "-",
        ]
        for row in entry.rows
    ]
