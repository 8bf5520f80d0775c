"""The contracts are consistent: every literal count is the sum of its parts."""

import json
import math
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from shared.models import MODELS, Code, ModelSpec

# The numbers of all parameters, and of the trainable ones.
COUNTS = {
    "cnn_same": (421_642, 421_642),
    "cnn_wide_valid": (243_786, 243_786),
    "cnn_headless_valid": (34_826, 34_826),
    "cnn_bn_cifar": (2_171_178, 2_169_770),
    "cnn_bn_valid": (88_042, 87_850),
    "cnn_deep_dropout": (405_898, 405_898),
    "dense_baseline": (101_770, 101_770),
}


@pytest.mark.parametrize("name", MODELS)
def test_literal_counts(name: str) -> None:
    spec = MODELS[name]
    assert spec.name == name
    assert (spec.n_params, spec.n_trainable) == COUNTS.get(name, (spec.n_params, spec.n_trainable))
    assert spec.n_params == sum(math.prod(p.shape) for p in spec.parameters)
    assert spec.n_params == sum(spec.n_params_of(layer.name) for layer in spec.layers)
    assert spec.n_trainable == sum(math.prod(p.shape) for p in spec.parameters if p.trainable)
    assert spec.layers[-1].output_shape == (spec.n_classes,)


@pytest.mark.parametrize("name", MODELS)
def test_flops_follow_from_the_kernels(name: str) -> None:
    spec = MODELS[name]
    kernels = {p.name.removesuffix("/kernel"): p.shape for p in spec.parameters if p.name.endswith("/kernel")}
    for layer in spec.layers:
        positions = math.prod(layer.output_shape[:-1])
        assert layer.flops == 2 * positions * math.prod(kernels.get(layer.name, (0,)))
    assert spec.flops == sum(layer.flops for layer in spec.layers)


@pytest.mark.parametrize("name", MODELS)
def test_what_a_flatten_permutes_is_stated(name: str) -> None:
    """The layer that flattens and the next kernel both have the shape of the feature map in front of it."""
    spec = MODELS[name]
    shapes = [spec.input_shape, *(layer.output_shape for layer in spec.layers)]
    flattening = [
        n
        for n, layer in enumerate(spec.layers)
        if len(shapes[n]) == 3 and layer.output_shape == (math.prod(shapes[n]),) != shapes[n][2:]
    ]
    assert [layer.name for layer in spec.layers if layer.flattened] == [spec.layers[n].name for n in flattening]
    if not flattening:
        assert not any(parameter.flattened for parameter in spec.parameters)
        return
    (number,) = flattening
    assert spec.layers[number].flattened == shapes[number]
    (kernel,) = (p for p in spec.parameters if p.flattened)
    assert (kernel.flattened, kernel.shape[0]) == (shapes[number], math.prod(shapes[number]))
    assert kernel.name.partition("/")[0] == next(layer.name for layer in spec.layers[number:] if layer.flops)


@pytest.mark.parametrize(("name", "flops"), [("cnn_same", 24_995_328), ("dense_baseline", 409_088)])
def test_a_training_step_needs_no_gradient_by_the_images(name: str, flops: int) -> None:
    """It is three times the forward pass minus the first layer: 451,584 of 8,482,304, and 200,704 of 203,264."""
    assert MODELS[name].training_flops == flops


def test_a_training_step_moves_pixels_parameters_and_moments() -> None:
    """There are 28 x 28 pixels per image, and 421,642 parameters with two moments each, read and written. A value has 4
    bytes."""
    assert MODELS["cnn_same"].training_bytes == (3_136, 10_119_408)
    assert MODELS["cnn_bn_cifar"].training_bytes == (12_288, 24 * 2_169_770)  # Adam has no moving statistics


@pytest.mark.parametrize("model", MODELS)
def test_a_process_that_only_infers_reads_what_its_parent_wrote(model: str) -> None:
    """It does so without pydantic, which reads all records that may be foreign."""
    plain = MODELS[model]
    own = replace(plain, code=Code("/a", (("torch.py", "0" * 64),)), task="regression", loss="mae", vocabulary=3)
    for spec in (plain, own):
        written = TypeAdapter(ModelSpec).dump_json(spec)
        assert ModelSpec.of_json(json.loads(written)) == spec == TypeAdapter(ModelSpec).validate_json(written)


def test_a_record_of_classification_is_as_it_was() -> None:
    """Fields of newer tasks and inputs are omitted if they have their default."""
    adapter = TypeAdapter(ModelSpec)
    names = {"task", "loss", "vocabulary"}
    assert not names & json.loads(adapter.dump_json(MODELS["cnn_same"])).keys()
    other = replace(MODELS["cnn_same"], task="regression", loss="mae", vocabulary=3)
    assert names <= json.loads(adapter.dump_json(other)).keys()
