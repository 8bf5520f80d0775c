"""Runs on a Ray cluster: every run is a task in a fresh process, with the CPUs and the GPU that it needs.

Ray schedules the tasks, and retries those of a lost node or process; a task that still fails becomes a failed row. A
task trains like a study on one machine, with a worker process for the framework: weights are bit-identical wherever
they are trained. Every node has this project installed, in the same version. The files of a network of the user's own
are sent with each run, and are in the task's own folder while it trains.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from compare.checks import most_workers
from compare.processes.ray_cluster import Needs, check_room, connected, room_for
from compare.registry import IMPLEMENTATIONS
from compare.training.outcome import Finished
from compare.training.progress import Progress
from compare.training.study import Settings, Study
from shared import own_code
from shared.choices import AskedDevice, Device
from shared.data import Data
from shared.errors import InputError
from shared.plurals import number_of
from shared.result import Epoch, Run, RunResult
from shared.storage import inside, temporary

TRIES_AGAIN = 3  # if a node or a process is lost; an exception is not retried
# The number of tasks that Ray has beyond what the cluster does at once. Ray checks every task whenever a result is
# waited for: without this limit, a larger study would be slower.
AHEAD = 100


@dataclass(frozen=True)
class Sent:
    """The answer of a task: a result as JSON, the weights if there are any, the worker's messages and its log."""

    result: str
    weights_file: bytes | None
    said: str
    log: bytes


