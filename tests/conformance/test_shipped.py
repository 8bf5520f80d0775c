"""An author runs the shipped conformance tests in another folder, on their own package."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from distance import assert_close
from patience import GENEROUS_S
from reference import LAYERS, AdamSteps, Network
from setup_of_training import SEED, images_for

from compare.conformance.fixtures import chosen
from compare.processes.session import Session
from compare.registry import GROUP, IMPLEMENTATIONS
from shared.batches import epoch_batches
from shared.models import CNN_BN_VALID
from shared.protocol import Build
from shared.training import TrainSpec
from shared.weights import initial_weights

ROOT = Path(__file__).parents[2]
SUPPORT, EXAMPLES, SHIPPED = ROOT / "tests" / "support", ROOT / "examples", ROOT / "compare" / "conformance"
ABOUT = """
from compare.registry import ImplementationSpec
NUMPY = ImplementationSpec("numpy", "NumPy", "numpy_impl", "eager", modes=("eager",))
UNFINISHED = ImplementationSpec("unfinished", "Unfinished", "unfinished", "eager", modes=("eager",))
"""
POINTS = f"[{GROUP}]\nnumpy = my_package:NUMPY\nunfinished = my_package:UNFINISHED\n"


@pytest.fixture
def shipped(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """shipped(*arguments) -> pytest on compare.conformance in an empty folder, with my_package installed."""
    packages, elsewhere = tmp_path / "packages", tmp_path / "elsewhere"
    metadata = packages / "my_package-1.0.dist-info"
    metadata.mkdir(parents=True)
    elsewhere.mkdir()
    (packages / "my_package.py").write_text(ABOUT)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(POINTS)
    path = os.pathsep.join(map(str, (packages, ROOT, SUPPORT, EXAMPLES / "numpy_impl")))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "compare.conformance"]
        return subprocess.run(
            [*command, *arguments],
            cwd=elsewhere,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=GENEROUS_S,
            check=False,
        )

    return run


def test_an_author_is_shown_what_is_missing(shipped: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """One implementation is complete. The other has only the first tier, with a fault."""
    done = shipped("--implementation", "numpy,unfinished", "-k", "dense_baseline or limits or idiomatic")
    assert done.returncode == 1, done.stdout + done.stderr
    tiers = done.stdout.partition("tiers of shared/protocol.py")[2]
    assert "\ntrain: not yet; 22 of 24 tests pass\n" in tiers
    assert "\nparity: complete; 9 of 9 tests pass\n" in tiers
    assert "\nparity: unfinished has no `fetch_batch`, `load`, `activations`, `loss_and_gradients`, " in tiers
    assert "\nresume: unfinished has no `state`, `restore`, needed for going on in the middle of a run\n" in tiers
    assert "\nlimits: complete; 1 of 1 tests pass\n" in tiers
    assert "\nidiomatic: numpy has no `idiom`, `fit`, needed for the idiomatic recipe\n" in tiers
    failed = set(re.findall(r"^FAILED .*::(\w+)\[(.*)\]", done.stdout, re.MULTILINE))
    assert failed == {("test_logits_after_training", f"unfinished-dense_baseline-{by}") for by in ("adam", "sgd")}


def test_a_name_that_is_not_known(numpy_implementation: str) -> None:
    config: Any = SimpleNamespace(getoption=lambda _: ["torch", "nmupy"])
    with pytest.raises(pytest.UsageError, match=r"There is no implementation 'nmupy'\. Did you mean 'numpy'\?"):
        chosen(config)


def test_every_shipped_test_runs_here() -> None:
    """tests/conformance has the tests of each shipped file. Those of test_tiers.py have longer counterparts there."""
    for path in SHIPPED.glob("test_*.py"):
        if path.name == "test_tiers.py":
            continue
        here = (Path(__file__).parent / path.name).read_text()
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE):
            assert f"    {name},\n" in here, f"{path.name} does not import {name}"


@pytest.fixture
def keras_on_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Return a worker of `keras@torch` of examples/keras_backends, with images."""
    monkeypatch.syspath_prepend(EXAMPLES / "keras_backends")
    from keras_backends.about import KERAS_TORCH

    monkeypatch.setitem(IMPLEMENTATIONS, KERAS_TORCH.name, KERAS_TORCH)
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES / "keras_backends"))
    session = Session(KERAS_TORCH.name, tmp_path / "log", 1, hide_cuda=True, timeout_s=GENEROUS_S)
    session.wait_until_ready()
    session.load_data(images_for(CNN_BN_VALID.name))
    return session


def test_keras_on_torch_is_the_same_function(keras_on_torch: Session) -> None:
    """This covers convolutions, batch normalisation, pooling and a dense layer, in float64 to 1e-12, and resuming from
    a state."""
    session, spec, n_steps = keras_on_torch, CNN_BN_VALID, 2
    try:
        data, weights = images_for(spec.name), initial_weights(spec, SEED)
        train = TrainSpec(epochs=2, batch_size=16, seed=SEED, schedule="constant", dtype="float64")
        session.create(Build(spec, train, weights))
        parameters = {name: value.astype(np.float64) for name, value in weights.items()}
        network = Network(LAYERS[spec.name], parameters)
        images = data.x_test[:4]
        assert_close(session.activations(images), network.forward(images.astype(np.float64))[0], 1e-12)
        adam = AdamSteps(parameters, lr=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-7)
        for number, batch in enumerate(epoch_batches(len(data.x_train), 16, SEED, 1)[:n_steps]):
            _, gradients, _ = network.loss_and_gradients(data.x_train[batch].astype(np.float64), data.y_train[batch])
            if number == 0:
                assert_close(session.gradients()[1], gradients, 1e-12)
            adam.step(gradients)
            parameters.update(network.moved)
        session.train_slice(n_steps)
        assert_close(session.weights(), parameters, 1e-12)
        assert_close(session.optimizer_state(), adam.state, 1e-12)

        state = session.state()
        session.restore(1, state)
        session.train_slice(1)
        after = session.weights()
        session.create(Build(spec, train, initial_weights(spec, SEED + 1)))
        session.restore(1, state)
        session.train_slice(1)
        assert_close(session.weights(), after, 0)

        maps = Path(f"/proc/{session._process.pid}/maps")
        if maps.exists():
            loaded = maps.read_text()
            assert "/site-packages/torch/" in loaded
            assert "/site-packages/tensorflow/" not in loaded
    finally:
        session.close()
