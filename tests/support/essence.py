"""What two studies have in common that did the same, whenever and wherever it was computed."""

from pathlib import Path

from shared.result import RunResult


def essence(result: RunResult) -> dict[str, object]:
    """Of one result."""
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
    """Of every result in a run folder, by its name."""
    found = [RunResult.model_validate_json(path.read_bytes()) for path in (out / "results").glob("*.json")]
    return {result.name: essence(result) for result in found}