class OnRay:
    """Trains every run as a separate task on the cluster at `address`.

    Raises InputError if the cluster does not answer within seconds, or has no node that a run fits on.
    """

    def __init__(
        self,
        address: str,
        implementations: list[str],
        data: Data,
        log_dir: Path,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> None:
        self.address, self.implementations, self.data, self.log_dir = address, implementations, data, log_dir
        self.digest = data.digest()
        self.settings, self.tell = settings, tell
        self._pending: dict[Any, Run] = {}
        self._tasks: dict[Needs, Any] = {}
        self._code: dict[str, bytes] | None = None  # the user's own network, once it was read

    def __enter__(self) -> "OnRay":
        import ray

        with ExitStack() as unless_ready:
            unless_ready.enter_context(connected(self.address))
            check_room(self.address, self._needs(most_workers(self.implementations), "cpu"))
            self._arrays = ray.put(self.data.arrays())
            self._connection = unless_ready.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        for task in self._pending:
            ray.cancel(task, force=True)
        self._connection.close()

    def choose_device(self, asked: AskedDevice) -> Device:
        """Return CUDA if the cluster has GPUs that all frameworks see, unless the CPU was asked for."""
        import ray

        if asked == "cpu" or (asked == "auto" and not ray.cluster_resources().get("GPU")):
            return "cpu"
        needs = self._needs(most_workers(self.implementations), "cuda")
        if asked == "auto" and not room_for(needs):
            return "cpu"
        check_room(self.address, needs)
        look = ray.remote(num_cpus=needs.cpus, num_gpus=needs.gpus, max_calls=1)(_chosen_device)
        try:
            chosen: Device = ray.get(look.remote(self.implementations, self._arrays, self.settings, asked))
        except ray.exceptions.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        return chosen

    def execute(self, by_seed: Sequence[Sequence[Run]], progress: Progress) -> Iterator[Finished]:
        """Send the runs, always a few more than the cluster does at once; yield each result as it arrives."""
        import ray

        to_send = deque(run for of_seed in by_seed for run in of_seed)
        n_left = len(to_send)
        nodes = number_of(sum(node["Alive"] for node in ray.nodes()), "node")
        self.tell(f"Sending {number_of(n_left, 'run')} to the cluster at {self.address}, which has {nodes}.")
        self._send(to_send)
        while self._pending:
            ray.wait(list(self._pending), num_returns=1)
            ended, _ = ray.wait(list(self._pending), num_returns=len(self._pending), timeout=0)
            for task in ended:
                finished, said = self._received(task, self._pending.pop(task))
                n_left -= 1
                progress.end(finished.result, said)
                self.tell(f"{finished.result.name}: {finished.result.status}; {number_of(n_left, 'run')} left.")
                yield finished
            self._send(to_send)

    def _send(self, runs: deque[Run]) -> None:
        """Send runs until the cluster is full and AHEAD more are waiting."""
        room = AHEAD
        while runs and len(self._pending) < room:
            needs = self._needs(IMPLEMENTATIONS[runs[0].implementation].n_workers, runs[0].device)
            if room == AHEAD:  # nodes join and leave
                room += room_for(needs)
            run = runs.popleft()
            task = self._task(needs).remote(run.model_dump_json(), self._arrays, self.settings, self._code_of(run))
            self._pending[task] = run

    def _code_of(self, run: Run) -> dict[str, bytes]:
        """Return the files of the user's own network, by their names. Raises InputError if they changed since the study
        was planned."""
        if run.network is None or run.network.code is None:
            return {}
        if self._code is None:
            if changed := own_code.changed(run.network.code):
                raise InputError(f"{', '.join(changed)} of {run.network.code.folder} changed. Begin another study.")
            self._code = own_code.contents(Path(run.network.code.folder))
        return self._code

    def _needs(self, n_workers: int, device: Device) -> Needs:
        return Needs(self.settings.threads * n_workers, n_workers if device == "cuda" else 0)

    def _task(self, needs: Needs) -> Any:
        import ray

        if needs not in self._tasks:
            self._tasks[needs] = ray.remote(
                num_cpus=needs.cpus,
                num_gpus=needs.gpus,
                max_calls=1,
                max_retries=TRIES_AGAIN,
                scheduling_strategy="SPREAD",
            )(_train)
        return self._tasks[needs]

    def _received(self, task: Any, run: Run) -> tuple[Finished, str]:
        import ray

        try:
            sent: Sent = ray.get(task)
        except ray.exceptions.RayTaskError as error:
            return self._failed(run, f"{type(error.cause).__name__}: {error.cause}"), ""
        except ray.exceptions.RayError as error:  # a node or process was lost repeatedly
            return self._failed(run, str(error).strip().splitlines()[0]), ""
        inside.write(self.log_dir, f"{run.name}.log", sent.log)
        result = RunResult.model_validate_json(sent.result).model_copy(update={"in_turns": False})
        return Finished(result, sent.weights_file), sent.said

    def _failed(self, run: Run, why: str) -> Finished:
        result = RunResult(
            run=run,
            status="failed",
            error=why,
            data_digest=self.digest,
            n_train=len(self.data.x_train),
            n_validation=self.data.n_validation,
            n_test=len(self.data.x_test),
            in_turns=False,
        )
        return Finished(result, None)


class _Heard:
    """A run's progress in a task: it is not shown, but its worker's messages are sent back."""

    said = ""

    def expect(self, seeds: Sequence[int]) -> None:
        """Show nothing."""

    def begin(self, run: Run, n_batches: int, epochs_done: int, n_evaluated: int) -> None:
        """Show nothing."""

    def advance(self, run: Run, n_steps: int, epoch: int, loss: float, images_per_s: float) -> None:
        """Show nothing."""

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """Show nothing."""

    def end(self, result: RunResult, said: str) -> None:
        self.said = said


def _study(implementations: list[str], arrays: Mapping[str, np.ndarray], log_dir: Path, settings: Settings) -> Study:
    return Study(implementations, Data.of_arrays(arrays), log_dir, settings)


def _chosen_device(
    implementations: list[str], arrays: Mapping[str, np.ndarray], settings: Settings, asked: AskedDevice
) -> Device:
    """Return, in a task, the device that a study would choose there."""
    with temporary.folder("ray") as logs, _study(implementations, arrays, logs, settings) as study:
        return study.choose_device(asked)


def _train(
    run_as_json: str, arrays: Mapping[str, np.ndarray], settings: Settings, code: Mapping[str, bytes] | None = None
) -> Sent:
    """Train one run in a task, as a study of it alone, with the `code` of the user's own network."""
    run, heard = Run.model_validate_json(run_as_json), _Heard()
    with temporary.folder("ray") as folder:
        here = _with_code(run, code or {}, folder / "code")
        with _study([run.implementation], arrays, folder, settings) as study:
            (finished,) = study.train([here], heard)
        log = (folder / f"{run.implementation}.log").read_bytes()
    result = finished.result.model_copy(update={"run": run})  # restores the original path of the code
    return Sent(result.model_dump_json(), finished.weights_file, heard.said, log)


def _with_code(run: Run, code: Mapping[str, bytes], parent: Path) -> Run:
    """Return the run with its network's code in a folder below `parent`."""
    if run.network is None or run.network.code is None:
        return run
    folder = parent / run.model
    for name, content in code.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    network = replace(run.network, code=replace(run.network.code, folder=str(folder.resolve())))
    return run.model_copy(update={"network": network})
