"""The gate before every comparison: it checks that all are about to compute the same thing in the same way.

Different pixels, orders or constants make results incomparable. Nothing is compared until every field agrees.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from compare.registry import IMPLEMENTATIONS
from compare.worker.fingerprint import Fields

ASKED = "what was asked for"
NOTHING = "nothing"


@dataclass(frozen=True)
class Mismatch:
    """A field, and what each of those who have it say of it."""

    field: str
    values: dict[str, str]

    def __str__(self) -> str:
        return f"{self.field}: " + ", ".join(f"{who} has {value}" for who, value in self.values.items())


def check(fingerprints: Mapping[str, Fields]) -> list[Mismatch]:
    """Return the fields in which two of `fingerprints`, by name, disagree, in their order; empty if all agree.

    Every worker must state a field, except for the version of a framework that not all are written in. The constants of
    single layers, which are not in the request (ASKED), must be stated by every implementation.
    """
    fields = dict.fromkeys(field for said in fingerprints.values() for field in said)
    mismatches = []
    versions = {name for spec in IMPLEMENTATIONS.values() for name in spec.versions}
    for field in fields:
        values = {name: said.get(field, NOTHING) for name, said in fingerprints.items()}
        if field in versions:
            values = {name: value for name, value in values.items() if value != NOTHING}
        elif values.get(ASKED) == NOTHING:
            del values[ASKED]
        if len(set(values.values())) > 1:
            mismatches.append(Mismatch(field, values))
    return mismatches
