"""Whatever `bench --modes tuned` may choose is still the same function."""

from collections.abc import Callable, Iterator

import pytest
from distance import assert_close
from tracing import Tracer

from compare.bench.candidates import CANDIDATES
from compare.implementations import IMPLEMENTATIONS
from compare.session import Session, WorkerError
from shared.models import MODELS
from shared.training import TrainSpec
from shared.weights import initial_weights


def cases() -> Iterator[pytest.ParameterSet]:
    """Every mode and tuning of every list for the CPU, once; what takes long to compile is a long test."""
    for implementation in ("torch", "keras", "tf_lowlevel"):
        for mode, tuning in dict.fromkeys((c.mode, tuple(c.tuning.items())) for c in CANDIDATES[implementation]["cpu"]):
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


def test_an_unknown_choice_is_refused(session_for: Callable[[str, str], Session], implementation: str) -> None:
    model = IMPLEMENTATIONS[implementation].models[0]
    spec = MODELS[model]
    with pytest.raises(WorkerError, match="ValidationError"):
        session_for(implementation, model).create(
            spec, TrainSpec(epochs=1), initial_weights(spec, 0), "cpu", "eager", tuning={"layout": "sideways"}
        )
