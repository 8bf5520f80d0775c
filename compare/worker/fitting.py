"""Running a framework's own training loop an epoch at a time: it runs in a thread, and waits after each epoch."""

import queue
import threading
from collections.abc import Callable

from shared.protocol import FittedEpoch, OnEpoch


class Fitting:
    """A training loop that calls back after each epoch, turned into one that can be asked for the next epoch."""

    def __init__(self, fit: Callable[[OnEpoch], None]) -> None:
        self._fit = fit
        self._told: queue.Queue[FittedEpoch | BaseException | None] = queue.Queue()
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ended = False

    def next_epoch(self) -> FittedEpoch:
        """Let the loop train for one more epoch. Raises what the loop raised, RuntimeError where it has ended."""
        told = self._go_on()
        if told is None:
            raise RuntimeError("the recipe ended before its last epoch")
        return told

    def finish(self) -> None:
        """Let the loop end after its last epoch. Raises what the loop raised, RuntimeError if it goes on."""
        if self._go_on() is not None:
            raise RuntimeError("the recipe went on after its last epoch")
        self._thread.join()

    def _go_on(self) -> FittedEpoch | None:
        """The next epoch, None at the end."""
        if self._ended:
            raise RuntimeError("the recipe has ended")
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.release()
        told = self._told.get()
        self._ended = not isinstance(told, FittedEpoch)
        if isinstance(told, BaseException):
            raise told
        return told

    def _run(self) -> None:
        try:
            self._fit(self._on_epoch)
        except BaseException as error:  # handed to whoever asked
            self._told.put(error)
        else:
            self._told.put(None)

    def _on_epoch(self, epoch: FittedEpoch) -> None:
        self._told.put(epoch)
        self._go.acquire()
