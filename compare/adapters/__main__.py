"""The worker for a user's own model: `python -m compare.adapters`. It loads the requested model, and answers requests
about it until its input ends.

Requests come on standard input and answers go to the original standard output. Output of the user's code goes to
standard error, which is the worker's log.
"""

import importlib.metadata
import os
import sys
import traceback
from collections.abc import Container
from pathlib import Path
from typing import BinaryIO

from compare.adapters import loading
from compare.adapters.adapter import Adapter, Unreadable
from compare.adapters.learning import Learning, sent_of
from compare.adapters.references import parse
from compare.adapters.timing import Timing
from compare.processes.signals import die_with_parent_if_asked
from compare.rpc import port_messages as messages
from compare.rpc import timing_messages, wire
from compare.rpc.messages import Answer, ArraysSent, Failed, Request
from shared.lean import leave

LAST_LINES = 8
OURS = str(Path(__file__).parents[1])


class Holder:
    """A holder of the model that answers requests about it."""

    def __init__(self) -> None:
        self._adapter: Adapter | None = None
        self._learning: Learning | None = None
        self._timing: Timing | None = None

    @property
    def adapter(self) -> Adapter:
        """The model's adapter. Raises RuntimeError if no model was loaded."""
        if self._adapter is None:
            raise RuntimeError("no model was loaded")
        return self._adapter

    def do(self, request: Request, arrays: wire.Arrays) -> tuple[Answer, wire.Arrays]:
        """Carry out the request, and return the answer with its arrays."""
        match request:
            case messages.LoadModel():
                return self.load(request), {}
            case messages.RecordCall(training=training, known=known):
                return self.record(arrays, training, frozenset(known))
            case messages.GiveWeights():
                self.adapter.set_weights(arrays)
                return messages.Done(), {}
            case messages.ApplyNode(node=node, training=training):
                inputs = [arrays[str(place)] for place in range(len(arrays))]
                return ArraysSent(), {"output": self.adapter.apply(node, inputs, training)}
            case messages.SaveWeights(path=path):
                self.save_weights(path)
                return messages.Done(), {}
            case (
                messages.Fit()
                | messages.SetLoss()
                | messages.Differentiate()
                | messages.Optimize()
                | messages.TrainStep()
            ):
                self._learning = self._learning or Learning(self.adapter)
                return self._learning.do(request, arrays)
            case (
                timing_messages.PrepareTimes()
                | timing_messages.TimePass()
                | timing_messages.WatchNodes()
                | timing_messages.TimeNode()
            ):
                self._timing = self._timing or Timing(self.adapter)
                return self._timing.do(request, arrays)
        raise TypeError(f"no answer to {type(request).__name__}")

    def load(self, request: messages.LoadModel) -> messages.ModelLoaded:
        loading.prepare(request.precision)
        self._learning = self._timing = None
        self._adapter = adapter = loading.load(parse(request.reference), request.precision)
        if adapter.framework == "tensorflow" and loading.backend() != "tensorflow":
            raise Unreadable(
                f"It is raw TensorFlow, and Keras is to compute with {loading.backend()}. Leave the backend out "
                "(--left-backend, --right-backend, or the environment's KERAS_BACKEND)."
            )
        model = type(getattr(adapter, "model", adapter)).__name__
        precisions = getattr(adapter, "precisions", ("float64", "float32"))
        return messages.ModelLoaded(
            framework=adapter.framework,
            version=_version(adapter),
            model=model,
            inputs=adapter.stated_inputs(),
            precisions=precisions,
        )

    def save_weights(self, path: Path) -> None:
        """Write the weights. Raises Unreadable if that fails: each framework has its own exception for a full disk."""
        try:
            self.adapter.save_weights(path)
        except Unreadable:
            raise
        except Exception as error:
            reason = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
            raise Unreadable(f"its weights cannot be written to {path}: {reason[:300]}.") from error

    def record(
        self, arrays: wire.Arrays, training: bool, known: Container[str]
    ) -> tuple[messages.Recorded, wire.Arrays]:
        if hasattr(self.adapter, "known"):
            self.adapter.known = known
        recording = self.adapter.record(arrays, training)
        return messages.Recorded(graph=recording.graph.body()), sent_of(recording, known)


def _version(adapter: Adapter) -> str:
    """Return the version of the framework, and of Keras's backend if that is not TensorFlow."""
    version = importlib.metadata.version(adapter.framework)
    backend = loading.backend()
    if adapter.framework != "keras" or backend == "tensorflow":
        return version
    return f"{version} on {backend} {importlib.metadata.version(backend)}"


def main() -> None:
    die_with_parent_if_asked()
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # output of the user's code goes to the log
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115  # the user's code has no one to ask
    serve(Holder(), requests, answers)


def serve(holder: Holder, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests in their order until there are no more."""
    while (frame := wire.read(requests)) is not None:
        body, arrays = frame
        try:
            answer, sent = holder.do(Request.of_body(body), arrays)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the user's code may raise anything, including SystemExit
            answer, sent = _failed(error), {}
        wire.write(answers, answer.body(), sent)
        del frame, body, arrays, sent  # they can be gigabytes, and would stay until the next request


def _failed(error: BaseException) -> Answer:
    if isinstance(error, Unreadable):
        return messages.UserFailed(message=str(error))
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith((OURS, "<frozen"))]
    if not getattr(error, "of_the_model", False) and (not theirs or frames[-1].filename.startswith(OURS)):
        return Failed(error=f"{type(error).__name__}: {error}", traceback=traceback.format_exc(), diverged=False)
    traceback.print_exc()
    lines = "".join([*traceback.format_list(theirs), *traceback.format_exception_only(error)]).rstrip().splitlines()
    return messages.UserFailed(message="", lines=tuple(lines[-LAST_LINES:]))


if __name__ == "__main__":
    main()
    leave()
