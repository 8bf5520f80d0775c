"""Studies on a real Ray cluster of three nodes give the same results as locally."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import ROOT, interruptible
from essence import essences
from numpy_impl.about import NUMPY
from patience import GENEROUS_S

from compare.__main__ import main
from compare.bench.result import BenchResult
from compare.commands.verify import problems
from compare.registry import IMPLEMENTATIONS

pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")

OPTIONS = "--dataset digits --model dense_baseline --epochs 1 --threads 1 --device cpu --seeds 3"
QUICK = f"{OPTIONS} --implementations numpy"
Lose = Callable[[], None]


@pytest.fixture(scope="module")
def numpy_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the PYTHONPATH of processes that find the NumPy implementation as if pip had installed it.

    It starts in a fifth of PyTorch's time. A long test uses PyTorch there.
    """
    installed = tmp_path_factory.mktemp("installed")
    information = installed / "compare_numpy-0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: compare-numpy\nVersion: 0\n")
    (information / "entry_points.txt").write_text("[compare.implementations]\nnumpy = numpy_impl.about:NUMPY\n")
    return os.pathsep.join(map(str, (ROOT, ROOT / "examples" / "numpy_impl", installed)))


@pytest.fixture(scope="module")
def cluster(numpy_path: str) -> Iterator[tuple[str, Lose]]:
    """Yield its address, and a function that removes a node."""
    environment = os.environ | {"PYTHONPATH": numpy_path, "RAY_USAGE_STATS_ENABLED": "0"}
    with subprocess.Popen(
        [sys.executable, ROOT / "tests" / "support" / "ray_cluster.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        address = next(line.strip() for line in lines if ":" in line and " " not in line.strip())

        def lose() -> None:
            assert process.stdin
            print("lose", file=process.stdin, flush=True)
            assert any("lost" in line for line in lines)

        yield address, lose
        process.stdin.close()
        process.wait(60)


@pytest.fixture(autouse=True)
def numpy_is_installed(numpy_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", numpy_path)
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy", NUMPY)  # this process has already searched for implementations


def compare(*arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "compare", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,  # noqa: PLW1509 safe, because tests start no threads that hold locks
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return the exit code and the standard error."""
    _, error = process.communicate(timeout=GENEROUS_S)
    return process.returncode, error


def first_result(out: Path) -> None:
    deadline = time.monotonic() + GENEROUS_S
    while not list(out.glob("results/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.long  # 15 s of processor time for a cluster of two nodes; .ci/run has a step with it
def test_a_node_is_lost_and_the_study_is_the_same(cluster: tuple[str, Lose], tmp_path: Path) -> None:
    """The weights, losses and figures are bit-identical."""
    address, lose = cluster
    here, there = tmp_path / "here", tmp_path / "there"
    process = compare(*QUICK.split(), "--executor", "ray", "--address", address, "--out", there)
    first_result(there)
    lose()
    code, error = ended(process)
    assert code == 0, error
    assert "Sending 3 runs to the cluster" in error
    code, error = ended(compare(*QUICK.split(), "--out", here))
    assert code == 0, error
    assert essences(there) == essences(here)
    assert problems(there) == []
    assert {path.name for path in (there / "logs").iterdir()} == {f"numpy-seed{seed}.log" for seed in range(3)}


@pytest.mark.long
def test_all_three_frameworks_in_float64_with_a_node_lost_at_any_moment(
    cluster: tuple[str, Lose], tmp_path: Path
) -> None:
    """Every loss and weight of nine runs is bit-identical to the local one."""
    address, lose = cluster
    options = [*OPTIONS.split(), "--implementations", "torch,keras,tf_lowlevel", "--precision", "float64"]
    here, there = tmp_path / "here", tmp_path / "there"
    process = compare(*options, "--executor", "ray", "--address", address, "--out", there)
    time.sleep(random.uniform(10, 40))
    lose()
    code, error = ended(process)
    assert code == 0, error
    code, error = ended(compare(*options, "--out", here))
    assert code == 0, error
    assert len(essences(there)) == 9
    assert essences(there) == essences(here)
    assert problems(there) == []


@pytest.mark.long
def test_an_interrupted_study_goes_on_there(cluster: tuple[str, Lose], tmp_path: Path) -> None:
    address, _ = cluster
    out = tmp_path / "out"
    process = compare(*QUICK.split(), "--seeds", "3", "--executor", "ray", "--address", address, "--out", out)
    first_result(out)
    process.send_signal(signal.SIGINT)
    code, error = ended(process)
    assert code == 130, error
    assert "Traceback" not in error
    assert len(essences(out)) < 3
    code, error = ended(compare("run", "--resume", out))
    assert code == 2
    assert f"Give --executor ray --address {address} to continue there" in error
    code, error = ended(compare("run", "--resume", out, "--executor", "ray", "--address", address))
    assert code == 0, error
    assert "to the cluster at" in error
    assert len(essences(out)) == 3


@pytest.mark.long
def test_a_bench_there_is_one_task(cluster: tuple[str, Lose], tmp_path: Path) -> None:
    """Its contestants run side by side on one node, and its folder is complete here."""
    out = tmp_path / "out"
    options = "--model dense_baseline --aa torch --modes eager --threads 1 --budget 12"
    code, error = ended(compare("bench", *options.split(), "--executor", "ray", "--address", cluster[0], "--out", out))
    assert code in (0, 1), error  # an interval needs three launches, which may take longer
    assert "launch 1" in error
    assert BenchResult.model_validate_json((out / "bench.json").read_bytes()).launches
    assert problems(out) == []


BAD = {
    "bench --executor ray --address ADDRESS --batch-sizes 9999999": "compare: ",
    "--executor ray --address nonsense": "No Ray cluster answers at nonsense.",
    "--executor ray --address ADDRESS --threads 3": "a node with 3 CPUs is needed, and the largest",
    "--executor ray --address ADDRESS --threads 1 --device cuda": "a node with 1 CPU and 1 GPU is needed",
}
WITHOUT_A_CLUSTER = {
    "bench --executor ray --address 127.0.0.1:9": "No Ray cluster answers at 127.0.0.1:9.",
    "--executor ray --address 127.0.0.1:9": "No Ray cluster answers at 127.0.0.1:9.",
    "--executor rya": "Did you mean 'ray'?",
    "--address 127.0.0.1:9": "--address is that of a Ray cluster. Give --executor ray",
}


@pytest.mark.parametrize("options", WITHOUT_A_CLUSTER)
def test_what_cannot_be_sent_anywhere_is_reported(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """This needs no Ray, which takes longer to import than this check."""
    arguments = [*options.split(), "--dataset", "digits", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert WITHOUT_A_CLUSTER[options] in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    # Each connects to the cluster in its own process. The others are also tested with made-up nodes
    # (test_ray_executor.py).
    [pytest.param(line, marks=[] if "--threads 3" in line else pytest.mark.long) for line in BAD],
)
def test_what_cannot_be_sent_is_reported_at_once(cluster: tuple[str, Lose], options: str, tmp_path: Path) -> None:
    given = options.replace("ADDRESS", cluster[0]).split()
    code, error = ended(compare(*given, "--dataset", "digits", "--out", tmp_path / "out"))
    assert code == 2, error
    assert BAD[options] in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()
