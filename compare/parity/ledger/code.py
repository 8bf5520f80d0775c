"""The code of a row: the forms from their implementation's source, completed to a script that can be pasted.

The source is read, never imported, because this process has no framework. Everything that a form uses from its file
(imports, helpers, constants) is included.
"""

import ast
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from compare.registry import IMPLEMENTATIONS
from shared.ledger import Half, LedgerRow

REGISTERS: dict[str, tuple[Half, ...]] = {"own": ("own",), "aligned": ("aligned",), "both": ("own", "aligned")}
FORMS = "forms"  # the file that registers the forms, and sets the defaults that they run under


@dataclass(frozen=True)
class Source:
    """One file: its definitions and its imports, by the names that they bind."""

    definitions: dict[str, str]
    uses: dict[str, frozenset[str]]
    imports: dict[str, str]
    siblings: dict[str, str]  # name -> the file of the same folder that defines it
    forms: dict[tuple[str, Half], str] = field(default_factory=dict)
    arguments: dict[str, tuple[str, ...]] = field(default_factory=dict)  # positional arguments, by function


def code(row: LedgerRow, implementation: str) -> str | None:
    """Return a script that runs both forms of a row in one implementation and prints the results; None if that
    implementation has no source for it."""
    sources = _sources(IMPLEMENTATIONS[implementation].module)
    found = [name for name, source in sources.items() if (row.name, "own") in source.forms]
    if not found:
        return None
    forms = list(dict.fromkeys(sources[found[0]].forms[row.name, half] for half in ("own", "aligned")))
    imports: dict[str, None] = {}
    definitions: dict[str, str] = {}
    _collect(sources, found[0], forms, definitions, imports)
    defaults = _defaults(sources, row.dtype, imports)
    inputs = row.input_code()
    called = [f"print({name}({_arguments(sources[found[0]].arguments[name], list(inputs))}))" for name in forms]
    if len(forms) == 2:
        called = [f"{call}  # {note}" for call, note in zip(called, ("own form", "aligned"), strict=True)]
    if any("np." in text for text in inputs.values()):
        imports["import numpy as np"] = None
    parts = [
        "\n".join(_joined(list(imports))),
        "\n".join(defaults),
        *(f"\n{definitions[name]}" for name in definitions),
        "\n" + "\n".join([*(f"{name} = {text}" for name, text in inputs.items()), *called]),
    ]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _arguments(by_position: Sequence[str], inputs: Sequence[str]) -> str:
    """Return the arguments of a call: a form may take some of its inputs as keywords."""
    placed = [name for name in by_position if name in inputs]
    return ", ".join([*placed, *(f"{name}={name}" for name in inputs if name not in placed)])


def _collect(
    sources: dict[str, Source], file: str, names: Sequence[str], definitions: dict[str, str], imports: dict[str, None]
) -> None:
    """Collect the definitions that `names` of a file need, helpers before their users."""
    source = sources[file]
    for name in names:
        if name in definitions:
            continue
        if name in source.definitions:
            _collect(sources, file, sorted(source.uses[name] - {name}), definitions, imports)
            definitions[name] = source.definitions[name]
        elif name in source.siblings:
            if source.siblings[name] != FORMS:
                _collect(sources, source.siblings[name], [name], definitions, imports)
        elif name in source.imports:
            imports[source.imports[name]] = None


def _defaults(sources: dict[str, Source], dtype: str, imports: dict[str, None]) -> list[str]:
    """Return the statements that make a float type the framework's default, from the implementation's forms.py."""
    forms = sources.get(FORMS)
    if forms is None or "DEFAULTS" not in forms.definitions:
        return []
    lines = ast.literal_eval(forms.definitions["DEFAULTS"].partition("=")[2].strip())
    for name, statement in forms.imports.items():
        if any(line.startswith(f"{name}.") for line in lines):
            imports[statement] = None
    return [line.replace("DTYPE", dtype) for line in lines]


@cache
def _sources(module: str) -> dict[str, Source]:
    """Return the files of an implementation's `ledger` package, by name, without importing it."""
    spec = importlib.util.find_spec(module.partition(".")[0])
    folders = [] if spec is None else spec.submodule_search_locations or []
    below = Path(*module.split(".")[1:], "ledger")
    return {
        path.stem: _read(path, f"{module}.ledger")
        for folder in folders
        for path in sorted((Path(folder) / below).glob("*.py"))
    }


def _read(path: Path, package: str) -> Source:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = Source({}, {}, {}, {})
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _read_import(node, package, found)
            continue
        if isinstance(node, ast.FunctionDef):
            found.arguments[node.name] = tuple(argument.arg for argument in node.args.args)
            for row, half in _registered(node):
                found.forms[row, half] = node.name
        for name in _bound(node):
            plain = "\n".join(_without_types(lines, node)[node.lineno - 1 : node.end_lineno])
            found.definitions[name] = plain
            found.uses[name] = frozenset(n.id for n in ast.walk(ast.parse(plain)) if isinstance(n, ast.Name))
    return found


def _read_import(node: ast.Import | ast.ImportFrom, package: str, found: Source) -> None:
    for alias in node.names:
        name, renamed = alias.asname or alias.name, f" as {alias.asname}" if alias.asname else ""
        if isinstance(node, ast.Import):
            found.imports[name.partition(".")[0]] = f"import {alias.name}{renamed}"
        elif (node.module or "").startswith(f"{package}."):
            found.siblings[name] = str(node.module).removeprefix(f"{package}.")
        else:
            found.imports[name] = f"from {node.module} import {alias.name}{renamed}"


def _registered(node: ast.FunctionDef) -> Iterator[tuple[str, Half]]:
    """Yield the rows and forms that a function's decorators name."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name):
            for half in REGISTERS.get(decorator.func.id, ()):
                for argument in decorator.args:
                    yield ast.literal_eval(argument), half


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _without_types(lines: list[str], node: ast.stmt) -> list[str]:
    """Return the lines of `node` without the type annotations of its arguments and its result."""
    if not isinstance(node, ast.FunctionDef):
        return lines
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    plain = list(lines)
    cuts = []
    if node.returns is not None:
        row = node.returns.lineno - 1
        cuts.append((row, lines[row].rindex(" ->", 0, node.returns.col_offset), node.returns.end_col_offset))
    for argument in arguments:
        if argument is not None and argument.annotation is not None:
            end = argument.annotation.end_col_offset
            cuts.append((argument.lineno - 1, argument.col_offset + len(argument.arg), end))
    for row, start, end in sorted(cuts, reverse=True):  # from the end, to keep the positions of earlier text
        plain[row] = plain[row][:start] + plain[row][end:]
    return plain


def _joined(imports: Sequence[str]) -> list[str]:
    """Return import statements in order, with those from one module on one line."""
    plain = sorted(statement for statement in imports if statement.startswith("import "))
    names: dict[str, list[str]] = {}
    for statement in sorted(imports):
        if statement.startswith("from "):
            module, _, name = statement.removeprefix("from ").partition(" import ")
            names.setdefault(module, []).append(name)
    return [*plain, *(f"from {module} import {', '.join(found)}" for module, found in names.items())]
