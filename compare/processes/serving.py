"""The worker that only answers, and the requests to it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from compare.processes.process import Program, WorkerProcess
from compare.rpc import messages, serving_messages
from shared.choices import Waiting


class ServingSession(WorkerProcess):
    """A process that serves one network: `python -m compare.worker.serve HOW SOURCE`. It is ready when it answers."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        log: Path,
        threads: int,
        timeout_s: float,
        variables: Mapping[str, str],
        waiting: Waiting,
    ) -> None:
        """`arguments` are HOW and SOURCE (compare/worker/served.py). The worker sees no CUDA device."""
        self._arguments = list(arguments)
        super().__init__(name, log, threads, True, timeout_s, variables, waiting)

    def program(self) -> Program:
        """See WorkerProcess.program."""
        return Program(["compare.worker.serve", *self._arguments])

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the answer (N, classes) to images (N, H, W, C), as one batch."""
        return self._ask(serving_messages.AnswerImages(), messages.ArraysSent, {"images": images})[1]["logits"]

    def give_images(self, images: np.ndarray) -> None:
        """Send the images for timing."""
        self._ask(serving_messages.GiveImages(), serving_messages.ImagesTaken, {"images": images})

    def time_calls(self, batch_size: int, calls: int, uncounted: int) -> tuple[serving_messages.Calls, np.ndarray]:
        """Time calls one after another. Return their total time, and the nanoseconds of each (calls,)."""
        request = serving_messages.TimeCalls(batch_size=batch_size, calls=calls, uncounted=uncounted)
        answer, arrays = self._ask(request, serving_messages.Calls)
        return answer, arrays["call_ns"]

    def describe(self) -> serving_messages.ServerDescribed:
        """Return what computes the answers, and which modules were imported for it."""
        return self._ask(serving_messages.DescribeServer(), serving_messages.ServerDescribed)[0]

    def memory(self) -> messages.PeakMemory:
        """Return the peak memory of the process."""
        return self._ask(messages.GetMemory(), messages.PeakMemory)[0]
