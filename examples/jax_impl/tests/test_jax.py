"""Run the shipped conformance tests on JAX for the smallest network. Without `-k` they take many minutes."""

import importlib.util
import subprocess
import sys

import pytest

CHOSEN = ("--pyargs", "compare.conformance", "--implementation", "jax", "-k", "dense_baseline or profile or limits")


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="the package `jax` is not installed")
def test_jax_conforms() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CHOSEN],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for tier in ("train", "parity", "resume", "profile", "limits"):
        assert f"\n{tier}: complete" in done.stdout
