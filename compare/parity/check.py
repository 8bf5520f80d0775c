"""Check one network completely: the gate, the ladder in float64, the ladder in float32 within its envelope.

The implementations work in parallel, a thread each, because nothing is timed here.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from compare.parity import gate, observation, runs
from compare.parity.bounds import bound
from compare.parity.envelope import MORE_DRAWS, Drawn
from compare.parity.expected import expected, shortfalls
from compare.parity.ladder import Ladder, Stages, climb
from compare.parity.observation import Observation, curve, is_training
from compare.parity.result import ParityResult, PrecisionResult
from compare.parity.runs import Extent
from compare.processes.pool import ask_all
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.subject import Subject
from compare.worker import fingerprint
from shared.choices import Dtype
from shared.weights import initial_weights

Answer = TypeVar("Answer")


class Checker:
    """Checks of networks by workers that are already running. As many of them work at once as there are cores. `tell`
    is called after each precision."""

    def __init__(
        self,
        sessions: Mapping[str, Session],
        threads: int,
        tell: Callable[[ParityResult, Dtype], None] = lambda result, dtype: None,
    ) -> None:
        self.sessions = sessions
        self.threads = threads
        self.tell = tell

    def check(self, subject: Subject, extent: Extent) -> ParityResult:
        """Check one network. Float64 is always computed, because everything is compared with its consensus.

        If a worker fails, the results so far are kept, and the check ends.
        """
        result = ParityResult(subject.spec.name, subject.train.seed)
        oracle: Stages | None = None
        try:
            self._ask_all(partial(runs.load, subject=subject))
            for dtype in dict.fromkeys(("float64", *extent.dtypes)):
                typed = replace(subject, train=subject.train.model_copy(update={"dtype": dtype}))
                if mismatches := self.gate(typed):
                    return replace(result, mismatches=tuple(mismatches))
                done, oracle = self._precision(typed, extent, oracle)
                self.tell(result, dtype)
                if dtype in extent.dtypes or done.failures:
                    result = replace(result, precisions=(*result.precisions, done))
                if done.failures:
                    break
        except WorkerError as error:
            return replace(result, failure=str(error))
        return result

    def gate(self, subject: Subject) -> list[gate.Mismatch]:
        """Build every network that will be inspected, and compare the inputs and settings of all."""
        weights = initial_weights(subject.spec, subject.train.seed)
        mismatches = []
        for prefix, of, dropping in (
            ("", subject, False),
            ("by the other optimizer, ", runs.other_optimizer(subject), False),
            ("with dropout, ", subject, True),
        ):
            if dropping and subject.spec.dropout is None:
                continue
            asked = fingerprint.of_request(of.train, of.data, weights, of.device, self.threads)
            said = self._ask_all(partial(runs.fingerprint_of, subject=of, weights=weights, dropping=dropping))
            found = gate.check({gate.ASKED: asked, **said})
            mismatches += [replace(mismatch, field=prefix + mismatch.field) for mismatch in found]
        return mismatches

    def _precision(self, subject: Subject, extent: Extent, oracle: Stages | None) -> tuple[PrecisionResult, Stages]:
        """Return the result of one precision, and the float64 consensus: `oracle`, or that of these observations."""
        observations = self._ask_all(partial(runs.observe, subject=subject, extent=extent))
        if oracle is None:
            oracle = expected(subject, observations)
        if observation.EVALUATION in oracle:
            observations = shortfalls(observations, oracle[observation.EVALUATION]["logits"])
        return self._judge(subject, extent, observations, oracle), oracle

    def _judge(
        self, subject: Subject, extent: Extent, observations: Mapping[str, Observation], oracle: Stages
    ) -> PrecisionResult:
        dtype = subject.train.dtype
        observed = {name: seen.stages for name, seen in observations.items()}
        failures = {name: seen.failure for name, seen in observations.items() if seen.failure}
        curves = {name: curve(stages, oracle, extent.n_steps) for name, stages in observed.items()}
        drawn = Drawn()

        def ladder() -> Ladder:
            return climb(observed, oracle, partial(bound, dtype, drawn.widest))

        def draw(numbers: range) -> None:
            one = partial(runs.draw_all, subject=subject, extent=extent, observations=observations, numbers=numbers)
            drawn.add(ask_all(self._one_of_each_package, self.threads, one))

        if _differs_in_training(ladder()) or (dtype == "float32" and any(is_training(rung) for rung in oracle)):
            draw(range(1, 1 + extent.n_draws))
            if dtype == "float32" and _differs_in_training(ladder()):
                draw(range(1 + extent.n_draws, 1 + MORE_DRAWS * extent.n_draws))
        failures = drawn.failures | failures
        widest = drawn.widest or None
        return PrecisionResult(dtype, tuple(observed), ladder(), failures, widest, curves, drawn.curves)

    @property
    def _one_of_each_package(self) -> dict[str, Session]:
        """The first implementation of each package; shared code drifts in the same way."""
        first: dict[str, str] = {}
        for name in self.sessions:
            first.setdefault(IMPLEMENTATIONS[name].package, name)
        return {name: self.sessions[name] for name in first.values()}

    def _ask_all(self, ask: Callable[[Session], Answer]) -> dict[str, Answer]:
        """Return ask(session) for every worker. Raises WorkerError, which names the worker, if one fails."""
        return ask_all(self.sessions, self.threads, ask)


def _differs_in_training(ladder: Ladder) -> bool:
    """Whether a difference may be excused by an envelope: it is the first one, within training, and finite."""
    first = ladder.first_beyond
    return first is not None and is_training(first.rung) and not first.infinite
