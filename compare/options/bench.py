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
WITH_WATERFALL = ("", "waterfall", "beside")
WITH_CURVES = ("", "curves", "beside")
WITH_BESIDE = ("", "beside")


@dataclass(frozen=True, kw_only=True)
class BenchOptions(common.ReadsData, Options):
    """The options of `compare bench`."""

    summary: ClassVar[str] = "Time training steps in turns, launch after launch, until the ratios are known."

    forms_in_words: ClassVar[Mapping[str, str]] = {"curves": "several batch sizes or threads"}

    # fmt: off
    dataset: str = option(
        "embedded", DATA,
        "embedded (digits or photographs), a name as of run, folder:DIR, FILE.npz, FILE.csv or idx:DIR.",
        forms=SEVERAL_POINTS
    )
    data_dir: Path | None = common.data_dir(forms=SEVERAL_POINTS)
    resize: str | None = common.resize(forms=SEVERAL_POINTS)
    channels: Channels | None = common.channels(forms=SEVERAL_POINTS)
    split: float | None = common.split(forms=SEVERAL_POINTS)
    task: TaskName | None = common.task(forms=SEVERAL_POINTS)
    model: str = option(
        "cnn_same", TRAINING, "Architecture, or the folder of a network of your own.", metavar="NAME|DIR/",
        forms=SEVERAL_POINTS
    )
    implementations: tuple[str, ...] = option(
        common.IMPLEMENTATIONS, TRAINING, "Which implementations, separated by commas.", forms=SEVERAL_POINTS,
        conflicts=(Conflict("aa", "which names the one implementation that takes part"),)
    )
    batch_sizes: tuple[int, ...] = option(
        (64,), TRAINING, "Images in a batch; several by commas give curves.", forms=SEVERAL_POINTS,
        quantity="whole numbers", ge=1, le=1_000_000
    )
    seed: int = option(
        0, TRAINING, "Of the initial weights, the batches and the order of turns.", forms=SEVERAL_POINTS, ge=0,
        le=common.MOST_SEED
    )
    modes: tuple[Literal["default", "eager", "graph", "xla", "tuned"], ...] = option(
        ("default",), COMPUTATION,
        "default (torch eager, TensorFlow graph), eager, graph, xla, tuned; several by commas.", what="mode",
        forms=WITH_CURVES
    )
    mixed_precision: tuple[MixedPrecision, ...] = option(
        ("none",), COMPUTATION,
        "none, bfloat16, or on CUDA tf32 (factors of products are rounded to it); several by commas.",
        forms=SEVERAL_POINTS
    )
    device: Device = option("cpu", COMPUTATION, "What to compute on.", forms=SEVERAL_POINTS)
    threads: tuple[int, ...] | None = option(
        None, COMPUTATION, "Threads of each framework; several give curves.", left_out="cores", forms=SEVERAL_POINTS,
        quantity="whole numbers", ge=1, le=1024
    )
    allocator: Allocator = option(
        "kept", COMPUTATION, "kept (glibc keeps freed memory, for all alike) or system (as users have it).",
        forms=WITH_CURVES
    )
    waiting: Waiting = common.waiting("bench", forms=WITH_CURVES)
    retune: bool = option(False, COMPUTATION, "Search for the fastest settings of tuned again.", forms=WITH_BESIDE)
    timeout: float = common.timeout()
    baseline: str | None = option(
        None, COMPARISON, "Contestant that the others are compared with.", left_out="the first", forms=WITH_CURVES
    )
    aa: str | None = option(None, COMPARISON, "Pit one implementation against itself: the interval must hold 1.")
    interval: float = option(
        0.03, COMPARISON, "Launch until half the confidence interval of every ratio is below this.", former="precision",
        forms=WITH_WATERFALL, ge=0.001, le=1
    )
    budget: float = option(
        120.0, COMPARISON, "Begin no launch after so many seconds.", forms=SEVERAL_POINTS, ge=1, le=1_000_000
    )
    profile: bool = option(False, COMPARISON, "Show where the time of a step goes.")
    waterfall: bool = option(
        False, COMPARISON, "From each plain loop to the fastest, one factor at a time.", forms=("waterfall",)
    )
    beside: tuple[int, ...] | None = option(
        None, COMPARISON, "Time all beside so many busy processes, as 0,1,2: how much each is slowed down.",
        note="[docs/bench.md](docs/bench.md#beside-busy-processes).", left_out="none", metavar="N,...",
        forms=("beside",), quantity="whole numbers", ge=0, le=256
    )
    out: Path | None = common.out("runs/<UTC time>-bench-<model>", forms=SEVERAL_POINTS)
    world_size: tuple[int, ...] = option(
        (1,), CLUSTER, "Processes that train a network together; 1,2 tells what two are worth.", metavar="N",
        quantity="whole numbers", ge=1, le=MAX_SIZE
    )
    executor: ExecutorName = option(
        "local", CLUSTER, "local, or ray: one node of a Ray cluster, which is given nothing else meanwhile.",
        forms=SEVERAL_POINTS
    )
    address: str = option(
        "auto", CLUSTER, "The Ray cluster; auto finds it.", metavar="HOST:PORT", forms=SEVERAL_POINTS,
        needs=Need("executor", "ray", "that of a Ray cluster")
    )
    # fmt: on

    @property
    def form(self) -> str:
        if self.waterfall:
            return "waterfall"
        if self.beside is not None:
            return "beside"
        return "curves" if len(self.batch_sizes) > 1 or len(self.threads or ()) > 1 else ""

    @property
    def module(self) -> str:
        return "ray" if self.executor == "ray" else self.form

    @property
    def opening(self) -> str:
        names, modes = self.aa or ",".join(self.implementations), ",".join(self.modes)
        return f"a bench of {self.model}, {names}, modes {modes}"
