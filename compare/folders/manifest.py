"""The manifest of an output folder: the command, the code that ran, and the hash of every file."""

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import FailFast, Field

from compare import own_packages
from shared.record import TIME_FORMAT, Moment, Record, Texts
from shared.result import SCHEMA_VERSION
from shared.storage import files

MANIFEST, SEAL, SIGNATURE = "manifest.json", "manifest.sha256", "manifest.sig"
MOST_WARNINGS = 1_000


class Manifest(Record):
    """Times are UTC, in ISO 8601. `files` maps each file's path in the folder to the SHA-256 of its content.
    `dataset_reason` says why it is this data set if the choice was left open. `data_warnings` are sentences on data
    that are probably wrong. `libraries` are those that reports and pictures are made with, since other versions may
    write other bytes."""

    schema_version: Literal[1] = SCHEMA_VERSION
    command: str
    started: Moment
    ended: Moment
    version: str
    commit: str | None
    dataset_reason: str | None = None
    data_warnings: Annotated[tuple[str, ...], FailFast(), Field(max_length=MOST_WARNINGS)] = ()
    libraries: str = ""
    files: Texts


def describe(
    command: str, started: str, dataset_reason: str | None = None, data_warnings: tuple[str, ...] = ()
) -> Manifest:
    """Return the manifest of the work that ends now, without its files."""
    return Manifest(
        command=command,
        started=started,
        ended=utc_now(),
        version=code_version(),
        commit=code_commit(),
        dataset_reason=dataset_reason,
        data_warnings=data_warnings,
        libraries=rendering_libraries(),
        files={},
    )


def sealed(manifest: Manifest, hashed: Mapping[str, str]) -> dict[str, bytes]:
    """Return the content of the manifest for the files in `hashed` (hashes by name), and of its own hash in the format
    of `sha256sum`."""
    content = manifest.model_copy(update={"files": dict(hashed)}).model_dump_json(indent=1).encode()
    return {MANIFEST: content, SEAL: f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode()}


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in `names`, by its path in the folder."""
    return {name: files.sha256(folder / name) for name in names(folder)}


def names(folder: Path) -> dict[str, None]:
    """Return every file except the manifest, its hash and its signature, by its path, in order; links are left out."""
    there = (p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink())
    return dict.fromkeys(name for name in there if name not in (MANIFEST, SEAL, SIGNATURE))


def rendering_libraries() -> str:
    """Return the libraries that reports and pictures are made with, and Python."""
    libraries = ("numpy", "scipy", "pandas", "pyarrow", "matplotlib", "pillow", "jinja2", "markdown-it-py")
    return f"Python {platform.python_version()}, {installed(*libraries)}"


def utc_now() -> str:
    """Return the time, to the second."""
    return datetime.now(UTC).strftime(TIME_FORMAT)


def code_version() -> str:
    """Return the version of the installed package, or of the checkout it runs from."""
    try:
        return version("compare")
    except PackageNotFoundError:
        return "not installed"


@cache  # reading the installed versions takes longer than writing a manifest
def installed(*packages: str) -> str:
    """Return the versions of installed packages, without importing them."""
    said = []
    for package in packages:
        try:
            said.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            said.append(f"no {package}")
    return ", ".join(said)


def code_commit() -> str | None:
    """Return the commit of the checkout that this code runs from; None elsewhere. It ends in `+` if the checkout was
    changed since, or if git did not answer in time."""
    if not (own_packages.HOME / ".git").exists():
        return None
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None
    try:
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except subprocess.SubprocessError:
        return f"{commit}+"


def code_in_words(version: str, commit: str | None) -> str:
    """Return that version of compare, with its commit if it is known, in words."""
    return f"compare {version}" + (f" (commit {commit})" if commit else "")


def _git(*arguments: str) -> str:
    home = own_packages.HOME
    done = subprocess.run(["git", *arguments], cwd=home, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
