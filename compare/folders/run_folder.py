"""Read an output folder: its records and its weights, which may come from anywhere."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from compare.folders.manifest import MANIFEST, Manifest
from compare.registry import implementation
from shared.data import Data, load
from shared.errors import InputError, check_name
from shared.models import MODELS
from shared.result import SCHEMA_VERSION, RunResult
from shared.storage import files, inside
from shared.weights import Weights, check_weights, from_safetensors

MOST_SAID = 300  # characters of a field and its error, which may have any length
MAX_RECORD_BYTES = 16 << 20  # a run of 300,000 steps has 12 million
MAX_LIST_BYTES = 256 << 20  # for lists of every run or file of a study: of 100,000 runs, 60 million
MAX_BYTES_A_PARAMETER, MAX_HEADER_BYTES = 8, 1 << 20

Read = TypeVar("Read", bound=BaseModel)


def load_record(path: Path, kind: type[Read], max_bytes: int = MAX_RECORD_BYTES) -> Read:
    """Return a record from `path`. Raises InputError if it cannot be read."""
    try:
        return kind.model_validate_json(read_record(path, max_bytes))
    except ValidationError as error:
        raise unreadable(path, error) from None


def load_manifest(folder: Path) -> Manifest:
    """Return the manifest of `folder`. Raises InputError if it cannot be read, or an entry is no file or folder."""
    inside.check(folder)
    return load_record(folder / MANIFEST, Manifest, MAX_LIST_BYTES)


def read_record(path: Path, max_bytes: int = MAX_RECORD_BYTES) -> bytes:
    """Return the text of a record. Raises InputError if it does not exist, or is larger than any record."""
    return files.read(path, max_bytes, "Give a complete folder that 'python -m compare' wrote.")


def unreadable(path: Path, error: ValidationError) -> InputError:
    """Return the error of a record, from its first wrong field, or from its newer version."""
    found = error.errors(include_url=False)
    for wrong in found:
        if wrong["loc"] == ("schema_version",) and isinstance(wrong["input"], int) and wrong["input"] > SCHEMA_VERSION:
            return InputError(
                f"{path} was written by a newer version: its schema is {wrong['input']}, and this version reads up to "
                f"{SCHEMA_VERSION}. Update compare."
            )
    where = ".".join(str(part) for part in found[0]["loc"])[:MOST_SAID]
    what = found[0]["msg"].removeprefix("Value error, ")[:MOST_SAID].rstrip(".")
    return InputError(
        f"{path} is not a record that this version can read: {f'{where}: ' if where else ''}{what}. Move it elsewhere, "
        "or use the version that wrote it."
    )


def load_results(folder: Path) -> list[RunResult]:
    """Return every record in `folder`, in the order of their names.

    Raises InputError if there is none, or one cannot be read.
    """
    return [read_result(path) for path in record_paths(folder)]


def record_paths(folder: Path) -> list[Path]:
    """Return the paths of every record in `folder`, in the order of their names. Raises InputError if there is none."""
    inside.check(folder)
    paths = sorted((folder / "results").glob("*.json"))
    if not paths:
        raise InputError(f"{folder} holds no records (results/*.json). Give a folder that 'python -m compare' wrote.")
    return paths


def read_result(path: Path) -> RunResult:
    """Return the record at `path`. Raises InputError if it cannot be read, or does not match its name."""
    result = load_record(path, RunResult)
    try:
        if result.run.network is None:
            check_name("architecture", result.run.model, MODELS)
        implementation(result.run.implementation)
    except InputError as error:
        raise InputError(f"{path} names something that this version does not have. {error}") from None
    if path.stem != result.name:
        raise InputError(
            f"{path} is the record of {result.name}, and must have that name. Rename it, or move it elsewhere."
        )
    return result


def weights_of_first(folder: Path, results: Sequence[RunResult]) -> dict[str, Weights]:
    """Return the trained weights of the first seed, which reports draw, by the names of their results.

    Raises InputError if they are missing or do not match the records.
    """
    done = [result for result in results if result.outcome]
    seed = min((result.run.train.seed for result in done), default=None)
    return {result.name: load_weights(folder, result) for result in done if result.run.train.seed == seed}


def has_weights(folder: Path, result: RunResult) -> bool:
    """Whether the weights of `result` exist, and match the record."""
    path = folder / result.weights_path
    assert result.outcome is not None, "only a run that ended well has weights"
    return path.is_file() and files.sha256(path) == result.outcome.weights_sha256


def load_weights(folder: Path, result: RunResult) -> Weights:
    """Return the trained weights of `result`.

    Raises InputError if they are missing or do not match the record.
    """
    assert result.outcome is not None, "only a run that ended well has weights"
    path = folder / result.weights_path
    model = result.run.spec
    content = files.read(
        path,
        model.n_params * MAX_BYTES_A_PARAMETER + MAX_HEADER_BYTES,
        f"Give a run folder that has the weights of {result.name}, or train again.",
    )
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != result.outcome.weights_sha256:
        raise InputError(
            f"{path} does not match its record: its SHA-256 is {sha256}, and the record says "
            f"{result.outcome.weights_sha256}. Train again, or put the original back."
        )
    try:
        weights = from_safetensors(content)
        check_weights(model, weights)
    except ValueError as error:
        raise InputError(f"{path} does not fit its architecture: {error}.") from None
    return weights


def load_data(result: RunResult, data_dir: Path) -> Data:
    """Return exactly the data that the run saw. Raises InputError if they are not available, or differ."""
    data = load(result.run.data, data_dir)
    if data.digest() != result.data_digest:
        raise InputError(
            f"The data set '{result.run.data.dataset}' is not the one of the run: its digest is "
            f"{data.digest()}, and the record says {result.data_digest}. Give the original data with --data-dir."
        )
    return data
