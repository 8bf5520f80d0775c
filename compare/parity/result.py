"""The results of a comparison."""

from dataclasses import dataclass

from compare.parity import gate
from compare.parity.envelope import Drift
from compare.parity.ladder import Ladder
from shared.choices import Dtype
from shared.record import Count


@dataclass(frozen=True)
class PrecisionResult:
    """The result of one precision: the ladder, and the envelope if one was measured.

    `failures` says which implementations could not be observed to the end, and why. `curves` is the distance of each
    implementation's parameters from the consensus at every checkpoint, `self_curves` that of each of its draws from its
    own unmoved run.
    """

    dtype: Dtype
    implementations: tuple[str, ...]
    ladder: Ladder
    failures: dict[str, str]
    envelope: Drift | None
    curves: dict[str, dict[int, float]]
    self_curves: dict[str, list[dict[int, float]]]

    @property
    def passed(self) -> bool:
        """Whether all were completed and nothing differs by more than its bound."""
        return not self.failures and self.ladder.first_beyond is None

    @property
    def verdict(self) -> str:
        """What differs, and which implementations failed."""
        failed = " ".join(f"{name} failed: {why}." for name, why in self.failures.items())
        differing = self.ladder.verdict if self.ladder.first_beyond or not failed else ""
        return f"In {self.dtype} {f'{differing} {failed}'.strip()}"


@dataclass(frozen=True)
class ParityResult:
    """The result for one network. If the gate stopped the comparison, or a network could not be built, there is no
    ladder."""

    model: str
    seed: Count
    mismatches: tuple[gate.Mismatch, ...] = ()
    failure: str | None = None
    precisions: tuple[PrecisionResult, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was compared and nothing differs by more than its bound."""
        return not self.mismatches and self.failure is None and all(p.passed for p in self.precisions)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.mismatches:
            return f"Not comparable, {self.mismatches[0]}."
        failed = next((precision for precision in self.precisions if not precision.passed), None)
        if failed:
            return failed.verdict
        if self.failure:
            return f"Not comparable, {self.failure}."
        return self.precisions[0].ladder.verdict
