"""Every task and loss in each framework: loss, gradients and training agree to 1e-12."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from task_networks import OTHER_TASKS, data_for, own_network

from compare.parity.check import Checker
from compare.parity.runs import Extent
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.subject import Subject
from shared.protocol import Build
from shared.task import LOSSES, TASKS
from shared.training import TrainSpec
from shared.weights import initial_weights

MATCHED = ("torch", "keras", "tf_lowlevel")


@pytest.mark.parametrize(("task", "loss"), OTHER_TASKS)
def test_each_framework_has_the_same_loss_gradients_and_training(
    session_for: Callable[[str, str], Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, loss: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mine = own_network(tmp_path / "mine", task, loss)
    data, train = data_for(mine), TrainSpec(epochs=2, batch_size=16, dtype="float64")
    sessions = {name: session_for(name, "dense_baseline") for name in MATCHED}

    subject = Subject(mine, train, data, mode="eager")  # tracing graphs takes longer; they are traced below
    result = Checker(sessions, 1).check(subject, Extent(n_steps=4, dtypes=("float64",), n_draws=1))
    assert result.passed, result.verdict

    weights, seen = initial_weights(mine, 3), {}
    for name, session in sessions.items():
        session.load_data(data)
        session.create(Build(mine, train, weights, "cpu", IMPLEMENTATIONS[name].default_mode))
        found, gradients = session.gradients()
        evaluation = session.evaluate("test")
        assert evaluation.loss == pytest.approx(LOSSES[mine.loss](session.logits(data.x_test), data.y_test), rel=1e-12)
        assert set(evaluation.metrics) == {metric.name for metric in TASKS[mine.task].metrics}
        assert (evaluation.accuracy, evaluation.confusion) == (None, ())
        end = session.train_slice(3).epoch_end
        assert end is not None
        assert end.train_metrics.keys() == evaluation.metrics.keys()
        seen[name] = {"loss": np.array(found), **gradients, **session.weights()}
    for name in MATCHED[1:]:
        for what, values in seen["torch"].items():
            np.testing.assert_allclose(seen[name][what], values, rtol=1e-12, atol=1e-13, err_msg=f"{name}, {what}")
