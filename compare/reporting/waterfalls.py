"""Draw bars that lead from one value to another, each hanging where the one before it ended."""

from collections.abc import Sequence
from typing import Any


def bars(
    axes: Any,
    names: Sequence[str],
    values: Sequence[float],
    errors: Sequence[float] | None = None,
    more_is_better: bool = False,
) -> None:
    """Draw `values`: the first as a whole bar, each other one as its change, and the last again as a whole bar.
    `names` has one more than there are values, and `errors` are drawn as whiskers. Deteriorations are red."""
    n, sign = len(values), -1 if more_is_better else 1
    axes.bar(0, values[0], color="0.4")
    for number in range(1, n):
        change = values[number] - values[number - 1]
        axes.bar(number, change, bottom=values[number - 1], color="tab:red" if change * sign > 0 else "tab:green")
        axes.plot([number - 1.4, number + 0.4], [values[number - 1]] * 2, color="0.6", linewidth=0.8)
    axes.bar(n, values[-1], color="0.4")
    if errors is not None:
        axes.errorbar(range(n), values, errors, fmt="none", ecolor="black", capsize=3, linewidth=1)
    axes.set_xticks(range(n + 1), names, rotation=40, ha="right", fontsize=8)
    axes.grid(axis="y", alpha=0.3)
