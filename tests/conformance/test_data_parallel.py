"""Several processes train one network as one process does, each on its share of every batch.

They match the reference in float64 to 1e-12. One network trains for an epoch with unequal shares, the others for 20
steps.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from distance import assert_close
from patience import GENEROUS_S
from reference import LAYERS, AdamSteps, Network
from setup_of_training import SEED, images_for, n_steps, training
from task_networks import OTHER_TASKS, data_for, own_network
from tracing import Tracer

from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.batches import epoch_batches
from shared.data import Data
from shared.models import MODELS
from shared.protocol import Build
from shared.training import Adam, TrainSpec
from shared.weights import initial_weights

pytestmark = pytest.mark.slow
SHARED = [name for name, spec in IMPLEMENTATIONS.items() if spec.joined_by]
# Starting and ending processes is the same code for all. It is tested with NumPy, which starts at once. With the others
# it takes a minute.
ANY_OF_THEM = ["numpy", *(pytest.param(name, marks=pytest.mark.long) for name in SHARED)]
OTHERS = [name for name, spec in MODELS.items() if not spec.normalises and name != "dense_baseline"]
Sharing = Callable[[str], Session]


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sharing]:
    """sharing(NAME@N) -> its workers, with the digits."""
    logs, started = tmp_path_factory.mktemp("logs"), {}

    def get(name: str) -> Session:
        if name not in started:
            started[name] = start(name, logs)
        return started[name]

    yield get
    for session in started.values():
        session.close()


@pytest.fixture
def shared_numpy(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let several NumPy processes start as TensorFlow's do."""
    alone = IMPLEMENTATIONS[numpy_implementation]
    monkeypatch.setitem(IMPLEMENTATIONS, numpy_implementation, replace(alone, joined_by="tf_config"))


def start(name: str, logs: Path) -> Session:
    session = Session(name, logs / f"{name}.log", threads=1, hide_cuda=True, timeout_s=GENEROUS_S)
    session.wait_until_ready()
    session.load_data(images_for("cnn_same"))
    return session


def created(session: Session, model: str, train: TrainSpec) -> Session:
    """Create the network in the session, and return the session."""
    mode = IMPLEMENTATIONS[session.implementation].default_mode
    session.create(Build(MODELS[model], train, initial_weights(MODELS[model], SEED), "cpu", mode))
    return session


def test_every_package_can_share_a_network() -> None:
    packages = {IMPLEMENTATIONS[name].package for name in SHARED}
    assert packages == {spec.package for spec in IMPLEMENTATIONS.values()}


# Gradients are added up in the same way for every layer, and these tests take minutes. The default suite trains the
# smallest network with Adam for an epoch of unequal shares (below).
@pytest.mark.long
@pytest.mark.parametrize("network", ["dense_baseline", *OTHERS])
@pytest.mark.parametrize("by", ["adam", "sgd"])
@pytest.mark.parametrize("which", SHARED)
def test_two_processes_train_as_one(sharing: Sharing, reference: Tracer, which: str, network: str, by: str) -> None:
    session = created(sharing(f"{which}@2"), network, training(network, by, "float64"))
    losses = session.train_slice(n_steps(network, by)).loss
    expected = reference(network, by)
    assert losses == pytest.approx(expected.losses, rel=1e-12, abs=0)
    assert_close(session.weights(), expected.trained, 1e-12)
    assert_close(session.optimizer_state(), expected.optimizer_state, 1e-12)


