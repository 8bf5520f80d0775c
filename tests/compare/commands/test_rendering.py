"""Every kind of folder that the program writes is rendered again from its records, and compared with them."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import made_up
import pytest

from compare.bench import beside, scaling
from compare.bench import waterfall as speed
from compare.bench.inference import report as inference_report
from compare.bench.inference.record import RECORD
from compare.commands import entries
from compare.commands.rendering import KINDS, rendered
from compare.commands.verify import problems
from compare.folders.manifest import Manifest, describe, utc_now
from compare.folders.output import OutputFolder
from compare.parity import waterfall, waterfall_report
from compare.port import record as port_record
from compare.port import report as port_report
from compare.schema import schemas
from shared.errors import InputError

Made = tuple[str, bytes, dict[str, bytes]]  # the record's name and content, and its rendered files


def of_speed(manifest: Manifest) -> Made:
    done = made_up.speed_waterfall()
    return speed.RECORD, speed.RECORDS.dump_json(done, indent=1), speed.render(done, manifest)


def of_scaling(manifest: Manifest) -> Made:
    done = made_up.curves()
    return scaling.RECORD, scaling.RECORDS.dump_json(done, indent=1), scaling.render(done, manifest)


def of_beside(manifest: Manifest) -> Made:
    done = made_up.beside_result()
    return beside.RECORD, done.model_dump_json(indent=1).encode(), beside.render(done, manifest)


def of_recipes(manifest: Manifest) -> Made:
    done = made_up.recipes()
    return waterfall.RECORD, done.model_dump_json(indent=1).encode(), waterfall_report.render(done, manifest)


def of_port(manifest: Manifest) -> Made:
    done = made_up.port()
    return port_record.RECORD, done.model_dump_json(indent=1).encode(), port_report.render(done, manifest)


def of_inference(manifest: Manifest) -> Made:
    done = made_up.inference()
    return RECORD, done.model_dump_json().encode(), inference_report.render(done, manifest)


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
    assert entries.read(folder.path).rows  # used by `compare runs` and a report of several folders
    (folder.path / name).write_bytes(b"[]")
    with pytest.raises(InputError, match=r"is not a record that this version can read"):
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
