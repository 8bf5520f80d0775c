"""Time a model's passes and nodes, in the worker: requests are answered here.

A window is a number of passes with one wait at its end, as in `compare bench` (compare/worker/windows.py). No garbage
is collected in it, and uncounted passes run right before it.
"""

import math
import time
from collections.abc import Callable

import numpy as np

from compare.adapters.adapter import Adapter, Unreadable
from compare.adapters.learner import inputs_of
from compare.adapters.learning import Learning
from compare.adapters.passes import Passes, Repeated, Run
from compare.processes import usage
from compare.rpc import timing_messages as messages
from compare.rpc import wire
from compare.rpc.messages import Answer
from shared.choices import Mode

Asked = messages.PrepareTimes | messages.TimePass | messages.WatchNodes | messages.TimeNode


class Timing:
    """Answers to requests about the times of one model."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self._passes: Passes | None = None
        self._inputs: dict[str, np.ndarray] = {}
        self._targets = np.empty(0)
        self._runs: dict[tuple[str, int], Run] = {}
        self._nodes: dict[str, Callable[[], Repeated]] = {}
        self._ready: dict[str, Repeated] = {}

    def do(self, request: Asked, arrays: wire.Arrays) -> tuple[Answer, wire.Arrays]:
        """Carry out the request, and return the answer with its arrays."""
        match request:
            case messages.PrepareTimes():
                return self._prepare(request, arrays), {}
            case messages.TimePass(what=what, batch_size=batch_size, calls=calls, uncounted=uncounted):
                return self._time(what, batch_size, calls, uncounted), {}
            case messages.WatchNodes(batch_size=batch_size):
                self._ready = {}
                self._nodes = dict(self.passes.watch(self._batch(batch_size)))
                return messages.NodesWatched(nodes=tuple(self._nodes)), {}
            case messages.TimeNode(node=node, calls=calls, uncounted=uncounted):
                return messages.NodeTimed(call_s=self._time_node(node, calls, uncounted)), {}

    @property
    def passes(self) -> Passes:
        """The prepared passes. Raises RuntimeError if nothing was prepared."""
        if self._passes is None:
            raise RuntimeError("nothing was prepared to be timed")
        return self._passes

    def _prepare(self, request: messages.PrepareTimes, arrays: wire.Arrays) -> messages.TimesPrepared:
        self._inputs, self._targets = inputs_of(arrays), arrays.get("targets", np.empty(0))
        learning = None
        if request.trains:
            learning = Learning(self.adapter)
            learning.learner.set_loss(*request.loss)
            few = {name: array[:2] for name, array in self._inputs.items()}
            self.adapter.record(few, False)  # shows a trainer the variables of a function
        self._passes = passes_of(self.adapter, request.mode, learning, request.optimizer, request.form)
        self._runs = {}
        return messages.TimesPrepared(mode=self._passes.mode, in_words=self._passes.in_words)

    def _batch(self, n: int) -> dict[str, np.ndarray]:
        return {name: np.ascontiguousarray(array[:n]) for name, array in self._inputs.items()}

    def _time(self, what: messages.Pass, batch_size: int, calls: int, uncounted: int) -> messages.PassTimed:
        self.passes.begin(what)
        if (what, batch_size) not in self._runs:
            batch = self._batch(batch_size)
            made = self.passes.forward(batch) if what == "forward" else None
            self._runs[what, batch_size] = made or self.passes.training(batch, self._targets[:batch_size])
        run = self._runs[what, batch_size]
        with usage.no_garbage_collection():
            for _ in range(uncounted):
                last = run()
            before = usage.usage()
            start = time.perf_counter()
            for _ in range(calls):
                last = run()
            last = np.asarray(last)
            elapsed_s = time.perf_counter() - start
            after = usage.usage()
        return messages.PassTimed(
            elapsed_s=elapsed_s,
            own_s=after.own_s - before.own_s,
            foreign_s=after.foreign_s(before),
            n_preempted=after.n_preempted - before.n_preempted,
            finite=bool(np.isfinite(last).all()) if last.dtype.kind == "f" else True,
        )

    def _time_node(self, node: str, calls: int, uncounted: int) -> float:
        if node not in self._ready:
            self._ready[node] = self._nodes[node]()
        one = self._ready[node]
        n_runs = math.ceil(calls / one.times)
        with usage.no_garbage_collection():
            for _ in range(math.ceil(uncounted / one.times)):
                one.run()
            start = time.perf_counter()
            for _ in range(n_runs):
                one.run()
            elapsed_s = time.perf_counter() - start
        found = (elapsed_s / n_runs - one.overhead_s) / one.times
        return max(found, 0.0) if math.isfinite(found) else 0.0


def passes_of(
    adapter: Adapter, mode: Mode | None, learning: Learning | None, optimizer: tuple[str, str], form: str
) -> Passes:
    """Return the passes of an adapter's model. Raises Unreadable if it does not run in this mode."""
    if adapter.framework == "torch":
        from compare.adapters.torch_timed import TorchPasses

        return TorchPasses(adapter, mode, learning, optimizer, form)
    if adapter.framework in ("keras", "tensorflow"):
        from compare.adapters.keras_backend import BACKEND

        if BACKEND != "tensorflow":
            raise Unreadable(f"Keras on {BACKEND} is compared, and not timed yet. Leave --bench out.")
        from compare.adapters.keras_timed import KerasPasses

        return KerasPasses(adapter, mode, learning, optimizer, form)
    from compare.adapters.onnx_timed import OnnxPasses

    if learning is not None:
        raise Unreadable("An ONNX file cannot be trained. Leave the loss out, or give its source.")
    return OnnxPasses(adapter, mode)
