"""Render reports from the records of a folder alone, for any kind of folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from compare.analysis import condensed, seeds
from compare.bench import beside, scaling
from compare.bench import report as bench_report
from compare.bench import waterfall as speed
from compare.bench.inference import report as inference_report
from compare.bench.inference.record import RECORD as INFERENCE
from compare.bench.inference.record import InferenceResult
from compare.bench.ported import record as ported
from compare.bench.ported import report as ported_report
from compare.bench.ported import verdicts as ported_verdicts
from compare.bench.result import BenchResult
from compare.folders.manifest import Manifest
from compare.folders.run_folder import (
    MAX_LIST_BYTES,
    load_manifest,
    load_record,
    read_record,
    unreadable,
    weights_of_first,
)
from compare.parity import report as parity_report
from compare.parity import waterfall, waterfall_report
from compare.parity.result import ParityResult
from compare.port import record as port_record
from compare.port import report as port_report
from compare.reporting.html_page import Rendered
from compare.reporting.markdown import WITHIN
from compare.training import report
from shared.errors import InputError
from shared.storage import inside

Files = Rendered


def rendered(folder: Path) -> Files:
    """Return every file that is made from the records in `folder`, by its path there.

    Raises InputError if there are no records, or one cannot be read.
    """
    inside.check(folder)
    for name, render in KINDS.items():
        if (folder / name).exists():
            return render(folder, load_manifest(folder))
    raise InputError(
        f"{folder} holds no records that a report is made from ({', '.join(KINDS)}). Give a folder that "
        "'python -m compare' wrote."
    )


def has_records(folder: Path) -> bool:
    """Whether `folder` has records to make reports from; a report on several folders has none."""
    return any((folder / name).exists() for name in KINDS)


def _run(folder: Path, manifest: Manifest) -> Files:
    judging = load_record(folder / "study.json", seeds.Judging)
    results = seeds.in_order(condensed.load(folder, judging.target), judging)
    parity = None
    if (folder / WITHIN / "parity.json").exists():
        parity = parity_report.within(comparisons(folder / WITHIN), extent(folder / WITHIN), manifest)
    return report.render(results, weights_of_first(folder, results), manifest, judging, parity)


def _bench(folder: Path, manifest: Manifest) -> Files:
    return bench_report.render(load_record(folder / "bench.json", BenchResult, MAX_LIST_BYTES), manifest)


def _parity(folder: Path, manifest: Manifest) -> Files:
    return parity_report.render(comparisons(folder), extent(folder), manifest)


def comparisons(folder: Path) -> list[ParityResult]:
    """Return the comparisons in `folder`. Raises InputError if they cannot be read."""
    return listed(folder / "parity.json", parity_report.RECORDS)


def extent(folder: Path) -> parity_report.ParityExtent:
    """Return how far the comparisons went. Raises InputError if that cannot be read."""
    return load_record(folder / "study.json", parity_report.ParityExtent)


def _parity_waterfall(folder: Path, manifest: Manifest) -> Files:
    return waterfall_report.render(
        load_record(folder / waterfall.RECORD, waterfall.RecipeWaterfall, MAX_LIST_BYTES), manifest
    )


def _speed_waterfall(folder: Path, manifest: Manifest) -> Files:
    return speed.render(listed(folder / speed.RECORD, speed.RECORDS), manifest)


def _curves(folder: Path, manifest: Manifest) -> Files:
    return scaling.render(listed(folder / scaling.RECORD, scaling.RECORDS), manifest)


def _port(folder: Path, manifest: Manifest) -> Files:
    record = load_record(folder / port_record.RECORD, port_record.PortRecord, MAX_LIST_BYTES)
    times = times_of(folder)
    if times is None:
        return port_report.render(record, manifest)
    return port_report.render(record, manifest, ported_report.section(times), ported_verdicts.headlines(times))


def times_of(folder: Path) -> ported.PortTimes | None:
    """Return the times of two models, if they were measured. Raises InputError if they cannot be read."""
    path = folder / ported.RECORD
    return load_record(path, ported.PortTimes, MAX_LIST_BYTES) if path.exists() else None


def _beside(folder: Path, manifest: Manifest) -> Files:
    return beside.render(load_record(folder / beside.RECORD, beside.BesideResult, MAX_LIST_BYTES), manifest)


def _inference(folder: Path, manifest: Manifest) -> Files:
    return inference_report.render(load_record(folder / INFERENCE, InferenceResult, MAX_LIST_BYTES), manifest)


def listed(path: Path, records: TypeAdapter[list[Any]]) -> list[Any]:
    """Return the records of the file at `path`. Raises InputError if they cannot be read."""
    try:
        return records.validate_json(read_record(path, MAX_LIST_BYTES))
    except ValidationError as error:
        raise unreadable(path, error) from None


# By the record that identifies each kind of folder.
KINDS: dict[str, Callable[[Path, Manifest], Files]] = {
    "results": _run,
    "bench.json": _bench,
    "parity.json": _parity,
    waterfall.RECORD: _parity_waterfall,
    speed.RECORD: _speed_waterfall,
    scaling.RECORD: _curves,
    port_record.RECORD: _port,
    beside.RECORD: _beside,
    INFERENCE: _inference,
}
