"""Extract from studies what must be equal if they did the same, at any time and place."""

from pathlib import Path

from shared.result import RunResult


def essence(result: RunResult) -> dict[str, object]:
    """Return what is comparable of one result."""
    assert result.outcome, result.error
    outcome = result.outcome
    return {
        "run": result.run,
        "epochs": outcome.epochs,
        "loss": outcome.samples.loss,
        "confusion": outcome.confusion,
        "weights": outcome.weights_sha256,
        "n_steps": len(outcome.samples.step_s),
    }


def essences(out: Path) -> dict[str, dict[str, object]]:
    """Return what is comparable of every result in a run folder, by its name."""
    found = [RunResult.model_validate_json(path.read_bytes()) for path in (out / "results").glob("*.json")]
    return {result.name: essence(result) for result in found}
