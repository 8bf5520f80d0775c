"""One way to run an implementation, and the handling of memory that its framework frees."""

from dataclasses import dataclass, field

from shared.choices import Allocator, Mode, Recipe, Waiting

# The handling of memory that a framework has freed: part of the conditions, the same for every contestant.
#
# glibc returns large blocks to the system and requests them again at every step. How much of that a process does
# depends on the accidental layout of its heap. PyTorch on a CPU takes its activations from there: two launches of the
# same code differed by 8 % (docs/decisions.md), and no ratio with it can be known to 3 % within minutes. If glibc has
# to keep freed memory, they differ by less than 2 %, and PyTorch is about a fifth faster. TensorFlow has its own
# allocator.
ALLOCATOR_VARIABLES: dict[Allocator, dict[str, str]] = {
    "kept": {
        "MALLOC_MMAP_THRESHOLD_": str(4 << 30),
        "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
        "MALLOC_TOP_PAD_": str(256 << 20),
    },
    "system": {},
}

KEPT = ALLOCATOR_VARIABLES["kept"]


@dataclass(frozen=True)
class Candidate:
    """One way to run an implementation. `factor` says what it has that the one before has not. An `alternative` is
    tried in place of the last candidate that is not an alternative, and the list goes on from that one."""

    factor: str
    mode: Mode
    tuning: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: KEPT)
    fewer_threads: bool = False
    alternative: bool = False
    recipe: Recipe = "matched"
    waiting: Waiting = "system"
