"""Checks of data-parallel training and of what it cannot be combined with."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compare import checks
from compare.__main__ import main
from compare.folders.run_folder import load_results, load_weights
from compare.processes.environment import usable_cores
from compare.registry import IMPLEMENTATIONS, ImplementationSpec
from shared.data import Data
from shared.errors import InputError
from shared.models import MODELS, Code

ROOT = Path(__file__).parents[2]
BAD = {
    "run --world-size 0": "--world-size 0 is not possible. Give a number from 1 to 64.",
    "run --world-size 65": "--world-size 65 is not possible",
    "run --implementations torch@65": "There is no implementation 'torch@65'",
    "run --implementations torch@1": "There is no implementation 'torch@1'. Did you mean 'torch'?",
    "run --implementations torch@2x": "There is no implementation 'torch@2x'",
    "run --implementations torch@02": "There is no implementation 'torch@02'",
    "run --world-size 2 --implementations torch,torch@2,absent": "There is no implementation 'absent'",
    "run --world-size 2 --model cnn_bn_cifar": "'cnn_bn_cifar' has batch normalisation",
    "run --implementations keras_functional --model cnn_bn_cifar --world-size 2": "cannot be trained by several",
    "run --world-size 2 --mode graph": "'torch@2' has no mode 'graph', only eager",
    "run --world-size 2 --recipe idiomatic": "--world-size cannot be combined with --recipe idiomatic",
    "run --world-size 2 --dataset digits --batch-size 1": "a batch has 1",
    "run --world-size 2 --dataset digits --limit 65": "the last batch of an epoch has 1 of 65 images",
    "parity --world-size 0": "--world-size 0 is not possible",
    "parity --world-size 2 --model cnn_bn_valid": "'cnn_bn_valid' has batch normalisation",
    "parity --world-size 32 --batch-size 33": "Each of 32 processes takes a share",
    "bench --world-size 1,0": "--world-size 0 is not possible",
    "bench --world-size 1,1": "--world-size 1,1 names one twice",
    "bench --world-size 2 --modes xla": "torch@2 has no mode 'xla'",
    "bench --world-size 1,8 --batch-sizes 7": "a batch has 7",
    "bench --world-size 2 --modes tuned": "torch@2 has no mode 'tuned', only eager",
    "bench --world-size 1,2 --aa torch": "--aa pits one against itself, not 1 and 2",
    "run --world-size 2 --dataset digits --batch-size auto --limit 1041": "the last batch of an epoch has 1 of 1,041",
    "parity --waterfall --implementations torch@2,keras": "--waterfall takes one process each, not torch@2",
    "run --dataset digits --seeds 400 --tensorboard": "At most 1,000 runs are possible with --tensorboard, not 1,200",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_options(line: str, monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["compare", *line.split()])
    with pytest.raises(SystemExit) as caught:
        main()
    error = capsys.readouterr().err
    assert caught.value.code == 2, error
    assert BAD[line] in error
    assert not list(tmp_path.iterdir())


def test_names_at_every_size() -> None:
    assert checks.named(["torch", "keras@3"], [1, 2]) == ["torch", "torch@2", "keras@3"]
    assert checks.named(["torch"], [1]) == ["torch"]


def test_the_registry_knows_every_number_of_processes_and_lists_none() -> None:
    assert set(IMPLEMENTATIONS) == {"torch", "keras", "tf_lowlevel", "keras_functional"}
    shared = IMPLEMENTATIONS["keras@3"]
    assert (shared.name, shared.n_workers, shared.module) == ("keras@3", 3, "tf_impl")
    assert set(shared.models) == {name for name in MODELS if "bn" not in name}
    assert shared.modes == ("graph",)
    assert "torch@64" in IMPLEMENTATIONS
    for name in ("torch@65", "torch@", "@2", "keras_functional@2", "nobody@2", "torch@2@2"):
        assert name not in IMPLEMENTATIONS
        with pytest.raises(KeyError):
            IMPLEMENTATIONS[name]


def test_threads_are_those_of_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compare.processes.environment.usable_cores", lambda: 8)
    assert checks.default_threads(["torch", "keras"]) == 8
    assert checks.default_threads(["torch", "keras@3"]) == 2
    assert checks.default_threads(["torch@64"]) == 1


@pytest.mark.parametrize(
    ("size", "n_images", "whole", "fits"),
    [
        (64, 128, False, True),
        (64, 129, False, False),
        (64, 129, True, True),
        (64, 130, False, True),
        (1, 64, True, False),
    ],
)
def test_every_process_needs_a_share(size: int, n_images: int, whole: bool, fits: bool) -> None:
    if fits:
        checks.check_shares(["torch", "torch@2"], size, n_images, whole)
    else:
        with pytest.raises(InputError, match="takes a share"):
            checks.check_shares(["torch", "torch@2"], size, n_images, whole)
    checks.check_shares(["torch"], size, n_images, whole)


def test_a_run_of_two_processes(numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each process has half of the cores, and the network trained by both is saved.

    tests/conformance/test_data_parallel.py compares the result with that of one process, for each framework.
    """
    alone = IMPLEMENTATIONS[numpy_implementation]
    monkeypatch.setitem(IMPLEMENTATIONS, numpy_implementation, replace(alone, joined_by="tf_config"))
    command = "--dataset digits --model dense_baseline --implementations numpy,numpy@2 --epochs 2 --device cpu --out"
    monkeypatch.setattr(sys, "argv", ["compare", *command.split(), str(tmp_path / "out")])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    one, two = load_results(tmp_path / "out")
    assert one.outcome is not None
    assert two.outcome is not None
    assert (one.run.implementation, two.run.implementation) == ("numpy", "numpy@2")
    assert len(two.outcome.samples.loss) == len(one.outcome.samples.loss) == 2 * 23
    assert two.outcome.test_accuracy > 0.8
    assert load_weights(tmp_path / "out", two).keys() == load_weights(tmp_path / "out", one).keys()
    assert two.environment is not None
    assert two.environment.threads == max(1, usable_cores() // 2)


def test_an_implementation_lacks_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would train with the cross-entropy of classes, whatever the network's task."""
    monkeypatch.setitem(
        IMPLEMENTATIONS, "mine", ImplementationSpec("mine", "Mine", "mine", "eager", own_file="mine.py")
    )
    network = replace(
        MODELS["dense_baseline"], name="n", code=Code("/somewhere", (("mine.py", b""), ("torch.py", b"")))
    )
    checks.check_model("mine", network)
    regression = replace(network, task="regression", loss="mse")
    checks.check_model("torch", regression)
    with pytest.raises(InputError, match="'n' is for regression, and the implementation 'mine' is for classification"):
        checks.check_model("mine", regression)
    assert checks.having(tuple(IMPLEMENTATIONS), tuple(IMPLEMENTATIONS), regression) == ("torch",)


def test_more_classes_than_the_network_has(digits: Data) -> None:
    """A framework would fail in the middle of its first step. Fewer classes are accepted."""
    of_three = replace(MODELS["dense_baseline"], name="of_three", n_classes=3)
    with pytest.raises(InputError) as caught:
        checks.check_shape(of_three, digits, "digits")
    said = str(caught.value)
    assert said.startswith("The architecture 'of_three' has 3 classes, 0 to 2, and labels of digits go up to 9. Use ")
    assert "dense_baseline" in said
    few = replace(digits, y_train=digits.y_train % 3, y_test=digits.y_test % 2)
    checks.check_shape(of_three, few, "digits")
