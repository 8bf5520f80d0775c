"""The JSON schemas of all written records: `python -m compare.schema docs/schema` writes them.

They are made from the records' own classes, and a test compares those in docs/schema with them.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from compare.analysis.seeds import Judging
from compare.bench import beside, scaling
from compare.bench import waterfall as speed
from compare.bench.inference.record import InferenceResult
from compare.bench.ported.record import PortTimes
from compare.bench.result import BenchResult
from compare.folders.manifest import Manifest
from compare.options import OPTIONS, tables
from compare.parity.report import RECORDS, ParityExtent
from compare.parity.waterfall import RecipeWaterfall
from compare.port.record import PortRecord
from compare.training.planned import Planned
from shared.result import RunResult

KINDS: Mapping[str, tuple[str, TypeAdapter[Any]]] = {
    "result": ("results/*.json: one training run", TypeAdapter(RunResult)),
    "plan": ("plan.json: what a study set out to do", TypeAdapter(Planned)),
    "judging": ("study.json of a run: by what it is judged", TypeAdapter(Judging)),
    "parity": ("parity.json: the comparisons of `compare parity`", RECORDS),
    "parity-study": ("study.json of a comparison: how far it went", TypeAdapter(ParityExtent)),
    "bench": ("bench.json: every timed window of `compare bench`", TypeAdapter(BenchResult)),
    "waterfall": ("waterfall.json: the stages of `compare parity --waterfall`", TypeAdapter(RecipeWaterfall)),
    "speed": ("speed.json: the benches of `compare bench --waterfall`", speed.RECORDS),
    "scaling": ("scaling.json: the benches of several batch sizes or threads", scaling.RECORDS),
    "port": ("port.json: what `compare port` found out about two models", TypeAdapter(PortRecord)),
    "port-times": ("times.json: every timed window of `compare port --bench`", TypeAdapter(PortTimes)),
    "beside": ("beside.json: the bench of `compare bench --beside`", TypeAdapter(beside.BesideResult)),
    "inference": ("inference.json: every timed call of `compare bench --inference`", TypeAdapter(InferenceResult)),
    "manifest": ("manifest.json: who wrote a folder, when, and the hash of every file", TypeAdapter(Manifest)),
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """Return the text of each schema, by its file's name."""
    options = {"$schema": DIALECT, "$comment": "The options of each command", "$defs": _options()}
    return {"options.schema.json": json.dumps(options, indent=1) + "\n"} | {
        f"{name}.schema.json": json.dumps({"$schema": DIALECT, "$comment": what, **_of(adapter)}, indent=1) + "\n"
        for name, (what, adapter) in KINDS.items()
    }


def _options() -> dict[str, object]:
    return {name: tables.schema(of) for name, of in OPTIONS.items()}


class _WithInfinity(GenerateJsonSchema):
    """A generator for JSON, which has no infinity: a number that may be infinite is written as a text."""

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        number = super().float_schema(schema)
        finite = schema.get("allow_inf_nan") is False
        return number if finite else {"anyOf": [number, {"enum": ["Infinity", "-Infinity", "NaN"]}]}


def _of(adapter: TypeAdapter[Any]) -> dict[str, object]:
    of_parity = adapter is RECORDS  # only these have infinite numbers
    generator = _WithInfinity if of_parity else GenerateJsonSchema
    return adapter.json_schema(mode="serialization", schema_generator=generator)


if __name__ == "__main__":
    for name, text in schemas().items():
        (Path(sys.argv[1]) / name).write_text(text)
