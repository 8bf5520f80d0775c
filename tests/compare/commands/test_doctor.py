"""`compare doctor` describes an environment and its problems."""

import json
import sys
from pathlib import Path

import pytest
from results import ENVIRONMENT

from compare import extras
from compare.__main__ import main
from compare.commands import doctor, doctor_findings
from compare.registry import IMPLEMENTATIONS, ImplementationSpec


def diagnose(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", "doctor", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("RuntimeError: operator torchvision::nms does not exist", "same index"),
        ("ModuleNotFoundError: No module named 'tensorflow'", "some versions of Python"),
        ("ImportError: libcudart.so.12: cannot open shared object file", "CUDA library is missing"),
        ("the worker was ended by signal 4", "lacks instructions"),
        ("the worker was ended by signal 9", "not enough memory"),
        ("ImportError: libtorch_cuda.so: failed to map segment from shared object", "not enough memory"),
        ("/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found", "C library is older"),
        ("AttributeError: something new", "fresh virtual environment"),
    ],
)
def test_what_frameworks_say_is_recognised(error: str, advice: str) -> None:
    found = doctor_findings.of_worker("torch", None, error)
    assert found.state == "bad"
    assert found.said == error
    assert advice in found.advice


@pytest.mark.parametrize(
    ("installed", "n"),
    [
        ({"torch": "2.9.0+cpu", "torchvision": "0.24.0+cu128"}, 1),
        ({"torch": "2.9.0+cpu", "torchvision": "0.24.0+cpu"}, 0),
        ({"torch": "2.9.0", "torchvision": "0.24.0"}, 0),
        ({"torch": "2.9.0+cpu"}, 0),
    ],
)
def test_builds_that_do_not_fit(installed: dict[str, str], n: int) -> None:
    assert len(doctor_findings.of_builds(installed)) == n


def test_some_frameworks_see_a_device() -> None:
    seeing = ENVIRONMENT.model_copy(update={"n_cuda_devices": 2})
    (found,) = doctor_findings.of_devices({"torch": seeing, "keras": ENVIRONMENT})
    assert found.said.startswith("torch see a CUDA device, and keras do not")
    assert doctor_findings.of_devices({"torch": seeing}) == []
    assert doctor_findings.of_devices({"torch": ENVIRONMENT}) == []
    assert doctor_findings.of_worker("torch", seeing, "").said == "torch 2.0, 2 CUDA devices"


def test_memory_and_disk() -> None:
    assert doctor_findings.of_memory("MemAvailable:   20971520 kB\n").state == "ok"
    assert doctor_findings.of_memory("MemAvailable:   1048576 kB\n").state == "note"
    assert doctor_findings.of_memory("").state == "note"
    assert doctor_findings.of_disk(Path("runs") / "not" / "there").state == "ok"
    assert "Make room" in doctor_findings.of_disk(Path(), least=2**70).advice
    assert doctor_findings.of_python((3, 10)).state == "bad"


@pytest.mark.slow
def test_the_command(
    numpy_implementation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("torch", "keras", "tf_lowlevel", "keras_functional"):
        monkeypatch.delitem(IMPLEMENTATIONS, name)
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None if name == "onnxscript" else name)
    damaged = tmp_path / "FashionMNIST" / "raw" / "t10k-labels-idx1-ubyte.gz"
    damaged.parent.mkdir(parents=True)
    assert diagnose(monkeypatch, "--data-dir", tmp_path) == 0
    said = capsys.readouterr().out
    for text in ("numpy: numpy ", "no CUDA device", "mnist: note: not in", "onnxscript", "No problems found."):
        assert text in said

    monkeypatch.setitem(IMPLEMENTATIONS, "lost", ImplementationSpec("lost", "lost", "lost_impl", "eager"))
    damaged.write_bytes(b"not what it was")
    assert diagnose(monkeypatch, "--data-dir", tmp_path, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["bad"] == ["lost", "fashion_mnist"]
    (lost,) = (finding for finding in found["findings"] if finding["what"] == "lost")
    assert "No module named 'lost_impl'" in lost["said"]
    assert doctor.MEMINFO.exists()
