"""Train one model again on recorded batches, with a loss and an optimizer computed by NumPy. Either can therefore be
the other side's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compare.adapters.loss_names import RECORD
from compare.graphs.losses import LossRecord
from compare.graphs.node import Arrays
from compare.graphs.optimizers import OptimizerRecord, Steps
from compare.port.batches import Batch
from compare.port.side import Differentiated, Side
from compare.port.targets import fitting
from shared.errors import InputError


@dataclass(frozen=True)
class Setting:
    """What a replay trains: a side from its weights `start` by NODE/ROLE, on which batches, with which loss and
    optimizer. `names` maps each of its weights to the left model's name. `held` are the trained weights, by the left's
    names. `copies` says of how many equal parts each is the sum (graphs.optimizers.after_steps). `keeps`: the
    gradients of all steps add up, as without zero_grad."""

    side: Side
    start: Arrays
    batches: tuple[Batch, ...]
    loss: LossRecord
    optimizer: OptimizerRecord
    names: Mapping[str, str]
    held: frozenset[str] | None
    copies: Arrays
    keeps: bool = False


@dataclass(frozen=True)
class Replay:
    """The loss of every step, including what the model adds, and the share of examples classified right; None if they
    have no classes."""

    losses: tuple[float, ...]
    accuracy: float | None

    @property
    def loss(self) -> float:
        """The mean of all steps."""
        return float(np.mean(self.losses))


def replay(setting: Setting, n: int, names: Sequence[str]) -> Replay:
    """Train for `n` steps. `names` are the side's names of its inputs. Changes the side's weights. Raises InputError if
    the batches, the model and the loss do not fit together."""
    side = setting.side
    side.worker.set_loss("", "", setting.loss.body())
    first = _inputs(setting.batches[0], names)
    side.record(first, False)  # its recording defines the names of the weights
    side.give(setting.start)
    steps: Steps | None = None
    total: Arrays = {}
    losses, n_right, n_seen = [], 0, 0
    for batch in setting.batches[:n]:
        inputs = _inputs(batch, names)
        outputs = np.empty((len(batch), *side.recorded_outputs[1:]))
        done = side.differentiate(inputs, fitting(batch.targets, outputs), RECORD)
        losses.append(done.loss + done.penalty)
        right = _right(done, batch.targets, setting.loss)
        if right is not None:
            n_right, n_seen = n_right + right, n_seen + len(batch)
        slopes = _slopes(done, setting)
        if setting.keeps:
            total = {name: total.get(name, 0.0) + slope for name, slope in slopes.items()}
            slopes = total
        if steps is None:
            weights = {setting.names.get(key, key): done.recording.weights[key] for key in done.parameters}
            steps = Steps(setting.optimizer, {name: weights[name] for name in slopes}, setting.copies)
        steps.step(slopes)
        own = {setting.names.get(key, key): key for key in done.parameters}
        side.give({own[name]: steps.values[name] for name in slopes} | dict(done.recording.statistics))
    return Replay(tuple(losses), n_right / n_seen if n_seen else None)


def _inputs(batch: Batch, names: Sequence[str]) -> Arrays:
    if len(names) != len(batch.inputs):
        raise InputError(f"The models take {len(names)} and {len(batch.inputs)} inputs in training.")
    return dict(zip(names, batch.inputs.values(), strict=True))


def _slopes(done: Differentiated, setting: Setting) -> Arrays:
    """Return the gradients of the trained weights, by the left model's names."""
    slopes: Arrays = {}
    for key, (_, trained) in done.parameters.items():
        name = setting.names.get(key, key)
        slope = done.weights.get(key)
        if trained and slope is not None and (setting.held is None or name in setting.held):
            slopes[name] = slope + done.penalties.get(key, 0.0)
    return slopes


def _right(done: Differentiated, targets: np.ndarray, loss: LossRecord) -> int | None:
    """Return how many examples have their largest output at their class or, with one output, lie on its side."""
    outputs = done.recording.values[done.recording.graph.outputs[0]]
    if targets.dtype.kind not in "iu" or targets.ndim != 1 or outputs.ndim != 2:
        return None
    if outputs.shape[1] > 1:
        return int((outputs.argmax(1) == targets).sum())
    border = 0.5 if loss.takes == "probabilities" else 0.0
    return int(((outputs[:, 0] > border) == targets.astype(bool)).sum())
