"""A worker ends with its parent, even if the parent ended before the worker was ready."""

import os
import subprocess
import sys

import pytest

from compare.processes.environment import import_path
from compare.processes.signals import ASKED

ASK = "from compare.processes.signals import die_with_parent_if_asked; die_with_parent_if_asked(); print('alive')"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends a process with its parent")
@pytest.mark.parametrize(("parent", "said"), [(os.getpid(), b"alive\n"), (2**30, b"")], ids=["here", "gone"])
def test_a_parent_that_is_gone_already(parent: int, said: bytes) -> None:
    """Under load, seconds pass between the start of a worker and its first line."""
    own = {"PYTHONPATH": os.pathsep.join(import_path()), ASKED: str(parent)}
    done = subprocess.run([sys.executable, "-c", ASK], env={**os.environ, **own}, capture_output=True, check=False)
    assert done.stdout == said
    assert done.returncode == (0 if said else 1)
