"""Optimizers, schedules, initialisers, data and numerics in the ledger's rows, compared with NumPy's arithmetic."""

from collections.abc import Callable

import numpy as np
import pytest

from compare.parity.ledger.answers import Line
from shared.ledger import ROWS, Arrays

pytestmark = pytest.mark.slow

Lines = dict[str, Line]
Step = Callable[[np.ndarray, int], np.ndarray]  # maps a gradient and the number of the step, from 1, to the change


def _inputs(row: str) -> Arrays:
    return ROWS[row].arrays()


def _hold(
    lines: Lines, row: str, torch: np.ndarray | list[float], keras: np.ndarray | list[float], rel: float = 1e-12
) -> None:
    """Compare the own forms of both frameworks with the values computed by hand."""
    for got, expected in zip(lines[row].answers["own"], (torch, keras), strict=True):
        assert got.shape == np.shape(expected)
        assert got == pytest.approx(np.asarray(expected, float), rel=rel, abs=1e-14, nan_ok=True)


def _update(row: str, step: Step) -> np.ndarray:
    """Return the sum of an optimizer's steps for the gradients of a row. The steps do not depend on the weights."""
    return sum((step(g, t) for t, g in enumerate(_inputs(row)["gradients"], 1)), start=np.zeros(4))


def _adam(rate: float, epsilon: float, hat: bool = False) -> Step:
    """Return Adam with betas of 0.9 and 0.999. With `hat`, epsilon is added before the second moment is corrected."""
    m, v = np.zeros(4), np.zeros(4)

    def step(g: np.ndarray, t: int) -> np.ndarray:
        nonlocal m, v
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        first, second = 1 - 0.9**t, 1 - 0.999**t
        if hat:
            return -rate * np.sqrt(second) / first * m / (np.sqrt(v) + epsilon)
        return -rate * m / first / (np.sqrt(v / second) + epsilon)

    return step


def test_adam(lines: Lines) -> None:
    """Keras rounds its betas and its rate to float32, which shows from the eighth digit on."""
    for row, epsilon in (("adam-defaults", 1e-8), ("adam-formula", 1e-7)):
        torch = _update(row, _adam(0.001, epsilon))
        keras = _update(row, _adam(0.001, 1e-7, hat=True))
        assert lines[row].answers["own"][0] == pytest.approx(torch, rel=1e-9)
        assert lines[row].answers["own"][1] == pytest.approx(keras, rel=1e-4)
        assert torch != pytest.approx(keras, rel=1e-2)


def test_adam_in_float32_loses_digits_of_its_correction(lines: Lines) -> None:
    one = np.float32(1)
    assert float(one - np.float32(0.999)) == pytest.approx(0.001, rel=1e-4)
    assert lines["adam-bias-correction"].answers["own"][0] == pytest.approx(-0.001 * np.ones(4), rel=1e-6)
    corrected = np.sqrt(one - np.float32(0.999)) / np.sqrt(np.float32(0.001))
    assert lines["adam-bias-correction"].answers["own"][1] == pytest.approx(-0.001 * corrected * np.ones(4), rel=1e-6)


def test_weight_decay(lines: Lines) -> None:
    p, gradients = _inputs("sgd-weight-decay").values()
    moved = []
    for decoupled in (False, True):
        w, v = p.copy(), np.zeros(4)
        for g in gradients:
            decayed = w - 0.1 / 8 * w if decoupled else w
            v = 7 / 8 * v + g + (0 if decoupled else w / 8)
            w = decayed - 0.1 * v
        moved.append(w - p)
    _hold(lines, "sgd-weight-decay", *moved, rel=1e-6)


def test_sgd_takes_steps_of_its_default_rate(lines: Lines) -> None:
    (g,) = _inputs("sgd-learning-rate")["gradients"]
    _hold(lines, "sgd-learning-rate", -0.001 * g, -0.01 * g, rel=1e-7)


def test_the_velocity_holds_the_old_rate_or_does_not(lines: Lines) -> None:
    _, gradients, rates = _inputs("sgd-momentum").values()
    sums, steps, total = np.zeros(4), np.zeros(4), np.zeros((2, 4))
    for g, rate in zip(gradients, rates, strict=True):
        sums = 0.9 * sums + g
        steps = 0.9 * steps - rate * g
        total += [-rate * sums, steps]
    _hold(lines, "sgd-momentum", *total, rel=1e-6)


