"""A batch normalisation folded into the layer in front of it is the same function, and unfolding it is exact."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from graph_builder import Builder
from patience import GENEROUS_S

from compare.graphs.evaluate import evaluate
from compare.graphs.node import Recording
from compare.port import Port
from compare.port.fold import foldable, folded, unfolded
from compare.port.result import Weights

IMAGE = {"x": np.random.default_rng(3).normal(size=(2, 3, 7, 7))}


def network() -> Recording:
    """Return normalisations after a convolution, a transposed one and a product, and one that cannot be folded."""
    b = Builder(IMAGE)
    b.batch_norm(3, name="first")
    b.conv(3, 4, name="conv")
    b.batch_norm(4, name="norm")
    b.add("Relu", name="act")
    shape = {"strides": (2, 2), "pads": (1,) * 4, "output_padding": (0, 0), "dilations": (1, 1), "group": 1}
    b.add("ConvTranspose", name="up", **shape)
    b.with_weights(W=b.random.normal(size=(4, 5, 3, 3)))
    b.batch_norm(5, name="wide")
    b.add("GlobalAveragePool", name="mean", keepdims=True)
    b.add("Flatten", name="flat", axis=1)
    b.gemm(5, 6, name="fc")
    b.batch_norm(6, name="last")
    return b.made()


FOLDS = {"norm": "conv", "wide": "up", "last": "fc"}


def test_what_stands_right_behind_a_layer_with_weights_can_be_folded() -> None:
    assert foldable(network()) == FOLDS


def test_the_folded_network_is_the_same_function() -> None:
    whole = network()
    less = folded(whole, FOLDS)
    assert [node.kind for node in less.graph.nodes].count("BatchNormalization") == 1
    assert less.graph.outputs == ("fc",)
    found = evaluate(less.graph, IMAGE, less.weights)
    for layer in FOLDS.values():
        np.testing.assert_allclose(found[layer], less.values[layer], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found["fc"], whole.values["last"], rtol=1e-12, atol=1e-13)


def without(recording: Recording, role: str) -> Recording:
    """Return the recording of a network whose normalisations lack a weight."""
    nodes = tuple(
        replace(node, roles=tuple(r for r in node.roles if r != role)) if node.kind == "BatchNormalization" else node
        for node in recording.graph.nodes
    )
    graph = replace(recording.graph, nodes=nodes)
    return replace(recording, graph=graph, values=evaluate(graph, IMAGE, recording.weights))


@pytest.mark.parametrize("lacks", ["", "scale", "B"])
def test_weights_given_to_a_folded_network_find_their_way_back(lacks: str) -> None:
    whole = without(network(), lacks)
    draw = np.random.default_rng(4)
    given = {
        f"{layer}/{role}": draw.normal(size=folded(whole, FOLDS).weights[f"{layer}/{role}"].shape)
        for layer in FOLDS.values()
        for role in ("W", "B")
    }
    own = whole.weights | unfolded(given, whole, FOLDS)
    again = folded(Recording(whole.graph, whole.values, own), FOLDS).weights
    for name, array in given.items():
        np.testing.assert_allclose(again[name], array, rtol=1e-14, atol=1e-15)


NETS = """
import torch
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8),
            nn.BatchNorm2d(8, affine=False), nn.ReLU6(), nn.ConvTranspose2d(8, 4, 2, 2), nn.BatchNorm2d(4),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 6), nn.Softmax(dim=1))

def vary(net):
    torch.manual_seed(3)
    for layer in net.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(layer.running_mean, -0.3, 0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return net

def trained():
    return vary(Net())

def forgotten():
    net = trained()
    net[1] = nn.Identity()
    return net

def built_in(name):
    from torch_impl import models
    return vary(getattr(models, name)())

def zoo(name):
    import torchvision
    return vary(getattr(torchvision.models, name)(weights=None))

def export(name, shape, *args):
    torch.manual_seed(0)
    net = globals()[name](*args).eval()
    path = f"{args[0] if args else name}.onnx"
    torch.onnx.export(net, (torch.randn(2, *shape),), path, dynamo=True, verbose=False, external_data=False)
"""
BUILT_IN = {"CnnSame": 1, "CnnWideValid": 1, "CnnHeadlessValid": 1, "CnnBnValid": 1, "CnnDeepDropout": 1}
BUILT_IN |= {"DenseBaseline": 1, "CnnBnCifar": 3}
MODES: tuple[Weights, ...] = ("as-is", "left")
ZOO = ("resnet50", "mobilenet_v2", "densenet121")


def exported(folder: Path, *calls: str) -> None:
    """Write the nets' file, and export the nets."""
    (folder / "nets.py").write_text(NETS)
    code = "\n".join(["from nets import export", *calls])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=GENEROUS_S, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small networks and a file of one."""
    made = tmp_path_factory.mktemp("nets")
    exported(made, "export('trained', (3, 16, 16))")
    return made


@pytest.mark.parametrize("weights", ["as-is", "left", "right"])
def test_a_file_is_its_origin(weights: Weights, folder: Path, port: Port) -> None:
    found = port.check(f"{folder}/nets.py:trained", f"{folder}/trained.onnx", weights=weights)
    assert found.verdict == "same"
    assert [one.pair for one in found.harmless if one.cause == "batch_norm.folded"] == [
        (norm, next(p.right for p in found.pairs if p.left == layer))
        for norm, layer in (("1", "0"), ("4", "3"), ("7", "6"))
    ]


def test_a_normalisation_that_was_forgotten_is_no_folded_one(folder: Path, port: Port) -> None:
    found = port.check(f"{folder}/nets.py:trained", f"{folder}/nets.py:forgotten", input=(3, 16, 16))
    assert "layer.missing" in [cause.cause for cause in found.causes]
    assert [one for one in found.harmless if one.cause == "batch_norm.folded"] == []


@pytest.mark.long  # seven exports; the kinds of folding have their own tests
def test_files_of_the_built_in_networks_are_their_origins(tmp_path: Path, port: Port) -> None:
    sizes = {name: (n, 32, 32) if n == 3 else (n, 28, 28) for name, n in BUILT_IN.items()}
    exported(tmp_path, *(f"export('built_in', {size}, {name!r})" for name, size in sizes.items()))
    for name in BUILT_IN:
        for weights in MODES:
            found = port.check(f"{tmp_path}/{name}.onnx", f"{tmp_path}/nets.py:built_in({name!r})", weights=weights)
            assert (name, found.verdict) == (name, "same")


@pytest.mark.long
@pytest.mark.parametrize("name", ZOO)
def test_files_of_networks_of_other_people_are_their_origins(name: str, tmp_path: Path, port: Port) -> None:
    exported(tmp_path, f"export('zoo', (3, 64, 64), {name!r})")
    for weights in MODES:
        found = port.check(f"{tmp_path}/nets.py:zoo({name!r})", f"{tmp_path}/{name}.onnx", weights=weights)
        assert found.verdict == "same"
        assert len([one for one in found.harmless if one.cause == "batch_norm.folded"]) > 50
