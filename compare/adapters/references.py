"""References to models: `FILE.py:NAME`, `package.module:NAME`, a call of one with literals, or a saved model's path."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.storage import files

SAVED = (".keras", ".onnx", ".pt2")
FORMS = "FILE.py:NAME, package.module:NAME, NAME(...) with plain values, or a .keras, .onnx, .pt2 file or a SavedModel"


class BadReference(ValueError):
    """A text that cannot be a reference; the message says what it should be."""


@dataclass(frozen=True)
class Reference:
    """The place of a model: the `path` of a saved model, or a Python file or module. Also the `name` in it, and the
    arguments of the call, if it is one."""

    text: str
    path: Path | None = None
    module: str = ""
    name: str = ""
    called: bool = False
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


def parse(text: str) -> Reference:
    """Return the reference that `text` describes. Raises BadReference; nothing is imported."""
    if not text.strip():
        raise BadReference(f"An empty reference names no model: give {FORMS}.")
    path = Path(text)
    if "(" not in text and path.suffix.lower() in (
        *SAVED,
        ".pt",
        ".pth",
        ".h5",
        ".hdf5",
        ".pb",
        ".ckpt",
        ".safetensors",
    ):
        return Reference(text, path=_saved(text, path))
    if "(" not in text and _is_folder(path):
        if not (path / "saved_model.pb").is_file():
            raise BadReference(f"{text} is a folder, and no SavedModel (it has no saved_model.pb). Give {FORMS}.")
        for part in (path, path / "variables"):
            for file in sorted(part.iterdir() if part.is_dir() else ()):
                if not file.is_dir():
                    _check_opens(file)
        return Reference(text, path=path)
    match = re.fullmatch(r"(?P<where>[^()]+?):(?P<what>[A-Za-z_][\w.]*)\s*(?P<call>\(.*\))?", text.strip(), re.DOTALL)
    if match is None:
        raise BadReference(f"{text} names no model: give {FORMS}.")
    where = match["where"].strip()
    if where.endswith(".py"):
        if not Path(where).is_file():
            raise BadReference(f"{where} is not there. Give {FORMS}.")
        _check_opens(Path(where))
    elif not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", where):
        raise BadReference(f"{where} is neither a file ending in .py nor a module's name. Give {FORMS}.")
    args, kwargs = _arguments(text, match["call"])
    return Reference(text, None, where, match["what"], match["call"] is not None, args, kwargs)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # its name is too long for a path
        return False


def _saved(text: str, path: Path) -> Path:
    suffix = path.suffix.lower()
    if suffix in (".pt", ".pth", ".ckpt", ".safetensors"):
        raise BadReference(
            f"{text} holds weights, not a model: it says nothing of how they are used. Write a function that builds "
            "the module and loads them, and give it as FILE.py:NAME."
        )
    if suffix in (".h5", ".hdf5"):
        raise BadReference(
            f"{text} is in Keras's old format. Load it and save it again as .keras, or give a function that loads it, "
            "as FILE.py:NAME."
        )
    if suffix == ".pb":
        raise BadReference(f"Give the folder that {text} is in, which is the SavedModel.")
    if not path.is_file():
        raise BadReference(f"{text} does not exist, or is not a file.")
    _check_opens(path)
    return path


def _check_opens(path: Path) -> None:
    """Raise BadReference if `path` cannot be read, or reading it might never end, as with a pipe."""
    try:
        files.opened(path).close()
    except OSError as error:
        raise BadReference(f"{path} cannot be read: {error.strerror}.") from None


def _arguments(text: str, call: str | None) -> tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]:
    if call is None:
        return (), ()
    try:
        found = ast.parse(f"f{call}", mode="eval").body
        if not isinstance(found, ast.Call) or not isinstance(found.func, ast.Name):  # such as (1)+(2) and (1)(2)
            raise ValueError("it is not a call")
        args = tuple(ast.literal_eval(arg) for arg in found.args)
        kwargs = tuple((str(word.arg), ast.literal_eval(word.value)) for word in found.keywords if word.arg)
        if len(kwargs) != len(found.keywords):
            raise ValueError("** is not a plain value")
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError):
        raise BadReference(
            f"The arguments in {text} must be plain values (numbers, texts in quotes, True, None, lists), as in "
            '"models:build(weights=None)". Write a function for anything else.'
        ) from None
    return args, kwargs
