"""Condense the records of studies with very many runs, which would not fit into memory.

A record has a loss and a time for every step: 100,000 records do not fit into memory. In such a study the first seeds'
records stay whole, for the pictures. Of the others only what tables and verdicts need is kept.
"""

import gc
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from compare.analysis.seeds import training_s_until
from compare.analysis.timing import median_step_s
from compare.folders.run_folder import read_result, record_paths
from shared.result import CondensedResult, Outcome, Run, RunResult, Samples

MANY = 1_000  # up to so many records, all stay whole
WHOLE = 300  # of more, at most so many: a picture cannot show more curves
_NAME = re.compile(r"(.+)-seed(\d+)", re.ASCII)


class Condenser:
    """A condenser of results. Values that many results share, such as their environment, are kept once."""

    def __init__(self, target: float | None) -> None:
        """Times to the accuracy `target` are kept for the reports."""
        self._target = target
        self._shared: dict[str, Any] = {}

    def __call__(self, result: RunResult) -> CondensedResult:
        run, outcome = result.run, result.outcome
        environment = result.environment and self._once(result.environment)
        return CondensedResult.model_construct(
            run=Run.model_construct(
                implementation=self._once(run.implementation),
                model=self._once(run.model),
                data=self._once(run.data),
                train=run.train.model_copy(update={"optimizer": self._once(run.train.optimizer)}),
                recipe=run.recipe,
                mode=run.mode,
                device=run.device,
                tuned=run.tuned and self._once(run.tuned),
                network=run.network and self._once(run.network),
            ),
            status=result.status,
            error=result.error,
            environment=environment,
            data_digest=self._once(result.data_digest),
            n_train=result.n_train,
            n_validation=result.n_validation,
            n_test=result.n_test,
            outcome=outcome and self._outcome(outcome),
            in_turns=result.in_turns,
            step_median_s=median_step_s(result) if outcome else None,
            reached_s=training_s_until(result, self._target) if outcome and self._target is not None else None,
        )

    def _outcome(self, outcome: Outcome) -> Outcome:
        yardsticks = outcome.samples.yardstick_s
        first = outcome.samples.step_s[:1]
        return outcome.model_copy(
            update={
                "device_name": self._once(outcome.device_name),
                "own_choices": self._once(outcome.own_choices),
                "epochs": outcome.epochs[-1:],
                "samples": Samples.model_construct(
                    loss=outcome.samples.loss[:1],
                    step_s=first,
                    slice_steps=(),
                    yardstick_s=(statistics.median(yardsticks),) if yardsticks else (),
                    epoch_s=(),
                    epoch_steps=(),
                ),
                "confusion": (),
                "label_counts": (),
                "points": (),
            }
        )

    def _once(self, value: Any) -> Any:
        if isinstance(value, str):
            return sys.intern(value)
        key = value.model_dump_json() if isinstance(value, BaseModel) else repr(value)
        return self._shared.setdefault(f"{type(value).__name__} {key}", value)


def load(folder: Path, target: float | None) -> list[RunResult]:
    """Load every record in `folder`, in the order of their names, and whole if there are few. Raises InputError as
    `run_folder.load_results` does."""
    paths = record_paths(folder)
    if len(paths) <= MANY:
        return [read_result(path) for path in paths]
    kept, condense = set(_of_first_seeds(paths)), Condenser(target)
    with _no_garbage_collection():  # millions of objects, none of them garbage, would be searched repeatedly
        return [read_result(path) if path in kept else condense(read_result(path)) for path in paths]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _of_first_seeds(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the records of the first seeds, at most WHOLE of them; those of the first seed in any case."""
    n_yet = 0
    for _, of_seed in groupby(sorted(paths, key=_seed), _seed):
        of_one = list(of_seed)
        if n_yet and n_yet + len(of_one) > WHOLE:
            return
        n_yet += len(of_one)
        yield from of_one


def _seed(path: Path) -> int:
    found = _NAME.fullmatch(path.stem)
    return int(found[2]) if found else 0


def whole(results: Sequence[RunResult]) -> list[RunResult]:
    """Return the results that are whole."""
    return [result for result in results if not isinstance(result, CondensedResult)]
