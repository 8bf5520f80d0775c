"""A process that keeps a core busy: `python -m compare.processes.busy_loop`, started by compare/processes/busy.py.

It writes a line when it starts working, and ends with the process that started it, however that ends.
"""

import os

from compare.processes.signals import die_with_parent_if_asked

TURNS = 100_000  # between two checks of the parent: some milliseconds


def main() -> None:
    """Compute until the parent is gone. Linux then kills this process; elsewhere it notices its new parent."""
    parent = os.getppid()
    die_with_parent_if_asked()
    os.write(1, b"\n")
    while os.getppid() == parent:
        for _ in range(TURNS):
            pass


if __name__ == "__main__":
    main()
