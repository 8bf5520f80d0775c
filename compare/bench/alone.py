"""The times of a step's convolutions and matrix products, each run alone. A step could be as fast as their sum if
everything else took no time and operations did not slow each other down."""

from compare.bench.result import BenchResult, Contestant
from compare.bench.verdicts import roofline, step_time
from shared.products import products


def sentences(result: BenchResult) -> list[str]:
    """Return a sentence for each contestant whose products were timed alone: their rate, and the share of it that a
    step reaches."""
    said = []
    for contestant in result.contestants:
        alone_s, step = sum(_alone(result, contestant).values()), step_time(result, contestant.name, "compute")
        if not alone_s or step is None:
            continue
        rate = contestant.batch_size * result.flops_per_image / alone_s
        roof = roofline(result, contestant, result.launches[0])
        share = f", {rate / roof:.0%} of the roofline" if roof else ""
        said.append(
            f"{contestant.name}: one by one, each alone and in its best layout, the convolutions and matrix "
            f"products of a step take {alone_s * 1e3:.2f} ms, at {rate / 1e9:,.0f} GFLOP/s{share}. A step takes "
            f"{step.value * 1e3:.2f} ms, so it reaches {alone_s / step.value:.0%} of that rate."
        )
    return said


def headings(result: BenchResult) -> list[str]:
    """Return the headings of `cells`: the product, and every contestant with a figure."""
    return ["alone", *(c.name for c in result.contestants if _alone(result, c))]


def cells(result: BenchResult) -> list[list[str]]:
    """Return a line for each product: its time alone in each contestant's framework, and its rate."""
    shown = [(c, found) for c in result.contestants if (found := _alone(result, c))]
    return [
        [
            str(product),
            *(
                f"{spent[str(product)] * 1e3:.2f} ms ({c.batch_size * product.flops / spent[str(product)] / 1e9:,.0f} "
                "GFLOP/s)"
                for c, spent in shown
            ),
        ]
        for product in products(result.spec)
        if all(spent.get(str(product)) for _, spent in shown)
    ]


def _alone(result: BenchResult, contestant: Contestant) -> dict[str, float]:
    """Return the seconds of each product in the first launch, which is profiled; {} if they were not timed."""
    measured = result.launches[0].measured.get(contestant.name) if result.launches else None
    return measured.alone_s if measured else {}
