"""Watch one call of a PyTorch model, function by function."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.autograd.graph import get_gradient_edge
from torch.overrides import TorchFunctionMode

from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.torch_call import Call, Held, Meaning, turned
from compare.adapters.torch_calls import by_name, name_of
from compare.adapters.torch_operations import meaning
from compare.adapters.torch_several import SEVERAL, not_dropping
from compare.graphs.node import Attribute

STOCHASTIC = ("StochasticDepth", "DropPath")  # from torchvision and from timm
DROPS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")


@dataclass
class Seen:
    """One operation of the call: the function and its arguments, for calling it again, and its meaning."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    meaning: Meaning
    inputs: list[int]  # positions in the list of recorded operations
    output: torch.Tensor
    value: np.ndarray
    part: int = 0  # number of the result, if there are several
    path: str = ""
    call: int = 0
    layer: str = ""
    edge: Any = None  # receives the gradient of the output, if gradients are computed


class TorchWatch(TorchFunctionMode):
    """Records every function that is called on tensors during the model's call."""

    def __init__(self, model: torch.nn.Module, training: bool, gradients: bool = False) -> None:
        """With `gradients` the call can be differentiated afterwards; `result` is its output."""
        super().__init__()
        self.model, self.training, self.gradients = model, training, gradients
        self.result: Any = None
        self.seen: list[Seen] = []
        self._place: dict[int, int] = {}  # of the last value of a tensor, by its identity
        self._alive: list[Any] = []
        self._owned = {id(t): name for name, t in (*model.named_parameters(), *model.named_buffers())}
        self._paths = {id(module): name for name, module in model.named_modules()}
        self._stack: list[tuple[str, int, str, bool]] = []
        self._calls = 0
        self.held: dict[Any, Any] = {}

    def call(self, inputs: Mapping[str, torch.Tensor]) -> list[int]:
        """Call the model, and return the positions of its outputs among the recorded operations."""
        for name, tensor in inputs.items():
            self._keep(None, (), {}, Meaning("Input"), [], tensor, 0, path=name)
        with self._hooks(), _stochastic_depth_as_dropout(self.model), torch.set_grad_enabled(self.gradients), self:
            try:
                result = self.model(*inputs.values())
            except TypeError:
                result = self.model(**inputs)
        self.result = result
        found = [self._place[id(t)] for t in flat(result) if id(t) in self._place]
        if not found:
            raise Unreadable("The model's result holds no tensor that was computed from its inputs.")
        return found

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        def enter(module: torch.nn.Module, _: Any) -> None:
            self._calls += 1
            leaf = not any(True for _ in module.children())
            path = self._paths.get(id(module), "")
            self._stack.append((path, self._calls, type(module).__name__, leaf))

        def leave(module: torch.nn.Module, _: Any, __: Any) -> None:
            self._stack.pop()

        hooks = torch.nn.modules.module
        before = hooks.register_module_forward_pre_hook(enter)
        after = hooks.register_module_forward_hook(leave, always_call=True)
        try:
            yield
        finally:
            before.remove()
            after.remove()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, reverse = name_of(func)
        if name == "set" and args and id(args[0]) in self._place:
            raise Unreadable("The model sets attributes of tensors while it is called, which cannot be followed.")
        if name == "iter" and args and self.known(args[0]):
            with self:  # an iterator's parts are taken one by one
                return iter([args[0][place] for place in range(len(args[0]))])
        tensors = [t for t in flat((args, kwargs)) if id(t) in self._place]
        inputs = [self._place[id(t)] for t in tensors]
        arguments = by_name(func, name, args, kwargs)
        if name in DROPS and tensors and self.training:
            arguments["p"] = arguments.get("p", 0.5)
            result = args[0].clone() if args else kwargs["input"].clone()
        else:
            dropless, words = not_dropping(name, args, kwargs)
            with users_own():
                result = func(*dropless, **words)
        if name == "setitem" and tensors:
            self._keep(func, args, kwargs, Meaning("torch:setitem", tensors), inputs, args[0], 0)
            return result
        if name in SEVERAL and SEVERAL[name](self, args, kwargs, result):
            return result
        outputs = flat(result)
        if not outputs or not (inputs or self._any_owned(args, kwargs)):
            return result
        if name.endswith(".get") and name not in ("data.get", "T.get", "mT.get"):
            return result
        before = dict(self._place)
        for part, output in enumerate(outputs):
            what = self._meaning(name, arguments, output, reverse, tensors, len(outputs), part)
            places = []
            for tensor in what.inputs:
                places.append(before[id(tensor)] if id(tensor) in before else self._source(tensor))
            self._keep(func, args, kwargs, what, places, output, part, name)
        return result

    def _meaning(
        self,
        name: str,
        arguments: dict[str, Any],
        output: torch.Tensor,
        reverse: bool,
        tensors: list[Any],
        n: int,
        part: int,
    ) -> Meaning:
        found = None
        if n == 1:
            found = meaning(Call(name, arguments, output, reverse))
        elif name in ("chunk", "split", "tensor_split", "unbind") and name != "unbind":
            found = _part(arguments, output, part)
        if found is not None and found.kind == "MatMul" and len(found.inputs) == 2 and not reverse:
            found = self._product(found)
        if found is not None and self._is_known(found):
            return found
        weights = {self._owned[id(t)].rpartition(".")[2]: t for t in self._all_owned(arguments)}
        attributes = {"output": part} if n > 1 else {}
        shown = {k: v for k, v in arguments.items() if isinstance(v, (bool, int, float, str)) and not k.isdigit()}
        return Meaning(f"torch:{name}", tensors, {**shown, **attributes}, dict(weights))

    def _product(self, found: Meaning) -> Meaning:
        """Turn a product with a matrix of the model's own into a layer."""
        x, matrix = found.inputs
        own = id(matrix) in self._owned and id(x) not in self._owned
        if own and isinstance(matrix, torch.nn.Parameter) and matrix.ndim == 2 and x.ndim > 1:
            return Meaning("Gemm", [x], {"axis": x.ndim - 1}, {"W": turned(matrix)})
        return found

    def _is_known(self, found: Meaning) -> bool:
        """Whether its weights are the model's own, and its inputs tensors."""
        held = [
            part for each in found.weights.values() for part in (each.tensors if isinstance(each, Held) else (each,))
        ]
        owned = all(id(tensor) in self._owned or tensor is None for tensor in held)
        return owned and all(isinstance(tensor, torch.Tensor) for tensor in found.inputs)

    def _all_owned(self, arguments: Any) -> list[torch.Tensor]:
        return [t for t in flat(list(arguments.values())) if id(t) in self._owned]

    def _any_owned(self, args: Any, kwargs: Any) -> bool:
        return any(id(t) in self._owned for t in flat((args, kwargs)))

    def known(self, tensor: Any) -> bool:
        """Whether a recorded operation made this tensor."""
        return id(tensor) in self._place

    def owned(self, tensors: Sequence[torch.Tensor]) -> bool:
        """Whether all are parameters or buffers of the model."""
        return all(id(tensor) in self._owned for tensor in tensors)

    @property
    def at(self) -> str:
        """The path of the module that runs now."""
        return self._stack[-1][0] if self._stack else ""

    def emit(
        self,
        kind: str,
        inputs: Sequence[torch.Tensor],
        call: Callable[..., torch.Tensor],
        attributes: Mapping[str, Attribute] | None = None,
        weights: Mapping[str, Any] | None = None,
        path: str | None = None,
        output: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Record one of a function's several operations; `output` if PyTorch has computed it already."""
        made = call(*inputs) if output is None else output
        if any(made is each for each in inputs):
            made = made.clone()
        meant = Meaning(kind, list(inputs), dict(attributes or {}), dict(weights or {}))
        places = [self._place[id(each)] if id(each) in self._place else self._source(each) for each in inputs]
        self._keep(call, tuple(inputs), {}, meant, places, made, 0, kind, path)
        return made

    def _source(self, tensor: torch.Tensor) -> int:
        """Return the position of a tensor without a source in the graph: a parameter, or a constant."""
        name = self._owned.get(id(tensor))
        kind = "Parameter" if name is not None and isinstance(tensor, torch.nn.Parameter) else "Constant"
        return self._keep(
            None, (), {}, Meaning(kind, (), {}, {"value": tensor}), [], tensor, 0, path=name or "constant"
        )

    def _keep(
        self,
        func: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        what: Meaning,
        inputs: list[int],
        output: torch.Tensor,
        part: int,
        name: str = "",
        path: str | None = None,
    ) -> int:
        at, call, module, leaf = self._stack[-1] if self._stack else ("", 0, "", False)
        # The edge is taken now, because a later change of the tensor in place moves it.
        edge = get_gradient_edge(output) if self.gradients and output.requires_grad else None
        one = Seen(
            func, args, kwargs, what, inputs, output, output.detach().cpu().numpy().copy(), part,
            (at if leaf else f"{at}:") if path is None else path, call if leaf else 0, module if leaf else name, edge,
        )  # fmt: skip
        self.seen.append(one)
        self._alive.append((args, kwargs, output))
        self._place[id(output)] = len(self.seen) - 1
        return len(self.seen) - 1


@contextmanager
def _stochastic_depth_as_dropout(model: torch.nn.Module) -> Iterator[None]:
    """Let modules that drop whole branches at random call dropout, which is known here, in this context."""
    found = [module for module in model.modules() if type(module).__name__ in STOCHASTIC]
    for module in found:
        module.forward = functools.partial(_dropped, module)
    try:
        yield
    finally:
        for module in found:
            del module.forward


def _dropped(module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    ratio = next((float(getattr(module, name)) for name in ("p", "drop_prob") if hasattr(module, name)), 0.0)
    return torch.nn.functional.dropout(x, ratio, module.training)


def _part(arguments: dict[str, Any], output: torch.Tensor, part: int) -> Meaning | None:
    whole = arguments["input"]
    axis = arguments.get("dim", 0) % whole.ndim
    size = arguments.get("split_size", arguments.get("split_size_or_sections"))
    if isinstance(size, (tuple, list)):
        start = sum(size[:part])
    else:
        each = size if size is not None else -(-whole.shape[axis] // arguments["chunks"])
        start = part * each
    cut = {"axes": (axis,), "starts": (start,), "ends": (start + output.shape[axis],), "steps": (1,)}
    return Meaning("Slice", [whole], dict(cut))


def flat(value: Any) -> list[torch.Tensor]:
    """Return all tensors within tuples, lists and dictionaries, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, Mapping):
        return [t for each in value.values() for t in flat(each)]
    if isinstance(value, (tuple, list)):
        return [t for each in value for t in flat(each)]
    return []


def replaced(value: Any, new: Mapping[int, torch.Tensor]) -> Any:
    """Return the same structure with some tensors replaced."""
    if isinstance(value, torch.Tensor):
        return new.get(id(value), value)
    if isinstance(value, dict):
        return {name: replaced(each, new) for name, each in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(replaced(each, new) for each in value)
    return value
