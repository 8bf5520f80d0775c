"""Render the report of a comparison: pure functions from results to the files of the output folder."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, TypeAdapter

from compare.analysis.headline import Headline
from compare.folders import tabular
from compare.folders.manifest import Manifest
from compare.parity import charts, tables
from compare.parity.bounds import FLOAT32, FLOAT64, JUMP, MARGIN
from compare.parity.envelope import MORE_DRAWS, ULPS_OF_MORE
from compare.parity.observation import RUNGS
from compare.parity.plots import drift
from compare.parity.result import ParityResult
from compare.reporting import plots
from compare.reporting.html_page import Drawing, Rendered, with_page
from compare.reporting.markdown import WITHIN, WithParity, markdown_environment
from shared.choices import Rung
from shared.record import Count, Record


# JSON has no infinity: the distance of a missing tensor is written as a string.
def _of_something(result: ParityResult) -> ParityResult:
    if not (result.mismatches or result.failure or result.precisions):
        raise ValueError("it has no result: no mismatch, no failure and no precision")
    return result


RECORDS: TypeAdapter[list[ParityResult]] = TypeAdapter(
    list[Annotated[ParityResult, AfterValidator(_of_something)]], config=ConfigDict(ser_json_inf_nan="strings")
)


class ParityExtent(Record):
    """What a report says of how far a comparison went; kept beside its records."""

    steps: Count
    rung: Rung = "evaluation"
    draws: Count


def render(results: Sequence[ParityResult], study: ParityExtent, manifest: Manifest) -> Rendered:
    """Return the content of every file, by its path in the output folder."""
    return with_page(_files(results, study, manifest), _drawings(results))


def within(results: Sequence[ParityResult], study: ParityExtent, manifest: Manifest) -> WithParity:
    """Return what a run's own report includes of the comparison within the run."""
    said = f"Parity over {study.steps} training steps: {' '.join(result.verdict for result in results)}"
    files = _files(results, study, manifest, f"{WITHIN}/")
    return WithParity(headline(results, study), said, files, _drawings(results))


def headline(results: Sequence[ParityResult], study: ParityExtent) -> Headline:
    """Return in one line whether the implementations are the same function."""
    question = "Same function"
    for result in results:
        if result.failure or result.mismatches:
            return Headline(question, result.verdict, "open")
        if not result.passed:
            return Headline(question, f"no. {result.verdict}", "no")
    precisions = [precision for result in results for precision in result.precisions]
    double = [precision for precision in precisions if precision.dtype == "float64"]
    readings = [reading for precision in double for reading in precision.ladder.readings]
    farthest = max((d.relative for reading in readings for d in reading.distances.values()), default=None)
    over = f"over {study.steps} training steps"
    if farthest is None:
        return Headline(question, f"alike in float32 {over}; float64 would prove it", "open")
    return Headline(question, f"proven {over} (float64, largest difference {farthest:.0e})", "yes")


def _files(
    results: Sequence[ParityResult], study: ParityExtent, manifest: Manifest, seen_from_folder: str = ""
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    pictures = []
    shown = _with_ladder(results)
    for result in shown:
        stem, drawn = _stem(result), _has_curves(result)
        pictures.append(f"{stem}.png" if drawn else None)
        if drawn:
            figure = drift(result)
            files |= {f"{stem}.png": plots.to_png(figure), f"{stem}.svg": plots.to_svg(figure)}
    text = (
        markdown_environment()
        .get_template("parity.md.j2")
        .render(
            headlines=[] if seen_from_folder else [headline(results, study)],  # the run's own report includes it
            results=results,
            shown=shown,
            models=list(dict.fromkeys(result.model for result in results)),
            agreed=sum(result.passed for result in results),
            steps=study.steps,
            rung=study.rung,
            trained=RUNGS.index(study.rung) >= RUNGS.index("training"),
            draws=study.draws,
            more=MORE_DRAWS,
            ulps=ULPS_OF_MORE,
            float64=FLOAT64.value,
            float32=FLOAT32.value,
            jump=JUMP.value,
            margin=MARGIN,
            plots=pictures,
            ladder=f"{seen_from_folder}ladder.csv",
            headings=tables.headings,
            cells=tables.cells,
            data_warnings=() if seen_from_folder else manifest.data_warnings,  # the run's own report includes them
            command=manifest.command,
            version=manifest.version,
            commit=manifest.commit,
        )
    )
    files["report.md"] = text.encode()
    files |= tabular.files("ladder", LADDER, _every_tensor(results))
    files["parity.json"] = RECORDS.dump_json(list(results), indent=1)
    files["study.json"] = study.model_dump_json(indent=1).encode()
    return files


def _drawings(results: Sequence[ParityResult]) -> dict[str, Drawing]:
    return {
        f"{_stem(result)}.png": charts.drift(result).markup for result in _with_ladder(results) if _has_curves(result)
    }


def _stem(result: ParityResult) -> str:
    return f"plots/drift-{result.model}-seed{result.seed}"


def _has_curves(result: ParityResult) -> bool:
    return any(precision.self_curves for precision in result.precisions)


def _with_ladder(results: Sequence[ParityResult]) -> list[ParityResult]:
    """Return the results whose ladder is shown: the first seed of each network, and every one that differs."""
    first = {result.model: result for result in reversed(results)}
    return [result for result in results if first[result.model] is result or not result.passed]


LADDER = {
    "model": str, "seed": int, "dtype": str, "rung": str, "layer": str, "tensor": str, "implementation": str,
    "absolute": float, "relative": float, "ulps": float, "bound": float, "reason": str, "verdict": str,
}  # fmt: skip


def _every_tensor(results: Sequence[ParityResult]) -> list[dict[str, object]]:
    """Return every reading: a line for each tensor and implementation."""
    return [
        {
            "model": result.model,
            "seed": result.seed,
            "dtype": precision.dtype,
            "rung": reading.rung,
            "layer": reading.layer,
            "tensor": reading.tensor,
            "implementation": name,
            "absolute": distance.absolute,
            "relative": distance.relative,
            "ulps": distance.ulps,
            "bound": reading.bound.value,
            "reason": reading.bound.reason,
            "verdict": "beyond" if name in reading.beyond else "ok",
        }
        for result in results
        for precision in result.precisions
        for reading in precision.ladder.readings
        for name, distance in reading.distances.items()
    ]
