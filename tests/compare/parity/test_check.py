"""The whole check of three NumPy implementations. If one is faulty, it is found and named."""

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import running, still_there, workers_of
from numpy_specs import numpy_spec
from patience import GENEROUS_S, patience

from compare.__main__ import main
from compare.parity import Parity, assert_parity, runs
from compare.parity.envelope import Draw
from compare.parity.result import ParityResult
from compare.registry import IMPLEMENTATIONS
from shared.data.embedded import digits
from shared.errors import InputError

FAULTY = "numpy_faulty"


@pytest.fixture(scope="module")
def kept() -> Iterator[Parity]:
    """Yield workers that all these tests share."""
    with Parity(timeout_s=GENEROUS_S) as parity:
        yield parity


@pytest.fixture(scope="module")
def few_digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a data set of 200 digits. An epoch has four batches, and the last one is small."""
    raw, path = digits(), tmp_path_factory.mktemp("data") / "few.npz"
    parts = {"x_train": raw.x_train[:200], "y_train": raw.y_train[:200], "x_test": raw.x_test[:64]}
    np.savez(path, **parts, y_test=raw.y_test[:64])
    return str(path)


@pytest.fixture
def check(few_digits: str, kept: Parity, numpy_implementations: str, monkeypatch: pytest.MonkeyPatch):
    """check(fault) -> its result. The faulty worker is new each time, the sound ones stay."""

    def run(fault: str = "", timeout_s: float = GENEROUS_S, **options: Any) -> ParityResult:
        monkeypatch.setenv("NUMPY_FAULTY", fault)
        if FAULTY in (sessions := kept._workers._sessions):
            sessions.pop(FAULTY).close()
        given = {"implementations": numpy_implementations, "steps": 2, "draws": 1, "dataset": few_digits} | options
        kept._workers.timeout_s = timeout_s
        try:
            return kept.check("dense_baseline", **given)
        finally:
            kept._workers.timeout_s = GENEROUS_S

    return run


def test_equal_implementations_agree(check) -> None:
    result = check(precision="both", steps=10, draws=2)
    assert result.passed
    assert result.verdict == "The implementations agree on every rung."
    assert [precision.dtype for precision in result.precisions] == ["float64", "float32"]
    in_float64, in_float32 = result.precisions
    assert all(d.relative < 1e-14 for reading in in_float64.ladder.readings for d in reading.distances.values())
    rungs = list(dict.fromkeys(reading.rung for reading in in_float32.ladder.readings))
    looked_at = ["parameters as loaded", "activations", "activations in training mode", "logits", "loss", "gradients"]
    assert rungs[:7] == [*looked_at, "parameters after looking"]
    assert rungs[7:14] == [f"large values: {rung}" for rung in (*looked_at, "parameters after looking")]
    assert rungs[14:17] == ["step 1: losses", "step 1: optimizer state", "step 1: parameters"]
    assert rungs[17] == "step 1: update from its own moments"
    assert {"step 10: epochs", "evaluation after training", "predictions after training"} <= set(rungs)
    assert "sgd, step 5: parameters" in rungs
    assert "large values: step 1: parameters" in rungs
    # Float64 needs no envelope. In float32 every checkpoint has one, and drift grows.
    assert in_float64.envelope is None
    assert all(len(draws) == 2 for draws in in_float32.self_curves.values())
    assert list(in_float32.curves["numpy"]) == [1, 2, 5, 10]


@pytest.mark.parametrize(
    ("fault", "rung", "tensor"),
    [
        ("activation", "activations", "dense1"),
        ("gradient", "gradients", "dense2/bias"),
        ("rate", "step 1: parameters", "dense1/kernel"),
        ("transposed", "step 1: parameters", "dense1/kernel"),
        ("error", "step 2: losses", "loss"),
        ("exit", "step 2: losses", "loss"),
        ("nan", "step 1: logits", "logits"),
    ],
)
def test_a_fault_is_found_and_named(check, fault: str, rung: str, tensor: str) -> None:
    result = check(fault)
    assert not result.passed
    first = result.precisions[0].ladder.first_beyond
    assert (first.rung, first.tensor, first.odd_one_out) == (rung, tensor, FAULTY)
    assert f"{FAULTY} is the odd one out, first at {tensor}, {rung}." in result.verdict


def test_a_failure_is_reported(check) -> None:
    """What was found before it is kept, in both precisions."""
    assert check("error", precision="both").verdict.endswith(
        "numpy_faulty failed: RuntimeError: asked to fail in the second step."
    )
    verdict = check("exit", precision="both").verdict
    assert verdict.startswith("In float64 numpy_faulty is the odd one out, first at loss, step 2: losses.")
    assert "numpy_faulty failed: the worker exited with code 3" in verdict


def test_a_failing_draw_is_reported(check) -> None:
    """An implementation that fails only from weights moved by 1 ulp, in the second step, is reported."""
    result = check("draw", precision="float32")
    assert not result.passed
    assert result.verdict == "In float32 numpy_faulty failed: RuntimeError: asked to fail from moved weights."


def test_a_hanging_worker_is_given_up(check) -> None:
    timeout_s = patience(3)
    result = check("hang", timeout_s=timeout_s)
    assert result.precisions[0].ladder.first_beyond.rung == "step 2: losses"
    assert f"no answer within {timeout_s:g} s when asked to train slice" in result.verdict


def test_a_network_that_cannot_be_built(check) -> None:
    result = check("create")
    assert (result.passed, result.precisions) == (False, ())
    assert result.verdict == "Not comparable, numpy_faulty failed: RuntimeError: asked to fail in create."


def test_the_gate_stops_the_comparison(check) -> None:
    result = check("setting")
    assert (result.passed, result.precisions) == (False, ())
    assert [mismatch.field for mismatch in result.mismatches] == ["dtype", "by the other optimizer, dtype"]
    others = dict.fromkeys(("what was asked for", "numpy", "numpy_again"), "float64")
    assert result.mismatches[0].values == {**others, FAULTY: "float16"}


def test_workers_that_ended_are_replaced(numpy_implementations: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPY_FAULTY", "exit")
    with Parity() as parity:
        options = {"implementations": numpy_implementations, "steps": 2}
        assert not parity.check("dense_baseline", **options).passed
        monkeypatch.setenv("NUMPY_FAULTY", "")
        assert parity.check("dense_baseline", **options).passed


def test_of_one_package_there_is_one_vote(numpy_implementations: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two implementations that share their fault do not form a majority."""
    monkeypatch.setenv("NUMPY_FAULTY", "activation")
    twice = numpy_spec("again", FAULTY)
    monkeypatch.setitem(IMPLEMENTATIONS, "again", twice)
    with Parity() as parity:
        result = parity.check("dense_baseline", implementations=f"{numpy_implementations},again", rung="activations")
    assert result.precisions[0].ladder.first_beyond.beyond == [FAULTY, "again"]


