"""The ink of a page is found in any light, on any paper and within any frame."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from compare.folders.ink import find_ink
from shared.data import Data

SIDE = 280
DOWN, ACROSS = np.mgrid[0 : 1 : SIDE * 1j, 0 : 1 : SIDE * 1j]
LIGHTS = {
    "from the left": 1 - 0.6 * ACROSS,
    "from a corner": 1 - 0.35 * ACROSS - 0.3 * DOWN,
    "shadow on the left": np.where(ACROSS < 0.45, 0.5, 1),
    "soft shadow": 0.5 + 0.5 / (1 + np.exp((ACROSS - 0.55) / 0.03)),
    "shadow over a corner": np.where(DOWN + ACROSS < 0.9, 1, 0.55),
    "darker corners": 1 - (DOWN - 0.5) ** 2 - (ACROSS - 0.5) ** 2,
}
ALIKE = 0.85  # correlation of the ink found in uneven light with the drawing


@pytest.fixture(scope="module")
def strokes() -> list[np.ndarray]:
    """Return digits as fonts and fields have them: (28, 28), 0 beside the strokes and up to 1 on them."""
    thick = Image.new("L", (28, 28))
    thick.paste(255, (12, 3, 16, 25))
    thick.paste(255, (8, 3, 20, 6))
    thin = Image.new("L", (28, 28))
    thin.paste(255, (6, 6, 22, 8))
    thin.paste(255, (18, 6, 20, 24))
    return [
        np.asarray(image) / 255 for image in (thick, thin, thick.rotate(30), thin.transpose(Image.Transpose.ROTATE_180))
    ]


def page(strokes: np.ndarray, ink: float, paper: float) -> np.ndarray:
    return np.rint(paper + (ink - paper) * strokes)


def large(strokes: np.ndarray) -> np.ndarray:
    image = Image.fromarray(strokes.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(image)


def found(grey: np.ndarray) -> tuple[np.ndarray, bool]:
    seen = find_ink(grey)
    assert seen is not None
    return seen


@pytest.mark.parametrize(
    ("ink", "paper"), [(0, 255), (12, 214), (20, 110), (15, 50), (160, 210), (255, 0), (250, 140), (60, 20), (200, 127)]
)
def test_polarity_is_that_of_ink_and_ground(ink: int, paper: int, strokes: list[np.ndarray]) -> None:
    for drawn in strokes:
        seen, dark = found(page(drawn, ink, paper))
        assert dark == (ink < paper)
        np.testing.assert_allclose(seen, drawn, atol=1.01 / abs(ink - paper))  # one grey, by rounding


def test_an_image_of_the_data_comes_back_unchanged(digits: Data) -> None:
    for image in digits.x_test[:100, ..., 0]:
        seen, dark = found(np.rint(255 * image))
        assert not dark
        np.testing.assert_allclose(seen, image / image.max(), atol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize(("ink", "paper", "frame"), [(0, 255, 0), (20, 110, 5), (60, 200, 20), (255, 20, 255)])
def test_a_thin_frame_says_nothing(width: int, ink: int, paper: int, frame: int, strokes: list[np.ndarray]) -> None:
    for drawn in strokes:
        framed = page(drawn, ink, paper)
        framed[:width] = framed[-width:] = framed[:, :width] = framed[:, -width:] = frame
        seen, dark = found(framed)
        assert dark == (ink < paper)
        inside = np.pad(drawn[width:-width, width:-width], width)
        np.testing.assert_allclose(seen, inside, atol=1.01 / abs(ink - paper))


def test_a_blurred_frame_of_unequal_sides(strokes: list[np.ndarray]) -> None:
    for drawn in strokes:
        framed = page(large(drawn), 30, 220)
        framed[:8] = framed[-14:] = framed[:, :20] = framed[:, -5:] = 10
        framed[8, 20:-5] = framed[-15, 20:-5] = framed[8:-14, 20] = framed[8:-14, -6] = 115
        seen, dark = found(framed)
        assert dark
        np.testing.assert_allclose(seen, large(drawn), atol=0.01)


def test_ink_behind_a_frame_is_farther_from_it_than_the_page_is() -> None:
    """White surrounds grey paper, and ink lies along the line that shows the page's brightness."""
    drawn = np.zeros((28, 28))
    drawn[4, 6:22] = drawn[4:20, 18:22] = 1
    framed = page(drawn, 60, 180)
    framed[:2] = framed[-2:] = framed[:, :2] = framed[:, -2:] = 255
    seen, dark = found(framed)
    assert dark
    np.testing.assert_array_equal(seen, drawn)


