"""Alignment follows data flow, whatever the names of layers and the order of their definitions."""

import numpy as np
import pytest
from graph_builder import Builder

from compare.port.align import align

IMAGE = {"x": np.random.default_rng(1).normal(size=(2, 3, 8, 8))}


def residual(prefix: str, *, shortcut_first: bool = False, extra: bool = False) -> Builder:
    """Return a stem and two blocks with a convolution in the shortcut."""
    b = Builder(IMAGE)
    b.conv(3, 4, name=f"{prefix}stem")
    for block in (1, 2):
        start = b.last
        if shortcut_first:
            side = b.conv(4, 4, start, size=1, pad=0, name=f"{prefix}short{block}")
        b.conv(4, 4, start, name=f"{prefix}a{block}")
        if extra and block == 1:
            b.add("Relu", name=f"{prefix}extra")
        b.batch_norm(4, name=f"{prefix}bn{block}")
        main = b.conv(4, 4, name=f"{prefix}b{block}")
        if not shortcut_first:
            side = b.conv(4, 4, start, size=1, pad=0, name=f"{prefix}short{block}")
        b.add("Add", *((side, main) if shortcut_first else (main, side)), name=f"{prefix}add{block}")
    return b


@pytest.mark.parametrize("extra", [False, True])
def test_a_shortcut_may_be_defined_first_or_last(extra: bool) -> None:
    found = align(residual("l.").made(), residual("r/", shortcut_first=True, extra=extra).made())
    assert {(a[2:], b[2:]) for a, b in found.pairs if a != "x"} == {
        (name, name) for name in ("stem", *(f"{n}{k}" for k in (1, 2) for n in ("a", "bn", "b", "short", "add")))
    }
    assert found.left_only == ()
    assert found.right_only == (("r/extra",) if extra else ())


def test_branches_of_a_concatenation_are_distinguished_by_what_they_hold() -> None:
    def inception(order: tuple[int, ...]) -> Builder:
        b = Builder(IMAGE)
        stem = b.conv(3, 4, name="stem")
        ends = {}
        for branch in order:
            b.conv(4, branch + 1, stem, size=1, pad=0, name=f"{branch}a")
            for depth in range(branch):
                b.conv(branch + 1, branch + 1, name=f"{branch}b{depth}")
            ends[branch] = b.last
        b.add("Concat", *(ends[k] for k in sorted(ends)), name="all", axis=1)
        return b

    found = align(inception((0, 1, 2, 3)).made(), inception((2, 0, 3, 1)).made())
    assert all(a == b for a, b in found.pairs)
    assert found.left_only == found.right_only == ()


def test_a_layer_that_is_missing_leaves_the_others_paired() -> None:
    def chain(skipped: str) -> Builder:
        b = Builder(IMAGE)
        for k in range(4):
            b.conv(3, 3, name=f"conv{k}")
            if f"bn{k}" != skipped:
                b.batch_norm(3, name=f"bn{k}")
            b.add("Relu", name=f"relu{k}")
        return b

    found = align(chain("").made(), chain("bn2").made())
    assert found.left_only == ("bn2",)
    assert found.right_only == ()
    assert all(a == b for a, b in found.pairs)


def test_inputs_are_paired_by_name_and_else_by_place() -> None:
    def two(a: str, b: str) -> Builder:
        built = Builder({a: np.ones((2, 3)), b: np.ones((2, 3)) * 2})
        built.add("Sub", a, b)
        return built

    assert dict(align(two("p", "q").made(), two("q", "p").made()).pairs)["p"] == "p"
    assert dict(align(two("p", "q").made(), two("u", "v").made()).pairs)["p"] == "u"
