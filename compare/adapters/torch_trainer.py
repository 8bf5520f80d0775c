"""Train a PyTorch model: by an optimizer that its owner makes, on given gradients or those of its own loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.fitting import SeenFit
from compare.adapters.learner import referred
from compare.adapters.loss_names import SEEN
from compare.adapters.torch_adapter import TorchAdapter
from compare.adapters.torch_call import Held
from compare.adapters.torch_learner import TorchLearner
from compare.adapters.torch_optimizers import BY_NAME, Again, Stepper, record_of, stepper_of
from compare.adapters.trainer import Optimized, Stepped
from compare.graphs.node import Arrays
from compare.graphs.optimizers import gradient_at


class TorchTrainer:
    """See trainer.Trainer."""

    def __init__(self, adapter: TorchAdapter, learner: TorchLearner) -> None:
        self.adapter, self.learner = adapter, learner
        self.seen: SeenFit | None = None
        self._stepper: Stepper | None = None
        self._back: Callable[[], None] | None = None

    def made(self, name: str, reference: str) -> Stepper:
        """Return a new optimizer. Raises Unreadable if there is none."""
        if name == SEEN:
            if self.seen is None or self.seen.optimizer is None:
                raise Unreadable("Its training function uses no optimizer of torch.optim, and no other is known.")
            return Again(self.seen.optimizer, self.seen.rates, self.seen.clipped)
        if not name and not reference:
            raise Unreadable(
                "A PyTorch model states no optimizer. Give one: --optimizer NAME, or a reference to a function of the "
                "parameters that returns it."
            )
        with users_own():
            if name:
                return stepper_of(BY_NAME[name], self.adapter.model, name)
            return stepper_of(referred(reference, called=False), self.adapter.model, reference)

    def optimize(
        self, name: str, reference: str, gradients: Mapping[str, np.ndarray], steps: int, scale: float
    ) -> Optimized:
        """See Trainer.optimize."""
        tensors = {key: self.adapter.tensors[key] for key in gradients}
        stepper = self.made(name, reference)
        back = unchanged(self.adapter.model)
        try:
            for held in tensors.values():
                _halved(held)
            for number in range(steps):
                stepper.optimizer.zero_grad()
                for key, gradient in gradients.items():
                    _add_slopes(tensors[key], gradient_at(gradient, number, scale))
                with users_own():
                    stepper.step()
            after = {key: _read(held) for key, held in tensors.items()}
        finally:
            back()
        names: dict[int, list[str]] = {}
        for key, held in tensors.items():
            for part in _parts(held):
                names.setdefault(id(part), []).append(key)
        trained = {key: held for key, held in tensors.items() if any(id(p) in stepper.held for p in _parts(held))}
        copies = {key: _copies(held, stepper.held) for key, held in trained.items()}
        several = {key: n for key, n in copies.items() if (n != 1).any()}
        record = record_of(stepper, names)
        if record is not None:
            record = replace(record, wholes=_wholes(tensors))
        return Optimized(type(stepper.optimizer).__name__, record, after, tuple(trained), several)

    def begin(self, name: str, reference: str) -> None:
        """See Trainer.begin."""
        self._stepper = self.made(name, reference)
        self._back = unchanged(self.adapter.model)

    def step(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str, wanted: Sequence[str]) -> Stepped:
        """See Trainer.step."""
        assert self._stepper is not None
        with self.adapter.watched(inputs, True, gradients=True) as (watch, recording):
            loss = self.learner.computed(watch, recording.graph.outputs[0], targets, form)[0]
            self._stepper.optimizer.zero_grad()
            if loss.requires_grad:
                with users_own():
                    loss.backward()  # type: ignore[no-untyped-call]
            moved = [(buffer, buffer.detach().clone()) for buffer in self.adapter.model.buffers()]
        with torch.no_grad():
            for buffer, value in moved:  # a watched call restores them
                buffer.copy_(value)
        with users_own():
            self._stepper.step()
        after: Arrays = {key: _read(self.adapter.tensors[key]) for key in wanted}
        return Stepped(float(loss.detach().double()), after)

    def end(self) -> None:
        """See Trainer.end."""
        if self._back is not None:
            self._back()
        self._stepper = self._back = None


def _wholes(tensors: Mapping[str, Any]) -> dict[str, str]:
    """Return, for weights that are parts of one parameter, such as queries, keys and values, the first of them."""
    found: dict[int, list[str]] = {}
    for key, held in tensors.items():
        if isinstance(held, Held):
            found.setdefault(id(held.tensors[0]), []).append(key)
    return {key: keys[0] for keys in found.values() if len(keys) > 1 for key in keys}


def unchanged(model: torch.nn.Module) -> Callable[[], None]:
    """Return a function that restores the present parameters and buffers."""
    kept = [(tensor, tensor.detach().clone()) for tensor in (*model.parameters(), *model.buffers())]

    def back() -> None:
        with torch.no_grad():
            for tensor, value in kept:
                tensor.copy_(value)
                tensor.grad = None

    return back


def _parts(held: torch.Tensor | Held) -> tuple[torch.Tensor, ...]:
    return held.tensors if isinstance(held, Held) else (held,)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return np.array(tensor.detach().cpu())


def _read(held: torch.Tensor | Held) -> np.ndarray:
    """Return a copy of the weight's present value."""
    arrays = [_array(part) for part in _parts(held)]
    return np.ascontiguousarray(held.read(arrays)) if isinstance(held, Held) else arrays[0]


def _copies(held: torch.Tensor | Held, trained: set[int]) -> np.ndarray:
    """Return how many trained numbers each element of a weight is the sum of."""
    ones = [np.full(part.shape, float(id(part) in trained and part.requires_grad)) for part in _parts(held)]
    return np.asarray(held.read(ones) if isinstance(held, Held) else ones[0])


def _halved(held: torch.Tensor | Held) -> None:
    """Give the parts of a sum equal shares of it."""
    if not isinstance(held, Held) or held.shares is None:
        return
    whole = held.read([_array(part) for part in held.tensors])
    n = held.read([np.ones(part.shape) for part in held.tensors])
    with torch.no_grad():
        for part, share in zip(held.tensors, held.shares(whole / n), strict=True):
            part.copy_(torch.from_numpy(np.array(share)))


def _add_slopes(held: torch.Tensor | Held, gradient: np.ndarray) -> None:
    """Add the gradient by a weight to those of the tensors that it consists of."""
    parts = _parts(held)
    if not isinstance(held, Held):
        slopes: Sequence[np.ndarray] = (gradient,)
    elif held.shares is not None:
        slopes = held.shares(gradient)
    else:
        slopes = held.write(gradient, [np.zeros(part.shape) for part in parts])
    for part, slope in zip(parts, slopes, strict=True):
        if not part.requires_grad:
            continue
        given = torch.from_numpy(np.array(slope)).to(part.dtype).reshape(part.shape)
        part.grad = given if part.grad is None else part.grad + given
