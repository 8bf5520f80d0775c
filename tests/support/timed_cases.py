"""Compare what `port --bench` runs of a Keras or raw TensorFlow model with the recorded values."""

from typing import Any

import numpy as np

from compare.adapters.keras_timed import KerasPasses, _repeated, usual
from compare.adapters.learning import Learning


def nodes(adapter: Any, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return how far each node's output in a graph is from the recorded one, relative to its largest value.

    Also return the nodes with operations, and how many could be computed in a graph.
    """
    passes = KerasPasses(adapter, None, None, ("", ""), "")
    ready = passes.watch(inputs)
    far = 0.0
    for steps in passes._steps().values():
        calls = [(step, len(step.inputs)) for step in steps]
        made = _repeated(calls, 3)(*(value.tensor for step in steps for value in step.inputs))
        for place, output in enumerate(made):
            wanted = np.asarray(steps[place % len(steps)].output.tensor)
            if wanted.dtype.kind == "f":
                far = max(far, float(np.abs(output - wanted).max()) / (1 + float(np.abs(wanted).max())))
    run = passes.forward(inputs)
    canonical, joined = adapter.recorded()
    wanted = canonical.step_of[joined.before(joined.recording.graph.outputs[0])].output.tensor
    whole = float(np.abs(run() - np.asarray(wanted)).max())
    computed = [each().run() for each in ready.values()]
    return {"far": far, "whole": whole, "nodes": list(ready), "computed": len(computed)}


def trained(adapter: Any, inputs: dict[str, np.ndarray], targets: np.ndarray) -> dict[str, Any]:
    """Return the losses of two windows of training steps. Each window begins with the same weights."""
    learning = Learning(adapter)
    learning.learner.set_loss("mse", "")
    adapter.record(inputs, False)
    losses: dict[str, list[list[float]]] = {}
    for mode in ("eager", "graph"):
        passes = KerasPasses(adapter, mode, learning, ("adam", ""), "values")  # type: ignore[arg-type]
        losses[mode] = []
        passes.begin("training")
        run = passes.training(inputs, targets)
        for _ in range(2):
            passes.begin("training")
            losses[mode].append([float(run()) for _ in range(3)])
    return {"losses": losses}


def modes(model: Any) -> list[str]:
    """Return the modes in which users run a model: as it is, compiled eagerly, by XLA, and as a plain function."""
    found = [usual(model)]
    model.compile(run_eagerly=True)
    found.append(usual(model))
    model.compile(run_eagerly=False, jit_compile=True)
    return [*found, usual(model), usual(lambda x: x)]