@pytest.mark.parametrize("size", [2, pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize("which", SHARED)
def test_shares_need_not_be_equal(sharing: Sharing, digits: Data, which: str, size: int) -> None:
    """An epoch has batches of 65 and one of 7. The losses and logits of all shares are combined."""
    train = TrainSpec(epochs=1, batch_size=65, seed=SEED, optimizer=Adam(), dtype="float64")
    session = created(sharing(f"{which}@{size}"), "dense_baseline", train)
    parameters = {n: w.astype(np.float64) for n, w in initial_weights(MODELS["dense_baseline"], SEED).items()}
    network, losses, right = Network(LAYERS["dense_baseline"], parameters), [], 0
    adam = AdamSteps(parameters, lr=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-7)
    batches = epoch_batches(len(digits.x_train), 65, SEED, 1)
    for number, batch in enumerate(batches):
        adam.lr = train.learning_rate(number, len(batches))
        loss, gradients, logits = network.loss_and_gradients(
            digits.x_train[batch].astype(np.float64), digits.y_train[batch]
        )
        right += int((logits.argmax(axis=1) == digits.y_train[batch]).sum())
        adam.step(gradients)
        losses.append(loss)
    assert len(batches[-1]) == 7
    part = session.train_slice(1000)
    assert part.loss == pytest.approx(losses, rel=1e-12, abs=0)
    assert_close(session.weights(), parameters, 1e-12)
    assert_close(session.optimizer_state(), adam.state, 1e-12)
    assert part.epoch_end is not None
    assert part.epoch_end.train_accuracy == pytest.approx(right / len(digits.x_train))


TASKS_IN_SHARES = [
    pytest.param(which, task, loss, marks=[] if (which, task) == ("torch", "multilabel") else pytest.mark.long)
    for which in SHARED
    for task, loss in OTHER_TASKS
]  # long if building takes seconds, because the reduction of a share is the same code


@pytest.mark.parametrize(("which", "task", "loss"), TASKS_IN_SHARES)
def test_other_tasks_in_shares(
    sharing: Sharing,
    session_for: Callable[[str, str], Session],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
    task: str,
    loss: str,
) -> None:
    """Two processes train a regression and a multi-label task as one does, for an epoch of unequal shares.

    The metrics at its end are those of whole batches.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mine = own_network(tmp_path / "mine", task, loss)
    data, train = data_for(mine), TrainSpec(epochs=1, batch_size=15, seed=SEED, optimizer=Adam(), dtype="float64")
    mode, weights = IMPLEMENTATIONS[which].default_mode, initial_weights(mine, SEED)
    found = []
    for session in (session_for(which, "dense_baseline"), sharing(f"{which}@2")):
        before = session.log_size()
        session.load_data(data)
        session.create(Build(mine, train, weights, "cpu", mode))
        part = session.train_slice(3)
        assert part.epoch_end is not None
        found.append((part.loss, part.epoch_end, session.evaluate("test"), session.weights()))
        session.load_data(images_for("cnn_same"))
        assert "AutoGraph" not in session.log_since(before)  # it would warn about code that it cannot transform
    (loss_1, end_1, test_1, trained_1), (loss_2, end_2, test_2, trained_2) = found
    assert len(loss_1) == 3  # of 15, 15 and 10 images
    assert loss_2 == pytest.approx(loss_1, rel=1e-12, abs=0)
    assert end_2.train_metrics == pytest.approx(end_1.train_metrics, rel=1e-12)
    assert test_2.metrics == pytest.approx(test_1.metrics, rel=1e-12)
    assert_close(trained_2, trained_1, 1e-12)


@pytest.mark.parametrize("which", SHARED)
def test_each_share_has_its_own_dropout(
    sharing: Sharing, session_for: Callable[[str, str], Session], which: str
) -> None:
    """Two processes with one image each have the loss of one process with one image, if all images are equal.

    With dropout the losses differ: the first process drops the same values as the one, the second others.
    """
    data = images_for("cnn_same")
    alike = replace(data, x_train=np.repeat(data.x_train[:1], 2, axis=0), y_train=np.repeat(data.y_train[:1], 2))
    losses = {}
    for session, batch_size in ((session_for(which, "cnn_same"), 1), (sharing(f"{which}@2"), 2)):
        session.load_data(alike)
        for rate in (0.0, 0.5):
            train = TrainSpec(epochs=1, batch_size=batch_size, seed=SEED, optimizer=Adam(), dropout=rate)
            losses[batch_size, rate] = created(session, "cnn_deep_dropout", train).train_slice(1).loss[0]
        session.load_data(data)
    assert losses[2, 0.0] == pytest.approx(losses[1, 0.0], rel=1e-6)
    assert losses[2, 0.5] != pytest.approx(losses[1, 0.5], rel=1e-4)


@pytest.mark.parametrize("which", ANY_OF_THEM)
@pytest.mark.usefixtures("shared_numpy")
def test_where_one_process_dies_all_end(tmp_path: Path, which: str) -> None:
    """All end within the time limit, and no process is left."""
    session = start(f"{which}@2", tmp_path)
    try:
        created(session, "dense_baseline", TrainSpec(epochs=1000, seed=SEED, optimizer=Adam()))
        session.train_slice(1)
        processes = started_by(session._process.pid)
        workers = workers_among(processes)
        assert len(workers) == 2
        os.kill(workers[1], signal.SIGKILL)
        start_s = time.monotonic()
        with pytest.raises(WorkerError):
            train_for_ever(session)
        assert time.monotonic() - start_s < GENEROUS_S  # the time limit for an answer
    finally:
        session.close()
    deadline = time.monotonic() + GENEROUS_S
    while (left := [pid for pid in processes if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


@pytest.mark.long  # waits for half a minute
@pytest.mark.parametrize("which", SHARED)
def test_a_process_that_gives_no_sign_for_a_while_is_waited_for(tmp_path: Path, which: str) -> None:
    """A very busy machine or a closed lid causes such a pause. TensorFlow's own timeout is 10 s."""
    session = start(f"{which}@2", tmp_path)
    try:
        created(session, "dense_baseline", TrainSpec(epochs=1000, seed=SEED, optimizer=Adam()))
        session.train_slice(1)
        *_, last = workers_among(started_by(session._process.pid))
        os.kill(last, signal.SIGSTOP)
        time.sleep(25)
        os.kill(last, signal.SIGCONT)
        assert len(session.train_slice(2).loss) == 2
    finally:
        session.close()


@pytest.mark.parametrize("which", ANY_OF_THEM)
@pytest.mark.usefixtures("shared_numpy")
def test_workers_that_failed_are_started_again(tmp_path: Path, which: str) -> None:
    """Workers that fail at a request end, and are known to have ended."""
    session = start(f"{which}@2", tmp_path)
    try:
        created(session, "dense_baseline", TrainSpec(epochs=1, seed=SEED, optimizer=Adam()))
        with pytest.raises(WorkerError):
            session.activations(np.zeros((1, 3, 3, 3), np.float32))
        assert not session.alive
    finally:
        session.close()


def train_for_ever(session: Session) -> None:
    while True:
        session.train_slice(1000)


def started_by(pid: int) -> list[int]:
    """Return the processes that it started, and their descendants."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [found for child in map(int, listed) for found in (child, *started_by(child))]


def workers_among(processes: list[int]) -> list[int]:
    return [pid for pid in processes if b"compare.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
