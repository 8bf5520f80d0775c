"""A connection to a Ray cluster, and the cluster's requirements."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from compare.extras import require
from shared.errors import InputError

REACH_S, CONNECT_S = 3.0, 10.0
PROBE = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False, logging_level='ERROR')"


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect to the cluster at `address` for as long as the context lasts. Raises InputError if Ray is not installed,
    or no cluster answers within seconds."""
    require("ray", "--executor ray")
    _check_answers(address)
    import ray

    with _own_signals():
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


@dataclass(frozen=True)
class Needs:
    """The resources of a task, all of them on one node."""

    cpus: int
    gpus: int = 0


def room_for(needs: Needs) -> int:
    """Return how many tasks with such needs fit on the whole cluster at once, whatever it is doing now."""
    return sum(
        int(cpus // needs.cpus if not needs.gpus else min(cpus // needs.cpus, gpus // needs.gpus))
        for cpus, gpus in _nodes()
    )


def largest_node(gpus: int) -> int:
    """Return the CPUs of the largest node with at least so many GPUs; 0 if there is none."""
    return int(max((cpus for cpus, has in _nodes() if has >= gpus), default=0))


def check_room(address: str, needs: Needs) -> None:
    """Raise InputError unless a node has room for it: Ray would wait for one forever."""
    if room_for(needs):
        return
    nodes = _nodes()
    of_gpus = any(cpus >= needs.cpus for cpus, _ in nodes)
    largest = max(nodes, key=lambda node: node[::-1] if of_gpus else node, default=(0.0, 0.0))
    raise InputError(
        f"{'--device cuda' if of_gpus else '--threads'}: a node with {_counted(needs.cpus, needs.gpus)} is needed, and "
        f"the largest of the cluster at {address} has {_counted(*largest)}. Ask for less, or add such a node."
    )


def _counted(cpus: float, gpus: float) -> str:
    said = f"{cpus:g} CPU{'s' * (cpus != 1)}"
    return f"{said} and {gpus:g} GPU{'s' * (gpus != 1)}" if gpus else said


def _nodes() -> list[tuple[float, float]]:
    """Return the CPUs and GPUs of every node, once connected."""
    import ray

    having = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [(float(has.get("CPU", 0)), float(has.get("GPU", 0))) for has in having]


def _check_answers(address: str) -> None:
    """Raise InputError unless a cluster answers. Its own process is needed: Ray ends one that fails to connect."""
    try:
        if found := re.fullmatch(r"(.+):(\d+)", address.removeprefix("ray://")):
            socket.create_connection((found[1], int(found[2])), REACH_S).close()
        probe = subprocess.run(
            [sys.executable, "-c", PROBE, address],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CONNECT_S,
            check=False,
        )
        answers = probe.returncode == 0
    except (OSError, OverflowError, subprocess.TimeoutExpired):
        answers = False
    if not answers:
        raise InputError(
            f"No Ray cluster answers at {address}. Start one with 'ray start --head', give its address as HOST:PORT "
            "with --address, or leave --executor out to train here. If it runs, it may ask for a token, as 'ray start' "
            "of Ray 2.60 does: set RAY_AUTH_MODE=token here, too, and have its token in ~/.ray/auth_token."
        )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this program's handling of SIGTERM, which means the same as an interrupt here; Ray replaces it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
