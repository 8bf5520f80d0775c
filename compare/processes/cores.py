"""The number of cores for this process: the machine's, its affinity mask's, and what its cgroups allow."""

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path("/")


@dataclass(frozen=True)
class Cores:
    """The cores of the machine, those of the affinity mask, and the cores' worth of processor time that cgroups allow.
    A value is None if the system does not report it, or sets no limit."""

    machine: int
    affinity: int | None
    quota: float | None

    @property
    def usable(self) -> int:
        """The least of the three, and at least 1. A fraction is rounded up: a thread can use it."""
        known = [self.machine, self.affinity, None if self.quota is None else math.ceil(self.quota)]
        return max(1, min(n for n in known if n is not None))

    @property
    def in_words(self) -> str:
        """All three, in words."""
        mask = "no affinity mask" if self.affinity is None else f"{self.affinity} by the affinity mask"
        quota = "no cgroup quota" if self.quota is None else f"{self.quota:g} by the cgroup's quota"
        return f"{self.machine} in the machine, {mask}, {quota}"

    @property
    def limited(self) -> bool:
        """Whether this process has fewer than the machine."""
        return self.usable < self.machine


def cores(root: Path = ROOT) -> Cores:
    """Return the cores for this process. `root` contains proc/ and the paths that it names; tests have their own."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return Cores(os.cpu_count() or 1, affinity, quota(root))


def quota(root: Path = ROOT) -> float | None:
    """Return the cores that the cgroups of this process allow: the least of its own and of those above it, in version 2
    and version 1. Return None without a limit, and on systems without cgroups."""
    limits = [
        limit
        for group, top, version in _groups(root)
        for folder in _upwards(group, top)
        if (limit := _limit(folder, version)) is not None
    ]
    return min(limits, default=None)


def _groups(root: Path) -> list[tuple[Path, Path, int]]:
    """Return the folders of the cgroups that limit this process, each with its mount point and version."""
    found = []
    memberships = [line.split(":", 2) for line in _lines(root / "proc/self/cgroup")]
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        mount, kind = before.split(), after.split()
        if len(mount) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        version = 2 if kind[0] == "cgroup2" else 1
        if version == 1 and "cpu" not in kind[2].split(","):
            continue
        top = root / _plain(mount[4]).lstrip("/")
        for _, controllers, path in (one for one in memberships if len(one) == 3):
            if (controllers == "") if version == 2 else ("cpu" in controllers.split(",")):
                found.append((_within(top, _plain(mount[3]), path), top, version))
    return found


def _within(top: Path, mounted: str, path: str) -> Path:
    """Return the folder of the group `path` below the mount point `top`, which shows the group `mounted`. In a
    container the group's path may not exist: then the mounted group is its own."""
    group, above = PurePosixPath(path), PurePosixPath(mounted)
    if ".." in group.parts or not group.is_relative_to(above):
        return top
    folder = top / group.relative_to(above)
    return folder if folder.is_dir() else top


def _upwards(folder: Path, top: Path) -> list[Path]:
    """Return the folder, and those above it up to `top`."""
    return [one for one in (folder, *folder.parents) if one.is_relative_to(top)]


def _limit(folder: Path, version: int) -> float | None:
    """Return the cores that one group allows; None without a limit."""
    if version == 2:
        numbers = " ".join(_lines(folder / "cpu.max")).split()
    else:
        numbers = [*_lines(folder / "cpu.cfs_quota_us"), *_lines(folder / "cpu.cfs_period_us")]
    if len(numbers) != 2 or not all(re.fullmatch(r"\d+", number) for number in numbers):  # "max", or -1
        return None
    allowed, period = map(int, numbers)
    return allowed / period if allowed and period else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _plain(text: str) -> str:
    """Decode a path of mountinfo, in which a space is written \\040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
