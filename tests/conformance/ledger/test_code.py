"""The code shown for a row is complete: run as a script, it gives the worker's answer."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compare.parity.ledger.answers import Line
from compare.parity.ledger.code import code
from compare.registry import IMPLEMENTATIONS
from shared.ledger import ROWS

# Runs every script in its own namespace and records its output. One process serves all rows of an implementation.
RUN_ALL = """
import json, sys, numpy as np
scripts, kept, failed = json.load(open(sys.argv[1])), {}, {}
for name, text in scripts.items():
    printed = []
    try:
        exec(compile(text, name, "exec"), {"print": printed.append, "__name__": name})
    except Exception as error:
        failed[name] = repr(error)
    for number, value in enumerate(printed):
        kept[f"{name}/{number}"] = np.array(value.detach() if hasattr(value, "detach") else value)
np.savez(sys.argv[2], **kept)
sys.exit(f"not run: {failed}" if failed else 0)
"""


@pytest.mark.long  # three more processes with a framework, for what only changes with a row; .ci/run has a step for it
@pytest.mark.parametrize("asked", ["torch", "keras", "tf_lowlevel"])
def test_code_gives_what_the_row_says(asked: str, lines: dict[str, Line], tmp_path: Path) -> None:
    rows = [row for row in ROWS.values() if asked in row.between]
    scripts = {row.name: code(row, asked) for row in rows}
    assert all(scripts.values())
    (tmp_path / "scripts.json").write_text(json.dumps(scripts), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, tmp_path / "scripts.json", tmp_path / "kept.npz"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(tmp_path / "kept.npz") as kept:
        for row in rows:
            answers = lines[row.name].answers
            side = row.between.index(asked)
            own, aligned = kept[f"{row.name}/0"], kept.get(f"{row.name}/1", kept[f"{row.name}/0"])
            for got, half in ((own, "own"), (aligned, "aligned")):
                np.testing.assert_allclose(
                    got, answers[half][side], rtol=1e-6, atol=1e-9, err_msg=f"{row.name}, {half}"
                )


def test_code_of_an_implementation_without_source_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(IMPLEMENTATIONS, "torch", IMPLEMENTATIONS["torch"].__class__("torch", "T", "json", "eager"))
    assert code(ROWS["batchnorm-epsilon"], "torch") is None
