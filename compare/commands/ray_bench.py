"""A whole bench on a Ray cluster: its contestants are kept together on one node, and nothing else is sent there."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compare.folders.manifest import MANIFEST, SEAL
from compare.folders.output import OutputFolder, WriteError, carry_out
from compare.processes.ray_cluster import Needs, check_room, connected, largest_node
from compare.processes.signals import ASKED, GIVEN_COMMAND
from shared.errors import InputError
from shared.storage.mounts import shown


@dataclass(frozen=True)
class Done:
    """What a bench elsewhere came to: its exit code, what it wrote to standard output and standard error, and its
    files."""

    code: int
    out: str
    err: str
    files: dict[str, bytes]


def bench_on_ray(address: str, arguments: Sequence[str], command: str, cuda: bool, out: Path) -> int:
    """Do what `compare bench` with `arguments` does on one node of the cluster, all of whose CPUs it is given; put its
    folder, which says that it was made by `command`, to `out`. Returns its exit code. Raises InputError where it cannot
    be sent, or says that its input is bad."""
    import ray

    with connected(address):
        gpus = 1 if cuda else 0
        check_room(address, Needs(1, gpus))
        bench = ray.remote(num_cpus=largest_node(gpus), num_gpus=gpus, max_calls=1, max_retries=1)(_bench)
        folder = OutputFolder(out)
        done: list[Done] = []

        def work() -> None:
            task = bench.remote(list(arguments), command, shown(out))
            try:
                done.append(ray.get(task))
            except ray.exceptions.RayError as error:
                why = str(error).strip().splitlines()[0].rstrip(".")
                raise WriteError(f"The bench was lost on the cluster at {address}: {why}") from None
            except BaseException:
                ray.cancel(task, force=True)
                raise
            for name in sorted(done[0].files, key=lambda name: (name in (MANIFEST, SEAL), name)):
                folder.write(name, done[0].files[name])
            if done[0].code == 2:
                raise InputError(done[0].err.strip().removeprefix("compare: "))

        early = carry_out(folder, work, finished=lambda: bool(done and done[0].files), write=lambda: None, unit="bench")
    if early is not None:
        return early
    print(done[0].err, end="", file=sys.stderr)
    print(done[0].out, end="")
    return 1 if done[0].code < 0 else done[0].code  # below 0 it was killed


def _bench(arguments: Sequence[str], command: str, named: str) -> Done:
    """In a task: the same, here; the folder goes by the name that it will have, and by the command that was given."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        ran = subprocess.run(
            [sys.executable, "-m", "compare", "bench", *arguments, "--out", str(out)],
            env=os.environ | {ASKED: "1", GIVEN_COMMAND: command},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = [text.replace(str(out), named) for text in (ran.stdout, ran.stderr)]
        files = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    return Done(ran.returncode, said[0], said[1], files)
