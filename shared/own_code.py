"""The code of a network of the user's own: the files of its folder, and a worker's imports of them.

The parent process only reads and hashes files. `builder` imports one of them, in a worker alone.
"""

import hashlib
import importlib.util
import inspect
import os
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shared.description import CONTRACT
from shared.errors import InputError
from shared.models import Code, ModelSpec
from shared.storage import files

NAMES = ("Network", "network")
MOST_FILES, MAX_BYTES = 100, 1 << 20
MOST_ENTRIES = 100_000  # of any kind: limits the search in a folder that is no network's, such as the user's home
_PACKAGE = "own_network"


class CodeError(Exception):
    """The user's code cannot be used, for a known reason. The message is a clause without its subject."""


def read(folder: Path) -> Code:
    """Return the code in `folder`: every `*.py` at any depth, and the contract. Raise InputError if they are too many
    or too large, or cannot be read."""
    return Code(str(folder.resolve()), tuple((name, _sha256(content)) for name, content in contents(folder).items()))


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file of the code, by its name. Raise InputError, as `read` does."""
    advice = "Keep the code of one network in the folder, and nothing else."
    paths = _paths(folder, advice)
    return {path.relative_to(folder).as_posix(): files.read(path, MAX_BYTES, advice) for path in paths}


def _paths(folder: Path, advice: str) -> list[Path]:
    """Return the paths of the code, sorted, the contract last. Raise InputError if there are too many files; the
    message ends with `advice`. Also raise it if a link leads out of the folder: files there could change unnoticed, or
    be private."""
    root, found, n_seen = folder.resolve(), list[Path](), 0
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not _hidden(name))
        code = [name for name in names if name.endswith(".py") and not _hidden(name)]
        found += [Path(place, name) for name in code]
        n_seen += len(inner) + len(names)
        if len(found) > MOST_FILES or n_seen > MOST_ENTRIES:
            raise InputError(
                f"{folder} holds more than {MOST_FILES} files of code, or {MOST_ENTRIES:,} files in all. {advice}"
            )
        for path in (Path(place, name) for name in inner):
            _check_within(path, root)
    found = [*sorted(found), *([folder / CONTRACT] if os.path.lexists(folder / CONTRACT) else [])]
    for path in found:
        _check_within(path, root)
    return found


def _check_within(path: Path, root: Path) -> None:
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
        raise InputError(
            f"{path} is a symbolic link that leads out of the folder, and is not followed. Put a copy in its place."
        )


def changed(code: Code) -> list[str]:
    """Return the names of the files that differ from `code`: altered, missing or new. Raise InputError if the folder
    cannot be read."""
    there = dict(read(Path(code.folder)).files)
    known = dict(code.files)
    return [name for name in sorted(there.keys() | known.keys()) if there.get(name) != known.get(name)]


def builder(code: Code, file: str) -> Callable[..., Any]:
    """Return the class `Network` or the function `network` of a file of the folder, imported here, in the worker.

    Modules next to it are imported as parts of one package: `from .blocks import Block`. A worker imports them once:
    all networks of a command use the same code. Raise CodeError if the folder changed since the command began, or the
    file has no such name; errors of the file itself pass through.
    """
    name = f"{_PACKAGE}.{Path(file).stem}"
    package = sys.modules.get(_PACKAGE)
    if package is None or package.__path__ != [code.folder]:
        for known in [known for known in sys.modules if known.partition(".")[0] == _PACKAGE]:
            del sys.modules[known]
        package = sys.modules[_PACKAGE] = types.ModuleType(_PACKAGE)
        package.__path__ = [code.folder]
    if name not in sys.modules and (other := changed(code)):
        raise CodeError(f"{', '.join(other)} changed after the command began. Start the command again.")
    module = sys.modules[name] if name in sys.modules else _imported(name, Path(code.folder) / file)
    there = [name for name in NAMES if callable(getattr(module, name, None))]
    if len(there) != 1:
        raise CodeError(f"{file} needs either a class `Network` or a function `network`, and has {_both(there)}.")
    found: Callable[..., Any] = getattr(module, there[0])
    return found


def chosen(spec: ModelSpec, file: str, known: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Return the function or class that builds the network: from the user's own file, or from `known` by name."""
    return known[spec.name] if spec.code is None else builder(spec.code, file)


def accepted(build: Callable[..., Any], offered: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the `offered` arguments that `build` has a parameter for."""
    parameters = inspect.signature(build).parameters
    return {name: value for name, value in offered.items() if name in parameters}


def dropout_of(build: Callable[..., Any], n_dropping: int) -> float | None:
    """Return the default of `build`'s argument `dropout`; None if there is no dropout.

    Raise CodeError if the network has `n_dropping` layers of dropout and no such argument: parity sets its rate to 0.
    """
    parameter = inspect.signature(build).parameters.get("dropout")
    if parameter is None:
        if n_dropping:
            raise CodeError("it has dropout, but takes no argument for its rate. Add `dropout: float = 0.5`.")
        return None
    if not isinstance(parameter.default, float | int) or not 0 <= parameter.default < 1:
        raise CodeError("its argument `dropout` needs a default from 0 to below 1, as in `dropout: float = 0.5`.")
    return float(parameter.default)


def needs_argument(call: Callable[..., Any], *names: str) -> None:
    """Raise CodeError unless `call` takes the arguments `names`."""
    parameters = inspect.signature(call).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return
    if missing := [name for name in names if name not in parameters]:
        raise CodeError(
            f"its `{getattr(call, '__name__', 'call')}` takes no `{missing[0]}`. `python -m compare models cnn_same "
            "--source` shows the form."
        )


def _imported(name: str, path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, f"{path} is no name of a Python file"
    assert spec.loader is not None, f"{path} is no name of a Python file"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the folder is the user's
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = kept
    return module


def _both(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names) or "neither"


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
