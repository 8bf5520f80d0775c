"""The machine's limits, from products and copies with known times."""

from collections.abc import Callable

import pytest

from compare.worker import limits
from shared.models import MODELS
from shared.products import Product, products


class Clock:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Known:
    """An implementation whose products take 0.5 s and whose copies take 0.25 s. Every third takes ten times as long."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.n = 0

    def _work(self, time_s: float) -> Callable[[], None]:
        def run() -> None:
            self.n += 1
            self.clock.now += time_s * (10 if self.n % 3 == 0 else 1)

        return run

    def matrix_product(self, device: str, size: int) -> Callable[[], None]:
        return self._work(0.5)

    def memory_copy(self, device: str, n_values: int) -> Callable[[], None]:
        return self._work(0.25)


def test_operations_and_bytes_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    found = limits.measure(Known(clock), "cpu")
    assert found.flops_per_s == pytest.approx(2 * 2048**3 / 0.5)
    assert found.copied_bytes_per_s == pytest.approx(2 * 4 * 2**26 / 0.25)


class KnownProducts(Known):
    """Its products take 0.2 s in one form and 0.1 s in the other."""

    def product_alone(self, product: Product, batch_size: int, device: str) -> list[Callable[[], None]]:
        assert (batch_size, device) == (64, "cpu")
        return [self._work(0.2), self._work(0.1)]


def test_each_product_alone_counts_in_its_faster_form(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    spec = MODELS["dense_baseline"]
    found = limits.alone(KnownProducts(clock), spec, 64, "cpu")
    assert found == pytest.approx({str(product): 0.1 for product in products(spec)})
    assert len(found) == 5
    assert limits.alone(Known(clock), spec, 64, "cpu") == {}
