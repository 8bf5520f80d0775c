"""The result of one run, from its worker's answers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.rpc import messages
from shared.data import Data
from shared.result import Environment, Epoch, History, Outcome, Run, RunResult, Samples
from shared.weights import check_weights, to_safetensors


@dataclass(frozen=True)
class Finished:
    """A result, and the safetensors file of the trained weights if there are any."""

    result: RunResult
    weights_file: bytes | None


@dataclass
class Trainee:
    """One run in progress, and its worker."""

    run: Run
    session: Session
    environment: Environment
    created: messages.Created
    log_start: int
    epochs: list[Epoch] = field(default_factory=list)
    slices: list[messages.Slice] = field(default_factory=list)
    fitted: list[messages.Fitted] = field(default_factory=list)  # epochs of the idiomatic recipe
    resumed_after: tuple[int, ...] = ()
    n_kept: int = 0  # number of `slices` in the last checkpoint
    keep_s: float = 0.0  # duration of writing the last checkpoint
    evaluation: messages.Evaluation | None = None  # on the test images

    @property
    def done(self) -> bool:
        return bool(self.epochs) and self.run.train.is_last(self.epochs[-1].epoch, self.epochs[-1].train_accuracy)


def finished_as(contestant: Trainee, data: Data, digest: str) -> Finished:
    """Return the result of a completed run. Raises WorkerError if its worker cannot answer."""
    run, session = contestant.run, contestant.session
    evaluation = contestant.evaluation or session.evaluate("test")
    memory = session.memory()
    weights = session.weights()
    try:
        check_weights(run.spec, weights)
    except ValueError as error:
        raise WorkerError(f"the trained weights do not fit the contract: {error}") from None
    weights_file = to_safetensors(
        weights,
        {
            "model": run.model,
            "implementation": run.implementation,
            "recipe": run.recipe,
            "seed": str(run.train.seed),
            "scale": contestant.created.scale or run.data.scale,
        },
    )
    outcome = Outcome(
        device_name=contestant.created.device_name,
        scale=contestant.created.scale or run.data.scale,
        own_choices=contestant.created.choices,
        n_params=contestant.created.n_params,
        n_trainable=contestant.created.n_trainable,
        epochs=tuple(contestant.epochs),
        samples=_samples(contestant),
        resumed_after=contestant.resumed_after,
        train_s=sum(part.slice_s for part in contestant.slices) + sum(part.train_s for part in contestant.fitted),
        test_accuracy=evaluation.accuracy,
        test_loss=evaluation.loss,
        confusion=evaluation.confusion,
        test_metrics=evaluation.metrics,
        label_counts=evaluation.label_counts,
        points=evaluation.points,
        foreign_load=foreign_load(contestant.slices, contestant.fitted),
        peak_rss_bytes=memory.peak_rss_bytes,
        peak_device_bytes=memory.peak_device_bytes,
        weights_sha256=hashlib.sha256(weights_file).hexdigest(),
    )
    return Finished(_result(run, data, digest, contestant, outcome=outcome), weights_file)


def failed_as(run: Run, error: WorkerError, data: Data, digest: str, contestant: Trainee | None = None) -> Finished:
    """Return the result of a run that failed, with its results until then."""
    return Finished(_result(run, data, digest, contestant, error=error), None)


def _result(
    run: Run,
    data: Data,
    digest: str,
    contestant: Trainee | None,
    outcome: Outcome | None = None,
    error: WorkerError | None = None,
) -> RunResult:
    history = None
    if contestant and not outcome:
        history = History(epochs=tuple(contestant.epochs), samples=_samples(contestant))
    return RunResult(
        run=run,
        status="ok" if error is None else "diverged" if error.diverged else "failed",
        error=error and error.error,
        environment=contestant and contestant.environment,
        history=history,
        data_digest=digest,
        n_train=len(data.x_train),
        n_validation=data.n_validation,
        n_test=len(data.x_test),
        outcome=outcome,
    )


def _samples(contestant: Trainee) -> Samples:
    parts: list[messages.Slice | messages.Fitted] = [*contestant.slices, *contestant.fitted]
    return Samples(
        loss=tuple(x for part in contestant.slices for x in part.loss),
        step_s=tuple(x for part in contestant.slices for x in part.step_s),
        slice_steps=tuple(len(part.step_s) for part in contestant.slices),
        yardstick_s=tuple(part.yardstick_s for part in parts if part.yardstick_s is not None),
        epoch_s=tuple(part.train_s for part in contestant.fitted),
        epoch_steps=tuple(part.n_steps for part in contestant.fitted),
    )


def foreign_load(slices: Sequence[messages.Slice], fitted: Sequence[messages.Fitted] = ()) -> float | None:
    """Return the share of a core that other processes took within all slices, or within all epochs of the idiomatic
    recipe; None if any of them does not report it."""
    parts: list[messages.Slice | messages.Fitted] = [*slices, *fitted]
    elapsed = [part.slice_s for part in slices] + [part.elapsed_s for part in fitted]
    known = [part.foreign_s for part in parts if part.foreign_s is not None]
    if not sum(elapsed) or len(known) < len(elapsed):
        return None
    return max(0.0, sum(known) / sum(elapsed))
