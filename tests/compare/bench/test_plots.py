"""Pictures of a bench."""

from simulation import simulated_bench

from compare.bench.plots import steps


def test_a_single_launch_stands_above_its_name() -> None:
    result = simulated_bench()
    one = result.model_copy(update={"launches": result.launches[:1]})
    (axes,) = steps(one).axes
    assert {float(x) for line in axes.lines for x in line.get_xdata()} <= set(axes.get_xticks())
    (axes,) = steps(result).axes
    assert not {float(x) for line in axes.lines for x in line.get_xdata()} <= set(axes.get_xticks())
