"""Turn the declarations into JSON schemas, and into the tables of the documentation."""

from pathlib import Path
from typing import Any

from compare.options.base import Options
from compare.options.option import GROUPS, Option, declared

TYPES: dict[type, str] = {int: "integer", float: "number", bool: "boolean", str: "string", Path: "string"}
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def schema(of: type[Options]) -> dict[str, Any]:
    """Return the JSON schema of a command's options, by the names of their fields."""
    known = declared(of)
    return {
        "type": "object",
        "description": of.summary,
        "properties": {name: _schema(one) for name, one in known.items()},
        "required": [name for name, one in known.items() if one.required],
        "additionalProperties": False,
    }


def _schema(one: Option) -> dict[str, Any]:
    value: dict[str, Any] = {"type": TYPES[one.kind]}
    value |= {key: bound for name, key in BOUNDS.items() if (bound := getattr(one, name)) is not None}
    if one.choices:
        value["enum"] = list(one.choices)
    if one.word:
        value = {"anyOf": [value, {"const": one.word}]}
    if one.values > 1:
        value = {"type": "array", "items": value, "minItems": one.values, "maxItems": one.values}
    elif one.several:
        value = {"type": "array", "items": value, "minItems": 1, "uniqueItems": True}
    if one.required:
        return {"description": one.help, **value}
    if one.default is None:
        value = {"anyOf": [value, {"type": "null"}]}
    default = list(one.default) if one.several and one.default else one.default
    return {"description": one.help, **value, "default": default}


def markdown(of: type[Options]) -> str:
    """Return a table of a command's options, group by group."""
    lines = ["| option | what it does | default |", "| --- | --- | --- |"]
    known = declared(of).values()
    for group in GROUPS:
        rows = [_row(one) for one in known if one.group == group and not one.argument]
        lines += [f"| **{group}** | | |", *rows] if rows else []
    return "\n".join(lines) + "\n"


def _row(one: Option) -> str:
    called = f"{one.title} {one.value_in_words}".strip().replace("|", "\\|")
    names = f"`{called}`" + (f", `{one.short}`" if one.short else "")
    default = "" if one.required or not one.default_in_words else f"`{one.default_in_words}`"
    if one.left_out and " " in one.left_out:
        default = one.left_out.replace("<", "&lt;")
    return f"| {names} | {f'{one.help} {one.note}'.strip()} | {default} |"
