"""Tables as files: the same lines as CSV, for people and spreadsheets, and as Parquet, with their types."""

import io
from collections.abc import Mapping, Sequence
from csv import writer
from typing import Any, Literal, get_args, get_origin, get_type_hints

Columns = Mapping[str, type]  # in order; int, float or str


def columns_of(record: type) -> dict[str, type]:
    """Return the columns for a class's fields, by their annotations: `int | None` gives an int that may be missing."""
    return {name: _plain(hint) for name, hint in get_type_hints(record).items()}


def files(stem: str, columns: Columns, lines: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return `stem`.csv and `stem`.parquet with a line for each of `lines`; None is missing in both."""
    return {f"{stem}.csv": csv(columns, lines).encode(), f"{stem}.parquet": _parquet(columns, lines)}


def csv(columns: Columns, lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines as CSV; None and NaN become empty cells."""
    stream = io.StringIO()
    table = writer(stream, lineterminator="\n")
    table.writerow(columns)
    table.writerows([None if line[name] != line[name] else line[name] for name in columns] for line in lines)
    return stream.getvalue()


def _parquet(columns: Columns, lines: Sequence[Mapping[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    # Arrow refuses to turn an integer into a float if it must round, such as a distance in ulps across 0.
    made = {
        name: [None if line[name] is None else kind(line[name]) for line in lines] for name, kind in columns.items()
    }
    stream = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pydict(made, schema), stream)
    return stream.getvalue()


def _plain(hint: Any) -> type:
    """Return int, float or str for a type that may include None, or for one of several texts."""
    if get_origin(hint) is Literal:
        return str
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return _plain(kinds[0]) if kinds else hint
