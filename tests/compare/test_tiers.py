"""An implementation with seven methods is trained and measured. Everything else names the missing method."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from numpy_specs import numpy_spec

from compare.__main__ import main
from compare.bench import launcher, schedule
from compare.bench.result import BenchResult
from compare.registry import IMPLEMENTATIONS

NETWORK = "--dataset digits --model dense_baseline --implementations numpy,bare"


@pytest.fixture
def compare(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(IMPLEMENTATIONS, "bare", numpy_spec("bare", "bare", exports=("torch",)))
    monkeypatch.setitem(IMPLEMENTATIONS, "torch", numpy_spec("torch", "bare"))

    def run(*line: object) -> int:
        monkeypatch.setattr(sys, "argv", ["compare", *" ".join(map(str, line)).split()])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0)

    return run


def test_it_is_trained_and_reported(compare, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert compare("run", NETWORK, "--epochs 3 --seeds 2 --out", out) == 0
    rows = pd.read_csv(out / "results.csv").sort_values(["seed", "implementation"])
    assert (rows.status == "ok").all()
    assert rows.test_accuracy.tolist()[::2] == rows.test_accuracy.tolist()[1::2]
    assert compare("report", out, "--out", tmp_path / "again") == 0
    assert compare("verify", out, "--rerun") == 0


def test_it_is_timed(compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It offers neither the machine's limits nor a profile, and timing works without them."""
    monkeypatch.setattr(launcher, "ROUNDS_S", 0.3)
    monkeypatch.setattr(schedule, "LEAST_TO_STOP", 3)  # enough for an interval
    out = tmp_path / "out"
    options = "--dataset embedded --model dense_baseline --budget 3600 --profile --interval 1"
    assert compare("bench --aa bare", options, "--out", out) in (0, 1)  # 1 if the interval excludes 1 by chance
    record = BenchResult.model_validate_json((out / "bench.json").read_text())
    assert [launch.failed for launch in record.launches] == [{}] * len(record.launches)
    assert all(set(launch.measured) == {"bare-a", "bare-b"} and not launch.ceilings for launch in record.launches)


@pytest.mark.parametrize(
    ("line", "lacking"),
    [
        ("parity --steps 2 --draws 1 --out OUT " + NETWORK, "`fetch_batch`"),
        ("run --epochs 1 --recipe idiomatic --out OUT " + NETWORK.replace("numpy,bare", "bare"), "`idiom`"),
        ("models dense_baseline --check", "`count_by_layer`"),
    ],
)
def test_what_it_lacks_is_named(
    compare,
    line: str,
    lacking: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for framework in ("keras", "keras_functional", "tf_lowlevel"):  # `models` would start these too
        monkeypatch.delitem(IMPLEMENTATIONS, framework)
    assert compare(line.replace("OUT", str(tmp_path / "out"))) == 1
    shown = capsys.readouterr()
    assert "the implementation 'bare' has no " + lacking in "".join((shown.out + shown.err).split("\n")).replace(
        "  ", " "
    )
