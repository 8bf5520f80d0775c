"""The time of a step by operation, and the share of the machine's limit that follows from it."""

import re

from compare.bench.result import BenchResult, Contestant
from compare.bench.verdicts import roofline

N_OPERATIONS = 12
# Their names in PyTorch, TensorFlow, oneDNN, cuDNN and cuBLAS.
ARITHMETIC = re.compile(r"(?i:conv(?!ert)|gemm|mat_?mul)|fprop|dgrad|wgrad|\b(?:addmm|mm|bmm)\b")


def operations(result: BenchResult) -> dict[str, list[list[str]]]:
    """Return each contestant's most expensive operations: name, milliseconds, and share of all operations' time."""
    tables = {}
    for contestant in result.contestants:
        if spent := _spent(result, contestant):
            whole = sum(spent.values())
            most = sorted(spent, key=lambda name: -spent[name])[:N_OPERATIONS]
            lines = [[name, f"{spent[name] * 1e3:.2f} ms", f"{spent[name] / whole:.0%}"] for name in most]
            rest = whole - sum(spent[name] for name in most)
            tables[contestant.name] = [*lines, ["all others", f"{rest * 1e3:.2f} ms", f"{rest / whole:.0%}"]]
    return tables


def bounds(result: BenchResult) -> list[str]:
    """Return a sentence for each profiled contestant: its rate within convolutions and matrix products, which do all
    counted operations. A step would reach that rate if everything else took no time.

    A contestant whose operations were compiled into one has no sentence.
    """
    said = []
    for contestant in result.contestants:
        spent = _spent(result, contestant)
        arithmetic_s = sum(time_s for name, time_s in spent.items() if ARITHMETIC.search(name))
        if not arithmetic_s:
            continue
        rate = contestant.batch_size * result.flops_per_image / arithmetic_s
        roof = roofline(result, contestant, result.launches[0])
        share = f", {rate / roof:.0%} of the roofline" if roof else ""
        said.append(
            f"{contestant.name}: convolutions and matrix products take {arithmetic_s * 1e3:.2f} of "
            f"{sum(spent.values()) * 1e3:.2f} ms, at {rate / 1e9:,.0f} GFLOP/s{share}. A step would reach this rate "
            "if nothing else took time."
        )
    return said


def _spent(result: BenchResult, contestant: Contestant) -> dict[str, float]:
    """Return the seconds of one step by kind of operation, in the first launch, which is profiled; {} if it was not."""
    measured = result.launches[0].measured.get(contestant.name) if result.launches else None
    return measured.operation_s if measured else {}
