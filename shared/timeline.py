"""What took the time, if several things went on at once."""

from collections import Counter
from collections.abc import Iterable


def time_by_name(events: Iterable[tuple[str, int, int]]) -> dict[str, float]:
    """The time that goes to each name, of events (name, start, duration) in one unit: while n of them go on, each is
    given one n-th of the time. So no moment counts twice, and the sum is the time in which anything went on."""
    edges = []
    for name, start, duration in events:
        edges += [(start, 1, name), (start + duration, -1, name)]
    edges.sort()
    spent: dict[str, float] = {}
    active: Counter[str] = Counter()
    since = 0
    for at, change, name in edges:
        if n_active := active.total():
            for other, n in active.items():
                spent[other] = spent.get(other, 0.0) + (at - since) * n / n_active
        since = at
        active[name] += change
        if not active[name]:
            del active[name]
    return spent
