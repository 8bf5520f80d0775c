"""The simulation behind docs/scaling.md, compared with known results."""

import pytest
from cluster_model import RUNS_A_NODE, simulate


def test_a_driver_that_costs_nothing_delays_none() -> None:
    found = simulate(100, run_s=60, driver_s=0.0, mtbf_s=1e12)
    assert (found.busy, found.most_waiting, found.again) == (0.0, 1, 0)
    assert found.stretch == pytest.approx(1.0, abs=0.15)


def test_below_its_rate_the_driver_is_as_busy_as_it_must_be() -> None:
    """100 nodes with runs of 10 s give 10 results a second, of 50 ms each."""
    found = simulate(100, run_s=10, driver_s=0.05, mtbf_s=1e12)
    assert found.busy == pytest.approx(0.5, abs=0.06)
    assert found.stretch < 1.2


def test_beyond_its_rate_the_driver_decides_how_long_it_takes() -> None:
    found = simulate(200, run_s=10, driver_s=0.1, mtbf_s=1e12)
    assert found.stretch == pytest.approx(200 * RUNS_A_NODE * 0.1 / (RUNS_A_NODE * 10), rel=0.1)
    assert found.busy > 0.9
    assert found.most_waiting > 200 * RUNS_A_NODE / 4


def test_runs_of_nodes_that_fail_are_begun_again() -> None:
    """A node fails once in a hundred runs."""
    found = simulate(500, run_s=10, driver_s=0.0, mtbf_s=1000)
    assert found.again == pytest.approx(500 * RUNS_A_NODE / 100, rel=0.3)