def test_rmsprop(lines: Lines) -> None:
    def rms(rate: float, decay: float, inside: float, outside: float) -> Step:
        v = np.zeros(4)

        def step(g: np.ndarray, t: int) -> np.ndarray:
            nonlocal v
            v = decay * v + (1 - decay) * g**2
            return -rate * g / (np.sqrt(v + inside) + outside)

        return step

    _hold(
        lines,
        "rmsprop",
        _update("rmsprop", rms(0.01, 0.99, 0, 1e-8)),
        _update("rmsprop", rms(0.001, 0.9, 1e-7, 0)),
        1e-6,
    )
    _hold(
        lines,
        "rmsprop-epsilon",
        _update("rmsprop-epsilon", rms(0.001, 0.9, 0, 1e-7)),
        _update("rmsprop-epsilon", rms(0.001, 0.9, 1e-7, 0)),
        1e-6,
    )


def test_adagrad_starts_from_another_sum(lines: Lines) -> None:
    gradients = _inputs("adagrad")["gradients"]
    torch = -sum(0.01 * g / (np.sqrt((gradients[: t + 1] ** 2).sum(0)) + 1e-10) for t, g in enumerate(gradients))
    keras = -sum(0.001 * g / np.sqrt(0.1 + (gradients[: t + 1] ** 2).sum(0) + 1e-7) for t, g in enumerate(gradients))
    _hold(lines, "adagrad", np.asarray(torch), np.asarray(keras), 1e-6)


def test_gradients_add_up_or_do_not(lines: Lines) -> None:
    a, b = _inputs("zero-grad")["gradients"]
    _hold(lines, "zero-grad", -0.1 * (2 * a + b), -0.1 * (a + b), 1e-6)
    a, b = _inputs("gradient-accumulation")["gradients"]
    _hold(lines, "gradient-accumulation", -0.1 * (a + b), -0.1 * (a + b) / 2, 1e-6)


STEPS = np.arange(20)


