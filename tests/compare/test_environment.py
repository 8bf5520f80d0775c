"""What is set before a framework is imported, whatever the user's own environment says."""

from pathlib import Path

import pytest

from compare import environment
from compare.session import Session


def test_a_worker_has_what_is_stated(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")  # not stated here: inherited, and recorded
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "somebody else's")  # not tensorflow's
    session = Session(numpy_implementation, tmp_path / "log", threads=3, hide_cuda=True, timeout_s=30)
    found = session.wait_until_ready()
    session.close()
    assert found.threads == 3
    assert {name: found.variables[name] for name in ("KERAS_BACKEND", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")} == {
        "KERAS_BACKEND": "tensorflow",
        "OMP_NUM_THREADS": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }
    assert found.variables["TF_NUM_INTRAOP_THREADS"] == "3"
    assert found.variables["MALLOC_ARENA_MAX"] == "2"
    assert "TF_CLI_CONFIG_FILE" not in found.variables


def test_keras_looks_for_its_file_where_it_is_told(tmp_path: Path) -> None:
    variables = environment.worker_variables(2, tmp_path, hide_cuda=False)
    assert variables["KERAS_HOME"] == str(tmp_path)


def test_cuda_is_hidden_only_where_the_cpu_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert environment.worker_variables(2, tmp_path, hide_cuda=False)["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment.worker_variables(2, tmp_path, hide_cuda=True)["CUDA_VISIBLE_DEVICES"] == ""


def test_peak_memory_starts_again() -> None:
    environment.reset_peak_rss()
    before = environment.peak_rss_bytes()
    block = bytearray(200 << 20)
    block[::4096] = b"x" * len(block[::4096])
    after = environment.peak_rss_bytes()
    del block
    if before is None or after is None:
        pytest.skip("this system does not say how much memory a process has had")
    assert after - before > 190 << 20
    environment.reset_peak_rss()
    again = environment.peak_rss_bytes()
    assert again is not None
    assert again < after - (150 << 20)
