"""Every kind of folder that the program writes is made again from its records, and held to them."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from simulation import simulated_bench

from compare.bench import beside, scaling
from compare.bench import waterfall as speed
from compare.bench.inference import report as inference_report
from compare.bench.inference.record import (
    RECORD,
    CallWindow,
    InferenceLaunch,
    InferenceResult,
    MeasuredServer,
    Served,
    Unavailable,
)
from compare.bench.waterfall import SpeedStage, SpeedWaterfall
from compare.commands import entries
from compare.commands.rendering import KINDS, rendered
from compare.commands.verify import problems
from compare.folders.manifest import Manifest, describe, utc_now
from compare.folders.output import OutputFolder
from compare.parity import waterfall, waterfall_report
from compare.parity.waterfall import RecipeStage, RecipeWaterfall, TrainingCurve, stages
from compare.port import record as port_record
from compare.port import report as port_report
from compare.registry.candidates import Candidate
from compare.schema import schemas
from shared.errors import InputError

Made = tuple[str, bytes, dict[str, bytes]]  # the record's name and content, and what is made of it


def of_speed(manifest: Manifest) -> Made:
    result = simulated_bench()
    factors = [contestant.name for contestant in result.contestants]
    before = [None, *factors]
    listed = tuple(SpeedStage(Candidate(factor, "eager"), last) for factor, last in zip(factors, before, strict=False))
    done = [SpeedWaterfall(result=result, stages=listed)]
    return speed.RECORD, speed.RECORDS.dump_json(done, indent=1), speed.render(done, manifest)


def of_scaling(manifest: Manifest) -> Made:
    done = [simulated_bench()]
    return scaling.RECORD, scaling.RECORDS.dump_json(done, indent=1), scaling.render(done, manifest)


def of_beside(manifest: Manifest) -> Made:
    done = beside.BesideResult(levels=(0, 1), result=simulated_bench())
    return beside.RECORD, done.model_dump_json(indent=1).encode(), beside.render(done, manifest)


def of_recipes(manifest: Manifest) -> Made:
    random = np.random.default_rng(0)

    def curve() -> TrainingCurve:
        return TrainingCurve(tuple(random.uniform(0, 1, 4).tolist()), float(random.uniform(0.8, 1)))

    runs = [tuple({"torch": curve(), "keras": curve()} for _ in range(2)) for _ in stages()]
    listed = tuple(RecipeStage(matched, each) for (matched, _), each in zip(stages(), runs, strict=True))
    done = RecipeWaterfall(model="dense_baseline", steps=4, stages=listed)
    return waterfall.RECORD, done.model_dump_json(indent=1).encode(), waterfall_report.render(done, manifest)


def of_port(manifest: Manifest) -> Made:
    models = [
        port_record.Model(reference=f"{side}.py:Net", framework=framework, version="2", name="Net|<b>")
        for side, framework in (("left", "torch"), ("right", "keras"))
    ]
    pair = {"left": "conv1", "right": "conv", "kind": "Conv", "training_distance": None, "bound": 1e-12}
    pairs = [
        port_record.FoundPair(**pair, distance=distance, within=within)
        for distance, within in ((0.0, True), (1e-5, False), (None, False))
    ]
    cause = port_record.FoundCause(
        cause="padding.side",
        pairs=(("conv1", "conv"), (None, "pad")),
        left="(1,1)",
        right="(0,1)",
        fix={"left": "padding=1", "right": "ZeroPadding2D(1)"},
        before=0.1,
        after=None,
        training=False,
    )
    layers = tuple(
        port_record.Layer(name=name, kind="Conv", layer="", inputs=inputs)
        for name, inputs in (("x", ()), ("conv1", ("x",)), ("conv", ("x", "conv1")))
    )
    done = port_record.PortRecord(
        left=models[0],
        right=models[1],
        verdict="different",
        precision="float64",
        output_distance=0.1,
        training_distance=None,
        float32_distance=None,
        float32_bound=None,
        bound=1e-12,
        left_over=None,
        first=pairs[1],
        causes=(cause,),
        harmless=(port_record.Harmless(cause="padding.mode", pair=("conv1", "conv"), left="none", right="0"),),
        unexplained=(port_record.Unexplained(left="a", right="b", distance=None),),
        unmatched={"left": ("x",), "right": ()},
        pairs=tuple(pairs),
        layers={"left": layers, "right": layers},
        weights="left",
        n_pairs=3,
        n_weights=2,
        n_varied=1,
        rounded={"left": (), "right": ("gelu",)},
        untrained="no training mode",
    )
    return port_record.RECORD, done.model_dump_json(indent=1).encode(), port_report.render(done, manifest)


def of_inference(manifest: Manifest) -> Made:
    window = CallWindow(
        batch_size=1,
        round=0,
        position=0,
        elapsed_s=2e-3,
        own_s=1e-3,
        foreign_s=0.0,
        n_preempted=0,
        call_us=(990.0, 1010.0),
    )
    measured = MeasuredServer(start_s=1.0, warm=True, distance=0.0, windows=(window,), peak_rss_bytes=1 << 20)
    way = Served(
        name="torch-eager",
        implementation="torch",
        form="eager",
        threads=1,
        waiting="passive",
        variables={},
        files_bytes=1,
    )
    result = InferenceResult(
        model="cnn_same",
        dataset="digits",
        data_digest="0" * 64,
        seed=0,
        batch_sizes=(1,),
        served=(way,),
        unavailable=(Unavailable(name="torch-xla", implementation="torch", form="xla", why="it has none"),),
        libraries={"torch-eager": 1},
        baseline="torch-eager",
        bound=1e-4,
        precision=0.03,
        budget_s=1.0,
        took_s=1.0,
        ending="budget",
        environments={},
        launches=(InferenceLaunch(number=0, started_s=0.0, measured={"torch-eager": measured}, failed={}),),
    )
    return RECORD, result.model_dump_json().encode(), inference_report.render(result, manifest)


FOLDERS = {
    "speed": of_speed,
    "scaling": of_scaling,
    "beside": of_beside,
    "waterfall": of_recipes,
    "port": of_port,
    "inference": of_inference,
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_such_a_folder_is_held_to_its_records(kind: str, tmp_path: Path) -> None:
    make: Callable[[Manifest], Made] = FOLDERS[kind]
    manifest = describe("python -m compare", utc_now())
    name, record, files = make(manifest)
    folder = OutputFolder(tmp_path / "out")
    folder.write(name, record)
    folder.write_all(files, manifest)
    assert problems(folder.path) == []
    assert rendered(folder.path)["report.md"] == files["report.md"]
    jsonschema.validate(json.loads(record), json.loads(schemas()[f"{kind}.schema.json"]))
    assert entries.read(folder.path).rows  # what `compare runs` and a report of several folders have of it
    (folder.path / name).write_bytes(b"[]")
    with pytest.raises(InputError, match=r"is no record that this version can read"):
        rendered(folder.path)


def test_no_kind_is_forgotten() -> None:
    records = {"results", "bench.json", "parity.json", *(make(describe("", utc_now()))[0] for make in FOLDERS.values())}
    assert set(KINDS) == records == set(entries.KINDS)


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_kind_has_its_row_and_verdict_among_runs(kind: str, tmp_path: Path) -> None:
    manifest = describe("python -m compare", utc_now())
    name, record, files = FOLDERS[kind](manifest)
    folder = OutputFolder(tmp_path / "out")
    folder.write(name, record)
    folder.write_all(files, manifest)
    found = entries.read(folder.path)
    assert found.verdict.endswith(".")
    assert found.about
    assert all(row.name for row in found.rows)
