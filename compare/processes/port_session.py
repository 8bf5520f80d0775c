"""The worker that holds a user's own model, and the requests to it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from compare.graphs.node import Graph, Recording
from compare.processes.environment import usable_cores
from compare.processes.interpreters import Interpreter
from compare.processes.process import AnswerType, Program, Tell, WorkerError, WorkerProcess
from compare.rpc import port_messages, wire
from compare.rpc.messages import ArraysSent, Failed, Request
from shared.errors import InputError, UserCodeError

# With oneDNN, TensorFlow never releases memory, and oneDNN computes nothing in float64.
PLAIN_MEMORY = {"TF_ENABLE_ONEDNN_OPTS": "0"}
# JAX has float64 only if it is enabled.
BACKEND_VARIABLES = {"jax": {"JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}}
PART_BYTES = 64 << 20
Precision = Literal["float64", "float32"]


class ModelWorker(WorkerProcess):
    """A process that holds one model. `side` is its name in messages: "left" or "right"."""

    def __init__(
        self,
        side: str,
        reference: str,
        log: Path,
        timeout_s: float,
        tell: Tell | None = None,
        python: Interpreter | None = None,
        backend: str = "tensorflow",
    ) -> None:
        """`backend` is Keras's backend."""
        self.side, self.reference, self.python, self.backend = side, reference, python, backend
        super().__init__(side, log, usable_cores(), True, timeout_s, tell=tell)

    def program(self) -> Program:
        """See WorkerProcess.program."""
        return self.as_hosted(PLAIN_MEMORY)

    def as_hosted(self, variables: Mapping[str, str]) -> Program:
        """Return the worker's program in the Python that runs it, with Keras's backend."""
        stated = {**variables, "KERAS_BACKEND": self.backend, **BACKEND_VARIABLES.get(self.backend, {})}
        if self.python is None:
            return Program(["compare.adapters"], stated)
        path = {"PYTHONPATH": self.python.path(self._home)}
        return Program(["compare.adapters"], {**stated, **path}, python=str(self.python.python))

    def load(self, precision: Precision) -> port_messages.ModelLoaded:
        """Load the model. Raises InputError if that fails."""
        request = port_messages.LoadModel(reference=self.reference, precision=precision)
        return self._call(request, port_messages.ModelLoaded, None, "be loaded")[0]

    def record(self, inputs: Mapping[str, np.ndarray], training: bool, known: Mapping[str, np.ndarray]) -> Recording:
        """Call the model on `inputs`, in canonical layout, and record the call. `known` are weights by NODE/ROLE that
        need not be sent again. Raises InputError if it fails."""
        request = port_messages.RecordCall(training=training, known=tuple(known))
        doing = "be called in training mode" if training else "be called"
        answer, arrays = self._call(request, port_messages.Recorded, inputs, doing)
        return _recording(answer.graph, _by_part(arrays), known)

    def fit(self, reference: str, steps: int) -> tuple[port_messages.FunctionFitted, dict[str, dict[str, np.ndarray]]]:
        """Run and record the user's own training function for some steps (messages: Fit). Return the facts, and the
        arrays of every step by kind ("x", "y", "output", "slope"). Raises InputError if it fails."""
        request = port_messages.Fit(reference=reference, steps=steps)
        answer, arrays = self._call(request, port_messages.FunctionFitted, None, "be trained by its own function")
        return answer, _by_part(arrays)

    def set_loss(self, name: str, reference: str, record: dict[str, Any] | None = None) -> port_messages.LossSet:
        """Set the loss (messages: SetLoss). Raises InputError if that fails."""
        request = port_messages.SetLoss(name=name, reference=reference, record=record)
        return self._call(request, port_messages.LossSet, None, "be given its loss")[0]

    def differentiate(
        self, inputs: Mapping[str, np.ndarray], targets: np.ndarray, form: str, known: Mapping[str, np.ndarray]
    ) -> tuple[port_messages.Differentiated, Recording, dict[str, dict[str, np.ndarray]]]:
        """Differentiate the model's loss in training mode. Return the answer, the recording of the call, and the
        gradients by kind ("gradient", "slope", "penalty"). Raises InputError if it fails."""
        request = port_messages.Differentiate(form=form, known=tuple(known))
        arrays = {f"input/{name}": array for name, array in inputs.items()} | {"targets": targets}
        answer, found = self._call(request, port_messages.Differentiated, arrays, "be differentiated")
        parts = _by_part(found)
        return answer, _recording(answer.graph, parts, known), parts

    def optimize(
        self, by: tuple[str, str], gradients: Mapping[str, np.ndarray], steps: int, scale: float
    ) -> tuple[port_messages.Optimized, dict[str, dict[str, np.ndarray]]]:
        """Take steps with an optimizer, given by name and reference (messages: Optimize). Return its description, and
        by NODE/ROLE the parameters after them ("after") and their "copies". Raises InputError if there is none."""
        request = port_messages.Optimize(name=by[0], reference=by[1], steps=steps, scale=scale)
        answer, arrays = self._call(request, port_messages.Optimized, gradients, "be given its optimizer")
        return answer, _by_part(arrays)

    def train(
        self,
        by: tuple[str, str],
        ends: tuple[bool, bool],
        inputs: Mapping[str, np.ndarray],
        targets: np.ndarray,
        form: str,
        wanted: Sequence[str],
    ) -> tuple[float, dict[str, np.ndarray]]:
        """Take one step of training (messages: TrainStep) with an optimizer, given by name and reference. `ends` says
        whether it is the first and the last. Return the loss, and the weights `wanted` by NODE/ROLE after the step.
        Raises InputError if it fails."""
        first, last = ends
        request = port_messages.TrainStep(
            name=by[0], reference=by[1], first=first, last=last, form=form, wanted=tuple(wanted)
        )
        arrays = {f"input/{name}": array for name, array in inputs.items()} | {"targets": targets}
        answer, after = self._call(request, port_messages.Stepped, arrays, "be trained")
        return answer.loss, after

    def give_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Give the model weights by NODE/ROLE, in canonical layout. Raises InputError if they do not fit."""
        for part in _parts(weights):
            self._call(port_messages.GiveWeights(), port_messages.Done, part, "be given weights")

    def apply(self, node: str, inputs: list[np.ndarray], training: bool) -> np.ndarray:
        """Return the output of one node of the last recording for other inputs. Raises InputError."""
        arrays = {str(place): array for place, array in enumerate(inputs)}
        request = port_messages.ApplyNode(node=node, training=training)
        return self._call(request, ArraysSent, arrays, "compute a part")[1]["output"]

    def save_weights(self, path: Path) -> None:
        """Write the weights to `path`. Raises InputError if the suffix is another framework's."""
        self._call(port_messages.SaveWeights(path=path), port_messages.Done, None, "have its weights saved")

    def _call(
        self,
        request: Request,
        expected: type[AnswerType],
        arrays: Mapping[str, np.ndarray] | None,
        doing: str,
    ) -> tuple[AnswerType, wire.Arrays]:
        what = f"The {self.side} model, {self.reference}"
        try:
            return self._ask(request, expected, arrays)
        except UserCodeFailed as failed:
            if failed.message:
                raise InputError(f"{what}: {failed.message}") from None
            message = f"{what}, could not {doing}. Its own last lines:"
            raise UserCodeError(message, failed.lines) from None
        except WorkerError as error:
            message = f"{what}, could not {doing}: {error.error}"
            raise UserCodeError(message, tuple(error.details.splitlines())) from None

    def _expect(self, answer: object, expected: type[AnswerType]) -> AnswerType:
        if isinstance(answer, port_messages.UserFailed):
            raise UserCodeFailed(answer.message, answer.lines)
        if isinstance(answer, Failed):
            raise WorkerError(answer.error, answer.traceback)
        assert isinstance(answer, expected), f"{type(answer).__name__} is no answer to this request"
        return answer


