"""Describe how OpenMP's threads waited for each other: a condition of every timed step, like the allocator."""

from collections.abc import Iterable

from shared.choices import Waiting

WORDS: dict[Waiting, str] = {
    "passive": "OpenMP threads, which are PyTorch's, slept while they waited for each other (OMP_WAIT_POLICY=PASSIVE, "
    "GOMP_SPINCOUNT=0). Beside a busy process that is faster than spinning. `--waiting system` measures the system's "
    "default.",
    "system": "OpenMP threads, which are PyTorch's, waited as the environment says. By default they spin for "
    "some milliseconds before they sleep, which is slow beside a busy process. `--waiting passive` lets them sleep.",
}


def sentence(found: Iterable[Waiting | None]) -> str:
    """Return a sentence on how the threads of all workers in `found` waited; "" if no record states it."""
    known = list(dict.fromkeys(one for one in found if one is not None))
    if len(known) > 1:
        return "OpenMP threads waited in two ways: the table shows who waited passively (`--waiting`)."
    return WORDS[known[0]] if known else ""
