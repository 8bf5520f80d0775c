"""What becomes of memory that a framework has freed: part of the conditions, the same for every contestant.

glibc gives large blocks back to the system and takes them again at every step, and how much of that a process does
depends on how its heap happens to lie. PyTorch on a CPU takes its activations from there: two launches of the same
code differed by 8 % (docs/decisions.md), so that no ratio with it can be known to 3 % within minutes. Told to keep
what is freed, they differ by less than 2 %, and PyTorch is about a fifth faster. tensorflow has an allocator of
its own.
"""

from typing import Literal

Allocator = Literal["kept", "system"]

VARIABLES: dict[Allocator, dict[str, str]] = {
    "kept": {
        "MALLOC_MMAP_THRESHOLD_": str(4 << 30),
        "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
        "MALLOC_TOP_PAD_": str(256 << 20),
    },
    "system": {},
}
