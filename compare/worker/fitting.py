"""Run a framework's own training loop an epoch at a time: it runs in a thread, and waits after each epoch."""

import queue
import threading
from collections.abc import Callable

from shared.protocol import FittedEpoch, OnEpoch


class Fitting:
    """A training loop that calls back after each epoch, turned into one that runs the next epoch on request."""

    def __init__(self, fit: Callable[[OnEpoch], None]) -> None:
        self._fit = fit
        self._answers: queue.Queue[FittedEpoch | BaseException | None] = queue.Queue()
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ended = False

    def next_epoch(self) -> FittedEpoch:
        """Let the loop train for one more epoch. Raises the loop's error, or RuntimeError if it has ended."""
        answer = self._go_on()
        if answer is None:
            raise RuntimeError("the recipe ended before its last epoch")
        return answer

    def finish(self) -> None:
        """Let the loop end after its last epoch. Raises the loop's error, or RuntimeError if it continues."""
        if self._go_on() is not None:
            raise RuntimeError("the recipe went on after its last epoch")
        self._thread.join()

    def _go_on(self) -> FittedEpoch | None:
        """Return the next epoch, None at the end."""
        if self._ended:
            raise RuntimeError("the recipe has ended")
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.release()
        answer = self._answers.get()
        self._ended = not isinstance(answer, FittedEpoch)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _run(self) -> None:
        try:
            self._fit(self._on_epoch)
        except BaseException as error:  # handed to the requesting thread
            self._answers.put(error)
        else:
            self._answers.put(None)

    def _on_epoch(self, epoch: FittedEpoch) -> None:
        self._answers.put(epoch)
        self._go.acquire()
