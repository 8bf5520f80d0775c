"""Fixtures for all tests.

At the end of a session they check that the test process imported no framework, and print the processor time used.
"""

import gc
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).parent / "support"
TOGETHER = ("tests/conformance/", "tests/compare/port/")
EXAMPLE = Path(__file__).parents[1] / "examples" / "numpy_impl"
# These are set before NumPy is first imported, and inherited by every process started here. Waiting threads leave the
# cores to others, and small work is not split among threads. torch.compile trusts what the processor reports about its
# instructions instead of compiling test programs. It also precompiles no headers, which do not pay for two or three
# programs.
os.environ.update(
    OMP_WAIT_POLICY="PASSIVE",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    TORCHINDUCTOR_COMPILE_THREADS="1",
    TORCHINDUCTOR_VEC_ISA_OK="1",
    TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS="0",
)

# If bytecode is switched off in the environment, each process that is not forked would recompile this suite.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A million imported and collected objects stay alive. Searching them for garbage took a fifth of this process's time,
# during collection and in each test that asks for a search.
gc.disable()

import commands  # noqa: E402
import forking  # noqa: E402
from numpy_specs import numpy_spec  # noqa: E402

from compare.processes import process  # noqa: E402
from compare.registry import IMPLEMENTATIONS  # noqa: E402
from shared.data import Data, DataSpec, load  # noqa: E402

IMPLEMENTATIONS.searched = True  # tests must not depend on other installed packages


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run the tests of one file in one process (`-n 2`).

    All conformance tests share one process, because they share workers and traces. So do all tests of `compare port`,
    which share workers.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return next((folder for folder in TOGETHER if path.startswith(folder)), path)

    return ByFile(config, log)


def pytest_collection_finish() -> None:
    """Enable garbage collection from here on, for objects that the tests create."""
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the processor time of the tests and of all processes they started, which have ended by now."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own_s, others_s = own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime
    terminalreporter.write_line(
        f"processor time: {own_s + others_s:.0f} s, {own_s:.0f} s in this process and {others_s:.0f} s in others that "
        "it started"
    )


@pytest.fixture(scope="session", autouse=True)
def no_framework_is_imported() -> Iterator[None]:
    """Check at the end of the session that this process has imported no framework."""
    yield
    assert not {"torch", "tensorflow", "keras"} & sys.modules.keys()


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    """Fork NumPy workers from a process that has done their imports (forking.py). They end with the session."""

    def fork(request: forking.Request, streams: Sequence[int]) -> int:
        return commands.worker_server().fork(request, streams)

    with pytest.MonkeyPatch.context() as patch:
        if forking.AVAILABLE:
            patch.setattr(process, "subprocess", forking.Subprocess(fork, commands.ENVIRONMENT))
        yield
    commands.close_servers()


@pytest.fixture
def executed_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute workers as users do, instead of forking them."""
    monkeypatch.setattr(process, "subprocess", subprocess)


@pytest.fixture(scope="session")
def digits() -> Data:
    """Return the embedded digits."""
    return load(DataSpec(dataset="digits"), Path())


@pytest.fixture
def numpy_implementation(monkeypatch: pytest.MonkeyPatch) -> str:
    """Register the NumPy implementation of tests/support, and return its name."""
    spec = numpy_spec("numpy", "numpy_misbehaving")
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy", spec)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (SUPPORT, EXAMPLE))))
    return "numpy"


@pytest.fixture
def numpy_implementations(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Register three NumPy implementations, and return their names as given to --implementations.

    The last one has the fault named by NUMPY_FAULTY.
    """
    for name in ("numpy_again", "numpy_faulty"):
        monkeypatch.setitem(IMPLEMENTATIONS, name, numpy_spec(name))
    return f"{numpy_implementation},numpy_again,numpy_faulty"
