"""A connection to a Ray cluster, and what a cluster must have before anything is sent to it."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from compare.extras import require
from shared.errors import InputError

REACH_S, CONNECT_S = 3.0, 10.0
PROBE = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False, logging_level='ERROR')"


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to the cluster at `address`. Raises InputError where Ray is not installed, or no cluster answers
    within seconds."""
    require("ray", "--executor ray")
    _check_answers(address)
    import ray

    with _own_signals():
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


def most(what: str) -> float:
    """How many CPUs or GPUs the largest node has, once connected."""
    import ray

    return float(max((node["Resources"].get(what, 0) for node in ray.nodes() if node["Alive"]), default=0))


def check_room(address: str, what: str, needed: int, option: str) -> None:
    """Raise InputError unless a node has so many CPUs or GPUs: Ray would wait for one for ever."""
    if (largest := most(what)) < needed:
        raise InputError(
            f"{option}: a node with {needed} {what}{'s' if needed > 1 else ''} is needed, and the largest of the "
            f"cluster at {address} has {largest:g}. Ask for less, or add such a node."
        )


def _check_answers(address: str) -> None:
    """Raise InputError unless a cluster answers. In a process of its own: Ray ends the one that fails to connect."""
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
            "with --address, or leave --executor out to train here."
        )


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM over; here it means what an interrupt does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