def test_assert_parity(numpy_implementations: str, monkeypatch: pytest.MonkeyPatch, parity: Parity) -> None:
    options = {"implementations": numpy_implementations, "steps": 2}
    assert assert_parity("dense_baseline", parity, **options).passed
    monkeypatch.setenv("NUMPY_FAULTY", "rate")
    with pytest.raises(AssertionError, match=r"odd one out, first at dense1/kernel, step 1: parameters") as caught:
        assert_parity("dense_baseline", **options)
    assert "step 1: optimizer state" in str(caught.value)  # the ladder is printed
    with pytest.raises(InputError, match="One architecture is compared at a time, and 'all' names 7"):
        assert_parity("all", parity)


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", "parity", "--model", "dense_baseline", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.parametrize(("fault", "code"), [("", 0), ("rate", 1), ("setting", 1), ("create", 1)])
def test_the_command(
    fault: str, code: int, numpy_implementations: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    monkeypatch.setenv("NUMPY_FAULTY", fault)
    out = tmp_path / "out"
    options = ["--implementations", numpy_implementations, "--steps", "2", "--draws", "1", "--out", str(out)]
    more = ["--precision", "float64"] if code else ["--seeds", "2"]
    assert command(monkeypatch, *options, *more) == code
    shown = capsys.readouterr().out
    assert ("0 of 1 comparisons agree." if code else "2 of 2 comparisons agree.") in shown
    report = (out / "report.md").read_text()
    records = json.loads((out / "parity.json").read_text())
    assert [record["seed"] for record in records] == ([0] if code else [0, 1])
    assert "## dense_baseline, seed 0" in report
    assert "## dense_baseline, seed 1" not in report  # it agrees, and the first seed's ladder is shown
    verdict = {"": "agree on every rung", "rate": "odd one out", "setting": "dtype", "create": "asked to fail"}[fault]
    assert verdict in shown
    assert verdict in report
    assert (out / "plots" / "drift-dense_baseline-seed0.png").exists() == (fault in ("", "rate"))


def test_an_interrupt_ends_all_workers(numpy_implementations: str, tmp_path: Path) -> None:
    """Ctrl-C in a real process during a comparison gives exit code 130, no folder, no traceback and no worker."""
    out = tmp_path / "out"
    options = "--model dense_baseline --implementations numpy,numpy_again --steps 50000"
    with running("parity", *options.split(), "--out", out) as process:
        deadline = time.monotonic() + GENEROUS_S
        while not (out.exists() and len(workers := workers_of(process)) == 2) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(2)  # during the training, unless the machine is busy
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=GENEROUS_S)
    assert process.returncode == 130, error
    assert "Interrupted. No comparison had ended; nothing was kept." in error
    assert "Traceback" not in error
    assert not out.exists()
    assert not still_there(workers)


