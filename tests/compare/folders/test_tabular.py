"""CSV and Parquet files contain the same lines."""

import io
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from compare.folders import tabular


@dataclass
class Line:
    name: str
    kind: Literal["a", "b"]
    count: int | None
    share: float | None


COLUMNS = tabular.columns_of(Line)
LINES = [
    {"name": 'one, "two"', "kind": "a", "count": 3, "share": 0.1 + 0.2},
    {"name": "ü", "kind": "b", "count": None, "share": None},
]


def test_annotations_say_the_types() -> None:
    assert {"name": str, "kind": str, "count": int, "share": float} == COLUMNS


def test_both_files_say_the_same_to_the_last_digit() -> None:
    files = tabular.files("lines", COLUMNS, LINES)
    assert sorted(files) == ["lines.csv", "lines.parquet"]
    from_csv = pd.read_csv(io.BytesIO(files["lines.csv"]))
    from_parquet = pd.read_parquet(io.BytesIO(files["lines.parquet"]))
    for frame in (from_csv, from_parquet):
        assert list(frame.columns) == list(COLUMNS)
        assert frame["share"][0] == 0.1 + 0.2
        assert frame["count"][0] == 3
        assert frame["name"].tolist() == ['one, "two"', "ü"]
        assert frame.loc[1, ["count", "share"]].isna().all()


def test_parquet_has_the_columns_types_even_where_nothing_was_measured() -> None:
    import pyarrow.parquet

    files = tabular.files("lines", COLUMNS, [{"name": "x", "kind": "a", "count": None, "share": None}])
    schema = pyarrow.parquet.read_schema(io.BytesIO(files["lines.parquet"]))
    assert [str(field.type) for field in schema] == ["string", "string", "int64", "double"]


def test_a_distance_beyond_what_a_float_holds_exactly() -> None:
    line = {"name": "x", "kind": "a", "count": 1, "share": 2**63 + 1}
    frame = pd.read_parquet(io.BytesIO(tabular.files("lines", COLUMNS, [line])["lines.parquet"]))
    assert frame["share"][0] == 2.0**63


def test_an_integer_beside_a_missing_one_stays_one() -> None:
    assert tabular.csv(COLUMNS, LINES).splitlines()[1].split(",")[-2] == "3"


def test_the_same_lines_give_the_same_bytes() -> None:
    assert tabular.files("x", COLUMNS, LINES) == tabular.files("x", COLUMNS, LINES)
