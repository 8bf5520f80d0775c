"""Start the processes of one data-parallel worker, on this machine: `python -m compare.worker.ranks MODULE JOINED_BY`.

The harness talks to the first of them, which has its standard input and output; all end when one of them does.
PyTorch's are started by torchrun's own launcher, TensorFlow's with the TF_CONFIG that it requires.
"""

import json
import os
import socket
import subprocess
import sys
import time

from compare.processes.signals import ASKED, die_with_parent_if_asked
from shared.world import RANK_VARIABLE, SIZE_VARIABLE

POLL_S = 0.05


def main() -> None:
    die_with_parent_if_asked()
    (module, joined_by), size = sys.argv[1:], int(os.environ[SIZE_VARIABLE])
    os.environ[ASKED] = str(os.getpid())  # the launcher keeps it
    if joined_by == "torchrun":
        package = module.partition(".")[0]
        launcher = [sys.executable, "-m", f"{package}.torchrun", str(size), "-u", "-m", "compare.worker", module]
        os.execv(sys.executable, launcher)
    else:
        _with_tf_config(module, size)


def _with_tf_config(module: str, size: int) -> None:
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(size)]
    processes = []
    for rank in range(size):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
        own = {RANK_VARIABLE: str(rank), "TF_CONFIG": json.dumps(config)}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "compare.worker", module],
                env=os.environ | own,
                stdin=None if rank == 0 else subprocess.DEVNULL,
            )
        )
    while all(process.poll() is None for process in processes):
        time.sleep(POLL_S)
    ended = [process for process in processes if process.poll() is not None]
    if any(process.returncode for process in ended):
        for process in processes:
            process.kill()
    codes = [process.wait() for process in processes]
    raise SystemExit(next((1 if code < 0 else code for code in codes if code), 0))


def _free_ports(count: int) -> list[int]:
    """Return ports that were free just now; TensorFlow needs them before it listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


if __name__ == "__main__":
    main()
