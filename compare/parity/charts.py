"""The chart of a comparison's drift."""

from compare.parity.result import ParityResult, PrecisionResult
from compare.reporting.charts import Chart, Line, Panel


def drift(result: ParityResult) -> Chart:
    """How far the parameters of each implementation are from the float64 consensus after so many steps, a panel for
    each precision; the band is how far an implementation comes from itself after a change of 1 ulp."""
    names = {name: name for precision in result.precisions for name in precision.curves}
    panels = [_panel(precision) for precision in result.precisions if precision.curves]
    return Chart(f"Drift of {result.model}, seed {result.seed}", panels, names, starts_log=True)


def _panel(precision: PrecisionResult) -> Panel:
    draws = [curve for of_one in precision.self_curves.values() for curve in of_one]
    steps = [step for step in draws[0] if all(step in curve for curve in draws)] if draws else []
    extremes = [(float(step), *(extreme(curve[step] for curve in draws) for extreme in (min, max))) for step in steps]
    band = [(step, low, high) for step, low, high in extremes if low > 0]  # there is no place for 0 on a log scale
    lines = [
        Line(name, "distance", [(float(step), value) for step, value in curve.items() if value > 0])
        for name, curve in precision.curves.items()
    ]
    title = f"Relative distance of all parameters, {precision.dtype}"
    return Panel(title, "step", "", lines, log=True, log_x=True, less=False, band=band)
