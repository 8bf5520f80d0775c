"""Functions of one value, compared with onnx.reference and their formulas."""

import math
from typing import Any

import numpy as np
import pytest
from one_node import close, onnx, ours

X = np.concatenate([np.linspace(-4, 4, 65), [0.0, -0.0, -30.0, 30.0, -800.0, 800.0]]).reshape(1, -1)
POSITIVE = np.abs(X) + 0.1


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("Relu", {}), ("Sigmoid", {}), ("Tanh", {}), ("Softsign", {}), ("HardSwish", {}), ("Mish", {}), ("Erf", {}),
        ("Neg", {}), ("Abs", {}), ("Swish", {}), ("LeakyRelu", {"alpha": 0.25}), ("Elu", {"alpha": 0.5}),
        ("Celu", {"alpha": 0.5}), ("ThresholdedRelu", {"alpha": 0.75}), ("Gelu", {"approximate": "none"}),
        ("Gelu", {"approximate": "tanh"}), ("Softplus", {}), ("HardSigmoid", {"alpha": 0.25, "beta": 0.375}),
        ("Softmax", {"axis": 1}), ("LogSoftmax", {"axis": 1}),
    ],
)  # fmt: skip
def test_functions_are_those_of_onnx(kind: str, attributes: dict[str, Any]) -> None:
    # Some compute exp(800) in onnx.reference, and its overflow does not matter here.
    x = X[:, :-2] if kind in {"Sigmoid", "Mish", "Softplus", "Elu", "Celu", "Swish"} else X
    with np.errstate(all="ignore"):
        expected = onnx(kind, x, opset=24 if kind == "Swish" else 22, **attributes)
    # onnx.reference reads attributes as float32, in which those above are exact. The factor 1/6 of HardSwish, the error
    # function and a constant of Gelu are float32 there, too.
    close(ours(kind, x, **attributes), expected, 1e-7 if kind in {"HardSwish", "Erf", "Gelu"} else 1e-14)


@pytest.mark.parametrize("kind", ["Exp", "Log", "Sqrt", "Reciprocal"])
def test_functions_of_positive_values(kind: str) -> None:
    x = POSITIVE[:, :-2]
    close(ours(kind, x), onnx(kind, x))
    close(ours("Rsqrt", x), 1 / onnx("Sqrt", x))


def test_selu_has_all_digits() -> None:
    """ONNX's default constants are float32. All frameworks use those of the paper."""
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    close(ours("Selu", X), np.where(X > 0, scale * X, scale * alpha * np.expm1(np.minimum(X, 0))), 1e-15)
    close(ours("Selu", X[:, :-2]), onnx("Selu", X[:, :-2]), 1e-6)


def test_the_digits_that_onnx_reference_lacks() -> None:
    error = np.array([[math.erf(x) for x in X[0]]])
    close(ours("Erf", X), error, 1e-15)
    half = np.array([[0.5 * (1 + math.erf(x / math.sqrt(2))) for x in X[0]]])
    close(ours("Gelu", X, approximate="none"), X * half, 1e-15)
    inner = math.sqrt(2 / math.pi) * (X + 0.044715 * X**3)
    close(ours("Gelu", X, approximate="tanh"), 0.5 * X * (1 + np.tanh(inner)), 1e-15)
    close(ours("HardSwish", X), X * np.clip(X / 6 + 0.5, 0, 1), 1e-15)


def test_extremes_neither_overflow_nor_vanish() -> None:
    assert ours("Sigmoid", X)[0, -2:].tolist() == [0, 1]
    assert ours("Softplus", X)[0, -2:].tolist() == [0, 800]
    assert ours("LogSigmoid", X)[0, -2:].tolist() == [-800, 0]
    assert ours("Mish", X)[0, -1] == 800
    assert ours("Swish", X)[0, -1] == 800


def test_softplus_with_a_threshold() -> None:
    found = ours("Softplus", X, beta=2.0, threshold=3.0)
    x = X.clip(-300, 300)
    close(found, np.where(X * 2 > 3, X, np.log1p(np.exp(2 * x)) / 2), 1e-14)
    assert found.max() == 800


def test_shrinking() -> None:
    x = np.array([[-2.0, -0.5, -0.25, 0, 0.25, 0.5, 2]])
    assert ours("Softshrink", x, lambd=0.5).tolist() == [[-1.5, 0, 0, 0, 0, 0, 1.5]]
    assert ours("Hardshrink", x, lambd=0.5).tolist() == [[-2, 0, 0, 0, 0, 0, 2]]
    close(ours("Tanhshrink", x), x - np.tanh(x), 0)
    close(ours("Square", x), x * x, 0)


def test_clip_with_either_bound() -> None:
    x = np.array([[-2.0, 0, 7]])
    assert ours("Clip", x, min=0.0, max=6.0).tolist() == [[0, 0, 6]]
    assert ours("Clip", x, min=None, max=6.0).tolist() == [[-2, 0, 6]]
    assert ours("Clip", x.astype(np.int64), min=-1.0, max=None).tolist() == [[-1, 0, 7]]


@pytest.mark.parametrize("shape", [(1,), (3,), (3, 1, 1), (1, 4, 5), (3, 4, 5)])
def test_slopes_of_one_of_channels_and_of_places(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, slope = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal(shape)
    full = slope.reshape(3, 1, 1) if shape == (3,) else slope
    close(ours("PRelu", x, weights={"slope": slope}), onnx("PRelu", x, np.broadcast_to(full, x.shape[1:])))


@pytest.mark.parametrize("kind", ["Gelu", "Sigmoid", "Softplus", "Selu", "LeakyRelu", "HardSwish", "Mish", "Clip"])
def test_float32_stays_float32(kind: str) -> None:
    assert ours(kind, X.astype(np.float32), min=0.0, max=6.0).dtype == np.float32
