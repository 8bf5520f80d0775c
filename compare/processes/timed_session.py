"""The worker that holds a user's own model while it is timed, and the requests to it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from compare.processes.interpreters import Interpreter
from compare.processes.port_session import ModelWorker
from compare.processes.process import Program, WorkerProcess
from compare.rpc import timing_messages as messages
from shared.choices import Mode, Waiting


class TimedWorker(ModelWorker):
    """A process that runs one model as its users do, with the memory and the libraries that they have."""

    def __init__(
        self,
        side: str,
        reference: str,
        log: Path,
        threads: int,
        timeout_s: float,
        variables: Mapping[str, str],
        waiting: Waiting,
        python: Interpreter | None = None,
        backend: str = "tensorflow",
    ) -> None:
        self.side, self.reference, self.python, self.backend = side, reference, python, backend
        WorkerProcess.__init__(self, side, log, threads, True, timeout_s, variables, waiting)

    def program(self) -> Program:
        """See WorkerProcess.program."""
        return self.as_hosted({})

    def prepare(
        self, request: messages.PrepareTimes, inputs: Mapping[str, np.ndarray], targets: np.ndarray | None
    ) -> messages.TimesPrepared:
        """Make the model ready to be timed (messages: PrepareTimes). Raises InputError if that fails."""
        arrays = {f"input/{name}": array for name, array in inputs.items()}
        arrays |= {} if targets is None else {"targets": targets}
        return self._call(request, messages.TimesPrepared, arrays, "be made ready")[0]

    def time_pass(self, what: messages.Pass, batch_size: int, calls: int, uncounted: int) -> messages.PassTimed:
        """Time passes, one after another. Raises InputError if one fails."""
        request = messages.TimePass(what=what, batch_size=batch_size, calls=calls, uncounted=uncounted)
        doing = "be called" if what == "forward" else "be trained"
        return self._call(request, messages.PassTimed, None, doing)[0]

    def watch_nodes(self, batch_size: int) -> tuple[str, ...]:
        """Record a forward pass, and return the nodes that can be timed. Raises InputError if it fails."""
        return self._call(messages.WatchNodes(batch_size=batch_size), messages.NodesWatched, None, "be watched")[
            0
        ].nodes

    def time_node(self, node: str, calls: int, uncounted: int) -> float:
        """Return the seconds of one node. Raises InputError if it cannot be computed alone."""
        request = messages.TimeNode(node=node, calls=calls, uncounted=uncounted)
        return self._call(request, messages.NodeTimed, None, f"compute {node} alone")[0].call_s


def asked(
    mode: Mode | None, form: str | None, loss: tuple[str, str], optimizer: tuple[str, str]
) -> messages.PrepareTimes:
    """Return the passes that a model is made ready for: with a `form` of targets, a training step too."""
    return messages.PrepareTimes(mode=mode, trains=form is not None, form=form or "", loss=loss, optimizer=optimizer)
