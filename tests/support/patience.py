"""How long tests wait, on machines that may be slow and busy.

GENEROUS_S is for events that happen sooner or later. A long limit costs nothing, because only a failure reaches it. A
test that needs something to time out calls `patience` for a limit that suffices for everything else.
"""

import subprocess
import sys
import time

GENEROUS_S = 900.0
NOMINAL_S = 0.35  # result of `yardstick` on a quiet machine


def yardstick() -> float:
    """Return the seconds that it now takes to start a process with a NumPy worker's imports."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", "import numpy, pydantic"], check=True)
    return time.monotonic() - start


def patience(seconds: float) -> float:
    """Convert `seconds` on a quiet machine to seconds on this one, and never reduce them.

    The result is three times the measured one, because the load changes.
    """
    return max(seconds, 3 * seconds * yardstick() / NOMINAL_S)
