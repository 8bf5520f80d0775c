"""The uncertainty of the ratio of two step times, for simulated runs on a busy machine with a known truth."""

import math

import numpy as np
import pytest
from results import result

from compare.analysis.diff import Side, changes
from compare.analysis.speed import Estimate, machine, ratio, ratios_of_launches
from compare.folders.manifest import describe, utc_now
from shared.result import RunResult

MANIFEST = describe("a command", utc_now())
BASE_S = {"torch": 0.02, "keras": 0.015, "tf_lowlevel": 0.014}


class BusyMachine:
    """A machine shared with others.

    Its speed jumps between a few levels and stays there for a while, the same for all that take turns. Single steps and
    products are late more often than a normal distribution predicts.
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.level = self._level(0.35)

    def _level(self, unsteady: float) -> float:
        return float(self.random.lognormal(0.0, unsteady))

    def study(
        self,
        n_turns: int,
        n_products: int,
        slower: float = 1.0,
        load: float | None = 1.0,
        jumps: float = 0.1,
        unsteady: float = 0.35,
        lateness: float = 0.08,
        launches: float = 0.03,
    ) -> Side:
        """Return a run of each implementation in turns of 10 steps, which take `slower` times as long.

        The machine's level jumps in the share `jumps` of the turns, by a factor with the logarithmic deviation
        `unsteady`. The logarithmic deviation of steps and products is `lateness`, with heavy tails. That of launches is
        `launches`.
        """

        def late(n: int) -> np.ndarray:
            return np.exp(lateness * abs(self.random.standard_t(2.5, n)))

        levels = np.empty(n_turns)
        for turn in range(n_turns):
            if self.random.random() < jumps:
                self.level = self._level(unsteady)
            levels[turn] = self.level
        made = []
        for name, base_s in BASE_S.items():
            launch = self.random.lognormal(0.0, launches)
            turns = [base_s * slower * launch * level * late(10) for level in levels]
            at = self.random.choice(n_turns, n_products, replace=False)
            products = 0.002 * levels[at] * late(n_products)
            made.append(self._run(name, turns, tuple(products.tolist()), load))
        return Side("a folder", MANIFEST, made)

    def _run(self, name: str, turns: list[np.ndarray], products: tuple[float, ...], load: float | None) -> RunResult:
        n_steps = 10 * len(turns)
        return result(
            np.concatenate(turns),
            n_train=64 * n_steps,
            slice_steps=(10,) * len(turns),
            implementation=name,
            yardstick_s=products,
            foreign_load=load,
        )


def directions(a: Side, b: Side) -> set[str]:
    return {change.moved for change in changes(a, b, 0.003) if change.what == "step time"}


def n_called(what: str, random_seeds: range, n_turns: int, n_products: int, slower: float, **quiet: float) -> int:
    """Return how many pairs of runs, one per random seed, have this verdict on the step time."""
    return sum(
        what in directions(busy.study(n_turns, n_products, **quiet), busy.study(n_turns, n_products, slower, **quiet))
        for busy in map(BusyMachine, random_seeds)
    )


@pytest.mark.parametrize(
    ("n_turns", "n_products", "load"), [(4, 2, 1.0), (9, 2, None), (10, 3, 1.0), (20, 5, None), (40, 20, None)]
)
def test_of_forty_pairs_of_equal_runs_one_at_the_most_is_called_worse(
    n_turns: int, n_products: int, load: float | None
) -> None:
    """This holds for any length, and if the system does not report the load by others."""
    assert n_called("worse", range(40), n_turns, n_products, 1.0, load=load) <= 1


def test_a_slowdown_beyond_what_a_busy_machine_makes_is_called_worse() -> None:
    assert n_called("worse", range(20), 40, 20, 4.0, load=1.0) >= 18


def test_on_a_quiet_machine_half_as_much_more_is_found_and_nothing_else() -> None:
    """One launch of each is enough. A slowdown of a fifth is reported as too small for one launch."""
    quiet = {"load": 0.0, "jumps": 0.0, "lateness": 0.01, "unsteady": 0.0}
    assert n_called("worse", range(20), 20, 10, 1.55, **quiet) >= 18
    assert n_called("not known", range(20), 20, 10, 1.2, **quiet) >= 16
    assert n_called("worse", range(40), 20, 10, 1.0, **quiet) <= 1
    assert n_called("worse", range(40), 20, 10, 1.0, launches=0.1, **quiet) <= 1


def launches(by: np.random.Generator, n: int, slower: float, scatter: float) -> list[dict[str, list[RunResult]]]:
    """Return `n` launches of three implementations, with the logarithmic deviation `scatter` between launches.

    Each launch alone is too short to show anything.
    """

    def launch(name: str) -> RunResult:
        step_s = by.lognormal(math.log(0.02 * slower) + by.normal(0, scatter), 0.02, 4)
        return result(step_s, 64 * 4, slice_steps=(2, 2), implementation=name, yardstick_s=(0.002, 0.00201))

    return [{name: [launch(name)] for name in BASE_S} for _ in range(n)]


def n_slower(n: int, slower: float, scatter: float, n_pairs: int) -> int:
    """Return in how many of `n_pairs` pairs the interval of any implementation lies above 1. Each side has `n`
    launches."""
    by = np.random.default_rng(n)
    pairs = [(launches(by, n, 1.0, scatter), launches(by, n, slower, scatter)) for _ in range(n_pairs)]
    found = [[one.estimate for one in ratios_of_launches(*pair).values()] for pair in pairs]
    return sum(any(one is not None and one.interval(3)[0] > 1 for one in of_pair) for of_pair in found)


@pytest.mark.parametrize("n", [2, 3])
def test_several_launches_of_either_show_how_they_scatter(n: int) -> None:
    """Launches scatter by 3 or 10 percent. At most one of forty equal pairs is called slower, and 1.3x is found."""
    assert n_slower(n, 1.0, 0.03, 80) <= 2
    assert n_slower(n, 1.0, 0.10, 80) <= 4  # 2 expected
    assert n_slower(n, 1.3, 0.03, 20) == 20
    assert n_slower(n, 1.3, 0.10, 20) >= 15


def pair(load: float | None, products: tuple[float, ...] = (0.002,) * 5) -> tuple[RunResult, RunResult]:
    step_s = np.tile([0.019, 0.02, 0.021], 50)
    made = [result(step_s, 64 * 150, slice_steps=(10,) * 15, yardstick_s=products, foreign_load=load) for _ in range(2)]
    return made[0], made[1]


def width(load: float | None, products: tuple[float, ...] = (0.002,) * 5, n_compared: int = 1) -> float:
    """Return the width of the interval, in logarithms."""
    found = ratio([pair(load, products)], machine([pair(load, products)]))
    assert found.estimate is not None
    low, high = found.estimate.interval(n_compared)
    assert low < 1 < high
    return math.log(high / low)


def test_what_scatters_widens_the_interval() -> None:
    """So do load, a varying or shorter yardstick, and simultaneous intervals."""
    scattered = (0.001, 0.0015, 0.002, 0.003, 0.004)
    assert width(0.0) < width(0.3) < width(1.0) == width(5.0)
    assert width(0.0) < width(0.0, scattered) < width(0.0, scattered[::2])
    assert width(0.0) < width(0.0, n_compared=3)
    assert width(0.0, scattered) > 2 * width(0.0)


def test_unknown_load_is_not_taken_for_none() -> None:
    """The load is reported as unknown, because it cannot be counted."""
    one, other = pair(None)
    (said,) = (c.said for c in changes(*(Side("x", MANIFEST, [r]) for r in (one, other)), 0.003) if c.low)
    assert "The load by other processes is unknown" in said


def test_the_difference_of_estimates() -> None:
    """Variances add up. Degrees of freedom add up if both are known equally well (Welch and Satterthwaite)."""
    found = Estimate(1.0, 0.5, 4.0) - Estimate(0.25, 0.5, 4.0)
    assert (found.log, found.variance, found.freedom) == (0.75, 1.0, pytest.approx(8.0))
    exact = Estimate(1.0, 0.5, 4.0) - Estimate(0.0, 0.0, math.inf)
    assert (exact.variance, exact.freedom) == (0.5, pytest.approx(4.0))


def test_one_wild_product_does_not_decide() -> None:
    """This holds for the machine's slowdown and for its uncertainty."""
    calm = (0.002, 0.0021, 0.0019, 0.00205, 0.00195)
    wild = (*calm[:4], 0.02)
    one, other = pair(0.0, calm)[0], pair(0.0, wild)[0]
    found = machine([(one, other)])
    assert found.slower == pytest.approx(1.0, abs=0.05)
    assert found.estimate is not None
    assert 0 < found.estimate.variance < 0.2
