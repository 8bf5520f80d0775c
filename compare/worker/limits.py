"""The machine's limits, as a framework reaches them. They are measured in the worker, whose threads and libraries are
those of the steps that are compared with them."""

import statistics
import time
from collections.abc import Callable

import numpy as np

from compare.rpc import messages
from compare.worker import tiers
from shared.choices import Device
from shared.models import ModelSpec
from shared.products import products
from shared.protocol import Implementation

SIZE: dict[Device, int] = {"cpu": 2048, "cuda": 8192}
N_VALUES: dict[Device, int] = {"cpu": 1 << 26, "cuda": 1 << 28}  # far more than caches hold
MEASURE_S = 0.15


def measure(implementation: Implementation, device: Device) -> messages.Limits:
    """Return the median of as many products and copies as fit into the time, at least three. It is compared with other
    medians, and is measured in every launch."""
    size, n_values = SIZE[device], N_VALUES[device]
    product_s = _median_s(tiers.offered(implementation, "matrix_product")(device, size))
    copy_s = _median_s(tiers.offered(implementation, "memory_copy")(device, n_values))
    return messages.Limits(flops_per_s=2 * size**3 / product_s, copied_bytes_per_s=2 * 4 * n_values / copy_s)


def alone(implementation: Implementation, spec: ModelSpec, batch_size: int, device: Device) -> dict[str, float]:
    """Return the seconds of each convolution and product of a training step alone, by its name: the median, for the
    fastest of the framework's forms. Return {} if the implementation or the contract does not define them."""
    if not hasattr(implementation, "product_alone"):
        return {}
    return {
        str(product): min(_median_s(run) for run in implementation.product_alone(product, batch_size, device))
        for product in products(spec)
    }


def _median_s(run: Callable[[], None]) -> float:
    run()
    times: list[float] = []
    end = time.perf_counter() + MEASURE_S
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def numpy_product(device: Device, size: int) -> Callable[[], None]:
    """Return a function that multiplies two matrices in NumPy, for an implementation that offers none."""
    factor, product = np.ones((size, size), np.float32), np.empty((size, size), np.float32)

    def run() -> None:
        np.matmul(factor, factor, out=product)

    return run
