"""What `tuned` chooses from: a stated, finite list for each implementation, each candidate one more factor than the one
before it, so that the list is also the speed waterfall's."""

from dataclasses import dataclass, field

from compare.processes.environment import ALLOCATOR_VARIABLES
from shared.protocol import Device, Mode, Recipe

KEPT = ALLOCATOR_VARIABLES["kept"]
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


@dataclass(frozen=True)
class Candidate:
    """One way to run an implementation: `factor` says what it has that the one before has not; an `alternative` is
    tried in place of what the last one that is none has, and the list goes on from that one."""

    factor: str
    mode: Mode
    tuning: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: KEPT)
    fewer_threads: bool = False
    alternative: bool = False
    recipe: Recipe = "matched"


_CHANNELS_LAST = {"layout": "channels_last"}
_FUSED = {**_CHANNELS_LAST, "optimizer": "fused"}
_POOLED = {**_FUSED, "relu": "after_pooling"}
_PINNED = {**_POOLED, "transfer": "pinned"}
_STATIC = {"optimizer": "fused", "shapes": "static"}
_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}  # which TensorFlow takes by itself on some processors alone

_TENSORFLOW: dict[Device, tuple[Candidate, ...]] = {
    "cpu": (
        Candidate("memory kept", "graph"),
        Candidate("one kernel for Adam", "graph", {"optimizer": "fused"}),
        Candidate("a graph for each batch size", "graph", _STATIC),
        Candidate("oneDNN's kernels", "graph", _STATIC, {**KEPT, **_ONEDNN}),
        Candidate("huge pages", "graph", _STATIC, {**KEPT, **_ONEDNN, **HUGE_PAGES}),
        Candidate(
            "one operation at a time",
            "graph",
            _STATIC,
            {**KEPT, **_ONEDNN, "TF_NUM_INTEROP_THREADS": "1"},
            alternative=True,
        ),
        Candidate("XLA", "xla", {"shapes": "static"}, alternative=True),
        Candidate("half the threads", "graph", _STATIC, {**KEPT, **_ONEDNN}, fewer_threads=True, alternative=True),
    ),
    "cuda": (
        Candidate("memory kept", "graph"),
        Candidate("one kernel for Adam", "graph", {"optimizer": "fused"}),
        Candidate("a graph for each batch size", "graph", _STATIC),
        Candidate("XLA", "xla", {"shapes": "static"}, alternative=True),
    ),
}

CANDIDATES: dict[str, dict[Device, tuple[Candidate, ...]]] = {
    "torch": {
        "cpu": (
            Candidate("memory kept", "eager"),
            Candidate("channels last, as batches arrive", "eager", _CHANNELS_LAST),
            Candidate("one kernel for Adam", "eager", _FUSED),
            Candidate("ReLU after pooling", "eager", _POOLED),
            Candidate("huge pages", "eager", _POOLED, {**KEPT, **HUGE_PAGES}),
            Candidate(
                "torch.compile", "graph", {**_POOLED, "compiled": "loss"}, {**KEPT, **HUGE_PAGES}, alternative=True
            ),
            Candidate(
                "half the threads", "eager", _POOLED, {**KEPT, **HUGE_PAGES}, fewer_threads=True, alternative=True
            ),
        ),
        "cuda": (
            Candidate("memory kept", "eager"),
            Candidate("channels last, as batches arrive", "eager", _CHANNELS_LAST),
            Candidate("one kernel for Adam", "eager", _FUSED),
            Candidate("ReLU after pooling", "eager", _POOLED),
            Candidate("page-locked batches, not waited for", "eager", _PINNED),
            Candidate("torch.compile, with the loss", "graph", {**_PINNED, "compiled": "loss"}),
            Candidate("autotuned kernels and CUDA graphs", "graph", {**_PINNED, "compiled": "autotuned"}),
        ),
    },
    "keras": _TENSORFLOW,
    "tf_lowlevel": _TENSORFLOW,
    "keras_functional": _TENSORFLOW,
}

PLAIN: dict[str, tuple[Candidate, ...]] = {
    "torch": (
        Candidate("a plain loop over a DataLoader", "eager", {}, {}, recipe="idiomatic"),
        Candidate("this suite's batches", "eager", {}, {}),
    ),
    "keras": (
        Candidate("plain fit", "graph", {}, {}, recipe="idiomatic"),
        Candidate("a loop of its own, this suite's batches", "graph", {}, {}),
    ),
    "tf_lowlevel": (
        Candidate("a plain eager loop", "eager", {}, {}),
        Candidate("a graph", "graph", {}, {}),
    ),
}
"""Where each speed waterfall begins: with what its framework's users write first."""
