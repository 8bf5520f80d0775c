"""Watch a training loop of PyTorch's: the model's inputs, the loss, and the optimizer."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils.data import DataLoader, RandomSampler

from compare.adapters.adapter import Unreadable
from compare.adapters.fitting import KEEPS, Enough, SeenFit, SeenStep, input_names, plain_targets
from compare.adapters.torch_adapter import TorchAdapter
from compare.adapters.torch_calls import name_of
from compare.adapters.torch_losses import LossWatch
from compare.adapters.torch_optimizers import seen_clipping
from compare.adapters.torch_trainer import unchanged
from compare.adapters.torch_watch import flat, replaced

TARGETS = ("target", "targets", "labels")
ACCUMULATES = "gradients of several batches are added up before a step"


class TorchWatcher:
    """See fitting.Watcher. The loop runs in float64: the model's inputs are converted."""

    def __init__(self, adapter: TorchAdapter) -> None:
        self.adapter, self.seen = adapter, SeenFit()

    @property
    def model(self) -> torch.nn.Module:
        """See Watcher.model."""
        return self.adapter.model

    def watch(self, train: Callable[[], Any], n: int) -> SeenFit:
        """See Watcher.watch."""
        self.adapter.convert(torch.float64)
        loop = _Loop(self.model, n)
        loop.back = unchanged(self.model)
        try:
            with loop.watching():
                train()
        finally:
            loop.back()
        self.seen = loop.seen
        return self.seen


