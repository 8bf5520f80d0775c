"""TensorBoard reads the event files, and they match the records."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import results

from compare.folders.manifest import Manifest
from compare.folders.run_folder import load_results
from compare.reporting.event_files import event_files

MANIFEST = Manifest(
    command="c", started="2026-01-02T03:04:05Z", ended="2026-01-02T03:05:05Z", version="0", commit=None, files={}
)


# TensorBoard uses TensorFlow if it finds it. Without, it starts in a quarter of the time.
READER = """
import json, sys, types
sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
points = {}
for path in sys.argv[1:]:
    of_one = points[path] = {}
    for event in EventFileLoader(path).Load():
        for value in event.summary.value:  # which the loader makes tensors of
            of_one.setdefault(value.tag, []).append((event.step, event.wall_time, *value.tensor.float_val))
print(json.dumps(points))
"""


def read(*paths: Path) -> list[dict[str, list[tuple[int, float, float]]]]:
    """Return the points (step, time, value) of each tag in each file, as read by TensorBoard."""
    done = subprocess.run([sys.executable, "-c", READER, *map(str, paths)], capture_output=True, text=True, check=True)
    points = json.loads(done.stdout)
    return [points[str(path)] for path in paths]


@pytest.mark.slow
def test_tensorboard_reads_every_step_and_every_epoch(tmp_path: Path) -> None:
    result = results.result(step_s=np.linspace(0.01, 0.03, 46))
    ((name, content),) = event_files([result, results.failure("x")], MANIFEST).items()
    assert name == "tensorboard/torch-seed0/events.out.tfevents.0"
    (tmp_path / "events.out.tfevents.0").write_bytes(content)
    (found,) = read(tmp_path / "events.out.tfevents.0")

    assert result.outcome
    samples = result.outcome.samples
    assert [step for step, _, _ in found["step/loss"]] == list(range(1, 47))
    assert [v for _, _, v in found["step/loss"]] == pytest.approx(samples.loss, rel=1e-6)
    assert [v for _, _, v in found["step/milliseconds"]] == pytest.approx(np.array(samples.step_s) * 1e3, rel=1e-6)
    times = np.diff([time for _, time, _ in found["step/loss"]])
    assert times == pytest.approx(samples.step_s[1:], abs=1e-5)
    assert [v for _, _, v in found["epoch/test_accuracy"]] == pytest.approx([0.98, 0.98])
    assert "epoch/validation_accuracy" not in found
    assert found["test/accuracy"][0][2] == pytest.approx(0.98)


@pytest.mark.slow
def test_a_run_that_is_asked_for_them_writes_them(run_folder: Path) -> None:
    done = load_results(run_folder)
    for result, found in zip(
        done, read(*(run_folder / "tensorboard" / r.name / "events.out.tfevents.0" for r in done)), strict=True
    ):
        assert result.outcome
        assert len(found["step/loss"]) == len(result.outcome.samples.loss)
        assert found["test/accuracy"][0][2] == pytest.approx(result.outcome.test_accuracy)
