"""The environment of a way to serve, and its files on disk. This process finds them, to spare the serving process."""

import os
import platform
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Protocol

import numpy as np

from compare.processes.cores import cores
from compare.processes.environment import cpu_name, recorded, usable_cores, worker_variables
from shared.choices import Waiting
from shared.record import Texts
from shared.result import Environment

OWN = {"compare", "shared"}  # the measurement's harness is not part of a service


class Started(Protocol):
    """A process, with the settings that it was started with."""

    @property
    def threads(self) -> int: ...
    @property
    def waiting(self) -> Waiting: ...
    @property
    def variables(self) -> Texts: ...


class Described(Protocol):
    """A process's description of what it runs."""

    @property
    def framework(self) -> str: ...
    @property
    def version(self) -> str: ...


def environment_of(served: Started, described: Described) -> Environment:
    """Return the environment of a worker that does not report it: this machine's, with the variables that the worker
    was given."""
    variables = worker_variables(served.threads, Path(), True, served.waiting) | served.variables
    return Environment(
        node=platform.node(),
        framework=described.framework,
        framework_version=described.version,
        python=platform.python_version(),
        numpy=np.__version__,
        system=platform.platform(),
        cpu=cpu_name(),
        cores=usable_cores(),
        threads=served.threads,
        n_cuda_devices=0,
        settings={},
        variables={name: value for name, value in recorded(variables).items() if name != "KERAS_HOME"},
        waiting=served.waiting,
        cores_in_words=cores().in_words,
    )


def size_on_disk(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(Path(folder, name).stat().st_size for folder, _, names in os.walk(path) for name in names)


def libraries(modules: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return the bytes on disk, for each way to serve, of the distributions that it imported. The sizes are those that
    the installer recorded. `modules` are top-level ones."""
    distributions = metadata.packages_distributions()
    sizes: dict[str, int] = {}
    found = {}
    for name, imported in modules.items():
        needed = {one for module in imported if module not in OWN for one in distributions.get(module, ())}
        for one in needed - sizes.keys():
            sizes[one] = _size(one)
        found[name] = sum(sizes[one] for one in needed)
    return found


def _size(distribution: str) -> int:
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return 0
    return sum(file.size or 0 for file in files if not re.search(r"__pycache__|\.pyc$", str(file)))
