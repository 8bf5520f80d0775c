"""Train several implementations in parallel, in turns, seed after seed.

All workers are alive at once and work one at a time. A turn has as many steps as take the slowest about half a second;
then the next worker has its turn. All of them therefore do the same steps at nearly the same time. A machine that is
slow for a minute is slow for all, and step times can be compared.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compare.processes.environment import require_cuda
from compare.processes.process import Divergence, Tell, WorkerError, starting
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.registry.candidates import ALLOCATOR_VARIABLES
from compare.rpc import messages
from compare.training.checkpoint import Checkpoint, Checkpoints
from compare.training.outcome import Finished, Trainee, failed_as, finished_as
from compare.training.progress import Progress
from shared.batches import n_batches
from shared.choices import Allocator, Device, Waiting
from shared.data import Data, Part
from shared.protocol import Build
from shared.result import Epoch, Run
from shared.weights import initial_weights

TURN_S = 0.5
# Checkpoints add at most 2 % to a run's training, unless the disk is so slow that more than a minute would be lost.
KEEP_AFTER = 50  # times as long as the last checkpoint took
KEEP_AFTER_S = 60.0


@dataclass(frozen=True)
class Settings:
    """How workers train, for any run."""

    threads: int
    allocator: Allocator
    hide_cuda: bool
    timeout_s: float
    waiting: Waiting


class Study:
    """Workers for some implementations, and their training data. It is a context: leaving it ends the workers."""

    def __init__(
        self, implementations: list[str], data: Data, log_dir: Path, settings: Settings, tell: Tell | None = None
    ) -> None:
        self.implementations, self.data, self.log_dir = implementations, data, log_dir
        self.digest = data.digest()
        self.threads, self.hide_cuda, self.timeout_s = settings.threads, settings.hide_cuda, settings.timeout_s
        self.variables = ALLOCATOR_VARIABLES[settings.allocator]
        self.waiting = settings.waiting
        self.tell = tell
        self._unready: dict[str, WorkerError] = {}
        self._sessions: dict[str, Session] = {}  # started in parallel when they are first needed

    def __enter__(self) -> "Study":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for session in self._sessions.values():  # all receive the request first, to end in parallel
            if kind is None:
                session.end_input()
            else:
                session.kill()
        for session in self._sessions.values():
            session.close()

    def choose_device(self, asked: Literal["auto", "cpu", "cuda"]) -> Device:
        """Return the device for every run: CUDA if all frameworks see one, unless the CPU was asked for.

        Raises InputError if CUDA was asked for and a framework sees none.
        """
        if asked == "cpu":
            return "cpu"
        environments = {}
        self._announce(self.implementations)
        for name in self.implementations:
            self._sessions[name] = self._start(name, self.threads, self.variables, self.waiting)
        for name, session in self._sessions.items():
            try:
                environments[name] = session.wait_until_ready()
            except WorkerError as error:
                self._unready[name] = error  # raised when this implementation's run is due
            else:
                if asked == "auto" and not environments[name].n_cuda_devices:
                    return "cpu"  # the others are still importing
        if asked == "cuda":
            require_cuda(environments)
        return "cuda" if environments and all(e.n_cuda_devices for e in environments.values()) else "cpu"

    def train(self, runs: list[Run], progress: Progress, checkpoints: Checkpoints | None = None) -> Iterator[Finished]:
        """Train `runs`, each of another implementation, in turns; yield each result as soon as it is available.

        The state needed to continue is kept in `checkpoints` after the first epoch. Later it is kept after an epoch if
        enough training happened since. If `checkpoints` has a run, the run continues from there. A run of the
        idiomatic recipe restarts from scratch: its framework's own loop cannot be entered in the middle.
        """
        contestants = []
        to_start = [run for run in runs if run.implementation not in self._unready and not self._is_started(run)]
        self._announce([run.implementation for run in to_start])
        for run in to_start:
            self._have_started(run)
        for run, prepared in self._prepared(runs, checkpoints):
            try:
                contestant = prepared.result()
                contestants.append(contestant)
                n_evaluated = self.data.n_validation or len(self.data.x_test)
                progress.begin(run, self._n_steps(run), len(contestant.epochs), n_evaluated)
            except WorkerError as error:
                yield self._tell(failed_as(run, error, self.data, self.digest), error.details, progress)
        n_steps = 1  # the first turn compiles, the second shows the speed of a step
        while contestants:
            slowest_s = 0.0
            for contestant in list(contestants):
                try:
                    if not contestant.done:
                        n_epochs = len(contestant.epochs)
                        slowest_s = max(slowest_s, self._take_turn(contestant, n_steps, progress))
                        if checkpoints and len(contestant.epochs) > n_epochs:
                            self._keep(contestant, checkpoints)
                    if not contestant.done:
                        continue
                    finished = finished_as(contestant, self.data, self.digest)
                    said = contestant.session.log_since(contestant.log_start)
                except WorkerError as error:
                    finished, said = failed_as(contestant.run, error, self.data, self.digest, contestant), error.details
                contestants.remove(contestant)
                yield self._tell(finished, said, progress)
            n_steps = max(1, round(TURN_S / slowest_s)) if slowest_s else n_steps

    def _is_started(self, run: Run) -> bool:
        """Whether the run's worker exists, is alive, and was started with the run's settings."""
        session = self._sessions.get(run.implementation)
        return session is not None and session.alive and session.started == self._asked_for(run)

    def _have_started(self, run: Run) -> None:
        """Start the run's worker, replacing one with other settings."""
        if session := self._sessions.get(run.implementation):
            session.close()
        self._sessions[run.implementation] = self._start(run.implementation, *self._asked_for(run))

    def _asked_for(self, run: Run) -> tuple[int, Mapping[str, str], Waiting]:
        """Return the threads and variables of the run's worker, and how its threads wait."""
        if run.tuned:
            return run.tuned.threads, run.tuned.variables, run.tuned.waiting
        return self.threads, self.variables, self.waiting

    def _announce(self, names: Sequence[str]) -> None:
        if self.tell and names:
            self.tell(starting(names))

    def _start(self, name: str, threads: int, variables: Mapping[str, str], waiting: Waiting) -> Session:
        log = self.log_dir / f"{name}.log"
        return Session(name, log, threads, self.hide_cuda, self.timeout_s, variables, waiting, self.tell)

    def _prepared(
        self, runs: Sequence[Run], checkpoints: Checkpoints | None
    ) -> "Iterator[tuple[Run, Future[Trainee]]]":
        """Return the runs in their order, each with its network. A network is built as soon as its worker is ready,
        while others still import their frameworks, and before anything is timed."""
        with ThreadPoolExecutor(max(1, len(runs))) as pool:
            futures = [(run, pool.submit(self._prepare, run, checkpoints)) for run in runs]
            try:
                wait(future for _, future in futures)
            except BaseException:  # otherwise the pool would wait for threads that wait for workers
                for session in self._sessions.values():
                    session.kill()
                raise
        yield from futures

    def _prepare(self, run: Run, checkpoints: Checkpoints | None) -> Trainee:
        name = run.implementation
        if name in self._unready:
            raise self._unready.pop(name)
        session = self._sessions[name]
        environment = session.wait_until_ready()
        if session.data_digest != self.digest:
            session.load_data(self.data)
        if session.data_digest != self.digest:
            raise WorkerError(f"the data arrived altered: digest {session.data_digest}, not {self.digest}")
        log_start = session.log_size()
        spec = run.spec
        weights = initial_weights(spec, run.train.seed) if run.recipe == "matched" else None
        created = session.create(Build(spec, run.train, weights, run.device, run.mode, run.recipe, run.tuning))
        if (created.n_params, created.n_trainable) != (spec.n_params, spec.n_trainable):
            raise WorkerError(
                f"{run.model} has {created.n_params:,} parameters ({created.n_trainable:,} trainable) here, and its "
                f"contract says {spec.n_params:,} ({spec.n_trainable:,})"
            )
        contestant = Trainee(run, session, environment, created, log_start)
        if checkpoints and run.recipe == "matched" and (known := checkpoints.load(run, self.digest)):
            checkpoint, state = known
            session.restore(len(checkpoint.epochs), state)
            contestant.epochs, contestant.slices = list(checkpoint.epochs), list(checkpoint.slices)
            contestant.n_kept = len(contestant.slices)
            contestant.resumed_after = (*checkpoint.resumed_after, len(checkpoint.epochs))
        return contestant

    def _keep(self, contestant: Trainee, checkpoints: Checkpoints) -> None:
        """Keep a checkpoint, unless the run is done: its result is kept at once. Runs of several processes are not kept
        and restart from scratch, because each process has its own random numbers."""
        spec = IMPLEMENTATIONS[contestant.run.implementation]
        resumable = contestant.run.recipe == "matched" and "resume" not in contestant.created.lacking
        if contestant.done or not resumable or spec.n_workers > 1:
            return
        unkept_s = sum(part.slice_s for part in contestant.slices[contestant.n_kept :])
        if unkept_s < min(KEEP_AFTER * contestant.keep_s, KEEP_AFTER_S):
            return
        start = time.perf_counter()
        checkpoint = Checkpoint(
            run=contestant.run,
            data_digest=self.digest,
            epochs=tuple(contestant.epochs),
            slices=tuple(contestant.slices),
            resumed_after=contestant.resumed_after,
        )
        checkpoints.save(checkpoint, contestant.session.state())
        contestant.n_kept, contestant.keep_s = len(contestant.slices), time.perf_counter() - start

    def _n_steps(self, run: Run) -> int:
        """Return the steps of an epoch; the idiomatic recipe holds out a tenth of the images by itself."""
        n_images = len(self.data.x_train)
        return n_batches(n_images if run.recipe == "matched" else n_images - n_images // 10, run.train.batch_size)

    def _take_turn(self, contestant: Trainee, n_steps: int, progress: Progress) -> float:
        """Take one turn. Return the seconds of its fastest step; 0 if it gives no estimate for a turn's length."""
        if contestant.run.recipe == "idiomatic":
            self._fit_epoch(contestant, progress)
            return 0.0
        session, run = contestant.session, contestant.run
        try:
            part = session.train_slice(n_steps)
        except Divergence as divergence:
            if divergence.part.step_s:
                contestant.slices.append(divergence.part)
            raise
        contestant.slices.append(part)
        rate = len(part.step_s) * run.train.batch_size / sum(part.step_s)
        progress.advance(run, len(part.step_s), part.epoch, part.loss[-1], rate)
        if part.epoch_end:
            self._end_epoch(contestant, part.epoch, part.epoch_end, progress)
        # If an epoch ended, the last batch may have been small.
        return min(part.step_s) if len(part.step_s) == n_steps else 0.0

    def _end_epoch(self, contestant: Trainee, number: int, end: messages.EpochEnd, progress: Progress) -> None:
        """Evaluate on the validation images, if there are any; the test images are then only used at the end."""
        part: Part = "validation" if self.data.n_validation else "test"
        evaluation = contestant.session.evaluate(part)
        if part == "test":
            contestant.evaluation = evaluation
        epoch = Epoch(
            epoch=number,
            train_loss=end.train_loss,
            train_accuracy=end.train_accuracy,
            train_metrics=end.train_metrics,
            **{
                f"{part}_loss": evaluation.loss,
                f"{part}_accuracy": evaluation.accuracy,
                f"{part}_metrics": evaluation.metrics,
            },
        )
        contestant.epochs.append(epoch)
        progress.epoch(contestant.run, epoch)

    def _fit_epoch(self, contestant: Trainee, progress: Progress) -> None:
        run, done = contestant.run, contestant.session.fit_epoch()
        epoch = Epoch(
            epoch=len(contestant.epochs) + 1,
            train_loss=done.train_loss,
            train_accuracy=done.train_accuracy,
            validation_loss=done.validation_loss,
            validation_accuracy=done.validation_accuracy,
        )
        contestant.epochs.append(epoch)
        contestant.fitted.append(done)
        rate = done.n_steps * run.train.batch_size / done.train_s
        progress.advance(run, done.n_steps, epoch.epoch, done.train_loss, rate)
        progress.epoch(run, epoch)

    def _tell(self, finished: Finished, said: str, progress: Progress) -> Finished:
        progress.end(finished.result, said)
        return finished
