"""`bench --inference`: ways to serve take turns, and their folder is readable by other commands."""

import io
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from numpy_specs import numpy_spec
from pydantic import ValidationError
from rich.console import Console

from compare import extras
from compare.__main__ import main
from compare.bench import statistics
from compare.bench.inference import diff, launcher, tables, verdicts
from compare.bench.inference.launcher import InferenceLauncher, distances
from compare.bench.inference.plan import make_plan
from compare.bench.inference.plots import picture
from compare.bench.inference.record import InferenceResult, Served, Unavailable
from compare.bench.schedule import repeat
from compare.commands.verify import problems
from compare.options.bench import BenchOptions
from compare.processes.process import WorkerError
from compare.processes.serving import ServingSession
from compare.registry import IMPLEMENTATIONS
from compare.rpc import messages, wire
from compare.rpc.serving_messages import Calls, ServerDescribed
from compare.worker import serve
from compare.worker.served import Loaded
from shared.result import Environment

SCHEMA = Path(__file__).parents[3] / "docs" / "schema" / "inference.schema.json"
CALL_S = {"torch-eager": 2e-3, "torch-onnx": 0.5e-3, "keras-eager": 2e-3, "keras-graph": 8e-3}


def served(name: str) -> Served:
    implementation, _, form = name.partition("-")
    return Served(
        name=name,
        implementation=implementation,
        form=form,  # type: ignore[arg-type]
        threads=2,
        waiting="passive",
        variables={},
        files_bytes=1 << 20,
    )


