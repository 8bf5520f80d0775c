"""Architectures by name or by folder: those of this repository, and networks of the user's own.

A folder's files are read, hashed and checked here, in the parent process. Its code only runs in workers, and only if
the user has named the folder on a command line of this machine. A run folder only records where code is, and may come
from a stranger.
"""

import contextlib
import os
import re
import shlex
from dataclasses import replace
from pathlib import Path

from shared import contract, own_code
from shared.description import CONTRACT
from shared.errors import InputError, check_name
from shared.models import MODELS, Code, ModelSpec
from shared.result import Run, RunResult
from shared.storage import files

COPY = "network"  # the folder for a copy of the code, as data, in a run's folder
MAX_KNOWN_BYTES = 1 << 20


def named(text: str, *others: str) -> ModelSpec:
    """Return the contract of the architecture that `text` names, or that is in the folder `text`. Raise InputError;
    `others` are further valid names."""
    if text not in MODELS and is_folder(text):
        return own(Path(text))
    return MODELS[text] if text in MODELS else _unknown(text, others)


def is_folder(text: str) -> bool:
    """Return whether `text` is meant as a folder."""
    return os.sep in text or text in (".", "..") or Path(text).is_dir()


def own(folder: Path) -> ModelSpec:
    """Return the contract in a folder of the user's own, with its code. Raise InputError. Commands may run the code
    from now on, because the user named the folder."""
    name, path = name_of(folder), folder / CONTRACT
    if not path.exists():
        raise InputError(f"{path} is not there. Write it from the network: python -m compare contract {folder}")
    code = own_code.read(folder)
    content = files.read(path, contract.MAX_BYTES, f"Write it again: python -m compare contract {folder}")
    try:
        spec = contract.read(content, name)
    except ValueError as error:
        raise InputError(
            f"{path} cannot be used: {error}. Write it again: python -m compare contract {folder}"
        ) from None
    remember(code)
    return replace(spec, code=code)


def name_of(folder: Path) -> str:
    """Return the name of the network in a folder. Raise InputError if the folder cannot contain one."""
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {folder}. Give the folder of a network; 'python -m compare models cnn_same --scaffold "
            f"{folder}' creates one."
        )
    return _fitting(folder)


def check_new(folder: Path) -> None:
    """Raise InputError unless `folder` can be created for a network: it does not exist, or is empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not empty, and nothing is overwritten. Give a new folder.")
    _fitting(folder)


def _fitting(folder: Path) -> str:
    name = folder.resolve().name
    if not re.fullmatch(contract.NAME, name):
        raise InputError(
            f"The folder {folder} names its network, and {name!r} is not a valid name. Use letters, digits, _ and -."
        )
    if name in MODELS:
        raise InputError(f"The folder {folder} has the name of an architecture of this package. Give it another name.")
    return name


def remember(code: Code) -> None:
    """Record that the user named a folder with this code."""
    if code.digest not in _known():
        with contextlib.suppress(OSError):  # then the folder has to be named on each command line
            _memory().parent.mkdir(parents=True, exist_ok=True)
            with _memory().open("a") as stream:
                stream.write(f"{code.digest}\n")


def at_hand(spec: ModelSpec, folder: str | None) -> ModelSpec:
    """Return the contract from a record with code that can run: that of `folder`, from --model, or of the record's
    folder. Raise InputError if it is not the record's code, or if the user never named it."""
    if spec.code is None:
        if folder is not None:
            raise InputError(f"--model {folder}: the run's network, {spec.name}, is built in. Leave it out.")
        return spec
    code = spec.code if folder is None else own(Path(folder)).code
    assert code is not None, "own() gives code"
    where = f"The run is of a network of your own, {spec.name}, in {spec.code.folder}"
    if not Path(code.folder).is_dir():
        raise InputError(
            f"{where}, and that folder is not there. Say where it is with --model DIR. A copy of its files is in "
            f"{COPY}/ of the run's folder: read it, and copy it to a folder called {spec.name}."
        )
    if folder is None and code.digest not in _known():
        raise InputError(
            f"{where}. This command would run its code, and you never named that folder on this machine. Read the "
            f"files, and then add --model {shlex.quote(spec.code.folder)}"
        )
    known, there = dict(spec.code.files), dict(own_code.read(Path(code.folder)).files)
    if wrong := [name for name in sorted(known.keys() | there.keys()) if known.get(name) != there.get(name)]:
        raise InputError(
            f"{where}. {', '.join(wrong)} of {code.folder} changed since the run began. The files as they were are in "
            f"{COPY}/ of the run's folder: put them back, or begin another run."
        )
    return replace(spec, code=code)


def results_at_hand(results: list[RunResult], folder: str | None) -> list[RunResult]:
    """Return the results with networks that can be built, as `at_hand` does. Raise InputError."""
    if not results:
        return results
    network = at_hand(results[0].run.spec, folder)
    if network.code is None:
        return results
    return [result.model_copy(update={"run": _with(result.run, network)}) for result in results]


def copies(spec: ModelSpec) -> dict[str, bytes]:
    """Return the files of the code by their names in a run's folder, where they are data. Raise InputError."""
    if spec.code is None:
        return {}
    return {f"{COPY}/{name}": content for name, content in own_code.contents(Path(spec.code.folder)).items()}


def _with(run: Run, network: ModelSpec) -> Run:
    return run.model_copy(update={"network": network})


def _unknown(text: str, others: tuple[str, ...]) -> ModelSpec:
    check_name("architecture", text, [*others, *MODELS, "FOLDER/ of your own"])
    raise AssertionError("check_name refuses what is not known")


def _known() -> set[str]:
    try:
        with _memory().open("rb") as stream:
            return set(stream.read(MAX_KNOWN_BYTES).decode(errors="replace").split())
    except OSError:
        return set()


def _memory() -> Path:
    import pooch

    return Path(pooch.os_cache("compare")) / "own-networks-1.txt"
