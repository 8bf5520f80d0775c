"""Read the records of a run as pandas frames, for your own notebooks and scripts.

Every frame has the columns `implementation` and `seed`. Every function raises InputError if a folder has no run.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from compare.analysis import condensed
from compare.analysis.figures import flat_epoch
from compare.analysis.rows import line, row
from compare.analysis.seeds import Judging, in_order
from compare.folders.run_folder import load_record, load_results, record_paths
from shared.result import Outcome, RunResult


def runs(folder: Path | str) -> pd.DataFrame:
    """Return one row per run, with the columns of results.csv. If there are more than 1,000 runs, the intervals of step
    times are missing, as in that file."""
    record_paths(Path(folder))  # raises InputError if there are none
    judging = load_record(Path(folder) / "study.json", Judging)
    results = in_order(condensed.load(Path(folder), judging.target), judging)
    return pd.DataFrame([line(row(result)) for result in results])


def epochs(folder: Path | str) -> pd.DataFrame:
    """Return one row per epoch: `epoch` from 1, losses, and accuracies as shares of 1. For tasks other than
    classification there are the task's metrics instead, such as `test_rmse`. Unmeasured values are missing."""
    return pd.DataFrame(
        [{**_who(result), **flat_epoch(epoch)} for result, done in _ended(folder) for epoch in done.epochs]
    ).dropna(axis=1, how="all")


def steps(folder: Path | str) -> pd.DataFrame:
    """Return one row per training step: `step` from 1, `loss` before its update, `seconds` from the host's batch to
    updated weights, and `turn`. In one turn all implementations met the machine in the same state. A run of the
    idiomatic recipe has no rows."""
    return pd.DataFrame(
        [
            {**_who(result), "step": number, "turn": turn, "loss": loss, "seconds": seconds}
            for result, done in _ended(folder)
            for number, (turn, loss, seconds) in enumerate(_steps(done), 1)
        ],
        columns=["implementation", "seed", "step", "turn", "loss", "seconds"],
    )


def _results(folder: Path) -> list[RunResult]:
    results = load_results(folder)
    return in_order(results, load_record(folder / "study.json", Judging))


def _ended(folder: Path | str) -> Iterator[tuple[RunResult, Outcome]]:
    return ((result, result.outcome) for result in _results(Path(folder)) if result.outcome)


def _who(result: RunResult) -> dict[str, object]:
    return {"implementation": result.run.implementation, "seed": result.run.train.seed}


def _steps(outcome: Outcome) -> Iterator[tuple[int, float, float]]:
    samples = outcome.samples
    turns = (turn for turn, n_steps in enumerate(samples.slice_steps, 1) for _ in range(n_steps))
    return zip(turns, samples.loss, samples.step_s, strict=True)
