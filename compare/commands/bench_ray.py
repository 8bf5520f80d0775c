"""A whole bench on a Ray cluster: its contestants run together on one node, which receives no other tasks."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compare import networks
from compare.commands.lifecycle import Began, Work
from compare.folders.manifest import MANIFEST, SEAL
from compare.folders.output import OutputFolder, WriteError
from compare.options.bench import BenchOptions
from compare.processes.ray_cluster import Needs, check_room, connected, largest_node
from compare.processes.signals import ASKED, GIVEN_COMMAND
from compare.reporting.screen import Screen
from shared.errors import InputError
from shared.storage import temporary
from shared.storage.mounts import with_addresses


@dataclass(frozen=True)
class Done:
    """The result of a bench elsewhere: its exit code, its standard output and standard error, and its files."""

    code: int
    out: str
    err: str
    files: dict[str, bytes]


def command(options: BenchOptions, screen: Screen) -> int:
    """Carry out `compare bench` on one node of the cluster with all its CPUs, and return its exit code. The folder
    names the original command. Raises InputError if the bench cannot be sent, or reports that its input is bad."""
    if networks.is_folder(options.model):
        raise InputError(
            f"bench --executor ray is for the architectures of this package: the folder {options.model} is not sent to "
            "the cluster's node. Start bench on that node, or train there with run --executor ray."
        )
    began = Began(options.command, options.out)
    with connected(options.address):
        check_room(options.address, Needs(1, _gpus(options)))
        work = Elsewhere(options, began.folder(f"bench-{options.model}"))
        early = work.carry_out()
    if early is not None:
        return early
    (done,) = work.results
    print(done.err, end="", file=sys.stderr)
    print(done.out, end="")
    return 1 if done.code < 0 else done.code  # a negative code means that it was killed


class Elsewhere(Work[Done]):
    """A bench on a node of the cluster."""

    unit = "bench"

    def __init__(self, options: BenchOptions, folder: OutputFolder) -> None:
        super().__init__(folder)
        self.options = options

    def do(self) -> Iterator[Done]:
        import ray

        options, gpus = self.options, _gpus(self.options)
        bench = ray.remote(num_cpus=largest_node(gpus), num_gpus=gpus, max_calls=1, max_retries=1)(_bench)
        arguments = options.arguments(without=("executor", "address", "out"))
        task = bench.remote(arguments, options.command, with_addresses(self.folder.path))
        try:
            done = ray.get(task)
        except ray.exceptions.RayError as error:
            why = str(error).strip().splitlines()[0].rstrip(".")
            raise WriteError(f"The bench was lost on the cluster at {options.address}: {why}") from None
        except BaseException:
            ray.cancel(task, force=True)
            raise
        for name in sorted(done.files, key=lambda name: (name in (MANIFEST, SEAL), name)):
            self.folder.write(name, done.files[name])
        if done.files:
            yield done
        if done.code == 2:
            raise InputError(done.err.strip().removeprefix("compare: "))
        if not done.files:
            yield done

    @property
    def anything_kept(self) -> bool:
        return any(done.files for done in self.results)

    def write(self) -> None:
        """Do nothing: the node wrote the folder."""


def _gpus(options: BenchOptions) -> int:
    return 1 if options.device == "cuda" else 0


def _bench(arguments: Sequence[str], command: str, named: str) -> Done:
    """Carry out the bench in a task on the node; the folder has its final name, and names the original command."""
    with temporary.folder("ray") as folder:
        out = folder / "out"
        ran = subprocess.run(
            [sys.executable, "-m", "compare", "bench", *arguments, "--out", str(out)],
            env=os.environ | {ASKED: str(os.getpid()), GIVEN_COMMAND: command},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = [text.replace(str(out), named) for text in (ran.stdout, ran.stderr)]
        files = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    return Done(ran.returncode, said[0], said[1], files)
