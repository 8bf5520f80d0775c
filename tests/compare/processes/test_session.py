"""A worker that fails in any way is reported and ended."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from patience import GENEROUS_S, patience

from compare.processes.process import Divergence, WorkerError
from compare.processes.session import Session
from shared.data import Data
from shared.errors import InputError
from shared.models import DENSE_BASELINE
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

Start = Callable[..., Session]


LEFT_BEHIND_S = 600  # how long a worker's child would run


@pytest.fixture
def start(numpy_implementation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    started: list[Session] = []

    def run(fault: str = "", timeout_s: float = GENEROUS_S) -> Session:
        monkeypatch.setenv("NUMPY_IMPL_FAULT", fault)
        log = tmp_path / "numpy.log"
        started.append(Session(numpy_implementation, log, threads=1, hide_cuda=True, timeout_s=timeout_s))
        return started[-1]

    yield run
    for session in started:
        session.close()


def create(session: Session, data: Data) -> None:
    session.wait_until_ready()
    session.load_data(data)
    train = TrainSpec(epochs=1)
    session.create(Build(DENSE_BASELINE, train, initial_weights(DENSE_BASELINE, 0), "cpu", "eager"))


@pytest.mark.usefixtures("executed_workers")
def test_it_trains_and_ends(start: Start, digits: Data) -> None:
    session = start()
    create(session, digits)
    assert session.data_digest == digits.digest()
    part = session.train_slice(steps=5)
    assert (part.epoch, part.step, len(part.loss), part.epoch_end) == (1, 5, 5, None)
    part = session.train_slice(steps=1_000)
    assert (part.step, len(part.step_s)) == (23, 18)  # it stops at the end of the epoch
    assert part.epoch_end is not None
    assert session.train_slice(steps=1).epoch == 2
    session.close()
    assert not session.alive


def test_an_exception_is_an_answer_and_the_worker_goes_on(start: Start, digits: Data) -> None:
    session = start("create")
    with pytest.raises(WorkerError, match=r"^RuntimeError: asked to fail$") as caught:
        create(session, digits)
    assert "in create" in caught.value.details  # the traceback, with the whole message
    assert session.alive


@pytest.mark.usefixtures("executed_workers")
def test_a_failed_import(start: Start) -> None:
    with pytest.raises(WorkerError, match="ImportError: numpy_misbehaving was asked to fail") as caught:
        start("import").wait_until_ready()
    assert "Traceback" in caught.value.details


def test_an_exit(start: Start, digits: Data) -> None:
    session = start("exit")
    create(session, digits)
    with pytest.raises(WorkerError, match="the worker exited with code 7") as caught:
        session.train_slice(steps=5)
    assert "about to go" in caught.value.details
    with pytest.raises(WorkerError, match="code 7"):  # every later request reports it too
        session.evaluate()


@pytest.mark.usefixtures("executed_workers")
def test_a_kill(start: Start, digits: Data) -> None:
    session = start("kill")
    create(session, digits)
    with pytest.raises(WorkerError, match="ended by signal 9"):
        session.train_slice(steps=5)
    assert not session.alive


def test_a_hang(start: Start, digits: Data) -> None:
    """It hangs for an hour, and everything else ends in time."""
    timeout_s = patience(3.0)
    session = start("hang", timeout_s=timeout_s)
    create(session, digits)
    begin = time.monotonic()
    said = f"no answer within {timeout_s:g} s when asked to train slice; the worker was ended"
    with pytest.raises(WorkerError, match=said):
        session.train_slice(steps=5)
    assert time.monotonic() - begin < GENEROUS_S
    assert not session.alive


def test_a_worker_that_reads_no_more(start: Start) -> None:
    """Data larger than a pipe's buffer are sent to a stopped worker. The write is abandoned, too."""
    timeout_s = patience(3.0)
    session = start(timeout_s=timeout_s)
    session.wait_until_ready()
    os.kill(session._process.pid, signal.SIGSTOP)
    images, labels = np.zeros((2_000, 28, 28, 1), np.float32), np.zeros(2_000, np.int64)
    with pytest.raises(WorkerError, match=f"no answer within {timeout_s:g} s when asked to load data; the"):
        session.load_data(Data(images, labels, images, labels))
    assert not session.alive


def test_a_process_left_behind_by_a_worker_does_not_hold_up_the_end(start: Start, digits: Data) -> None:
    session = start("child")
    create(session, digits)
    session.train_slice(steps=5)
    begin = time.monotonic()
    session.close()
    took_s = time.monotonic() - begin
    os.killpg(session._process.pid, signal.SIGKILL)  # its children are in its group
    assert took_s < LEFT_BEHIND_S


def test_what_is_printed_does_not_disturb(start: Start, digits: Data) -> None:
    session = start("print")
    create(session, digits)
    assert len(session.train_slice(steps=5).loss) == 5
    logged = session.log_since(0)
    assert "a line on standard output" in logged
    assert "a line from below" in logged
    assert "a warning on standard error" in logged


def test_nan_is_named_with_its_step(start: Start, digits: Data) -> None:
    session = start("nan")
    create(session, digits)
    with pytest.raises(Divergence, match="the loss of epoch 1, step 3 is nan; not finite: the loss alone") as caught:
        session.train_slice(steps=5)
    assert len(caught.value.part.loss) == 2  # those before the failure
    assert session.alive


@pytest.mark.usefixtures("executed_workers")
def test_a_worker_ends_when_its_harness_is_gone(start: Start) -> None:
    session = start()
    session.wait_until_ready()
    pid = session._process.pid
    assert session._process.stdin is not None
    session._process.stdin.close()  # as the system does when the harness is killed
    session._process.wait(GENEROUS_S)
    assert not Path(f"/proc/{pid}").exists() or os.name != "posix"


def test_a_worker_that_cannot_be_started(numpy_implementation: str, tmp_path: Path) -> None:
    log = tmp_path / "gone" / "log"
    with pytest.raises(
        InputError, match=f"No worker can be started for numpy: No such file or directory [(]{log.parent}[)]"
    ):
        Session(numpy_implementation, log, threads=1, hide_cuda=True, timeout_s=5)
