"""The requests to one worker in a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from compare.parity import dropout, observation
from compare.parity.envelope import ULPS_OF_MORE, Draw, Drift, drift
from compare.parity.ladder import Stages
from compare.parity.observation import Observation, curve
from compare.parity.start import large, nudge, stirred
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.subject import Subject
from compare.worker import fingerprint
from shared.choices import Dtype, Rung
from shared.protocol import Build
from shared.training import SGD, Adam
from shared.weights import Weights, initial_weights

OTHER_STEPS = 5  # by the other optimizer, which the check is not about


@dataclass(frozen=True)
class Extent:
    """How far a check goes: the highest rung, the number of steps, the types, and the draws of each implementation for
    an envelope."""

    top: Rung = "evaluation"
    n_steps: int = 100
    dtypes: tuple[Dtype, ...] = ("float64", "float32")
    n_draws: int = 3


def load(session: Session, subject: Subject) -> None:
    session.wait_until_ready()
    if session.data_digest != subject.data.digest():
        session.load_data(subject.data)


def _create(session: Session, subject: Subject, weights: Weights, dropping: bool = False) -> None:
    """Build the subject's network, with its own rate of dropout or at rate 0, at which runs are comparable."""
    train = subject.train
    if subject.spec.dropout is not None:
        train = train.model_copy(update={"dropout": None if dropping else 0.0})
    mode = subject.mode or IMPLEMENTATIONS[session.implementation].default_mode
    session.create(Build(subject.spec, train, weights, subject.device, mode))


def other_optimizer(subject: Subject) -> Subject:
    """Return the same subject, trained by the optimizer that the check is not about."""
    other = Adam() if isinstance(subject.train.optimizer, SGD) else SGD()
    return replace(subject, train=subject.train.model_copy(update={"optimizer": other}))


def fingerprint_of(session: Session, subject: Subject, weights: Weights, dropping: bool = False) -> fingerprint.Fields:
    _create(session, subject, weights, dropping)
    return session.fingerprint()


def observe(session: Session, subject: Subject, extent: Extent) -> Observation:
    return observation.collect(_everything(session, subject, extent))


def _everything(session: Session, subject: Subject, extent: Extent) -> observation.Rungs:
    seed, height = subject.train.seed, observation.RUNGS.index(extent.top)
    trains = height >= observation.RUNGS.index("training")
    _create(session, subject, stirred(subject.spec, seed))
    yield from observation.single_pass(session, subject, extent.top)
    if height == 0:
        return
    # Before training, which makes some values large as well and would name no layer.
    of_large = large(subject.spec, seed)
    _create(session, subject, of_large)
    yield from observation.single_pass(session, subject, extent.top, observation.LARGE)
    if trains:
        yield from _trained(session, subject, extent, initial_weights(subject.spec, seed))
        _create(session, subject, of_large)
        yield from observation.training(session, subject, of_large, 1, observation.LARGE)
    if subject.spec.dropout is not None:
        _create(session, subject, stirred(subject.spec, seed), dropping=True)
        yield from dropout.observe(session, subject)
        if trains:
            yield dropout.TRAINED, dropout.trained(*(_losses_of_one_batch(session, subject) for _ in range(2)))


def _trained(session: Session, subject: Subject, extent: Extent, weights: Weights) -> observation.Rungs:
    """Yield the rungs of training and after it, and of a few steps by the other optimizer."""
    _create(session, subject, weights)
    yield from observation.training(session, subject, weights, extent.n_steps)
    if extent.top == observation.RUNGS[-1]:
        yield from observation.after_training(session, subject)
    other = other_optimizer(subject)
    assert other.train.optimizer is not None
    _create(session, other, weights)
    n_steps = min(extent.n_steps, OTHER_STEPS)
    yield from observation.training(session, other, weights, n_steps, f"{other.train.optimizer.name}, ")


def _losses_of_one_batch(session: Session, subject: Subject) -> list[float]:
    """Return the losses of a few steps on the same images, with dropout, at a learning rate that changes nothing."""
    batch = subject.train.batch_size
    x, y = subject.data.part("train")
    session.load_data(replace(subject.data, x_train=x[:batch], y_train=y[:batch]))
    update = {"epochs": dropout.N_STEPS, "optimizer": Adam(learning_rate=1e-30), "schedule": "constant"}
    still = replace(subject, train=subject.train.model_copy(update=update))
    _create(session, still, stirred(subject.spec, subject.train.seed), dropping=True)
    losses = [session.train_slice(1).loss[0] for _ in range(dropout.N_STEPS)]
    session.load_data(subject.data)
    return losses


def draw_all(
    session: Session,
    subject: Subject,
    extent: Extent,
    observations: Mapping[str, Observation],
    numbers: Sequence[int] | None = None,
) -> list[Draw]:
    """Return the draws with these numbers (1 ... n_draws) of one implementation, if its unmoved run was completed.

    Further draws, with numbers above n_draws, move the weights by ULPS_OF_MORE.
    """
    unmoved = observations[session.implementation]
    if unmoved.failure:
        return []
    initial = initial_weights(subject.spec, subject.train.seed)
    starts = [
        nudge(initial, subject.train.dtype, subject.train.seed, number, 1 if number <= extent.n_draws else ULPS_OF_MORE)
        for number in numbers or range(1, extent.n_draws + 1)
    ]
    return [_draw(_trained(session, subject, extent, start), unmoved.stages, extent.n_steps) for start in starts]


def _draw(rungs: observation.Rungs, unmoved: Stages, n_steps: int) -> Draw:
    """Return how far `rungs` drift from the unmoved ones, rung by rung, because all tensors would fill the memory."""
    drifts: Drift = {}
    by_step: dict[int, float] = {}
    try:
        for rung, tensors in rungs:
            drifts |= drift({rung: tensors}, unmoved)
            by_step |= curve({rung: tensors}, unmoved, n_steps)
    except WorkerError as error:
        return Draw(drifts, by_step, str(error))
    return Draw(drifts, by_step, None)
