"""The fastest candidate of each implementation, found by a short search in turns and remembered for this machine."""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from compare.bench.result import Contestant, Launch
from compare.bench.statistics import ratio
from compare.folders.manifest import installed
from compare.processes import environment
from compare.registry import IMPLEMENTATIONS, Candidate
from shared.choices import Device
from shared.record import Record
from shared.training import TrainSpec

LAUNCHES = 2
AS_GOOD = 1.01  # two launches cannot detect a smaller difference
MEMORY_VERSION = 1


class Fastest(Record):
    """What was chosen for an implementation, from how many candidates, and how many times as fast it was as the first
    of them that did not fail."""

    factor: str
    contestant: Contestant
    n_candidates: int
    speed: float


class TunedMemory:
    """Choices in a file, by the settings that they depend on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def recall(self, key: str) -> Fastest | None:
        """Return the remembered choice; None if there is none or the file cannot be read any more."""
        try:
            return Fastest.model_validate(self._known()[key])
        except (KeyError, ValidationError):
            return None

    def remember(self, key: str, choice: Fastest) -> None:
        """Rewrite the file with `choice` in it. Waits for another command that does the same. Raises OSError if the
        file cannot be written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(folder, fcntl.LOCK_EX)
            known = self._known() | {key: choice.model_dump(mode="json")}
            for left in self.path.parent.glob(f"{self.path.stem}.[0-9]*"):  # left by a command that was killed
                left.unlink()
            temporary = self.path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(known, indent=1))
            temporary.replace(self.path)
        finally:
            os.close(folder)

    def _known(self) -> dict[str, object]:
        try:
            known = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def default_memory() -> TunedMemory:
    """Return the memory in the user's cache folder."""
    import pooch

    return TunedMemory(Path(pooch.os_cache("compare")) / f"tuned-{MEMORY_VERSION}.json")


def key(model: str, device: Device, train: TrainSpec, plain: Contestant) -> str:
    """Return a text with everything that a choice depends on: the machine, the frameworks' versions, the network and
    the batch. Also the type, the optimizer, and the list of candidates itself."""
    listed = repr(IMPLEMENTATIONS[plain.implementation].candidates[device])
    versions = installed(*dict.fromkeys(name for spec in IMPLEMENTATIONS.values() for name in spec.versions))
    parts = (
        *(platform.node(), environment.cpu_name(), environment.usable_cores(), versions, model, device),
        *(plain.implementation, plain.threads, plain.batch_size, plain.mixed_precision),
        *(train.dtype, train.optimizer.name if train.optimizer else None),
        hashlib.sha256(listed.encode()).hexdigest()[:12],
    )
    return " | ".join(map(str, parts))


def candidates(plain: Contestant, device: Device) -> dict[str, Contestant]:
    """Return the contestants of the search for one implementation, by factor; `plain` sets the threads and images."""
    listed = IMPLEMENTATIONS[plain.implementation].candidates[device]
    return {c.factor: as_contestant(plain, c) for c in listed if plain.threads > 1 or not c.fewer_threads}


def as_contestant(plain: Contestant, candidate: Candidate) -> Contestant:
    """Return `plain` with the settings of `candidate`, named by its factor."""
    return plain.model_copy(
        update={
            "name": candidate.factor,
            "mode": candidate.mode,
            "tuning": candidate.tuning,
            "variables": candidate.variables,
            "threads": plain.threads // 2 if candidate.fewer_threads else plain.threads,
            "recipe": candidate.recipe,
            "waiting": candidate.waiting,
        }
    )


def choose(plain: Contestant, device: Device, launch: Callable[[list[Contestant], int], Launch]) -> Fastest | None:
    """Return the fastest candidate by its ratio, round by round, to the first candidate that never failed. It is
    measured in a few launches of all of them. Of those that are as good as the fastest, the first is returned.
    Candidates that failed are left out; None if all failed."""
    found = candidates(plain, device)
    launches = [launch(list(found.values()), number) for number in range(1, 1 + LAUNCHES)]
    step_s = {
        factor: [launch.measured[factor].step_s("end_to_end") for launch in launches]
        for factor in found
        if all(factor in launch.measured for launch in launches)
    }
    if not step_s:
        return None
    first = next(iter(step_s.values()))
    speeds = {factor: ratio(of_one, first).value for factor, of_one in step_s.items()}
    best = next(factor for factor, speed in speeds.items() if speed * AS_GOOD >= max(speeds.values()))
    contestant = found[best].model_copy(update={"name": plain.name, "tuned": best})
    return Fastest(factor=best, contestant=contestant, n_candidates=len(found), speed=speeds[best])
