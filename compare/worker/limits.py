"""The machine's limits, as a framework reaches them: in the worker, so that its threads and libraries are those of the
steps that are held against them."""

import statistics
import time
from collections.abc import Callable

from compare.rpc import messages
from shared.protocol import Device, Implementation

SIZE: dict[Device, int] = {"cpu": 2048, "cuda": 8192}
N_VALUES: dict[Device, int] = {"cpu": 1 << 26, "cuda": 1 << 28}  # far more than caches hold
MEASURE_S = 0.25


def measure(implementation: Implementation, device: Device) -> messages.Limits:
    """The median of as many products and copies as there is a quarter of a second for, three at least: what is held
    against it are medians, too, and it is measured in every launch."""
    size, n_values = SIZE[device], N_VALUES[device]
    product_s = _median_s(implementation.matrix_product(device, size))
    copy_s = _median_s(implementation.memory_copy(device, n_values))
    return messages.Limits(flops_per_s=2 * size**3 / product_s, copied_bytes_per_s=2 * 4 * n_values / copy_s)


def _median_s(run: Callable[[], None]) -> float:
    run()
    times: list[float] = []
    end = time.perf_counter() + MEASURE_S
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
