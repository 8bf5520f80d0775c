"""The options of `compare bench`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from compare.options import common
from compare.options.base import Options
from compare.options.option import CLUSTER, COMPARISON, COMPUTATION, DATA, TRAINING, Conflict, Need, option
from shared.choices import Allocator, Channels, Device, ExecutorName, MixedPrecision, TaskName, Waiting
from shared.world import MAX_SIZE

SEVERAL_POINTS = ("", "waterfall", "curves", "beside")
ALL = (*SEVERAL_POINTS, "inference")
WITH_INFERENCE = ("", "curves", "beside", "inference")
WITH_WATERFALL = ("", "waterfall", "beside")
WITH_CURVES = ("", "curves", "beside")
WITH_BESIDE = ("", "beside")
BUDGET_S = 120.0


@dataclass(frozen=True, kw_only=True)
class BenchOptions(common.ReadsData, Options):
    """The options of `compare bench`."""

    summary: ClassVar[str] = "Time training steps in turns, launch after launch, until the ratios are known."

    forms_in_words: ClassVar[Mapping[str, str]] = {"curves": "several batch sizes or threads"}

    # fmt: off
    dataset: str = option(
        "embedded", DATA,
        "embedded (digits or photographs), a name as of run, folder:DIR, FILE.npz, FILE.csv or idx:DIR.",
        forms=ALL
    )
    data_dir: Path | None = common.data_dir(forms=ALL)
    resize: str | None = common.resize(forms=ALL)
    channels: Channels | None = common.channels(forms=ALL)
    split: float | None = common.split(forms=ALL)
    task: TaskName | None = common.task(forms=ALL)
    model: str = option(
        "cnn_same", TRAINING, "Architecture, or the folder of a network of your own.", metavar="NAME|DIR/",
        forms=ALL
    )
    implementations: tuple[str, ...] = option(
        common.BY_DEFAULT, TRAINING, "Implementations, separated by commas.", forms=ALL,
        conflicts=(Conflict("aa", "which names the one implementation that takes part"),)
    )
    batch_sizes: tuple[int, ...] = option(
        (64,), TRAINING, "Images in a batch; several by commas give curves. --inference times batches of 1, too.",
        forms=ALL,
        quantity="whole numbers", ge=1, le=1_000_000
    )
    seed: int = option(
        0, TRAINING, "Of the initial weights, the batches and the order of turns.", forms=ALL, ge=0,
        le=common.MOST_SEED
    )
    modes: tuple[Literal["default", "eager", "graph", "xla", "tuned"], ...] = option(
        ("default",), COMPUTATION,
        "default (torch eager, TensorFlow graph), eager, graph, xla, tuned; several by commas.", what="mode",
        forms=WITH_CURVES
    )
    mixed_precision: tuple[MixedPrecision, ...] = option(
        ("none",), COMPUTATION,
        "What the factors of products are rounded to: none, bfloat16, or on CUDA tf32; several by commas.",
        forms=SEVERAL_POINTS
    )
    device: Device = option("cpu", COMPUTATION, "What to compute on.", forms=ALL)
    threads: tuple[int, ...] | None = option(
        None, COMPUTATION, "Threads of each framework; several give curves.", left_out="cores", forms=ALL,
        quantity="whole numbers", ge=1, le=1024
    )
    allocator: Allocator = option(
        "kept", COMPUTATION, "kept (glibc keeps freed memory, for every framework) or system (the system's default).",
        forms=WITH_INFERENCE
    )
    waiting: Waiting = common.waiting("bench", forms=WITH_INFERENCE)
    retune: bool = option(False, COMPUTATION, "Search for the fastest settings of tuned again.", forms=WITH_BESIDE)
    timeout: float = common.timeout()
    baseline: str | None = option(
        None, COMPARISON, "Contestant that the others are compared with.", left_out="the first", forms=WITH_INFERENCE
    )
    aa: str | None = option(None, COMPARISON, "Compare one implementation with itself: the interval must contain 1.")
    interval: float = option(
        0.02, COMPARISON, "Launch until half the confidence interval of every ratio is below this.", former="precision",
        forms=(*WITH_WATERFALL, "inference"), ge=0.001, le=1
    )
    budget: float | None = option(
        None, COMPARISON, "Start no launch after this many seconds.", forms=ALL, quantity="a number",
        left_out="120, or longer, until there are intervals", ge=1, le=1_000_000
    )
    profile: bool = option(False, COMPARISON, "Show where the time of a step goes.")
    waterfall: bool = option(
        False, COMPARISON, "From each plain loop to the fastest, one factor at a time.", forms=("waterfall",)
    )
    beside: tuple[int, ...] | None = option(
        None, COMPARISON, "Time all beside this many busy processes, such as 0,1,2: how much each is slowed down.",
        note="[docs/bench.md](docs/bench.md#beside-busy-processes).", left_out="none", metavar="N,...",
        forms=("beside",), quantity="whole numbers", ge=0, le=256
    )
    inference: bool = option(
        False, COMPARISON, "Time networks that only answer: latency, throughput, start, memory and size of each way to "
        "serve them.", note="[docs/serving.md](docs/serving.md).", forms=("inference",)
    )
    served_as: tuple[Literal["all", "eager", "graph", "xla", "pt2", "onnx", "file", "savedmodel"], ...] = option(
        ("all",), COMPARISON,
        "all, or some: eager, graph, xla, pt2 (torch.export), onnx, file, savedmodel.", what="way to serve",
        forms=("inference",), needs=Need("inference", True, "for networks that only answer")
    )
    out: Path | None = common.out("runs/<UTC time>-bench-<model>", forms=ALL)
    world_size: tuple[int, ...] = option(
        (1,), CLUSTER, "Processes that train a network together; 1,2 compares two with one.", metavar="N",
        quantity="whole numbers", ge=1, le=MAX_SIZE
    )
    executor: ExecutorName = option(
        "local", CLUSTER, "local, or ray: one node of a Ray cluster, which runs nothing else meanwhile.",
        forms=SEVERAL_POINTS
    )
    address: str = option(
        "auto", CLUSTER, "The Ray cluster; auto finds it.", metavar="HOST:PORT", forms=SEVERAL_POINTS,
        needs=Need("executor", "ray", "that of a Ray cluster")
    )
    # fmt: on

    @property
    def budget_s(self) -> float:
        """The seconds after which no launch begins, unless an interval needs it and no budget was given."""
        return BUDGET_S if self.budget is None else self.budget

    @property
    def until_known(self) -> bool:
        """Whether as many launches as an interval needs are made, however long they take: no budget was given."""
        return self.budget is None

    @property
    def form(self) -> str:
        if self.waterfall:
            return "waterfall"
        if self.beside is not None:
            return "beside"
        if self.inference:
            return "inference"
        return "curves" if len(self.batch_sizes) > 1 or len(self.threads or ()) > 1 else ""

    @property
    def module(self) -> str:
        return "ray" if self.executor == "ray" else self.form

    @property
    def opening(self) -> str:
        if self.inference:
            return f"a bench of inference of {self.model}, {','.join(self.implementations)}"
        names, modes = self.aa or ",".join(self.implementations), ",".join(self.modes)
        return f"a bench of {self.model}, {names}, modes {modes}"
