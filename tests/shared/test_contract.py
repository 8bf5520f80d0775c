"""The contract of a user's own network as a file: written, read, refused, derived, compared."""

import json
from dataclasses import replace

import pytest

from shared import contract
from shared.description import Description, Layer, Parameter
from shared.models import MODELS, ModelSpec


def described(spec: ModelSpec) -> Description:
    """Return an implementation's description that conforms to the contract."""
    return Description(
        spec.input_shape,
        tuple(Layer(one.name, one.output_shape) for one in spec.layers),
        tuple(Parameter(p.name, p.shape, p.trainable) for p in reversed(spec.parameters)),
        spec.dropout,
        spec.flops,
    )


@pytest.mark.parametrize("spec", MODELS.values(), ids=list(MODELS))
def test_what_is_written_is_read_and_what_is_described_gives_it(spec: ModelSpec) -> None:
    assert contract.read(contract.write(spec), spec.name) == spec
    assert contract.derived(spec.name, described(spec)) == spec
    assert contract.differences(spec, described(spec)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_params": 1}, "n_params is 1, and its parts add up to 101,770"),
        ({"flops": 7}, "flops is 7, and its parts add up to 203,264"),
        ({"n_classes": 11}, "its last layer, dense2, gives 10, and there are 11 classes"),
        ({"n_classes": 1}, "it has 1 classes, and 2 to 1,000 are possible"),
        ({"layers": []}, "layers: Tuple should have at least 1 item"),
        ({"code": "print(1)"}, "it has no field 'code'"),
        ({"schema_version": 2}, "schema_version: Input should be 1"),
        ({"dropout": 0.5}, "it has dropout, and no layer whose name begins with dropout"),
        ({"input_shape": [28, 28, 1, 1]}, "input_shape: Tuple should have at most 3 items"),
        ({"input_shape": [28, 28, 1 << 40]}, "input_shape.2: Input should be less than or equal to"),
    ],
    ids=str,
)
def test_a_file_that_contradicts_itself_is_refused(change: dict[str, object], said: str) -> None:
    content = json.loads(contract.write(MODELS["dense_baseline"])) | change
    with pytest.raises(ValueError, match=r".") as caught:
        contract.read(json.dumps(content).encode(), "mine")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["../../x/kernel", "a\nb/kernel", "dense1", "dense1/kernel/x", ""])
def test_names_are_names(name: str) -> None:
    content = json.loads(contract.write(MODELS["dense_baseline"]))
    content["parameters"][0]["name"] = name
    with pytest.raises(ValueError, match="is not a valid name for a parameter"):
        contract.read(json.dumps(content).encode(), "mine")


def test_what_differs_is_named() -> None:
    spec = MODELS["cnn_deep_dropout"]
    found = described(spec)
    assert contract.differences(spec, replace(found, flops=None)) == []  # they were not counted
    for other, said in (
        (replace(found, dropout=None), "its dropout is none, in the contract 0.5"),
        (replace(found, flops=5), "its framework counts 5 FLOPs, and the contract has 41,692,672"),
        (replace(found, layers=found.layers[1:]), "it has no layer conv1"),
        (replace(found, layers=(*found.layers, Layer("more", (3,)))), "the contract has no layer more"),
        (replace(found, input_shape=(28, 28, 3)), "the input is 28 x 28 x 3, in the contract 28 x 28 x 1"),
        (
            replace(found, parameters=(*found.parameters[1:], Parameter("dense2/bias", (9,)))),
            "the parameter dense2/bias is 9, in the contract 10",
        ),
        (
            replace(found, parameters=tuple(p._replace(trainable=False) for p in found.parameters[:1])),
            "the parameter dense2/bias is not trainable, in the contract it is",
        ),
    ):
        assert said in "; ".join(contract.differences(spec, other))
