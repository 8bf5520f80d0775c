"""An interrupted study goes on as if nothing had happened: to the same losses and the same weights, to the bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compare.planned import PLAN
from compare.verify import problems
from shared.result import RunResult

ROOT = Path(__file__).parents[2]
QUICK = (
    "--dataset digits --model dense_baseline --implementations numpy,numpy_again --epochs 4 --seeds 2 --batch-size 32"
)
SCRIPT = """
import sys
from compare.implementations import IMPLEMENTATIONS, ImplementationSpec
for name, module in (("numpy", "numpy_impl"), ("numpy_again", "numpy_again")):
    IMPLEMENTATIONS[name] = ImplementationSpec(name, name, module, "eager")
from compare.__main__ import main
main()
"""
DEAD = ("signal 9", "exited with code")


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own, with the NumPy implementations."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])}
    command = [sys.executable, "-c", SCRIPT, "run", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def essence(result: RunResult) -> dict[str, object]:
    """What does not depend on when it was computed."""
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
    found = [RunResult.model_validate_json(path.read_bytes()) for path in (out / "results").glob("*.json")]
    return {result.name: essence(result) for result in found}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    _, error = (process := started(*QUICK.split(), "--out", str(out))).communicate(timeout=120)
    assert process.returncode == 0, error
    return essences(out)


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def disturb(out: Path, by: random.Random) -> str:
    """Start the study or go on with it, and kill the parent or a worker at a random moment; what it said."""
    begun = (out / PLAN).exists()
    process = started(*(["--resume", str(out)] if begun else [*QUICK.split(), "--out", str(out)]))
    victims = []
    time.sleep(by.uniform(0.2, 6.0))
    workers = workers_of(process)
    if process.poll() is None:
        victims = [process.pid if by.random() < 0.6 or not workers else by.choice(workers)]
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
    _, error = process.communicate(timeout=120)
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers), "a worker outlived its study"
    assert "Traceback" not in error, error
    if not begun and not (out / PLAN).exists() and out.exists():  # killed before anything had begun
        subprocess.run(["rm", "-r", str(out)], check=True)
    return error


@pytest.mark.slow
@pytest.mark.usefixtures("numpy_implementations")
def test_killed_at_random_moments_and_resumed(undisturbed: dict[str, dict[str, object]], tmp_path: Path) -> None:
    _survive(tmp_path, undisturbed, random.Random(1), n_kills=3)


@pytest.mark.long
@pytest.mark.usefixtures("numpy_implementations")
def test_killed_a_hundred_times(undisturbed: dict[str, dict[str, object]], tmp_path: Path) -> None:
    by = random.Random(0)
    for number in range(20):
        _survive(tmp_path / str(number), undisturbed, by, n_kills=5)


def _survive(folder: Path, undisturbed: dict[str, dict[str, object]], by: random.Random, n_kills: int) -> None:
    folder.mkdir(exist_ok=True)
    out = folder / "out"
    for _ in range(n_kills):
        disturb(out, by)
    for _ in range(3):  # a worker may have been killed in the last disturbance: its run is tried again
        arguments = ["--resume", str(out)] if (out / PLAN).exists() else [*QUICK.split(), "--out", str(out)]
        process = started(*arguments)
        _, error = process.communicate(timeout=120)
        if process.returncode == 0:
            break
    assert process.returncode == 0, error
    assert essences(out) == undisturbed
    assert not (out / "checkpoints").exists()
    assert problems(out) == []
