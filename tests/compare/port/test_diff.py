"""`diff` of two folders of `compare port` reports what a fix changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from patience import GENEROUS_S

from compare.port import Port, PortRecord
from compare.port.diff import port_changes

NETS = """
from torch import nn
def build(eps=1e-5, slope=0.01):
    return nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3, eps=eps), nn.LeakyReLU(slope))
"""


@pytest.fixture
def found(port: Port, tmp_path: Path) -> dict[str, PortRecord]:
    """Return comparisons with models of no slip, of one and of two."""
    (tmp_path / "nets.py").write_text(NETS)
    calls = {"none": "", "one": "1e-2", "two": "1e-2, 0.3"}
    left = f"{tmp_path}/nets.py:build"
    return {name: port.check(left, f"{left}({arguments})", input=(4,)) for name, arguments in calls.items()}


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        ("none", "none", []),
        ("two", "one", [("setting", "changed"), ("activation.slope", "better")]),
        ("one", "two", [("setting", "changed"), ("activation.slope", "worse")]),
    ],
)
def test_causes_gone_and_new(
    before: str, after: str, moved: list[tuple[str, str]], found: dict[str, PortRecord]
) -> None:
    changes = port_changes(found[before], found[after])
    assert [(c.what, c.moved) for c in changes if c.what in ("setting", "activation.slope", "verdict")] == moved


def test_a_mend_that_makes_models_the_same(found: dict[str, PortRecord]) -> None:
    changes = port_changes(found["two"], found["none"])
    assert [c.moved for c in changes if c.what == "verdict"] == ["better"]
    assert {c.what for c in changes if c.moved == "better"} >= {"layer_norm.epsilon", "output distance"}
    assert {c.moved for c in port_changes(found["none"], found["two"])} == {"changed", "worse"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compare", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=GENEROUS_S,
        check=False,
    )


@pytest.mark.long  # starts four processes with a framework; its parts are tested above
def test_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    for name, call in (("a", "build(1e-2)"), ("b", "build")):
        left, right = "nets.py:build", f"nets.py:{call}"
        done = run(tmp_path, "port", left, right, "--input", "4", "--out", name)
        assert done.returncode == (1 if name == "a" else 0), done.stderr
        assert run(tmp_path, "verify", name).returncode == 0
    done = run(tmp_path, "diff", "a", "b")
    assert done.returncode == 0, done.stderr
    assert "verdict: different became same (better)" in done.stdout
    assert "cause gone: layer_norm.epsilon" in done.stdout
    answer = json.loads(run(tmp_path, "diff", "b", "a", "--json", "--fail-on-regression").stdout)
    assert answer["verdicts"] == ["same", "different"]
    assert any("layer_norm.epsilon" in said for said in answer["worse"])
    (tmp_path / "a" / "port.json").write_text("{}")
    assert run(tmp_path, "verify", "a").returncode != 0