def _parts(weights: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    """Yield the weights in parts of about PART_BYTES, to save a worker from holding all of them twice."""
    part: dict[str, np.ndarray] = {}
    for name, array in weights.items():
        part[name] = array
        if sum(each.nbytes for each in part.values()) >= PART_BYTES:
            yield part
            part = {}
    if part:
        yield part


def _by_part(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Return arrays by kind and by name."""
    names = ("value", "weight", "kept", "gradient", "slope", "penalty", "after", "copies", "x", "y", "output")
    parts: dict[str, dict[str, np.ndarray]] = {name: {} for name in names}
    for name, array in arrays.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = array
    return parts


def _recording(
    body: Mapping[str, Any], parts: Mapping[str, dict[str, np.ndarray]], known: Mapping[str, np.ndarray]
) -> Recording:
    graph = Graph.of_body(body)
    named = {f"{node.name}/{role}" for node in graph.nodes for role in node.roles}
    weights = parts["weight"] | {name: array for name, array in known.items() if name in named}
    return Recording(graph, parts["value"], weights, parts["kept"])


class UserCodeFailed(Exception):
    """An error in the user's own model."""

    def __init__(self, message: str, lines: tuple[str, ...]) -> None:
        super().__init__(message)
        self.message, self.lines = message, lines
