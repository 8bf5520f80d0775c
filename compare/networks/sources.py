"""The code of networks as text: shown, described in a line, and copied. Nothing of it is imported or executed here."""

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from compare import own_packages
from compare.registry import IMPLEMENTATIONS
from shared import contract, own_code
from shared.description import CONTRACT
from shared.errors import InputError
from shared.models import ModelSpec

MODULE = "models.py"  # of a package of this repository: a dictionary MODELS of its classes or functions
COUNTS = re.compile(r":\s+[\d,]+\s+parameters(?:,\s+of\s+them\s+[\d,]+\s+trainable)?\.")
HEAD = '''"""A network of your own, begun as {name}. `{kind}` builds it.

After a change: python -m compare contract {folder}
"""
'''


def of(spec: ModelSpec) -> dict[str, str]:
    """Return the code of a network in each implementation that has it, by the implementation's name. Raise InputError
    if the folder of a network of the user's own cannot be read."""
    having = {name: one for name, one in IMPLEMENTATIONS.items() if one.own_file and one.has(spec)}
    if spec.code is not None:
        contents = own_code.contents(Path(spec.code.folder))
        return {name: contents[one.own_file].decode(errors="replace") for name, one in having.items()}
    found = {name: _part(one.package, spec.name) for name, one in having.items()}
    return {name: source for name, (source, _) in found.items() if source}


def description(code: Mapping[str, str]) -> str:
    """Return the first line or sentence of the first docstring in `code`; "" if there is none."""
    for text in code.values():
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError):  # it is the user's own, and a worker will report it
            continue
        own = [one for one in body if isinstance(one, ast.ClassDef | ast.FunctionDef)]
        named = [one for one in own if one.name in own_code.NAMES] or own
        if said := next((said for one in named if (said := ast.get_docstring(one))), None):
            return " ".join(said.split("\n\n")[0].split()).partition(": ")[0].rstrip(".")
    return ""


def scaffold(spec: ModelSpec, folder: Path) -> dict[str, bytes]:
    """Return the files, by name, of a folder with a copy of the network `spec`."""
    if spec.code is not None:
        contents = own_code.contents(Path(spec.code.folder))
        return {**contents, CONTRACT: contract.write(replace(spec, code=None))}
    files = {CONTRACT: contract.write(spec)}
    for one in IMPLEMENTATIONS.values():
        if one.own_file and one.has(spec):
            source, imports = _part(one.package, spec.name)
            if source:
                kind = "class Network" if source.startswith("class") else "function network"
                head = HEAD.format(name=spec.name, kind=kind, folder=folder)
                source = COUNTS.sub(".", source, count=1)  # the counts soon become outdated
                files[one.own_file] = f"{head}\n{imports}\n\n{source}\n".encode()
    if len(files) == 1:
        raise InputError(f"No implementation shows the code of {spec.name}. Give another architecture.")
    return files


def _part(package: str, name: str) -> tuple[str, str]:
    """Return the code of one network from a package's module, with the necessary imports; "" if the module does not
    have it. The network gets the name that networks have in a folder."""
    path = own_packages.HOME / package / MODULE
    if not path.is_file():
        return "", ""
    text = path.read_text()
    body = ast.parse(text).body
    called = _called(body, name)
    part = next((one for one in body if isinstance(one, ast.ClassDef | ast.FunctionDef) and one.name == called), None)
    if part is None:
        return "", ""
    lines = text.splitlines()[part.lineno - 1 : part.end_lineno]
    own = "Network" if isinstance(part, ast.ClassDef) else "network"
    lines[0] = lines[0].replace(part.name, own, 1)
    used = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
    return "\n".join(lines), _imports(body, used, f"{package}.{path.stem}")


def _called(body: list[ast.stmt], name: str) -> str:
    """Return the name of the class or function that the dictionary MODELS has for `name`."""
    for one in body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.value, ast.Dict):
            for key, value in zip(one.value.keys, one.value.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == name and isinstance(value, ast.Name):
                    return value.id
    return ""


def _imports(body: list[ast.stmt], used: set[str], module: str) -> str:
    """Return the imports of the names in `used`, both the module's imports and those from the module itself. The
    framework's come first."""
    frameworks: list[str] = []
    own: list[str] = []
    there: set[str] = set()
    for one in body:
        if isinstance(one, ast.Import):
            names = [alias for alias in one.names if (alias.asname or alias.name.partition(".")[0]) in used]
            frameworks += [ast.unparse(ast.Import([alias])) for alias in names]
        elif isinstance(one, ast.ImportFrom):
            names = [alias for alias in one.names if (alias.asname or alias.name) in used]
            if names:
                ours = (one.module or "").partition(".")[0] == module.partition(".")[0]
                (own if ours else frameworks).append(ast.unparse(ast.ImportFrom(one.module, names, 0)))
        elif isinstance(one, ast.FunctionDef) and one.name in used:
            there.add(one.name)
        elif isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id in used:
            there.add(one.targets[0].id)
    if there:
        own.append(f"from {module} import {', '.join(sorted(there))}")
    return "\n".join([*frameworks, *([""] if own else []), *own, ""])
