"""Possible obstacles to this project on this machine, and how to fix them: pure functions of measurements."""

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compare.processes.cores import Cores
from shared.plurals import number_of
from shared.result import Environment

LEAST_DISK = 2 * 2**30  # for a study of MNIST with its data
LEAST_MEMORY = 4 * 2**30  # for three workers, each with a framework and the data


@dataclass(frozen=True)
class Finding:
    """One check: its state, and what to do about a problem."""

    what: str
    state: Literal["ok", "note", "bad"]
    said: str
    advice: str = ""


# Messages of frameworks that are installed but cannot work, and the remedies.
KNOWN = (
    (
        r"torchvision::nms does not exist",
        "torch and torchvision were built for different devices (one for the CPU, one for CUDA). Install both from the "
        "same index: pip install --force-reinstall torch torchvision.",
    ),
    (
        r"No module named '(tensorflow|keras)'",
        "tensorflow is not installed. It has wheels only for some versions of Python (see "
        "pypi.org/project/tensorflow). Make a virtual environment with one of them, and install this project there.",
    ),
    (
        r"No module named '(torch|torchvision)'",
        "torch is not installed: pip install -e . in a checkout of this project.",
    ),
    (
        r"(libcu\w+|libnccl|libcudart)[^ ]*: cannot open shared object",
        "A CUDA library is missing. Install the framework with its own: pip install 'tensorflow[and-cuda]', or torch "
        "from its CUDA index; or use --device cpu.",
    ),
    (
        r"(GLIBCXX|GLIBC)_[\d.]+' not found",
        "The system's C library is older than the wheels need. Use a newer system, or a container of one.",
    ),
    (
        r"[Ii]llegal instruction|signal 4\b",
        "This processor lacks instructions that the wheel was built with (AVX, on old machines). Use another machine.",
    ),
    (
        r"(Cannot allocate memory|MemoryError|bad_alloc|failed to map segment|signal 9\b)",
        "There was not enough memory to import it. Close other programs, or lift the limit (ulimit -v).",
    ),
    (
        r"numpy\.core\.multiarray failed to import|numpy\.dtype size changed|compiled using NumPy 1\.x",
        "A package was built for another major version of NumPy. Update it: pip install -U -e . in a checkout.",
    ),
)


def advice_for(error: str) -> str:
    """Return how to fix an error of a framework's import."""
    for pattern, advice in KNOWN:
        if re.search(pattern, error):
            return advice
    return "Install this project in a fresh virtual environment; if that does not help, the text above says more."


def of_worker(name: str, environment: Environment | None, error: str) -> Finding:
    """Check a worker of the implementation `name`: its framework and devices, or why it did not start."""
    if environment is None:
        return Finding(name, "bad", error, advice_for(error))
    devices = environment.n_cuda_devices
    seen = number_of(devices, "CUDA device") if devices else "no CUDA device, only the CPU"
    return Finding(name, "ok", f"{environment.framework} {environment.framework_version}, {seen}")


def of_devices(environments: Mapping[str, Environment]) -> list[Finding]:
    """Check whether only some frameworks see a CUDA device."""
    seeing = [name for name, environment in environments.items() if environment.n_cuda_devices]
    blind = [name for name in environments if name not in seeing]
    if not seeing or not blind:
        return []
    return [
        Finding(
            "devices",
            "note",
            f"{', '.join(seeing)} see a CUDA device, and {', '.join(blind)} do not: '--device auto' is the CPU.",
            "For keras and tf_lowlevel: pip install -e '.[cuda]'.",
        )
    ]


def of_builds(installed: Mapping[str, str]) -> list[Finding]:
    """Check torch and torchvision, whose versions state what they were built for: 2.9.0+cpu, 0.24.0+cu128."""
    builds = {name: installed[name].partition("+")[2] for name in ("torch", "torchvision") if name in installed}
    if len(set(builds.values())) < 2 or "" in builds.values():
        return []
    said = ", ".join(f"{name} {installed[name]}" for name in builds)
    return [Finding("builds", "bad", said, KNOWN[0][1])]


def of_python(now: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Check the version of Python."""
    said = f"{now[0]}.{now[1]}"
    if now < (3, 11):
        return Finding("Python", "bad", said, "This project needs 3.11 or newer.")
    return Finding("Python", "ok", said)


def of_cores(found: Cores) -> Finding:
    """Check the number of cores for this process, and which limit determines it."""
    said = f"{found.usable} used: {found.in_words}"
    return Finding("cores", "ok", said)


def of_disk(folder: Path, least: int = LEAST_DISK) -> Finding:
    """Check the free space where `folder` is, or will be."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 2**30:,.1f} GiB free for {folder}"
    if free < least:
        return Finding("disk", "note", said, f"A study and its data may need {least / 2**30:.0f} GiB. Make room.")
    return Finding("disk", "ok", said)


def of_memory(meminfo: str, least: int = LEAST_MEMORY) -> Finding:
    """Check the available memory, from /proc/meminfo."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    if found is None:
        return Finding("memory", "note", "the system does not say how much is available")
    available = int(found[1]) * 1024
    said = f"{available / 2**30:,.1f} GiB available"
    if available < least:
        return Finding(
            "memory",
            "note",
            said,
            f"Three frameworks side by side need about {least / 2**30:.0f} GiB. Close other programs, or take one "
            "implementation at a time with --implementations.",
        )
    return Finding("memory", "ok", said)
