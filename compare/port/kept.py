"""The statistics that batch normalisations keep after a call in training mode, and why two of them differ."""

from compare.graphs.evaluate import statistics
from compare.port.difference import Difference
from compare.port.explain import Case, Cause
from compare.port.measure import distance
from compare.port.side import weights_of


def statistics_causes(case: Case, found: list[Difference]) -> list[Cause]:
    """Return the cause for which batch normalisations keep different statistics. The form of the variance is not
    included: each framework has its own, and no option changes it."""
    forms = [d for d in found if d.cause == "batch_norm.variance"]
    momenta = [d for d in found if d.cause == "batch_norm.momentum"]
    if not momenta:
        return []
    before, after = (_kept_distance(case, gone) for gone in (forms, [*forms, *momenta]))
    return [Cause("batch_norm.momentum", tuple(momenta), before, after, training=True)] if before != after else []


def _kept_distance(case: Case, gone: list[Difference]) -> float:
    """Return the largest distance between kept statistics for the left one's inputs, after changes."""
    mended = case.mended(gone)
    most = 0.0
    for name_l, name_r in case.alignment.pairs:
        node = mended.graph.by_name.get(name_r)
        if node is None or node.kind != "BatchNormalization" or f"{name_l}/mean" not in case.left.statistics:
            continue
        source = case.left.values[case.left.graph[name_l].inputs[0]]
        kept = statistics(node, source, weights_of(node, mended.weights))
        for role, array in kept.items():
            most = max(most, distance(array, case.left.statistics[f"{name_l}/{role}"]))
    return most
