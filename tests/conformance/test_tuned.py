"""Every candidate of `bench --modes tuned` is the same function."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from distance import assert_close
from tracing import Tracer

from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from shared.models import MODELS
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights


def cases() -> Iterator[pytest.ParameterSet]:
    """Yield every mode and tuning of every list for the CPU, once. If compiling takes long, the test is a long one."""
    for implementation in ("torch", "keras", "tf_lowlevel"):
        for mode, tuning in dict.fromkeys(
            (c.mode, tuple(c.tuning.items())) for c in IMPLEMENTATIONS[implementation].candidates["cpu"]
        ):
            compiled = mode == "xla" or (implementation == "torch" and mode == "graph")
            if tuning or mode != IMPLEMENTATIONS[implementation].default_mode:
                name = "-".join((implementation, mode, *(value for _, value in tuning)))
                marks = [pytest.mark.long] if compiled else [pytest.mark.slow]
                yield pytest.param(implementation, mode, tuning, id=name, marks=marks)


@pytest.mark.parametrize(("which", "mode", "tuning"), list(cases()))
def test_every_candidate_trains_to_the_same_weights(
    trace: Tracer, reference: Tracer, which: str, mode: str, tuning: tuple[tuple[str, str], ...]
) -> None:
    done, expected = trace(which, "cnn_same", "adam", "float64", mode, tuning), reference("cnn_same", "adam")
    assert done.losses == pytest.approx(expected.losses, rel=1e-12, abs=0)
    assert_close(done.trained, expected.trained, 1e-12)
    assert_close(done.optimizer_state, expected.optimizer_state, 1e-12)


FUSED = {"torch": "aten::_fused_adam_", "keras": "ResourceApplyAdam", "tf_lowlevel": "ResourceApplyAdam"}


@pytest.mark.slow
@pytest.mark.parametrize("which", list(FUSED))
def test_a_tuning_takes_effect(session_for: Callable[[str, str], Session], which: str) -> None:
    """Equal results would not reveal a tuning that is ignored. The framework's own profile does."""
    session, spec = session_for(which, "cnn_same"), MODELS["cnn_same"]
    mode = IMPLEMENTATIONS[which].default_mode
    for optimizer in ("fused", None):
        tuning = {"optimizer": optimizer} if optimizer else {}
        session.create(Build(spec, TrainSpec(epochs=1), initial_weights(spec, 0), "cpu", mode, tuning=tuning))
        session.time_window("compute", 2)
        operation_s = session.profile(3)
        assert (FUSED[which] in operation_s) == (optimizer == "fused")
        assert all(time_s >= 0 for time_s in operation_s.values())
        convolutions = sum(s for name, s in operation_s.items() if "conv" in name.lower())
        assert convolutions > 0.2 * sum(operation_s.values())


POOLED = (("relu", "after_pooling"),)
QUICK = ("cnn_same", "cnn_headless_valid")


@pytest.mark.parametrize(
    "pooling",
    [
        pytest.param(model, marks=pytest.mark.slow if model in QUICK else pytest.mark.long)
        for model in IMPLEMENTATIONS["torch"].models
    ],
)
def test_relu_after_pooling_changes_no_bit(trace: Tracer, pooling: str) -> None:
    before = trace("torch", pooling, "adam", "float64")
    after = trace("torch", pooling, "adam", "float64", "eager", POOLED)
    assert after.losses == before.losses
    for name, value in before.trained.items():
        np.testing.assert_array_equal(after.trained[name], value, name)


def test_an_unknown_choice_is_refused(session_for: Callable[[str, str], Session], implementation: str) -> None:
    model = IMPLEMENTATIONS[implementation].models[0]
    spec = MODELS[model]
    with pytest.raises(WorkerError, match="ValidationError"):
        session_for(implementation, model).create(
            Build(spec, TrainSpec(epochs=1), initial_weights(spec, 0), "cpu", "eager", tuning={"layout": "sideways"})
        )