def test_an_implementation_without_float64_on_the_device(
    numpy_implementations: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    single = numpy_spec("single", "numpy_again", dtypes={"cpu": ("float32",), "cuda": ()})
    monkeypatch.setitem(IMPLEMENTATIONS, "single", single)
    assert command(monkeypatch, "--implementations", "numpy,single") == 2
    assert "'single' cannot compute in float64 on the device 'cpu'" in capsys.readouterr().err


def test_cuda_where_there_is_none(
    numpy_implementations: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "out"
    options = ["--implementations", numpy_implementations, "--device", "cuda", "--out", str(out)]
    assert command(monkeypatch, *options) == 2
    assert "no CUDA device is visible to numpy" in capsys.readouterr().err
    assert not out.exists()


def draws_asked_for(monkeypatch: pytest.MonkeyPatch, drifts: dict[int, float]) -> list[list[int]]:
    """Record the numbers of the draws requested from now on, a list for each round and worker.

    A draw adds the number's value in `drifts` to every drift.
    """
    asked: list[list[int]] = []
    real = runs.draw_all

    def draw_all(session: Any, numbers: Sequence[int], **options: Any) -> list[Draw]:
        asked.append(list(numbers))
        found = real(session, numbers=numbers, **options)
        moved = zip(numbers, found, strict=True)
        return [
            replace(draw, drift={r: {t: d + drifts.get(n, 0.0) for t, d in ts.items()} for r, ts in draw.drift.items()})
            for n, draw in moved
        ]

    monkeypatch.setattr(runs, "draw_all", draw_all)
    return asked


def test_where_all_agree_no_more_is_drawn(check, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = draws_asked_for(monkeypatch, {})
    assert check(precision="float32", draws=2).passed
    assert asked == [[1, 2]] * 3


@pytest.mark.long
def test_before_anything_is_said_to_part_more_is_drawn(check, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault still differs. A drift seen only in later draws is excused: here everything along training. The update
    compared with its own moments is not, because no drift excuses it."""
    asked = draws_asked_for(monkeypatch, {})
    (parted,) = check("rate", precision="float32", draws=2).precisions
    assert parted.ladder.first_beyond.rung == "step 1: parameters"
    assert asked == [[1, 2]] * 3 + [[1, 2]] * 3 + [[3, 4, 5, 6, 7, 8]] * 3  # in float64, then in float32
    asked = draws_asked_for(monkeypatch, {5: 1.0})
    (excused,) = check("rate", precision="float32", draws=2).precisions
    assert excused.ladder.first_beyond.rung == "step 1: update from its own moments"
    assert len(asked) == 9


def test_in_float64_there_is_no_such_jump(check, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = draws_asked_for(monkeypatch, {})
    assert not check("rate", precision="float64", draws=2).passed
    assert asked == [[1, 2]] * 3


def test_in_float32_everything_is_judged_by_float64(check) -> None:
    """The consensus is that of float64 runs, so a float32 distance is that of rounding."""
    (precision,) = check(precision="float32").precisions
    activation = next(r for r in precision.ladder.readings if r.tensor == "dense1" and r.rung == "activations")
    assert all(1e-9 < d.relative < 1e-6 for d in activation.distances.values())
    assert all(np.isfinite(d.relative) for r in precision.ladder.readings for d in r.distances.values())