@pytest.mark.parametrize("sides", ["top", "left", "left right", "right bottom", "left right top"])
@pytest.mark.parametrize(("ink", "paper", "bar"), [(20, 200, 0), (220, 40, 255), (30, 230, 110)])
def test_bars_along_some_sides_say_nothing(
    sides: str, ink: int, paper: int, bar: int, strokes: list[np.ndarray]
) -> None:
    """Scanners leave such lines: here one of a small picture, and several of a large one."""
    for width, pictures in ((1, strokes), (12, [large(drawn) for drawn in strokes])):
        for drawn in pictures:
            barred, shown = page(drawn, ink, paper), drawn.copy()
            for side in sides.split():
                ends = slice(width) if side in ("top", "left") else slice(-width, None)
                place = (ends, slice(None)) if side in ("top", "bottom") else (slice(None), ends)
                barred[place], shown[place] = bar, 0
            seen, dark = found(barred)
            assert dark == (ink < paper)
            np.testing.assert_allclose(seen, shown, atol=1.01 / abs(ink - paper))


def test_a_wide_object_is_not_between_bars() -> None:
    """The ground beside it has one grey too, and continues above and below."""
    for rows, columns in ((slice(6, 22), slice(2, 26)), (slice(6, 28), slice(3, 25))):
        drawn = np.zeros((28, 28))
        drawn[rows, columns] = 1
        drawn[12:14, 12:14] = 0.4
        seen, dark = found(page(drawn, 200, 0))
        assert not dark
        np.testing.assert_allclose(seen, drawn, atol=1.01 / 200)


@pytest.mark.parametrize("noise", [0, 4])
@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize(("ink", "paper"), [(40, 230), (250, 90)])
def test_uneven_light(ink: int, paper: int, light: str, noise: int, strokes: list[np.ndarray]) -> None:
    random = np.random.default_rng(0)
    for drawn in strokes:
        lit = page(large(drawn), ink, paper) * LIGHTS[light] + random.normal(0, noise, (SIDE, SIDE))
        seen, dark = found(lit)
        assert dark == (ink < paper)
        assert np.corrcoef(seen.ravel(), large(drawn).ravel())[0, 1] > ALIKE
        assert np.median(seen[large(drawn) == 0]) < 0.1  # paper, including the shadow


EMPTY: dict[str, Callable[[], np.ndarray]] = {
    **{light: lambda light=light: 230 * LIGHTS[light] for light in LIGHTS},  # type: ignore[misc]
    "noise": lambda: np.random.default_rng(0).normal(200, 8, (SIDE, SIDE)),
    "noise of few pixels": lambda: np.random.default_rng(0).normal(200, 8, (28, 28)),
    "frame": lambda: np.pad(np.full((24, 24), 255), 2),
    "a line": lambda: np.full((1, 50), 77),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_is_found_on_an_empty_page(name: str) -> None:
    assert find_ink(EMPTY[name]()) is None


def test_ink_may_touch_the_edge() -> None:
    for across in (slice(2, 10), slice(10, 18), slice(18, 26)):
        drawn = np.zeros((28, 28))
        drawn[:, across] = 1
        seen, dark = found(page(drawn, 30, 220))
        assert dark
        np.testing.assert_array_equal(seen, drawn)
