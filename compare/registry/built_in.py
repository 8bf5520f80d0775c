"""The implementations of this repository, with every fact about each."""

from compare.registry.candidates import KEPT, Candidate
from compare.registry.spec import ImplementationSpec, Style
from shared.choices import Device, Mode
from shared.task import TASKS

ALL: tuple[Mode, ...] = ("eager", "graph", "xla")
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

_CHANNELS_LAST = {"layout": "channels_last"}
_FUSED = {**_CHANNELS_LAST, "optimizer": "fused"}
_POOLED = {**_FUSED, "relu": "after_pooling"}
_PINNED = {**_POOLED, "transfer": "pinned"}
_STATIC = {"optimizer": "fused", "shapes": "static"}
_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}  # TensorFlow sets it by itself on some processors only

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

_TORCH: dict[Device, tuple[Candidate, ...]] = {
    "cpu": (
        Candidate("memory kept", "eager"),
        Candidate("channels last, as batches arrive", "eager", _CHANNELS_LAST),
        Candidate("one kernel for Adam", "eager", _FUSED),
        Candidate("ReLU after pooling", "eager", _POOLED),
        Candidate("huge pages", "eager", _POOLED, {**KEPT, **HUGE_PAGES}),
        Candidate("torch.compile", "graph", {**_POOLED, "compiled": "loss"}, {**KEPT, **HUGE_PAGES}, alternative=True),
        Candidate("half the threads", "eager", _POOLED, {**KEPT, **HUGE_PAGES}, fewer_threads=True, alternative=True),
        # TensorFlow has its own threads, which sleep. Only PyTorch therefore has this one.
        Candidate("passive waiting", "eager", _POOLED, {**KEPT, **HUGE_PAGES}, alternative=True, waiting="passive"),
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
}

BUILT_IN = (
    ImplementationSpec(
        name="torch",
        title="PyTorch",
        module="torch_impl",
        tasks=tuple(TASKS),
        own_file="torch.py",
        default_mode="eager",
        own_epsilon=1e-5,
        own_norm_needs=2,
        joined_by="torchrun",
        idiomatic_scale="standard",
        versions=("torch",),
        style=Style("#D55E00", "-"),
        exports=("torch", "onnx"),
        candidates=_TORCH,
        plain=(
            Candidate("a plain loop over a DataLoader", "eager", {}, {}, recipe="idiomatic"),
            Candidate("this suite's batches", "eager", {}, {}),
        ),
    ),
    ImplementationSpec(
        name="keras",
        title="Keras",
        module="tf_impl",
        tasks=tuple(TASKS),
        own_file="keras.py",
        default_mode="graph",
        modes=ALL,
        joined_by="tf_config",
        idiomatic_scale="unit",
        versions=("tensorflow", "keras"),
        style=Style("#0072B2", "--"),
        exports=("keras",),
        also_serves=("tf_savedmodel",),
        candidates=_TENSORFLOW,
        plain=(
            Candidate("plain fit", "graph", {}, {}, recipe="idiomatic"),
            Candidate("a loop of its own, this suite's batches", "graph", {}, {}),
        ),
    ),
    ImplementationSpec(
        name="tf_lowlevel",
        title="raw TensorFlow",
        module="tf_lowlevel_impl",
        tasks=tuple(TASKS),
        own_file="tf_lowlevel.py",
        default_mode="graph",
        modes=ALL,
        joined_by="tf_config",
        idiomatic_scale="unit",
        versions=("tensorflow",),
        style=Style("#009E73", ":"),
        exports=("tf_savedmodel",),
        candidates=_TENSORFLOW,
        plain=(
            Candidate("a plain eager loop", "eager", {}, {}),
            Candidate("a graph", "graph", {}, {}),
        ),
    ),
    ImplementationSpec(
        name="keras_functional",
        title="Keras, functional form",
        module="tf_impl.functional",
        default_mode="graph",
        models=("cnn_bn_cifar",),
        modes=ALL,
        idiomatic_scale="unit",
        versions=("tensorflow", "keras"),
        candidates=_TENSORFLOW,
    ),
)
