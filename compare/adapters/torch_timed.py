"""Run a PyTorch model as its users do: eagerly, or compiled by `torch.compile`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.learning import Learning
from compare.adapters.loss_names import formed
from compare.adapters.passes import Repeated, Run
from compare.adapters.torch_learner import TorchLearner
from compare.adapters.torch_trainer import TorchTrainer, unchanged
from compare.adapters.torch_watch import Seen, flat
from compare.rpc.timing_messages import Pass
from shared.choices import Mode

MOST_COMPILED = 64  # shapes of one function: batch sizes, in evaluation and in training


class TorchPasses:
    """See passes.Passes."""

    def __init__(
        self, adapter: Any, mode: Mode | None, learning: Learning | None, optimizer: tuple[str, str], form: str
    ) -> None:
        if mode == "xla":
            raise Unreadable("PyTorch has no mode 'xla', only eager and graph.")
        self.adapter = adapter
        self.mode: Mode = mode or "eager"
        adapter.convert(torch.float32)
        self.in_words = "eager" if self.mode == "eager" else "torch.compile"
        self._learning, self._optimizer, self._form = learning, optimizer, form
        self._stepper: Any = None
        self._back: Callable[[], None] | None = None
        self._call: Any = adapter.model
        if self.mode == "graph":
            torch._dynamo.config.recompile_limit = MOST_COMPILED
            self._call = torch.compile(adapter.model, dynamic=False)

    def _called(self, tensors: Mapping[str, torch.Tensor]) -> Any:
        try:
            return self._call(*tensors.values())
        except TypeError:
            return self._call(**tensors)

    def forward(self, inputs: Mapping[str, np.ndarray]) -> Run:
        """See Passes.forward."""
        arrays = {name: np.array(array) for name, array in inputs.items()}

        def run() -> Any:
            with torch.no_grad():
                found = self._called({name: torch.from_numpy(array) for name, array in arrays.items()})
            return flat(found)[0].numpy()

        with users_own():
            run()
        return run

    def training(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray) -> Run:
        """See Passes.training."""
        assert self._learning is not None
        learner = self._learning.learner
        assert isinstance(learner, TorchLearner)
        arrays = {name: np.array(array) for name, array in inputs.items()}
        with torch.no_grad():
            outputs = flat(self._called({name: torch.from_numpy(array) for name, array in arrays.items()}))[0]
        shaped = formed(targets, self._form, tuple(outputs.shape), min(1, outputs.ndim - 1))
        wanted = np.array(shaped if shaped.dtype.kind in "iu" else shaped.astype(np.float32))

        def run() -> Any:
            self._stepper.optimizer.zero_grad()
            found = self._called({name: torch.from_numpy(array) for name, array in arrays.items()})
            loss = learner.loss_of(flat(found)[0], torch.from_numpy(wanted))
            loss.backward()  # type: ignore[no-untyped-call]
            self._stepper.optimizer.step()
            return loss.detach()

        return run

    def begin(self, what: Pass) -> None:
        """See Passes.begin. A schedule of the optimizer takes no steps, because it may have an end."""
        self.adapter.set_mode(what == "training")
        if what == "training":
            assert self._learning is not None
            trainer = self._learning.trainer
            assert isinstance(trainer, TorchTrainer)
            self._back = self._back or unchanged(self.adapter.model)
            self._back()
            self._stepper = trainer.made(*self._optimizer)

    def watch(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, Callable[[], Repeated]]:
        """See Passes.watch. Nodes are computed eagerly in every mode."""
        self.adapter.record(inputs, False)
        return {name: partial(_node, seen) for name, seen in self.adapter.operations().items()}


def _node(calls: Sequence[Seen]) -> Repeated:
    def run() -> None:
        with torch.no_grad():
            for one in calls:
                one.func(*one.args, **one.kwargs)

    return Repeated(run)
