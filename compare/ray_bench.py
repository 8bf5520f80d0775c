"""A whole bench on a Ray cluster: its contestants are kept together on one node, and nothing else is sent there."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compare.output import OutputFolder, carry_out
from compare.parent import ASKED
from compare.ray_cluster import check_room, connected, most
from shared.errors import InputError


@dataclass(frozen=True)
class Done:
    """What a bench elsewhere came to: its exit code, what it wrote to standard output and standard error, and its
    files."""

    code: int
    out: str
    err: str
    files: dict[str, bytes]


def bench_on_ray(address: str, arguments: Sequence[str], cuda: bool, out: Path) -> int:
    """Do what `compare bench` with `arguments` does on one node of the cluster, all of whose CPUs it is given; put its
    folder to `out`. Returns its exit code. Raises InputError where it cannot be sent, or says that its input is bad."""
    import ray

    with connected(address):
        check_room(address, "CPU", 1, "--executor ray")
        if cuda:
            check_room(address, "GPU", 1, "--device cuda")
        bench = ray.remote(num_cpus=int(most("CPU")), num_gpus=1 if cuda else 0, max_calls=1, max_retries=1)(_bench)
        folder = OutputFolder(out)
        done: list[Done] = []

        def work() -> None:
            task = bench.remote(list(arguments), str(out))
            try:
                done.append(ray.get(task))
            except BaseException:
                ray.cancel(task, force=True)
                raise
            if done[0].code == 2:
                raise InputError(done[0].err.strip().removeprefix("compare: "))
            for name, content in done[0].files.items():
                folder.write(name, content)

        early = carry_out(folder, work, finished=lambda: bool(done and done[0].files), write=lambda: None, unit="bench")
    if early is not None:
        return early
    print(done[0].err, end="", file=sys.stderr)
    print(done[0].out, end="")
    return done[0].code


def _bench(arguments: Sequence[str], named: str) -> Done:
    """In a task: the same command, here; the folder goes by the name that it will have."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        ran = subprocess.run(
            [sys.executable, "-m", "compare", "bench", *arguments, "--out", str(out)],
            env=os.environ | {ASKED: "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = [text.replace(str(out), named) for text in (ran.stdout, ran.stderr)]
        files = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    return Done(ran.returncode, said[0], said[1], files)
