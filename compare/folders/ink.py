"""Find the ink of a grey picture: everything that differs from the ground along the picture's edge."""

import numpy as np

from shared.pictures import LEAST_CONTRAST

NOISE = 5.0  # ink differs from the ground by more than this many deviations of the ground's noise
EVEN_TOLERANCE = 0.1  # the edge is even if most of it is within this part of the contrast
EVEN_SHARE = 0.65  # ink may touch the rest of the edge
FRAME_PART = 6  # a frame is at most a sixth of the picture thick
FRAME_SHARE = 0.95  # share of the picture's edge with the frame's grey, and of every line of a bar with the bar's
BEHIND_SHARE = 0.9  # share of the line behind a bar that has another grey
MOST_INK = 0.5  # share between bars; if there is more, the bars are the ground
UNLIKE_SHARE = 0.4  # share behind a frame, and of the whole page, that has another grey; the rest may be ink
REWEIGHTINGS = 20  # for least absolute deviations by least squares; the ground changes little after ten
STROKE_PART = 1 / 3  # strokes are thinner than this part of the picture
Margins = tuple[tuple[int, int], tuple[int, int]]  # lines at the top and bottom, and at the left and right
FARTHEST = 0.999  # ignores a few odd pixels of a large picture; in one of 28 x 28 each pixel counts


def find_ink(grey: np.ndarray) -> tuple[np.ndarray, bool] | None:
    """Return the ink of a picture, and whether it is darker than its ground; None if nothing can be seen on it.

    `grey` is (H, W) with values from 0 (black) to 255. The ink is float32 (H, W): 0 on the ground, 1 where the
    picture is farthest from it. A thin frame around the picture, or a bar along some of its sides, counts as ground.
    """
    margins = _bar_lines(grey.astype(np.float32))
    if any(map(any, margins)) and (found := _ink_within(grey, margins)) and (found[0] > 1 / 2).mean() <= MOST_INK:
        return found
    return _ink_within(grey, _frame_lines(grey.astype(np.float32)))


def _ink_within(grey: np.ndarray, margins: Margins) -> tuple[np.ndarray, bool] | None:
    """Return the result of `find_ink` for the page within the margins, which are ground."""
    inside = tuple(slice(before, size - after) for (before, after), size in zip(margins, grey.shape, strict=True))
    page = grey[inside].astype(np.float32)
    level = np.median(_edge(page))
    contrast = max(_farthest(page - level), _farthest(level - page))
    if _is_even(page, contrast):
        dark = _farthest(level - page) > _farthest(page - level)
        ink = level - page if dark else page - level
    else:
        ground = _ground_between_edges(page)
        dark = _farthest(ground - page) > _farthest(page - ground)
        ink = _evenly_lit(page, dark)
    ink = ink - np.median(_edge(ink))
    contrast = _farthest(ink)
    noise = 1.4826 * float(np.median(np.abs(_edge(ink))))  # the deviation of a normal distribution
    if contrast < max(LEAST_CONTRAST, NOISE * noise):
        return None
    return np.pad(np.clip(ink / contrast, 0, 1), margins).astype(np.float32), dark


def _edge(page: np.ndarray) -> np.ndarray:
    return np.concatenate([page[0], page[-1], page[:, 0], page[:, -1]])


def _farthest(difference: np.ndarray) -> float:
    return float(np.quantile(difference, FARTHEST, method="higher"))


def _is_even(page: np.ndarray, contrast: float) -> bool:
    """Whether the ground along the edge has one grey: no shadow, no light from one side."""
    edge = _edge(page)
    near = np.abs(edge - np.median(edge)) <= max(LEAST_CONTRAST / 4, EVEN_TOLERANCE * contrast)
    return bool(near.mean() >= EVEN_SHARE)


def _ground_between_edges(page: np.ndarray) -> np.ndarray:
    """Return the ground (H, W) in light from one side: a surface, bilinear in the position, fitted to most of the edge.

    It has the least absolute deviations from the edge. Ink that touches the edge therefore does not bend it.
    """
    down, across = np.meshgrid(*(np.linspace(-1, 1, n) for n in page.shape), indexing="ij")
    terms = np.stack([np.ones_like(down), down, across, down * across], axis=-1)
    at_edge, edge = _edge(terms), _edge(page).astype(np.float64)
    weights = np.ones_like(edge)
    for _ in range(REWEIGHTINGS):
        fitted = np.linalg.lstsq(at_edge * weights[:, None], edge * weights, rcond=None)[0]
        weights = 1 / np.sqrt(np.maximum(np.abs(at_edge @ fitted - edge), 1))
    ground: np.ndarray = terms @ fitted
    return ground


