"""Fixtures for all tests, the rule that the test process never imports a framework, and what the tests took."""

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
# Before NumPy is first imported, and inherited by every process that is started here: what waits takes no core from its
# neighbours, what is small is not shared among threads, and torch.compile takes the processor's own word for what
# instructions it has instead of compiling a program for each kind, and no headers for programs that are two or three.
os.environ.update(
    OMP_WAIT_POLICY="PASSIVE",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    TORCHINDUCTOR_COMPILE_THREADS="1",
    TORCHINDUCTOR_VEC_ISA_OK="1",
    TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS="0",
)

# Else each process that is not forked compiles this suite's files again, if the environment switches bytecode off.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A million objects are imported and collected, and stay: they are not searched for garbage meanwhile, nor in each of
# the tests, some of which ask for a search. That was a fifth of this process's time.
gc.disable()

import commands  # noqa: E402
import forking  # noqa: E402
from numpy_specs import numpy_spec  # noqa: E402

from compare.processes import process  # noqa: E402
from compare.registry import IMPLEMENTATIONS  # noqa: E402
from shared.data import Data, DataSpec, load  # noqa: E402

IMPLEMENTATIONS.searched = True  # tests do not depend on which other packages are installed here


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In several processes (`-n 2`) the tests of one file run in one, and so do all conformance tests, which share
    workers and traces, and all of `compare port`, which share workers."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return next((folder for folder in TOGETHER if path.startswith(folder)), path)

    return ByFile(config, log)


def pytest_collection_finish() -> None:
    """From here on garbage is looked for among what the tests make."""
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the processor time of the tests and of all processes that they started, which have ended by now."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own_s, others_s = own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime
    terminalreporter.write_line(
        f"processor time: {own_s + others_s:.0f} s, {own_s:.0f} s in this process and {others_s:.0f} s in others that "
        "it started"
    )


@pytest.fixture(scope="session", autouse=True)
def no_framework_is_imported() -> Iterator[None]:
    """At the end of the session, neither framework is in this process."""
    yield
    assert not {"torch", "tensorflow", "keras"} & sys.modules.keys()


@pytest.fixture(scope="session", autouse=True)
def forked_workers() -> Iterator[None]:
    """NumPy workers are forked with their imports done (forking.py), and end with the session at the latest."""

    def fork(request: forking.Request, streams: Sequence[int]) -> int:
        return commands.worker_server().fork(request, streams)

    with pytest.MonkeyPatch.context() as patch:
        if forking.AVAILABLE:
            patch.setattr(process, "subprocess", forking.Subprocess(fork, commands.ENVIRONMENT))
        yield
    commands.close_servers()


@pytest.fixture
def executed_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are executed, as users have them, and not forked."""
    monkeypatch.setattr(process, "subprocess", subprocess)


@pytest.fixture(scope="session")
def digits() -> Data:
    """The embedded digits."""
    return load(DataSpec(dataset="digits"), Path())


@pytest.fixture
def numpy_implementation(monkeypatch: pytest.MonkeyPatch) -> str:
    """Add the NumPy implementation of tests/support to those that can be compared; return its name."""
    spec = numpy_spec("numpy", "numpy_misbehaving")
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy", spec)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (SUPPORT, EXAMPLE))))
    return "numpy"


@pytest.fixture
def numpy_implementations(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Add three NumPy implementations, the last of which has the fault that NUMPY_FAULTY names; return their names as
    for --implementations."""
    for name in ("numpy_again", "numpy_faulty"):
        monkeypatch.setitem(IMPLEMENTATIONS, name, numpy_spec(name))
    return f"{numpy_implementation},numpy_again,numpy_faulty"
