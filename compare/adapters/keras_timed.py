"""Run a model of Keras or raw TensorFlow as its users do: a Keras model as `fit` and `predict` compile it, anything
else in a `tf.function`."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from compare.adapters.adapter import Unreadable, users_own
from compare.adapters.keras_learner import KerasLearner
from compare.adapters.keras_trainer import KerasTrainer
from compare.adapters.learning import Learning
from compare.adapters.passes import MANY, Repeated, Run
from compare.adapters.plain import plain
from compare.adapters.steps import Step
from compare.rpc.timing_messages import Pass
from shared.choices import Mode

WORDS: dict[Mode, str] = {"eager": "eager", "graph": "tf.function", "xla": "tf.function(jit_compile=True)"}
SMALL_S = 1e-3  # faster nodes are computed several times in one call
BLANK_CALLS = 50


class KerasPasses:
    """See passes.Passes."""

    def __init__(
        self, adapter: Any, mode: Mode | None, learning: Learning | None, optimizer: tuple[str, str], form: str
    ) -> None:
        self.adapter, self._learning, self._optimizer, self._form = adapter, learning, optimizer, form
        self.mode = mode or usual(adapter.model)
        self.in_words = WORDS[self.mode]
        self._begun = False

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self.mode == "eager":
            return function
        compiled: Callable[..., Any] = tf.function(function, jit_compile=self.mode == "xla", autograph=False)
        return compiled

    def forward(self, inputs: Mapping[str, np.ndarray]) -> Run:
        """See Passes.forward."""
        arrays = self.adapter.native(inputs)

        def called(*tensors: Any) -> Any:
            return first(self.adapter.called(dict(zip(arrays, tensors, strict=True)), False))

        function = self._compiled(called)

        def run() -> Any:
            return function(*(tf.constant(array) for array in arrays.values())).numpy()

        self._tried(run)
        return run

    def training(self, inputs: Mapping[str, np.ndarray], targets: np.ndarray) -> Run:
        """See Passes.training."""
        learner, trainer = self._both()
        recording = self.adapter.record(inputs, True, tf.GradientTape())
        given = learner.shaped(recording, targets, self._form)[0]
        arrays = self.adapter.native(inputs)
        variables = [variable for variable in trainer.variables() if variable.trainable]
        sources = [each if isinstance(each, tf.Variable) else each.value for each in variables]
        optimizer = trainer.optimizer

        def step(targets: Any, *tensors: Any) -> Any:
            with tf.GradientTape() as tape:
                output = first(self.adapter.called(dict(zip(arrays, tensors, strict=True)), True))
                loss = learner.loss_of(output, targets)
                penalty = learner.penalty()
                whole = loss if penalty is None else loss + penalty
            slopes = tape.gradient(whole, sources)
            pairs = [(slope, v) for slope, v in zip(slopes, variables, strict=True) if slope is not None]
            optimizer.apply([slope for slope, _ in pairs], [variable for _, variable in pairs])
            return whole

        function, wanted = self._compiled(step), given.numpy()

        def run() -> Any:
            return function(tf.constant(wanted), *(tf.constant(array) for array in arrays.values()))

        self._tried(run)
        return run

    def _tried(self, run: Run) -> None:
        """Make the first run, which compiles. Raises Unreadable if that fails."""
        try:
            with users_own():
                run()
        except (tf.errors.OpError, ValueError, NotImplementedError) as error:
            if self.mode == "eager":
                raise
            other = "eager" if self.mode == "graph" else "graph"
            raise Unreadable(
                f"It cannot be compiled as {self.in_words}: {plain(error)[:300]} Give --modes {other}."
            ) from error

    def begin(self, what: Pass) -> None:
        """See Passes.begin."""
        if what == "training":
            _, trainer = self._both()
            if self._begun:
                trainer.end()
            trainer.begin(*self._optimizer)
            self._begun = True

    def _both(self) -> tuple[KerasLearner, KerasTrainer]:
        assert self._learning is not None
        learner, trainer = self._learning.learner, self._learning.trainer
        assert isinstance(learner, KerasLearner)
        assert isinstance(trainer, KerasTrainer)
        return learner, trainer

    def watch(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, Callable[[], Repeated]]:
        """See Passes.watch. Nodes are computed in a graph in every mode."""
        self.adapter.record(inputs, False, tf.GradientTape())
        return {name: partial(_node, steps) for name, steps in self._steps().items()}

    def _steps(self) -> dict[str, list[Step]]:
        """Return the operations that compute each node of the last recording, each under only one node."""
        canonical, joined = self.adapter.recorded()
        found: dict[str, list[Step]] = {}
        done: set[int] = set()
        for by_name in (True, False):  # an operation may have its own transpose: its node comes first
            for node in joined.recording.graph.nodes:
                for member in joined.members.get(node.name, (node,)):
                    step = canonical.step_of.get(member.name)
                    if step is None or step.call is None or id(step) in done or by_name != (step.name == member.name):
                        continue
                    done.add(id(step))
                    found.setdefault(node.name, []).append(step)
        return found


def usual(model: Any) -> Mode:
    """Return the mode in which `fit` and `predict` run a Keras model; a graph for anything else."""
    if getattr(model, "run_eagerly", False) is True:
        return "eager"
    return "xla" if getattr(model, "jit_compile", False) is True else "graph"


def first(outputs: Any) -> Any:
    """Return the first tensor of a model's output."""
    return next(each for each in tf.nest.flatten(outputs) if isinstance(each, tf.Tensor))


def _node(steps: Sequence[Step]) -> Repeated:
    """Prepare a node for its recorded inputs: small nodes are computed many times in a graph, in sequence."""
    inputs = [[value.tensor for value in step.inputs] for step in steps]
    tensors = [tensor for some in inputs for tensor in some]
    calls = [(step, len(some)) for step, some in zip(steps, inputs, strict=True)]
    try:
        once = _repeated(calls, 1)
        blank = tf.function(lambda *given: given[:1], autograph=False)
        overhead_s = _call_s(lambda: blank(*tensors), BLANK_CALLS)
        once(*tensors)
        if _call_s(lambda: once(*tensors), 3) - overhead_s >= SMALL_S:
            return Repeated(lambda: once(*tensors), 1, overhead_s)
        often = _repeated(calls, MANY)
        often(*tensors)
        return Repeated(lambda: often(*tensors), MANY, overhead_s)
    except Exception:  # a user's own operation can raise anything in a graph; eagerly it ran before
        return Repeated(lambda: [step.call(some, False) for step, some in zip(steps, inputs, strict=True) if step.call])


def _repeated(calls: Sequence[tuple[Step, int]], times: int) -> Callable[..., Any]:
    """Return a graph that computes steps `times` times for the same inputs, in sequence."""

    def computed(*tensors: Any) -> Any:
        made: list[Any] = []
        for _ in range(times):
            with tf.control_dependencies(made[-1:]):
                place = 0
                for step, n in calls:
                    assert step.call is not None
                    made.append(step.call(list(tensors[place : place + n]), False))
                    place += n
        return made

    function: Callable[..., Any] = tf.function(computed, autograph=False)
    return function


def _call_s(run: Run, calls: int) -> float:
    """Return the median time of a call in seconds, without the first one."""
    run()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))