def _evenly_lit(page: np.ndarray, dark: bool) -> np.ndarray:
    """Return the ink (H, W) of a page in uneven light: what a closing removes, if it is dark, or else an opening.

    Strokes are removed because they are thin; shadows are wider, and stay.
    """
    from scipy.ndimage import grey_closing, grey_opening

    size = int(min(page.shape) * STROKE_PART) | 1
    # The light continues beyond the edge as it reaches it: otherwise the darker end of a ramp would count as a stroke.
    wide = np.pad(page, size, mode="reflect", reflect_type="odd")
    bare = (grey_closing if dark else grey_opening)(wide, size=(size, size))[size:-size, size:-size]
    # A shadow darkens paper and ink by the same factor. But a board may be black, and cannot be the divisor.
    found: np.ndarray = 255 * (1 - page / np.maximum(bare, 1)) if dark else page - bare
    return found


def _bar_lines(grey: np.ndarray) -> Margins:
    """Return how many lines at each side are a bar: thin, of one grey that differs from most of the rest.

    A scanner leaves such bars along some sides. A side is checked again after another one was cut off: a bar across its
    end would hide it.
    """
    depth = min(grey.shape) // FRAME_PART
    cut = [0, 0, 0, 0]  # at the top, right, bottom and left: rot90 brings each to the top in turn
    rest, bars = grey, []
    for turns in (*range(4), *range(4)):
        if cut[turns] == 0 and (lines := _bar_at_top(np.rot90(rest, turns), depth)):
            bars.append(np.median(np.rot90(rest, turns)[0]))
            cut[turns] = lines
            top, right, bottom, left = cut
            rest = grey[top : grey.shape[0] - bottom, left : grey.shape[1] - right]
    # A ground with something wide on it looks like a bar at two sides, and continues between them.
    if any(np.mean(np.abs(_edge(rest) - bar) >= LEAST_CONTRAST) < FRAME_SHARE for bar in bars):
        return (0, 0), (0, 0)
    top, right, bottom, left = cut
    return (top, bottom), (left, right)


def _bar_at_top(grey: np.ndarray, depth: int) -> int:
    """Return how many lines at the top are a bar of at most `depth` lines; 0 if there is none."""
    bar = np.median(grey[0])
    unlike = np.abs(grey - bar) >= LEAST_CONTRAST
    lines = int((unlike.mean(axis=1) > 1 - FRAME_SHARE).argmax())
    blurred = max(1, depth // 8)
    behind = unlike[lines + blurred :]
    is_bar = (
        0 < lines <= depth
        and len(behind) > depth
        and behind[0].mean() >= BEHIND_SHARE
        and behind.mean() > 1 - UNLIKE_SHARE
    )
    if not is_bar:
        return 0
    greys = np.abs(np.median(grey[lines : lines + blurred + 1], axis=1) - bar)
    return lines + int((greys[:-1] < 3 / 4 * greys[-1]).sum())


def _frame_lines(grey: np.ndarray) -> Margins:
    """Return how many lines of a picture belong to a thin frame: at its top and bottom, and at its left and right.

    A black border gives no information about the paper. A frame is on all four sides, or there is none.
    """
    depth = min(grey.shape) // FRAME_PART
    none = (0, 0), (0, 0)
    if depth == 0:
        return none
    frame = float(np.median(_edge(grey)))
    behind = _edge(grey[depth:-depth, depth:-depth]) - frame
    unlike = np.abs(behind) >= LEAST_CONTRAST
    alike = np.abs(_edge(grey) - frame) < LEAST_CONTRAST
    if unlike.mean() < UNLIKE_SHARE or alike.mean() < FRAME_SHARE:
        return none
    # The frame is 0, and the area behind it about 1. Ink may be farther from the frame than its page is.
    relative = np.minimum((grey - frame) / np.median(behind[unlike]), 1)
    # Much of the page differs from the frame. This distinguishes a frame from the page's margin with strokes along it.
    if np.mean(relative[depth:-depth, depth:-depth] > 1 / 2) < UNLIKE_SHARE:
        return none
    lines = [_lines_at_top(np.rot90(relative, turns), depth) for turns in range(4)]
    if 0 in lines:
        return none
    top, right, bottom, left = lines
    return (top, bottom), (left, right)


def _lines_at_top(relative: np.ndarray, depth: int) -> int:
    """Return how many lines at the top are a frame, which is 0 in `relative` and ends abruptly; 0 if there is none."""
    strip = relative[: depth + 1, depth:-depth]
    lightness = np.quantile(strip, 0.8, axis=1)  # ink may touch the frame along most of a side
    lines = int((lightness > 3 / 4 * lightness[-1]).argmax())
    bare = np.mean(np.abs(strip[:lines]) < 1 / 4, axis=1) >= FRAME_SHARE
    return lines if np.all(bare[: -max(1, depth // 8)]) else 0  # the last line may be blurred
