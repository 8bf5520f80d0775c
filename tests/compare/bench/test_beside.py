"""`bench --beside`: busy processes end with the command, and each contestant's slowdown is measured."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from patience import GENEROUS_S
from pydantic import ValidationError
from simulation import SimulatedSession, contestant, simulated_bench

from compare.__main__ import main
from compare.bench import beside, launcher, schedule
from compare.bench.beside import BesideLauncher, BesideResult
from compare.bench.result import BenchResult, Contestant, TimedWindow
from compare.commands import bench_beside
from compare.commands.verify import problems
from compare.processes import busy as busy_module
from compare.processes.busy import busy
from compare.subject import Subject
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS
from shared.training import TrainSpec

HERE = "--model dense_baseline --threads 1"
SLOWER = {"torch": {0: 1.0, 1: 3.0, 2: 6.0}, "keras": {0: 1.0, 1: 1.5, 2: 2.0}}


def run(monkeypatch: pytest.MonkeyPatch, arguments: str) -> int:
    """Run `python -m compare bench ...` in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["compare", "bench", *arguments.split()])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def made_up(n_launches: int = 3) -> BesideResult:
    """Return a bench in which each contestant is slowed down as SLOWER states."""
    plain, random = simulated_bench(), np.random.default_rng(1)
    launches = []
    for launch in plain.launches[:n_launches]:
        measured = {}
        for name, one in launch.measured.items():
            windows: list[TimedWindow] = []
            for level, times in SLOWER[name].items():
                kept = [w for w in one.windows if w.round >= 0 or level == 0]
                windows += [
                    w.model_copy(
                        update={
                            "beside": level,
                            "elapsed_s": w.elapsed_s * times * random.normal(1, 0.02),
                            "foreign_s": 0.2 * level,
                        }
                    )
                    for w in kept
                ]
            measured[name] = one.model_copy(update={"windows": tuple(windows)})
        launches.append(launch.model_copy(update={"measured": measured}))
    return BesideResult(levels=(0, 1, 2), result=plain.model_copy(update={"launches": tuple(launches)}))


def test_slowdowns_are_those_that_were_made_up() -> None:
    found = made_up()
    for name, times in SLOWER.items():
        for level in (1, 2):
            slower = beside.slowdown(found, name, level)
            assert slower is not None
            assert slower.value == pytest.approx(times[level], rel=0.05)
            assert slower.low is not None
            assert slower.low < slower.value < (slower.high or 0.0)
            assert slower.half_width < 0.15
    # Reading it from a file gives the same figures.
    again = BesideResult.model_validate_json(found.model_dump_json())
    assert beside.slowdown(again, "torch", 1) == beside.slowdown(found, "torch", 1)


def test_verdicts_name_every_level() -> None:
    said = beside.verdicts(made_up())
    interval = r"\d\.\d\dx \[\d\.\d\d, \d\.\d\d\]"
    slower = rf"A step beside one busy process: torch {interval}, keras {interval} as long as alone\."
    assert re.fullmatch(slower, said[0])
    assert said[1].startswith("A step beside two busy processes")
    assert said[2].startswith("Speed beside no busy processes: ")
    assert re.fullmatch(rf"Speed beside one busy process: keras is {interval} as fast as torch\.", said[3])
    assert re.fullmatch(rf"Speed beside two busy processes: keras is {interval} as fast as torch\.", said[4])
    assert [line.state for line in beside.headlines(made_up())[:2]] == ["yes", "yes"]
    (few, *_) = beside.headlines(made_up(1))
    assert few.state == "open"
    assert few.sentence.endswith("x as long as alone.")
    assert "[" not in few.sentence


def test_the_table_has_a_line_for_each_contestant_at_each_level() -> None:
    lines = beside.cells(made_up())
    assert [line[:2] for line in lines] == [[str(level), name] for level in range(3) for name in SLOWER]
    assert lines[0][3:] == ["1", "1 (baseline)"]
    assert float(lines[2][2].partition(" ms")[0]) == pytest.approx(3 * 20, rel=0.05)
    assert float(lines[3][3].partition("x")[0]) == pytest.approx(1.5, rel=0.05)
    assert float(lines[3][4].partition("x")[0]) == pytest.approx(3 / 1.5, rel=0.05)


