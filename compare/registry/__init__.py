"""The implementations that can be compared: those of this repository, and those that other packages add.

A package adds one by an entry point of the group `compare.implementations`. Its name is the implementation's, and it
refers to an `ImplementationSpec`. Importing that must not import a framework, because the harness has none. Only the
worker imports the module that `ImplementationSpec.module` names.
"""

import sys
from collections.abc import Iterable, Iterator, MutableMapping
from importlib.metadata import EntryPoint, entry_points

from compare.registry.built_in import BUILT_IN
from compare.registry.candidates import Candidate
from compare.registry.spec import ImplementationSpec, Style
from shared.errors import InputError, check_name
from shared.world import MAX_SIZE

__all__ = ["GROUP", "IMPLEMENTATIONS", "Candidate", "ImplementationSpec", "Registry", "Style", "implementation"]
GROUP = "compare.implementations"
FRAMEWORKS = {"jax", "keras", "tensorflow", "torch"}
_WORKERS = {str(n) for n in range(2, MAX_SIZE + 1)}


class Registry(MutableMapping[str, ImplementationSpec]):
    """The implementations by name; `NAME@N` is the one of that name trained by N processes, and is not listed.

    Other packages are searched when they first matter. `absent` has the reason for each that cannot be used.
    """

    def __init__(self, built_in: Iterable[ImplementationSpec]) -> None:
        self._known = {spec.name: spec for spec in built_in}
        self.absent: dict[str, str] = {}
        self.searched = False

    def search(self) -> None:
        """Add the implementations of other packages, once."""
        if self.searched:
            return
        self.searched = True
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            if point.name in self._known:
                self.absent[point.name] = f"{point.value}: there is an implementation of that name already"
                continue
            try:
                self._known[point.name] = _loaded(point)
            except (Exception, SystemExit) as error:  # code of another package: the other implementations stay usable
                self.absent[point.name] = f"{point.value}: {type(error).__name__}: {error}"

    def __getitem__(self, name: str) -> ImplementationSpec:
        if name not in self._known:
            self.search()
        if name in self._known:
            return self._known[name]
        base, at, n_workers = name.rpartition("@")  # a name may include an @: keras@jax
        spec = self._known.get(base)
        if at and spec and spec.joined_by and n_workers in _WORKERS:
            return spec.shared_by(int(n_workers))
        raise KeyError(name)

    def in_one_process(self, name: str) -> str:
        """Return the name of the same implementation in one process: `torch` for `torch@2`, `keras@jax` for itself."""
        spec = self.get(name)
        return name if spec is None or spec.n_workers == 1 else name.rpartition("@")[0]

    def __setitem__(self, name: str, spec: ImplementationSpec) -> None:
        self._known[name] = spec

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        self.search()
        return iter(self._known)

    def __len__(self) -> int:
        self.search()
        return len(self._known)


def _loaded(point: EntryPoint) -> ImplementationSpec:
    before = FRAMEWORKS & sys.modules.keys()
    spec = point.load()
    if imported := (FRAMEWORKS & sys.modules.keys()) - before:
        raise ImportError(f"it imports {' and '.join(sorted(imported))} before a worker asks for it")
    if not isinstance(spec, ImplementationSpec):
        raise TypeError(f"it is not an ImplementationSpec but of type {type(spec).__name__}")
    if spec.name != point.name:
        raise ValueError(f"its name is '{spec.name}', and that of the entry point '{point.name}'")
    return spec


IMPLEMENTATIONS = Registry(BUILT_IN)


def implementation(name: str) -> ImplementationSpec:
    """Return the implementation of that name. Raises InputError if there is none, or if it cannot be used."""
    if name not in IMPLEMENTATIONS and name in IMPLEMENTATIONS.absent:
        raise InputError(
            f"The implementation '{name}' is installed, but cannot be used: {IMPLEMENTATIONS.absent[name]}. Fix or "
            "uninstall its package, or leave it out."
        )
    return IMPLEMENTATIONS[check_name("implementation", name, IMPLEMENTATIONS)]
