"""The number of cores, from made-up trees of cgroups."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from results import ENVIRONMENT

from compare import checks
from compare.commands import doctor_findings
from compare.processes import cores as module
from compare.processes import environment
from compare.processes.cores import Cores, cores, quota
from compare.processes.session import Session
from shared.result import Environment

Groups = dict[str, str]  # by folder below the mount point, the cgroup's quota: "200000 100000"


def version_2(root: Path, groups: Groups, own: str = "/", mounted: str = "/", at: str = "/sys/fs/cgroup") -> None:
    """Make a system with cgroups of version 2, in which this process is in `own`."""
    _proc(root, f"0::{own}\n", f"30 23 0:26 {mounted} {at} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n")
    for name, said in groups.items():
        folder = root / (at + name).lstrip("/").replace("\\040", " ")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(f"{said}\n")


def version_1(root: Path, groups: Groups, own: str = "/", mounted: str = "/") -> None:
    """Make the same with version 1, and with controllers that do not limit processor time."""
    at = "/sys/fs/cgroup/cpu,cpuacct"
    _proc(
        root,
        f"5:memory:{own}\n4:cpu,cpuacct:{own}\n3:cpuset:/\n1:name=systemd:/\n",
        f"31 23 0:27 {mounted} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        f"32 23 0:28 {mounted} {at} rw master:3 - cgroup cgroup rw,cpu,cpuacct\n"
        "33 23 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n",
    )
    for name, said in groups.items():
        folder = root / (at + name).lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        for what, value in zip(("quota", "period"), said.split(), strict=True):
            (folder / f"cpu.cfs_{what}_us").write_text(f"{value}\n")


def _proc(root: Path, membership: str, mounts: str) -> None:
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(membership)
    (root / "proc" / "self" / "mountinfo").write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n{mounts}")


OF_2: dict[str, tuple[float | None, Groups, dict[str, str]]] = {
    "two cores": (2.0, {"/": "200000 100000"}, {}),
    "half a core": (0.5, {"/": "50000 100000"}, {}),
    "no limit": (None, {"/": "max 100000"}, {}),
    "no file": (None, {}, {}),
    "not two numbers": (None, {"/": "many"}, {}),
    "no period": (None, {"/": "100000 0"}, {}),
    "a group of its own": (1.5, {"/": "max 100000", "/a/b": "150000 100000"}, {"own": "/a/b"}),
    "the one above allows less": (1.0, {"/a": "50000 50000", "/a/b": "400000 100000"}, {"own": "/a/b"}),
    "the one above alone": (3.0, {"/a": "300000 100000", "/a/b": "max 100000"}, {"own": "/a/b"}),
    "one beside it does not count": (4.0, {"/a": "400000 100000", "/other": "100000 100000"}, {"own": "/a"}),
    "seen from a container": (2.0, {"/": "200000 100000"}, {"own": "/docker/1", "mounted": "/docker/1"}),
    "a group below that": (1.0, {"/": "max 1", "/x": "7 7"}, {"own": "/docker/1/x", "mounted": "/docker/1"}),
    "a group that cannot be seen": (2.0, {"/": "200000 100000"}, {"own": "/docker/1"}),
    "a group outside": (2.0, {"/": "200000 100000"}, {"own": "/../../other"}),
    "mounted at a path with a space": (2.0, {"/": "200000 100000"}, {"at": r"/my\040groups"}),
}


@pytest.mark.parametrize("name", OF_2)
def test_version_2(name: str, tmp_path: Path) -> None:
    expected, groups, where = OF_2[name]
    version_2(tmp_path, groups, **where)
    assert quota(tmp_path) == expected


OF_1: dict[str, tuple[float | None, Groups, dict[str, str]]] = {
    "two cores": (2.0, {"/": "200000 100000"}, {}),
    "no limit": (None, {"/": "-1 100000"}, {}),
    "the one above allows less": (1.0, {"/": "-1 100000", "/a": "1000 1000", "/a/b": "4000 1000"}, {"own": "/a/b"}),
    "seen from a container": (2.5, {"/": "250000 100000"}, {"own": "/docker/1", "mounted": "/docker/1"}),
    "a group that cannot be seen": (2.0, {"/": "200000 100000"}, {"own": "/docker/1"}),
}


@pytest.mark.parametrize("name", OF_1)
def test_version_1(name: str, tmp_path: Path) -> None:
    expected, groups, where = OF_1[name]
    version_1(tmp_path, groups, **where)
    assert quota(tmp_path) == expected


def test_both_versions_at_once(tmp_path: Path) -> None:
    """systemd mounts them like this. The tree of version 2 has no controllers, and no limit."""
    version_1(tmp_path, {"/": "300000 100000"})
    with (tmp_path / "proc/self/cgroup").open("a") as stream:
        stream.write("0::/\n")
    with (tmp_path / "proc/self/mountinfo").open("a") as stream:
        stream.write("34 23 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n")
    assert quota(tmp_path) == 3.0


def test_a_system_without_cgroups(tmp_path: Path) -> None:
    assert quota(tmp_path) is None
    found = cores(tmp_path)
    assert (found.machine, found.quota) == (os.cpu_count(), None)


@pytest.mark.parametrize(
    ("found", "usable", "limited"),
    [
        (Cores(64, 64, None), 64, False),
        (Cores(64, 8, None), 8, True),
        (Cores(64, 64, 2.0), 2, True),
        (Cores(64, 64, 1.5), 2, True),
        (Cores(64, 1, 2.0), 1, True),
        (Cores(8, None, 0.2), 1, True),
        (Cores(2, 2, 16.0), 2, False),
    ],
    ids=str,
)
def test_the_least_of_the_three(found: Cores, usable: int, limited: bool) -> None:
    assert (found.usable, found.limited) == (usable, limited)


WITHIN = {"/": "max 100000", "/a": "100000 100000", "/a/b": "max 1"}
CONTAINERS: dict[str, tuple[Callable[..., None], Groups, dict[str, str], str]] = {
    "version 2": (version_2, {"/": "100000 100000"}, {}, "1"),
    "version 2, below a slice": (version_2, WITHIN, {"own": "/a/b"}, "1"),
    "version 2, no limit": (version_2, {"/": "max 100000"}, {}, ""),
    "version 1": (version_1, {"/": "100000 100000"}, {"own": "/docker/1", "mounted": "/docker/1"}, "1"),
    "version 1, below a slice": (version_1, {"/a": "50000 50000", "/a/b": "-1 100000"}, {"own": "/a/b"}, "1"),
    "version 1, no limit": (version_1, {"/": "-1 100000"}, {}, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_threads_are_as_many_as_there_are_cores(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This is the default of `run`, `parity` and `bench`. A quota of one core gives one thread on any machine. `doctor`
    shows the mask, the quota and the cores used."""
    make, groups, where, quota_said = CONTAINERS[name]
    make(tmp_path, groups, **where)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(environment, "cores", lambda: cores(tmp_path))
    used = 1 if quota_said else 8
    assert environment.usable_cores() == used
    assert checks.default_threads(["torch"]) == used
    assert checks.default_threads(["torch@2"]) == max(1, used // 2)
    quota_in_words = f"{quota_said} by the cgroup's quota" if quota_said else "no cgroup quota"
    said = doctor_findings.of_cores(cores(tmp_path)).said
    assert said == f"{used} used: 64 in the machine, 8 by the affinity mask, {quota_in_words}"


def test_all_three_are_said(numpy_implementation: str, tmp_path: Path) -> None:
    """They are in doctor's output, and in the record of every worker."""
    found = Cores(64, 32, 2.0)
    said = doctor_findings.of_cores(found).said
    assert said == "2 used: 64 in the machine, 32 by the affinity mask, 2 by the cgroup's quota"
    assert Cores(4, None, None).in_words == "4 in the machine, no affinity mask, no cgroup quota"
    session = Session(numpy_implementation, tmp_path / "log", threads=1, hide_cuda=True, timeout_s=30)
    of_worker = session.wait_until_ready()
    session.close()
    assert of_worker.cores_in_words == module.cores().in_words
    assert of_worker.cores == module.cores().usable
    old = ENVIRONMENT.model_dump(exclude={"cores_in_words"})
    assert Environment.model_validate(old).cores_in_words == ""
