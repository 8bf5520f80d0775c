"""The schemas in docs/schema equal those of the records, and written files conform to them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import results

from compare.folders.manifest import MANIFEST
from compare.schema import KINDS, schemas

DOCS = Path(__file__).parents[2] / "docs" / "schema"


def schema(kind: str) -> Any:
    return json.loads((DOCS / f"{kind}.schema.json").read_text())


def test_the_schemas_in_the_documentation_are_those_of_the_records() -> None:
    """If this fails, run: python -m compare.schema docs/schema"""
    there = {path.name: path.read_text() for path in DOCS.glob("*.schema.json")}
    assert there == schemas()


@pytest.mark.parametrize("kind", [*KINDS, "options"])
def test_each_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(kind))


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("result", "results/*.json"), ("judging", "study.json"), ("plan", "plan.json"), ("manifest", MANIFEST)],
)
def test_what_a_run_writes_meets_its_schema(kind: str, pattern: str, run_folder: Path) -> None:
    paths = list(run_folder.glob(pattern))
    assert paths
    for path in paths:
        record = json.loads(path.read_text())
        jsonschema.validate(record, schema(kind))
        with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
            jsonschema.validate(record | {"unheard_of": 1}, schema(kind))


def test_a_failed_run_meets_the_schema_too() -> None:
    jsonschema.validate(json.loads(results.failure("asked to").model_dump_json()), schema("result"))


def test_a_comparison_with_an_infinite_distance_meets_its_schema() -> None:
    distance = {"absolute": "Infinity", "relative": "Infinity", "ulps": None}
    definition = schema("parity")["$defs"]["Distance"] | {"$defs": schema("parity")["$defs"]}
    jsonschema.validate(distance, definition)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(distance | {"absolute": "far"}, definition)
