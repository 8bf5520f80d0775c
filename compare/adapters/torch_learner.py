"""Differentiate a PyTorch model: one watched call in training mode, its loss, and all gradients."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.learner import Gradients, Parameter, by_record, referred
from compare.adapters.loss_names import RECORD, SLOPE, formed
from compare.adapters.torch_call import Held
from compare.adapters.torch_losses import BY_NAME, LossWatch, loss_of
from compare.adapters.torch_watch import TorchWatch, flat
from compare.graphs.losses import LossRecord


class TorchLearner:
    """See learner.Learner."""

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter
        self._loss: Callable[..., Any] | None = None
        self._targets_first = False
        self._record: LossRecord | None = None
        self._value = 0.0  # of the last loss that a record describes

    def set_record(self, record: LossRecord) -> tuple[str, tuple[str, ...]]:
        """See Learner.set_record."""
        self._record = record
        return record.kind, (RECORD,)

    def set_loss(self, name: str, reference: str) -> tuple[str, tuple[str, ...]]:
        """See Learner.set_loss."""
        if not name and not reference:
            raise Unreadable("A PyTorch model states no loss. Give one: --loss NAME, or a reference to it.")
        found = BY_NAME[name]() if name else referred(reference)
        with users_own():
            self._loss, forms, self._targets_first = loss_of(found, reference)
        return getattr(self._loss, "__name__", type(self._loss).__name__), forms

    def differentiate(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str) -> Gradients:
        """See Learner.differentiate."""
        with self.adapter.watched(inputs, True, gradients=True) as (watch, recording):
            loss, record = self.computed(watch, recording.graph.outputs[0], targets, form)
            names = [node.name for node in recording.graph.nodes if self.adapter.seen(node.name).edge is not None]
            edges = [self.adapter.seen(name).edge for name in names]
            tensors = self.adapter.tensors
            owned = {id(tensor): name for name, tensor in self.adapter.model.named_parameters()}
            weights = {
                name: _parts(held)
                for name, held in tensors.items()
                if all(id(part) in owned for part in _parts(held))
                and name.rpartition("/")[0] in recording.graph.by_name
            }
            trained = {id(t): t for parts in weights.values() for t in parts if t.requires_grad}
            found: tuple[Any, ...] = (None,) * (len(edges) + len(trained))
            if loss.requires_grad:
                found = torch.autograd.grad(loss, [*edges, *trained.values()], allow_unused=True)
        given = [None if each is None else _array(each) for each in found]
        values = {name: each for name, each in zip(names, given, strict=False) if each is not None}
        by_id = dict(zip(trained, given[len(edges) :], strict=True))
        of_weights = {}
        for name, parts in weights.items():
            slopes = [by_id.get(id(part)) for part in parts]
            if any(slope is not None for slope in slopes):
                of_weights[name] = _as_held(tensors[name], slopes, parts)
        parameters = {
            name: Parameter(" and ".join(owned[id(t)] for t in parts), any(t.requires_grad for t in parts))
            for name, parts in weights.items()
        }
        value = float(loss.detach().double()) if form != RECORD else self._value
        return Gradients(recording, value, 0.0, values, of_weights, {}, parameters, record, 1)

    def computed(self, watch: TorchWatch, name: str, targets: np.ndarray, form: str) -> tuple[torch.Tensor, Any]:
        """Return the loss of the outputs, and its record."""
        output = self.adapter.seen(name).output
        if form == RECORD:
            assert self._record is not None
            self._value, slope = by_record(self._record, output.detach().cpu().numpy(), targets)
            return (output * torch.from_numpy(slope).to(output.dtype)).sum(), self._record
        assert self._loss is not None
        outputs = watch.result if isinstance(watch.result, torch.Tensor) else flat(watch.result)[0]
        if form == SLOPE:
            return (output * torch.from_numpy(np.array(targets)).to(output.dtype)).sum(), None
        shaped = torch.from_numpy(np.array(formed(targets, form, tuple(outputs.shape), min(1, outputs.ndim - 1))))
        shaped = shaped.to(outputs.dtype) if shaped.is_floating_point() else shaped
        with LossWatch() as seen:
            loss = self.loss_of(outputs, shaped)
        return loss, seen.record

    def loss_of(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss of outputs for targets in its form. Raises Unreadable unless it is one number."""
        assert self._loss is not None
        with users_own():
            loss = self._loss(*((targets, outputs) if self._targets_first else (outputs, targets)))
        if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
            what = f"of shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else type(loss).__name__
            raise Unreadable(f"The loss gives an array {what}, and it must be one number: take its mean or sum.")
        return loss.reshape(())


def _parts(held: Any) -> tuple[torch.Tensor, ...]:
    return held.tensors if isinstance(held, Held) else (held,)


def _as_held(held: Any, slopes: list[np.ndarray | None], parts: tuple[torch.Tensor, ...]) -> np.ndarray:
    """Return the gradient of a weight from those of its parts; None is that of a part that is not trained. Each part of
    a sum, such as both biases of an LSTM, has the whole gradient."""
    whole = [np.zeros(part.shape) if slope is None else slope for part, slope in zip(parts, slopes, strict=True)]
    if not isinstance(held, Held):
        return np.ascontiguousarray(whole[0])
    ones = [np.full(part.shape, float(slope is not None)) for part, slope in zip(parts, slopes, strict=True)]
    n_parts = np.abs(held.read(ones))
    return np.ascontiguousarray(held.read(whole) / np.maximum(n_parts, 1))


def _array(tensor: torch.Tensor) -> np.ndarray:
    return np.array((tensor.to_dense() if tensor.is_sparse else tensor).detach().cpu())