class Pretending:
    """A worker whose calls take `call_s` per image, times random factors of its launch and of each call. One call in
    fifty takes three times as long. Its logits are wrong by `off`, and timing calls of `fails_at` images fails."""

    def __init__(self, random: np.random.Generator, call_s: float, off: float = 0.0, fails_at: int = 0) -> None:
        self.random, self.off, self.fails_at = random, off, fails_at
        self.call_s = call_s * float(np.exp(random.normal(0, 0.02)))
        self.asked: list[tuple[int, int, int]] = []
        self.ended = False

    def logits(self, images: np.ndarray) -> np.ndarray:
        right = np.asarray(images.reshape(len(images), -1)[:, :10], np.float32)
        return right + self.off * np.eye(1, 10, dtype=np.float32)

    def give_images(self, images: np.ndarray) -> None:
        self.n_images = len(images)

    def describe(self) -> ServerDescribed:
        return ServerDescribed(framework="pretended", version="1", modules=("numpy", "sys", "nothing_installed"))

    def time_calls(self, batch_size: int, calls: int, uncounted: int) -> tuple[Calls, np.ndarray]:
        assert batch_size <= self.n_images
        if batch_size == self.fails_at:
            raise WorkerError("it was asked to fail")
        self.asked.append((batch_size, calls, uncounted))
        slow = np.where(self.random.random(calls) < 0.02, 3.0, 1.0)
        call_ns = self.call_s * batch_size * slow * self.random.normal(1, 0.02, calls) * 1e9
        elapsed_s = float(call_ns.sum()) / 1e9
        return Calls(elapsed_s=elapsed_s, own_s=2 * elapsed_s, foreign_s=0.0, n_preempted=0), call_ns

    def memory(self) -> messages.PeakMemory:
        return messages.PeakMemory(peak_rss_bytes=int(self.call_s * 2**40), peak_device_bytes=None)

    def end_input(self) -> None:
        self.ended = True

    kill = end_input

    def close(self) -> None:
        assert self.ended


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing, and draw few resamples, which suffice here."""
    monkeypatch.setattr(launcher, "PAUSE_S", 0.0)
    monkeypatch.setattr(launcher, "ROUNDS_S", 2.0)
    monkeypatch.setattr(statistics, "N_RESAMPLES", 400)


Make = Callable[[np.random.Generator, str], Pretending]


def plainly(random: np.random.Generator, name: str) -> Pretending:
    return Pretending(random, CALL_S[name])


def simulated(make: Make = plainly, seed: int = 0, budget_s: float = 1e3) -> tuple[InferenceResult, list[Pretending]]:
    """Return a bench of the ways in CALL_S, and its workers in the order of their starts."""
    random, started = np.random.default_rng(seed), list[Pretending]()

    def start(of: Served) -> Any:
        started.append(make(random, of.name))
        return started[-1]

    ways = [served(name) for name in CALL_S]
    images = np.random.default_rng(0).random((64, 4, 4, 1), np.float32)
    work = InferenceLauncher(ways, images, (1, 16), start, budget_s, 0, 1e-4)
    empty = InferenceResult(
        model="cnn_same",
        dataset="digits",
        data_digest="0" * 64,
        seed=0,
        batch_sizes=(1, 16),
        served=tuple(ways),
        unavailable=(Unavailable(name="torch-xla", implementation="torch", form="xla", why="it has none"),),
        libraries={},
        baseline="torch-eager",
        bound=1e-4,
        precision=0.2,
        budget_s=budget_s,
        took_s=0.0,
        ending="interrupted",
        environments={},
        launches=(),
    )
    *_, result = repeat(empty, work, verdicts.precise)
    return result, started


@pytest.fixture(scope="module")
def result() -> InferenceResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "PAUSE_S", 0.0)
        patch.setattr(launcher, "ROUNDS_S", 2.0)
        patch.setattr(statistics, "N_RESAMPLES", 400)
        return simulated()[0]


def test_figures_are_those_that_were_made_up(result: InferenceResult) -> None:
    assert result.ending == "precise"
    for name, call_s in CALL_S.items():
        for n in result.batch_sizes:
            p50, p99 = verdicts.latency(result, name, n), verdicts.slow_latency(result, name, n)
            assert p50 is not None
            assert p50.value == pytest.approx(call_s * n, rel=0.05)
            assert p50.low is not None
            assert p50.low < p50.value < (p50.high or 0)
            rate = verdicts.throughput(result, name, n)
            assert rate is not None
            assert rate.value == pytest.approx(1 / call_s / 1.04, rel=0.1)  # with the calls that take 3 times as long
            if name == "torch-onnx" and n == 1:
                assert p99 is not None
                assert p99.value == pytest.approx(3 * call_s * n, rel=0.1)  # 2 of 100 calls take that long
        speed = verdicts.speed(result, name, "torch-eager", 1)
        assert speed is not None
        assert speed.value == pytest.approx(CALL_S["torch-eager"] / call_s, rel=0.08)
        assert verdicts.own_s(result, name, 16) == pytest.approx(2 * 1.04 * call_s, rel=0.15)
        memory = verdicts.memory(result, name)
        assert memory is not None
        assert memory.value == pytest.approx(call_s * 2**40, rel=0.05)
    assert verdicts.slow_latency(result, "keras-graph", 16) is None  # too few calls per launch for a percentile


def test_starts_are_those_of_all_launches_but_the_first(result: InferenceResult) -> None:
    starts = [launch.measured["torch-onnx"].start_s for launch in result.launches]
    found = verdicts.start(result, "torch-onnx")
    assert found is not None
    assert found.value == pytest.approx(np.exp(np.log(starts[1:]).mean()))
    assert verdicts.first_start(result, "torch-onnx") == starts[0]
    alone = result.model_copy(update={"launches": result.launches[:1]})
    assert verdicts.start(alone, "torch-onnx") is None


def test_all_take_turns_at_all_sizes_and_none_is_timed_cold() -> None:
    found, started = simulated()
    for launch in found.launches:
        counts = {
            (name, n): [w.round for w in one.at(n)] for name, one in launch.measured.items() for n in found.batch_sizes
        }
        assert len(counts) == 2 * len(CALL_S)
        assert len(set(map(tuple, counts.values()))) == 1  # each has a window of each size in each round
        orders = [[w.position for w in launch.measured[name].at(1)] for name in CALL_S]
        assert all(sorted(places) == [0, 1, 2, 3] for places in zip(*orders, strict=True))
    in_rounds = [(n, calls, uncounted) for n, calls, uncounted in started[0].asked if uncounted]
    assert all(uncounted * started[0].call_s * n > 0.02 for n, _, uncounted in in_rounds)
    first = [[w.position for w in launch.measured["torch-eager"].at(1)] for launch in found.launches]
    assert len({tuple(order) for order in first}) > 1  # in random order


def test_who_computes_something_else_is_not_timed() -> None:
    def make(random: np.random.Generator, name: str) -> Pretending:
        off = {"keras-graph": 3e-4, "keras-eager": 3e-5}.get(name, 0.0)
        return Pretending(random, CALL_S[name], off=off)

    found, started = simulated(make)
    for launch in found.launches:
        assert set(launch.measured) == CALL_S.keys() - {"keras-graph"}
        assert "it computes something else: its logits are 2.9e-04" in launch.failed["keras-graph"]
        assert 1e-5 < launch.measured["keras-eager"].distance < 2e-5  # the median of an even number of launches
    assert all(one.asked == [] for one in started if one.off == 3e-4)
    line = next(line for line in tables.cells(found) if line[0] == "keras-graph")
    assert line[1].startswith("failed: it computes something else")
    assert set(line[2:]) == {"-"}
    assert any("keras-graph failed in launch 1" in text for text in verdicts.warnings(found))


def test_who_fails_is_dropped_and_the_others_go_on() -> None:
    def make(random: np.random.Generator, name: str) -> Pretending:
        return Pretending(random, CALL_S[name], fails_at=16 if name == "torch-onnx" else 0)

    found, _ = simulated(make)
    assert all(launch.failed == {"torch-onnx": "it was asked to fail"} for launch in found.launches)
    assert verdicts.speed(found, "torch-onnx", "torch-eager", 1) is None
    assert verdicts.speed(found, "keras-eager", "torch-eager", 1) is not None


def test_distances() -> None:
    right = np.array([[1.0, -4.0], [2.0, 3.0]])
    assert distances([]) == []
    assert distances([[right], [right], [right + 0.04]]) == pytest.approx([0, 0, 0.01])
    assert distances([[right], [right], [right[:1]]])[2] == math.inf
    assert distances([[right], [right], [right * math.nan]])[2] == math.inf
    assert distances([[right * math.nan]] * 2) == [math.inf] * 2


def test_a_high_quantile_and_its_interval() -> None:
    """The quantile is that of all samples, and the interval that of resampling them one by one."""
    random = np.random.default_rng(3)
    launches = [[tuple(random.exponential(1, 40)) for _ in range(15)] for _ in range(4)]
    found = statistics.high_quantile(launches, 0.99)
    of_each = [sorted(np.concatenate(rounds))[math.ceil(0.99 * 600) - 1] for rounds in launches]
    assert found.value == pytest.approx(float(np.exp(np.log(of_each).mean())))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 4.6 < found.high  # ln 100
    resampled = statistics._resampled_quantiles(launches[0], 0.99, np.random.default_rng(0))
    drawn = np.random.default_rng(1).integers(0, 15, (400, 15))
    by_hand = [
        np.quantile(np.concatenate([launches[0][r] for r in of_one]), 0.99, method="inverted_cdf") for of_one in drawn
    ]
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(resampled, share) == pytest.approx(np.quantile(by_hand, share), rel=0.1)
    assert statistics.high_quantile(launches[:2], 0.99).low is None


def test_verdicts_answer_what_an_engineer_chooses_by(result: InferenceResult) -> None:
    same, latency, rate, start, memory = verdicts.verdicts(result)
    assert same.startswith("Same function: yes, to ")
    assert latency.startswith("Lowest latency in batches of 1: torch-onnx, 0.")
    assert "as fast as torch-eager. All others are slower." in latency
    assert rate.startswith("Most images a second in batches of 16: torch-onnx")
    assert start.startswith("Soonest first answer: ")
    assert memory.startswith("Least memory: torch-onnx, ")
    short = result.model_copy(update={"launches": result.launches[:2]})
    assert "An interval needs 3 launches" in verdicts.verdicts(short)[1]
    launch = result.launches[0].model_copy(update={"failed": {"torch-onnx": "it differs"}})
    failed = verdicts.headlines(result.model_copy(update={"launches": (launch, *result.launches[1:])}))[0]
    assert (failed.state, failed.answer) == ("open", "not known of torch-onnx, which failed")


@pytest.mark.parametrize("columns", [60, 140, 400])
def test_narrow_terminals_drop_columns_from_the_end(result: InferenceResult, columns: int) -> None:
    stream = io.StringIO()
    left_out = tables.print_result(result, Console(file=stream, width=columns))
    printed = stream.getvalue()
    headings = list(tables.columns(result))
    assert headings[:4] == ["served as", "with", "p50 at 1", "p99 at 1"]
    assert left_out == headings[len(headings) - len(left_out) :]
    assert all(len(line) <= columns for line in printed.splitlines())
    for heading in headings:
        assert (heading in printed) == (heading not in left_out)
    assert all(name in printed for name in [*CALL_S, "torch-xla"])
    assert (left_out == []) == (columns == 400)


def test_every_way_has_a_row_of_each_size_in_the_file(result: InferenceResult) -> None:
    rows = tables.rows(result)
    assert [(row["name"], row["batch_size"]) for row in rows[:-1]] == [(name, n) for name in CALL_S for n in (1, 16)]
    assert rows[-1]["why"] == "it has none"
    assert all(row.keys() == tables.COLUMNS.keys() for row in rows)
    assert len(picture(result).axes) == 4


def test_records_that_cannot_be(result: InferenceResult) -> None:
    record = json.loads(result.model_dump_json())
    assert InferenceResult.model_validate(record) == result
    jsonschema.validate(record, json.loads(SCHEMA.read_text()))
    for wrong in ({"baseline": "another"}, {"batch_sizes": [16, 1]}, {"batch_sizes": [1]}, {"unheard_of": 1}):
        with pytest.raises(ValidationError):
            InferenceResult.model_validate(record | wrong)


def test_what_changed_between_two() -> None:
    def slower(random: np.random.Generator, name: str) -> Pretending:
        return Pretending(random, CALL_S[name] * (2.0 if name == "torch-onnx" else 1.0))

    before, same, after = simulated()[0], simulated(seed=1)[0], simulated(slower, seed=2)[0]
    moved = {(change.name, change.what): change.moved for change in diff.serving_changes(before, after)}
    assert moved["torch-onnx", "p50 at 1"] == "worse"
    assert moved["torch-onnx", "memory"] == "worse"
    assert moved["torch-eager", "p50 at 1"] == "within noise"
    back = {(change.name, change.what): change.moved for change in diff.serving_changes(after, before)}
    assert back["torch-onnx", "p50 at 16"] == "better"
    assert {change.moved for change in diff.serving_changes(before, same) if "p50" in change.what} == {"within noise"}
    short = before.model_copy(update={"launches": before.launches[:2]})
    assert {change.moved for change in diff.serving_changes(short, after)} == {"not known"}
    assert diff.settings_changed(before, same) == []
    fewer = after.model_copy(update={"served": after.served[1:], "dataset": "mnist"})
    assert diff.settings_changed(before, fewer) == [
        "dataset: digits became mnist",
        "torch-eager is only in the first",
    ]
    assert diff.machines_differ(before, same) == []
    elsewhere: dict[str, Environment] = {
        name: one.model_copy(update={"cpu": "another"}) for name, one in same.environments.items()
    }
    assert len(diff.machines_differ(before, same.model_copy(update={"environments": elsewhere}))) == 1


def test_only_what_is_offered_is_served_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(BenchOptions(inference=True))
    ways = {name: [one.form for one in plan.served if one.implementation == name] for name in ("torch", "keras")}
    assert ways["torch"][:3] == ["eager", "graph", "pt2"]
    assert ways["keras"] == ["eager", "graph", "xla", "file", "savedmodel"]
    assert plan.batch_sizes == (1, 64)
    asked = make_plan(BenchOptions(inference=True, served_as=("xla", "onnx"), implementations=("torch", "keras")))
    why = {one.name: one.why for one in asked.unavailable}
    assert why["torch-xla"] == "PyTorch has no mode 'xla', only eager and graph"
    assert why["keras-onnx"] == "Keras writes no file for ONNX Runtime"
    monkeypatch.setitem(extras.EXTRAS, "onnx", ("not_a_module",))
    lacking = make_plan(BenchOptions(inference=True, implementations=("torch",)))
    assert [(one.name, one.why) for one in lacking.unavailable] == [
        ("torch-onnx", "it needs not_a_module: pip install 'compare[onnx]'")
    ]


def run(monkeypatch: pytest.MonkeyPatch, command: str) -> int:
    """Run `python -m compare ...` in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["compare", *command.split()])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


