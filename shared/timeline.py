"""Attribute time to simultaneous events."""

from collections import Counter
from collections.abc import Iterable


def time_by_name(events: Iterable[tuple[str, int, int]]) -> dict[str, float]:
    """Return the time attributed to each name, from events (name, start, duration) in one unit. While n of them are
    active, each gets one n-th of the time. No moment counts twice, and the sum is the time with any active event."""
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