def test_what_was_not_measured_is_not_made_up() -> None:
    found = made_up()
    launches = [
        launch.model_copy(update={"measured": {"keras": launch.measured["keras"]}}) for launch in found.result.launches
    ]
    without = found.model_copy(update={"result": found.result.model_copy(update={"launches": tuple(launches)})})
    assert beside.slowdown(without, "torch", 1) is None
    assert beside.cells(without)[2] == ["1", "torch", "-", "-", "-"]
    assert "torch (not measured)" in beside.verdicts(without)[0]


def test_only_the_load_that_was_not_asked_for_is_a_warning() -> None:
    found = made_up()
    assert beside.notes(found) == []
    busy_anyway = [
        launch.model_copy(
            update={
                "measured": {
                    name: one.model_copy(
                        update={"windows": tuple(w.model_copy(update={"foreign_s": 0.2}) for w in one.windows)}
                    )
                    for name, one in launch.measured.items()
                }
            }
        )
        for launch in found.result.launches
    ]
    loaded = found.model_copy(update={"result": found.result.model_copy(update={"launches": tuple(busy_anyway)})})
    assert any(text.startswith("Foreign load") for text in beside.notes(loaded))


@pytest.mark.parametrize("levels", [(1, 2), (0, 2, 1), (0, 1), (0,)], ids=str)
def test_levels_that_cannot_be(levels: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        BesideResult(levels=levels, result=made_up().result)


def test_it_ends_when_all_is_known() -> None:
    """With the scatter of these rounds, three launches reach a precision of 50 %, but not 0.1 %."""
    found = made_up()
    exact, rough = (
        found.model_copy(update={"result": found.result.model_copy(update={"precision": precision})})
        for precision in (0.001, 0.5)
    )
    assert not beside.precise(exact)
    assert beside.precise(rough)
    assert not beside.precise(found.model_copy(update={"result": found.result.model_copy(update={"launches": ()})}))


def test_all_meet_the_same_neighbours(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each launch every level comes twice, and every contestant has equally many turns at it."""
    running: list[int] = [0]
    seen: list[int] = []

    @contextmanager
    def pretend(n: int) -> Iterator[list[int]]:
        running.append(n)
        seen.append(n)
        yield []
        running.pop()

    class Watched(SimulatedSession):
        def time_window(self, what: str, steps: int, uncounted: int = 0) -> object:  # type: ignore[override]
            done = super().time_window(what, steps, uncounted)  # type: ignore[arg-type]
            slow = 1.0 + running[-1]
            return done.model_copy(update={"elapsed_s": done.elapsed_s * slow})

    monkeypatch.setattr(launcher, "PAUSE_S", 0.0)
    monkeypatch.setattr(launcher, "usable_cores", lambda: 1)
    monkeypatch.setattr(beside, "busy", pretend)
    random = np.random.default_rng(0)

    def start(of: Contestant) -> Watched:
        return Watched(random, step_s=0.01)

    subject = Subject(MODELS["dense_baseline"], TrainSpec(epochs=1), digits, "cpu")
    work = BesideLauncher(
        [contestant("a"), contestant("b")],
        subject,
        start,
        120.0,
        rounds_s=0.0,  # the minimum of rounds per block, on any machine
        training_alone=True,  # type: ignore[arg-type]
    )
    work.levels = (0, 1, 2)
    launches = [work.launch(number) for number in range(3)]
    assert sorted(seen) == sorted([0, 1, 2] * beside.CYCLES * 3)
    assert seen[:3] != seen[3:6] or seen[6:9] != seen[9:12] or seen[:3] != seen[6:9]  # in random order
    for launch in launches:
        assert launch.ceilings == ()
        counts = [
            [sum(w.beside == level and w.round >= 0 for w in launch.measured[name].windows) for level in work.levels]
            for name in "ab"
        ]
        assert counts[0] == counts[1]
        assert min(counts[0]) >= beside.CYCLES * beside.LEAST_OF_A_BLOCK
        assert {w.what for w in launch.measured["a"].windows if w.round >= 0} == {"end_to_end"}
        assert all(w.beside == 0 for w in launch.measured["a"].windows if w.round < 0)
    result = simulated_bench().model_copy(
        update={
            "contestants": tuple(work.contestants),
            "baseline": "a",
            "launches": tuple(launches),
            "environments": {},
        }
    )
    found = beside.slowdown(BesideResult(levels=(0, 1, 2), result=result), "b", 2)
    assert found is not None
    assert found.value == pytest.approx(3.0, rel=0.3)  # a busy machine has only two rounds per block


def used_s(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gone(pid: int) -> bool:
    """Return whether the process has ended, even if it has not been waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + GENEROUS_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not list processes")


@needs_proc
def test_busy_processes_are_busy_and_end_with_the_context() -> None:
    with busy(2) as pids:
        assert len(set(pids)) == 2
        for pid in pids:
            before = used_s(pid)
            wait_for(lambda pid=pid, before=before: used_s(pid) > before + 0.05)  # type: ignore[misc]
    assert all(gone(pid) for pid in pids)
    with busy(0) as none:
        assert none == []


@needs_proc
def test_busy_processes_end_if_something_is_raised() -> None:
    found: list[int] = []

    def interrupted() -> None:
        with busy(1) as pids:
            found.extend(pids)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(found) == 1
    assert all(gone(pid) for pid in found)


@needs_proc
def test_busy_processes_end_with_a_command_that_is_killed() -> None:
    program = (
        "import sys, time\nfrom compare.processes.busy import busy\n"
        f"with busy(2) as pids:\n    print(*pids, flush=True)\n    time.sleep({GENEROUS_S})"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(text) for text in process.stdout.readline().split()]
        assert len(pids) == 2
        process.send_signal(signal.SIGKILL)
    wait_for(lambda: all(gone(pid) for pid in pids))


@needs_proc
def test_a_busy_process_that_was_ended_is_not_passed_over() -> None:
    def ended() -> None:
        with busy(2) as pids:
            os.kill(pids[1], signal.SIGKILL)
            wait_for(lambda: gone(pids[1]))

    with pytest.raises(InputError, match="something else ended a busy process"):
        ended()


def test_a_busy_process_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(busy_module.subprocess, "Popen", refuse)
    with pytest.raises(InputError, match="no busy process can be started"), busy(1):
        pass


BAD = {
    "--beside 0": "--beside 0 needs 0 and another number",
    "--beside 1,2": "--beside 1,2 needs 0 and another number",
    "--beside 0,-1": "--beside -1 is not possible. Give whole numbers from 0 to 256.",
    "--beside 0,1,1": "names one twice",
    "--beside 0,1 --waterfall": "--beside cannot be combined with --waterfall",
    "--beside 0,1 --profile": "--profile cannot be combined with --beside",
    "--beside 0,1 --aa torch": "--aa cannot be combined with --beside",
    "--beside 0,1 --batch-sizes 16,64": "--beside takes one batch size and one number of threads",
    "--waiting never": "There is no waiting 'never'",
}


@pytest.mark.parametrize(("options", "said"), BAD.items(), ids=BAD)
def test_bad_input_is_one_paragraph(
    options: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.pictures
def test_a_short_one_leaves_its_record_and_a_report(
    numpy_implementations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(bench_beside, "ROUNDS_S", 0.3)
    monkeypatch.setattr(schedule, "LEAST_TO_STOP", 1)  # one launch beside a busy process, which uses up the budget
    monkeypatch.setattr(beside, "precise", lambda _: True)
    code = run(
        monkeypatch,
        f"{HERE} --implementations numpy,numpy_again --beside 1,0 --budget 1000 --json --out {out}",
    )
    printed = capsys.readouterr()
    assert code == 0, printed.err
    record = BesideResult.model_validate_json((out / beside.RECORD).read_bytes())
    assert record.levels == (0, 1)
    assert isinstance(record.result, BenchResult)
    for launch in record.result.launches:
        for name in ("numpy", "numpy_again"):
            assert {w.beside for w in launch.measured[name].windows} == {0, 1}
    assert problems(out) == []
    text = (out / "report.md").read_text()
    for line in ("**A step beside one busy process**: numpy ", "| 1 | numpy_again |", "--beside 1,0"):
        assert line in text
    assert (out / "plots" / "beside.png").stat().st_size > 5_000
    answered = json.loads(printed.out)
    assert [(one["beside"], one["name"]) for one in answered["slowdowns"]] == [
        (level, name) for level in (0, 1) for name in ("numpy", "numpy_again")
    ]
    assert answered["slowdowns"][0]["slowdown"] is None
    assert answered["slowdowns"][3]["slowdown"]["value"] > 0