BAD = {
    "--inference --device cuda": "--inference is measured on the CPU alone.",
    "--inference --threads 1,2": "--inference takes one number of threads.",
    "--inference --modes eager": "--modes cannot be combined with --inference",
    "--inference --beside 0,1": "--inference cannot be combined with --beside",
    "--inference --served-as onxx": "There is no way to serve 'onxx'. Did you mean 'onnx'?",
    "--served-as onnx": "Give --inference with it, or leave it out.",
    "--inference --baseline torch": "There is no baseline 'torch'. Did you mean 'torch-",
    "--inference --implementations torch --served-as xla": "There is no way to serve cnn_same. torch-xla: PyTorch has",
    "--inference --batch-sizes 5000": "--batch-sizes 5,000 is larger than the 1,437 training images",
    "--inference --executor ray": "--executor cannot be combined with --inference",
}


@pytest.mark.parametrize(("options", "said"), BAD.items(), ids=BAD)
def test_bad_input_is_one_paragraph(
    options: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, f"bench {options}") == 2
    error = capsys.readouterr().err
    assert said in error
    lines = error.strip().splitlines()
    assert len([line for line in lines if not line.endswith(" ...")]) == 1  # a slow machine also prints its next step
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.pictures
def test_a_folder_that_verify_report_and_diff_know(
    numpy_implementations: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The implementation has no `serve` of its own, so the result of `create` answers."""
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy_again", numpy_spec("numpy_again", exports=("onnx",)))
    out = tmp_path / "out"
    command = "bench --inference --model dense_baseline --threads 1 --implementations numpy,numpy_again"
    code = run(monkeypatch, f"{command} --served-as eager,onnx --batch-sizes 8 --budget 1 --json --out {out}")
    printed = capsys.readouterr()
    assert code == 0, printed.err
    said = json.loads(printed.out)
    assert [(one["name"], one["batch_size"]) for one in said["served"]] == [
        (f"{name}-eager", n) for name in ("numpy", "numpy_again") for n in (1, 8)
    ]
    # numpy cannot write files, and the files of numpy_again's exporter are missing.
    assert [one["name"] for one in said["unavailable"]] == ["numpy-onnx", "numpy_again-onnx"]
    assert said["unavailable"][1]["why"].startswith("it cannot be exported: ")
    record = json.loads((out / "inference.json").read_text())
    jsonschema.validate(record, json.loads(SCHEMA.read_text()))
    (launch, *_) = record["launches"]
    assert launch["measured"]["numpy_again-eager"]["distance"] < 1e-6
    assert record["libraries"]["numpy-eager"] > 1_000_000  # at least NumPy
    assert len(pd.read_csv(out / "results.csv")) == 6
    report = (out / "report.md").read_text()
    assert "not there: it cannot be exported" in report
    assert (out / "plots" / "serving.png").stat().st_size > 5_000
    assert problems(out) == []
    (out / "report.md").write_text(report.replace("numpy-eager", "another", 1))
    assert [text for text in problems(out) if "altered" in text]
    capsys.readouterr()
    assert run(monkeypatch, f"diff {out} {out} --fail-on-regression") == 0
    assert "numpy-eager, p50 at 8: 1.00x" in capsys.readouterr().out


IMPORTED = "import sys, compare.worker.serve; print(*{name.partition('.')[0] for name in sys.modules})"


def test_a_process_that_only_infers_imports_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    there = set(done.stdout.split()) - sys.stdlib_module_names - {"__main__"}
    assert {name for name in there if not name.startswith(("_", "sitecustomize"))} == {"compare", "numpy", "shared"}


@pytest.fixture
def session(executed_workers: None, tmp_path: Path) -> Iterator[ServingSession]:
    """A worker that serves logits = images @ kernel + bias from an ONNX file."""
    onnx_models = pytest.importorskip("onnx_models")
    kernel = np.arange(40, dtype=np.float32).reshape(4, 10)
    steps = [
        ("Flatten", ["images"], ["flat"], {}),
        ("Gemm", ["flat", "kernel", "bias"], ["logits"], {}),
    ]
    model = onnx_models.model(
        steps, {"kernel": kernel, "bias": np.ones(10, np.float32)}, ("n", 1, 2, 2), output="logits"
    )
    model.graph.input[0].name = "images"
    path = tmp_path / "served.onnx"
    path.write_bytes(model.SerializeToString())
    made = ServingSession("served", ["onnx", str(path)], tmp_path / "log", 1, 60.0, {}, "passive")
    yield made
    made.close()


def test_a_worker_answers_and_times_its_calls(session: ServingSession) -> None:
    images = np.random.default_rng(0).random((6, 2, 2, 1), np.float32)
    right = images.reshape(6, 4) @ np.arange(40, dtype=np.float32).reshape(4, 10) + 1
    np.testing.assert_allclose(session.logits(images), right, rtol=1e-5)
    with pytest.raises(WorkerError, match="8 images were asked for, and 0 were given"):
        session.time_calls(8, 1, 0)
    session.give_images(images)
    done, call_ns = session.time_calls(4, 7, 3)
    assert len(call_ns) == 7
    assert (call_ns > 0).all()
    assert done.elapsed_s == pytest.approx(call_ns.sum() / 1e9)
    described = session.describe()
    assert described.framework == "onnxruntime"
    assert not {"torch", "tensorflow", "keras", "pydantic"} & set(described.modules)
    assert (session.memory().peak_rss_bytes or 0) > 10 << 20


def test_a_worker_that_cannot_load_says_why(executed_workers: None, tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"nonsense")
    arguments = ["onnx", str(tmp_path / "no.onnx")]
    session = ServingSession("served", arguments, tmp_path / "log", 1, 60.0, {}, "passive")
    with pytest.raises(WorkerError, match="InvalidProtobuf"):
        session.logits(np.zeros((1, 2, 2, 1), np.float32))
    session.close()


def test_every_call_is_timed_by_itself_and_batches_go_round_the_images() -> None:
    seen: list[tuple[int, float]] = []

    def predict(images: np.ndarray) -> np.ndarray:
        time.sleep(0.002 if len(seen) % 2 else 0.0)
        seen.append((len(images), float(images.sum())))
        return images

    server = serve.Server(Loaded(predict, "none", "0"))
    server.do({"kind": "GiveImages"}, {"images": np.arange(5, dtype=np.float32)})
    request: dict[str, Any] = {"kind": "TimeCalls", "batch_size": 2, "calls": 4, "uncounted": 2}
    answer, arrays = server.do(request, {})
    assert seen == [(2, 1.0), (2, 5.0)] * 3  # there are only five images
    assert (arrays["call_ns"][1::2] >= 2e6).all()
    assert answer["elapsed_s"] >= 0.004
    stream = io.BytesIO()
    wire.write(stream, answer, arrays)
    stream.seek(0)
    body, _ = wire.read(stream) or ({}, {})
    figures = {key: value for key, value in answer.items() if key != "kind"}
    assert messages.Answer.of_body(body) == Calls(**figures)