@pytest.mark.parametrize(
    ("row", "torch", "keras"),
    [
        (
            "cosine-end",
            0.05 * (1 + np.cos(np.pi * STEPS[:15] / 10)),
            0.05 * (1 + np.cos(np.pi * np.minimum(STEPS[:15], 10) / 10)),
        ),
        (
            "cosine-restarts",
            0.05 * (1 + np.cos(np.pi * (STEPS[:14] % 4) / 4)),
            0.05 * (1 + np.cos(np.pi * np.r_[np.arange(4) / 4, np.arange(8) / 8, np.arange(2) / 16])),
        ),
        ("step-decay", 0.1 * 0.1 ** (STEPS[:10] // 4), 0.1 * 0.1 ** (STEPS[:10] / 4)),
        ("milestones", [1, 1, 1, 1 / 8, 1 / 8, 1 / 64, 1 / 64, 1 / 64], [1, 1, 1, 1, 1 / 8, 1 / 8, 1 / 64, 1 / 64]),
        (
            "polynomial-end",
            0.1 * np.maximum(0, 1 - STEPS[:7] / 4),
            0.0001 + 0.0999 * np.maximum(0, 1 - STEPS[:7] / 4),
        ),
        ("exponential-decay", 0.1 * 0.9 ** STEPS[:10], 0.1 * 0.9 ** STEPS[:10]),
        ("schedule-per-step", [1, 1, 1, 0.5, 0.5, 0.5], 0.5 ** STEPS[:6]),
        ("scheduler-before-step", 0.5 ** STEPS[1:6], 0.5 ** STEPS[:5]),
        ("plateau-patience", [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01], [1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]),
    ],
)
def test_rates(row: str, torch: np.ndarray, keras: np.ndarray, lines: Lines) -> None:
    for got, expected in zip(lines[row].answers["own"], (torch, keras), strict=True):
        assert got.ravel() == pytest.approx(np.asarray(expected, float), rel=1e-5, abs=1e-8)


def test_clipping(lines: Lines) -> None:
    a, b = _inputs("clip-norm").values()

    def shorter(x: np.ndarray, norm: float) -> np.ndarray:
        return x / max(norm, 1.0)

    together = np.r_[a, b] / (np.linalg.norm(np.r_[a, b]) + 1e-6)
    separate = np.r_[shorter(a, float(np.linalg.norm(a))), shorter(b, float(np.linalg.norm(b)))]
    _hold(lines, "clip-norm", -together, -separate, 1e-7)
    _hold(lines, "clip-global-norm", -together, -np.r_[a, b] / np.linalg.norm(np.r_[a, b]), 1e-7)
    _hold(lines, "clip-value", -np.r_[a, b].clip(-1, 1), -np.r_[a, b].clip(-1, 1))


def test_initial_weights(lines: Lines) -> None:
    """Uniform values up to a have a deviation of a / sqrt(3)."""
    bound, glorot = 1 / np.sqrt(256), np.sqrt(6 / (256 + 128))
    for got, expected in zip(lines["init-kernel"].answers["own"], (bound, glorot), strict=True):
        assert float(got) == pytest.approx(expected / np.sqrt(3), rel=0.01)
    assert float(lines["init-bias"].answers["own"][0]) == pytest.approx(bound / np.sqrt(3), rel=0.15)
    assert lines["init-bias"].answers["own"][1] == 0
    assert [float(x) for x in lines["init-depthwise"].answers["own"]] == pytest.approx(
        [np.sqrt(2 / 9), np.sqrt(2 / (9 * 64))], rel=0.15
    )
    assert lines["init-he-normal"].answers["own"][1] == 0
    assert float(lines["init-normal"].answers["own"][0]) == pytest.approx(0.764, abs=0.03)  # 2 (1 - Phi(0.3))


def test_penalties(lines: Lines) -> None:
    p, g = _inputs("l2-regulariser").values()
    _hold(lines, "l2-regulariser", p - 0.1 * (g + p / 128), p - 0.1 * (g + p / 64), 1e-6)
    x, kernel, bias = _inputs("l2-in-the-loss").values()
    error = float(((x @ kernel + bias) ** 2).mean())
    _hold(lines, "l2-in-the-loss", np.array(error), np.array(error + (kernel**2).sum() / 16))
    x, kernel, bias = _inputs("activity-regulariser").values()
    penalty = float(((x @ kernel + bias) ** 2).sum() / 8)
    _hold(lines, "activity-regulariser", np.array(penalty), np.array(penalty / 6))


def test_images(lines: Lines) -> None:
    image = _inputs("image-scale")["image"]
    first, second = lines["image-scale"].answers["own"]
    assert first == pytest.approx(image / 255, rel=1e-6)
    assert second.ravel() == pytest.approx(image.ravel(), rel=1e-6)
    red_green_blue, blue_green_red = lines["image-normalisation"].answers["own"]
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (image / 255 - mean) / deviation
    assert sorted(red_green_blue.ravel()) == pytest.approx(sorted(expected.ravel()), rel=1e-5)
    expected = image[..., ::-1] - np.array([103.939, 116.779, 123.68])
    assert sorted(blue_green_red.ravel()) == pytest.approx(sorted(expected.ravel()), rel=1e-5)
    image = _inputs("image-brightness")["image"]
    _hold(lines, "image-brightness", (1.5 * image).clip(0, 1), image + 0.5, 1e-6)


def test_numbers(lines: Lines) -> None:
    _hold(lines, "median", np.array(2.0), np.array(3.0))
    _hold(lines, "integer-sum", np.array(300.0), np.array(44.0))
    for answer in lines["floor-division"].answers["own"]:
        assert answer.ravel() == pytest.approx([-7 // 2, 7 // 2, -7 % 3, 7 % 3])
    _hold(lines, "rounding-of-halves", [0, 2, 2, 0], [0, 2, 2, 0])
    _hold(lines, "argmax-ties", [1, 0, 0], [1, 0, 0])
    _hold(lines, "parameter-count", np.array(8.0), np.array(16.0))
    _hold(lines, "loss-scaling", np.array(65536.0), np.array(32768.0))


def test_gradients_where_they_jump(lines: Lines) -> None:
    _hold(lines, "gradient-of-clip", [0, 0, 1, 0, 0], [0, 1, 1, 1, 0])
    _hold(lines, "gradient-of-maximum", [0, 0.5, 1], [0, 1, 1])
    unit = np.array([0.6, 0.0, 0.8])
    _hold(lines, "gradient-of-norm", np.array([np.zeros(3), unit]), np.array([np.full(3, np.nan), unit]))