class _Loop:
    """One run of a training function."""

    def __init__(self, model: torch.nn.Module, n: int) -> None:
        self.model, self.n, self.seen = model, n, SeenFit()
        self.back: Callable[[], None] = lambda: None
        self.output: torch.Tensor | None = None
        self.given: set[int] = set()  # the identities of the model's inputs
        self.made: dict[int, torch.Tensor] = {}  # results made from the output
        self.losses: LossWatch | None = None
        self.forwards = 0  # since the last step
        self.before: list[tuple[torch.Tensor, torch.Tensor]] = []  # parameters with their gradients after backward()
        self.loader: DataLoader[Any] | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calls in this context."""
        original, iterate = torch.autograd.backward, DataLoader.__iter__

        def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
            self.differentiated(tensors)
            original(tensors, *args, **kwargs)
            self.before = [(p, p.grad.clone()) for p in self.model.parameters() if p.grad is not None]

        def iterated(loader: DataLoader[Any]) -> Any:
            self.loader = loader
            return iterate(loader)

        with ExitStack() as stack:
            stack.callback(setattr, torch.autograd, "backward", original)
            torch.autograd.backward = backward
            stack.callback(setattr, DataLoader, "__iter__", iterate)
            DataLoader.__iter__ = iterated  # type: ignore[method-assign]
            hooks = (
                self.model.register_forward_pre_hook(self.called, with_kwargs=True),
                self.model.register_forward_hook(self.gave),
                register_optimizer_step_pre_hook(self.stepping),
                register_optimizer_step_post_hook(self.stepped),
            )
            for hook in hooks:
                stack.callback(hook.remove)
            stack.enter_context(torch.enable_grad())
            stack.enter_context(_InFloat64(self))
            yield

    def called(self, _: torch.nn.Module, args: Any, kwargs: Any) -> Any:
        """Note the model's inputs, and return them in float64."""
        given = flat((args, kwargs))
        new = {id(t): t.double() for t in given if t.is_floating_point() and t.dtype != torch.float64}
        if torch.is_grad_enabled():
            if len(self.seen.steps) >= self.n and self.seen.steps[-1].loss is not None and not self.forwards:
                raise Enough
            if not self.seen.steps:
                self.back = unchanged(self.model)  # it may have been given other weights
                self._read_loader()
            names = input_names(None, len(given))
            inputs = {name: _array(t) for name, t in zip(names, given, strict=True)}
            self.seen.steps.append(SeenStep(inputs, np.empty(0)))
            self.given = {id(t) for t in (*given, *new.values())}
            if not self.model.training:
                self.seen.note("the model is in evaluation mode while it is trained")
        return replaced(args, new), replaced(kwargs, new)

    def _read_loader(self) -> None:
        loader = self.loader
        if loader is None:
            return
        self.seen.data = {"drop_last": str(bool(loader.drop_last)), "batch_size": str(loader.batch_size)}
        if loader.sampler is not None:
            self.seen.data["shuffle"] = str(isinstance(loader.sampler, RandomSampler))
        if hasattr(loader.dataset, "__len__"):
            self.seen.data["examples"] = str(len(loader.dataset))

    def gave(self, _: torch.nn.Module, __: Any, result: Any) -> None:
        """Note the model's output."""
        outputs = flat(result)
        if not torch.is_grad_enabled() or not outputs or not self.seen.steps:
            return
        self.output, step = outputs[0], self.seen.steps[-1]
        step.output = _array(self.output)
        self.made, self.losses = {id(self.output): self.output}, LossWatch()
        self.forwards += 1
        if self.output.requires_grad:
            note = partial(_keep_slope, step)
            self.output.register_hook(note)  # type: ignore[no-untyped-call]

    def differentiated(self, tensors: Any) -> None:
        """Note the arguments of backward()."""
        loss = flat(tensors)[0]
        if self.output is None or not self.seen.steps:
            return
        if loss.numel() != 1:
            raise Unreadable(f"backward() is called on a tensor of shape {tuple(loss.shape)}, which is not a loss.")
        left = any(p.grad is not None and bool(p.grad.any()) for p in self.model.parameters())
        if left:
            self.seen.note(ACCUMULATES if self.forwards > 1 else KEEPS)
        self.seen.steps[-1].loss = float(loss.detach().double())
        if self.losses is not None and self.seen.record is None:
            self.seen.record = self.losses.record

    def stepping(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Note the state before a step of an optimizer."""
        ours = {id(p) for p in self.model.parameters()}
        if not any(id(t) in ours for group in optimizer.param_groups for t in group["params"]):
            return
        if self.seen.optimizer not in (None, optimizer):
            self.seen.note("the loop has several optimizers; the first was compared")
            return
        self.seen.optimizer = optimizer
        self.seen.rates.append(float(optimizer.param_groups[0]["lr"]))
        pairs = [(before, p.grad) for p, before in self.before if p.grad is not None]
        if pairs and not self.seen.clipped[0]:
            self.seen.clipped = seen_clipping(pairs) or self.seen.clipped

    def stepped(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Note the end of a step."""
        if optimizer is self.seen.optimizer:
            self.forwards = 0
            if len(self.seen.rates) >= self.n:
                raise Enough

    def function(self, func: Any, args: Any, kwargs: Any, tensors: list[torch.Tensor], result: Any) -> None:
        """Note one function of tensors, after the model's own."""
        if not self.seen.steps or self.output is None or not any(id(t) in self.made for t in tensors):
            return
        self.made |= {id(t): t for t in flat(result)}
        step = self.seen.steps[-1]
        if step.targets is not None:
            return
        parameters = {id(p) for p in self.model.parameters()}
        named = _named(func, args, kwargs)
        others = [
            t for t in (*named, *tensors)
            if id(t) not in self.made and id(t) not in parameters and t.ndim and len(t) == len(self.output)
        ]  # fmt: skip
        arrays = [array for array in map(_array, others) if not _counts(array)]
        if arrays:
            step.targets = plain_targets(arrays[0])


class _InFloat64(TorchFunctionMode):
    """Turns float32 into float64 next to float64, for example targets next to outputs."""

    def __init__(self, loop: _Loop) -> None:
        super().__init__()
        self.loop = loop

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = flat((args, kwargs))
        kinds = {t.dtype for t in tensors if t.is_floating_point()}
        if len(kinds) > 1 and torch.float64 in kinds and not name_of(func)[0].endswith(("_", "set", "get")):
            new = {id(t): t.double() for t in tensors if t.is_floating_point() and t.dtype != torch.float64}
            args, kwargs = replaced(args, new), replaced(kwargs, new)
        losses = self.loop.losses
        if losses is not None and any(id(t) in self.loop.made for t in tensors):
            result = losses.__torch_function__(func, types, args, kwargs)
            self.loop.function(func, args, kwargs, tensors, result)
            return result
        return func(*args, **kwargs)


def _named(func: Any, args: Any, kwargs: Any) -> list[torch.Tensor]:
    """Return the arguments of a function that are named like targets."""
    try:
        bound = inspect.signature(func).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = kwargs
    return [bound[name] for name in TARGETS if isinstance(bound.get(name), torch.Tensor)]


def _counts(array: np.ndarray) -> bool:
    """Whether it is 0, 1, 2 and so on: places of examples instead of targets."""
    return array.ndim == 1 and len(array) > 2 and np.array_equal(array, np.arange(len(array)))


def _keep_slope(step: SeenStep, slope: torch.Tensor) -> None:
    step.slope = _array(slope)


def _array(tensor: torch.Tensor) -> np.ndarray:
    made = np.array(tensor.detach().cpu())
    return made.astype(np.float64) if made.dtype.kind == "f" else made
