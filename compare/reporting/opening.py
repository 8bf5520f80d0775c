"""The first line of a command: what it is about to do, printed before any long work.

It is printed with the first other message, or after a second of silence. A command that has ended by then does not
print it: the error of an invalid command line is a single paragraph.
"""

import sys
import threading

SILENCE_S = 1.0


class Opening:
    """The line of the command in this process, until it is printed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: str | None = None
        self._timer: threading.Timer | None = None

    def announce(self, line: str) -> None:
        """Print `line` soon."""
        self.cancel()
        self._line = line
        self._timer = threading.Timer(SILENCE_S, self.say)
        self._timer.daemon = True
        self._timer.start()

    def say(self) -> None:
        """Print the line now, unless it was printed."""
        with self._lock:
            if self._line is not None:
                print(self._line, file=sys.stderr, flush=True)
            self._line = None

    def cancel(self) -> None:
        """Cancel the line."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._line = None


opening = Opening()
