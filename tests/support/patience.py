"""How long tests wait, on machines that may be slow and busy with other things.

GENEROUS_S is for what comes sooner or later: nothing is lost by waiting for it too long, since only a failure does. A
test that wants something to take too long asks `patience` for a time-out in which everything else is done.
"""

import subprocess
import sys
import time

GENEROUS_S = 900.0
NOMINAL_S = 0.35  # what `yardstick` says on a quiet machine


def yardstick() -> float:
    """The seconds that it takes here and now to start a process that imports what a NumPy worker does."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", "import numpy, pydantic"], check=True)
    return time.monotonic() - start


def patience(seconds: float) -> float:
    """`seconds` of a quiet machine, in those of this one: never less, and three times as many as measured for what
    changes meanwhile."""
    return max(seconds, 3 * seconds * yardstick() / NOMINAL_S)
