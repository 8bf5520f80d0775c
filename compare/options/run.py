"""The options of `compare run`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from compare.options import common
from compare.options.base import Options
from compare.options.option import (
    CLUSTER,
    COMPARISON,
    COMPUTATION,
    DATA,
    OUTPUT,
    TRAINING,
    Conflict,
    Need,
    option,
)
from compare.options.presets import PRESETS
from shared.choices import (
    Allocator,
    AskedDevice,
    AskedMode,
    Augmentation,
    Channels,
    Dtype,
    ExecutorName,
    MixedPrecision,
    OptimizerName,
    Recipe,
    Scale,
    Schedule,
    TaskName,
    Waiting,
)
from shared.storage import mounts
from shared.world import MAX_SIZE

DEFAULT_MODEL = "cnn_same"
IDIOMATIC = Conflict("recipe", "in which each framework's own defaults decide", "idiomatic")
FOUND_FASTEST = Conflict("mode", "which is the fastest that was found on this machine", "tuned")
ALSO_RESUMED = ("", "resume")


@dataclass(frozen=True, kw_only=True)
class RunOptions(common.ReadsData, Options):
    """The options of `compare run`."""

    summary: ClassVar[str] = "Train each implementation, evaluate it, and write a table and a report."

    # fmt: off
    resume: Path | None = option(
        None, OUTPUT, "Resume an interrupted study, with its original options.",
        note="Its weights are bit-identical to those of a study without interruption.",
        parse=mounts.located, metavar="RUN_DIR", forms=ALSO_RESUMED
    )
    preset: str | None = option(
        None, TRAINING, "A named set of the options below: stretch (high accuracy on MNIST).",
        note="99.6 % in 40 minutes on two cores ([report](docs/reference/mnist-stretch/report.md)).",
        choices=tuple(PRESETS), conflicts=(IDIOMATIC,)
    )
    model: str | None = option(
        None, TRAINING, "Architecture; 'python -m compare models' lists them. Or the folder of a network of your own.",
        left_out=DEFAULT_MODEL, metavar="NAME|DIR/", forms=ALSO_RESUMED,
        note="[docs/your-own-network.md](docs/your-own-network.md)."
    )
    dataset: str = option(
        "auto", DATA,
        "auto (MNIST if available, else digits), digits, photographs, mnist, fashion_mnist, kmnist, qmnist, "
        "emnist_letters (_digits, _balanced, _byclass, _bymerge, _mnist), cifar10; or your own: folder:DIR, FILE.npz, "
        "FILE.csv or idx:DIR.",
        note="Missing files are fetched and verified. Your own images: a folder with a subfolder for each class, an "
        ".npz file, a table of pixels, or four files in MNIST's format ([docs/own-images.md](docs/own-images.md)). The "
        "built-in networks have 10 outputs. `cifar10` and `photographs` (pieces of two photographs) are for "
        "`--model cnn_bn_cifar`."
    )
    data_dir: Path | None = common.data_dir(forms=ALSO_RESUMED)
    resize: str | None = common.resize()
    channels: Channels | None = common.channels()
    split: float | None = common.split()
    task: TaskName | None = common.task()
    limit: int | None = option(None, DATA, "Train on the first N images only.", metavar="N", left_out="all", ge=1)
    validation: int | None = option(
        None, DATA, "Hold out N training images; the test set is then used once, at the end.", metavar="N",
        left_out="0", ge=0, conflicts=(IDIOMATIC,)
    )
    scale: Scale | None = option(
        None, DATA, "Pixels: unit (divided by 255) or standard (mean 0, deviation 1).", left_out="unit",
        conflicts=(IDIOMATIC,)
    )
    augment: Augmentation | None = option(
        None, DATA, "Training images: none, affine (turned, stretched, shifted) or elastic (bent, too).",
        what="augmentation", left_out="none", conflicts=(IDIOMATIC,)
    )
    implementations: tuple[str, ...] = option(
        common.BY_DEFAULT, TRAINING,
        "Implementations, separated by commas; also keras_functional, for cnn_bn_cifar."
    )
    recipe: Recipe = option(
        "matched", TRAINING, "matched (same weights, batches, optimizer) or idiomatic (each framework's own way).",
        note="The idiomatic recipe follows a good tutorial of each framework. Its step time needs two epochs."
    )
    epochs: int | None = option(
        None, TRAINING, "Passes over the data.", left_out="embedded data 20, others 3", ge=1, le=1_000_000
    )
    stop_at: float | None = option(
        None, TRAINING, "End after the first epoch whose training accuracy reaches this, such as 0.98.",
        left_out="never", gt=0, le=1, quantity="an accuracy", example="0.98 stands for 98 %"
    )
    batch_size: int | Literal["auto"] | None = option(
        None, TRAINING, "Images in a batch; auto is 64 on CUDA, 16 on a CPU.", left_out="64", ge=1, le=1_000_000
    )
    optimizer: OptimizerName | None = option(
        None, TRAINING, "adam, adamw (its weight decay is decoupled), or sgd with momentum 0.9.", left_out="adam",
        conflicts=(IDIOMATIC,)
    )
    learning_rate: float | None = option(
        None, TRAINING, "Learning rate.", left_out="adam 0.002, with --stop-at 0.001; sgd 0.01", gt=0,
        conflicts=(IDIOMATIC,)
    )
    weight_decay: float | None = option(
        None, TRAINING, "Weight decay of every parameter: decoupled with adamw, else coupled (L2).",
        left_out="adamw 0.01; else 0", ge=0, conflicts=(IDIOMATIC,)
    )
    schedule: Schedule | None = option(
        None, TRAINING, "Learning rate: linear (up over a tenth, then down to 0) or constant.", left_out="linear",
        conflicts=(IDIOMATIC,)
    )
    dropout: float | None = option(
        None, TRAINING, "Rate of dropout.", left_out="the architecture's", ge=0, lt=1, quantity="a rate"
    )
    seed: int = option(
        0, TRAINING, "First seed: of the initial weights and of the order of the batches.", ge=0, le=common.MOST_SEED
    )
    seeds: int = option(
        1, COMPARISON, "How many seeds, counted up from the first.",
        note="The report then has means with intervals. It calls each pair equivalent within the margin, or "
        "different, or says how many seeds would be enough.", metavar="N", ge=1, le=100_000
    )
    margin: float = option(
        0.003, COMPARISON, "Accuracies this close are equivalent: 0.003 is 0.3 points.", gt=0, lt=1,
        quantity="a difference in accuracy", example="0.003 stands for 0.3 points"
    )
    target: float | None = option(
        None, COMPARISON, "Report the training time until this accuracy: 0.99 is 99 %.", gt=0, le=1,
        quantity="an accuracy", example="0.99 stands for 99 %"
    )
    parity: bool = option(
        False, COMPARISON, "Also prove, over the first 20 steps, that they are the same function.",
        conflicts=(FOUND_FASTEST,)
    )
    mode: AskedMode = option(
        "default", COMPUTATION,
        "default (torch eager, TensorFlow graph), eager, graph or xla for all; tuned: the fastest settings of "
        "each on this machine.",
        note="The search for the fastest takes some minutes, and its result is kept ([docs/bench.md](docs/bench.md)).",
        conflicts=(IDIOMATIC,)
    )
    precision: Dtype = option(
        "float32", COMPUTATION, "float32, or float64, in which all agree to 1e-12 at first.",
        note="At first: over 20 steps, and longer without batch normalisation.", conflicts=(IDIOMATIC,)
    )
    mixed_precision: MixedPrecision = option(
        "none", COMPUTATION, "What the factors of products are rounded to: none (float32), bfloat16, or on CUDA tf32.",
        conflicts=(IDIOMATIC, Conflict("precision", "which asks for more digits, and this for fewer", "float64"))
    )
    device: AskedDevice = option(
        "auto", COMPUTATION, "What to compute on; auto is CUDA if every framework sees it.",
        note="With `cuda` an error names the framework that sees no CUDA device."
    )
    threads: int | None = option(
        None, COMPUTATION, "Threads of each framework.",
        note="Cores are the fewest of the machine's, the affinity mask's and the cgroup's quota; "
        "`python -m compare doctor` shows all three.",
        metavar="N", left_out="cores", ge=1, le=1024
    )
    allocator: Allocator = option(
        "kept", COMPUTATION, "kept (glibc keeps freed memory, for every framework) or system (the system's default).",
        note="Why: [docs/decisions.md](docs/decisions.md).", conflicts=(FOUND_FASTEST,)
    )
    waiting: Waiting = common.waiting("run", conflicts=(FOUND_FASTEST,))
    timeout: float = common.timeout()
    out: Path | None = common.out(
        "runs/<UTC time>-<model>-<dataset>",
        note="A folder, or one on a store, as `s3://bucket/folder` (extra `s3`; [docs/scaling.md](docs/scaling.md))."
    )
    tensorboard: bool = option(
        False, OUTPUT, "Also write TensorBoard's event files, to OUT/tensorboard.", extra="tensorboard"
    )
    mlflow: str | None = option(
        None, OUTPUT, "Log the study to this MLflow server, or folder; needs the extra mlflow.",
        note="[docs/output.md](docs/output.md).", metavar="URI", forms=ALSO_RESUMED
    )
    world_size: int = option(
        1, CLUSTER, "Train each network with N processes, each on its share of every batch.",
        note="By DistributedDataParallel, or under `tf.distribute` ([docs/scaling.md](docs/scaling.md)).", metavar="N",
        ge=1, le=MAX_SIZE, conflicts=(IDIOMATIC,)
    )
    executor: ExecutorName = option(
        "local", CLUSTER, "local, or ray: every run is a task on a Ray cluster; needs the extra ray.",
        note="The weights are bit-identical ([docs/scaling.md](docs/scaling.md)).", conflicts=(FOUND_FASTEST,),
        forms=ALSO_RESUMED
    )
    address: str = option(
        "auto", CLUSTER, "The Ray cluster; auto finds it.", metavar="HOST:PORT",
        needs=Need("executor", "ray", "that of a Ray cluster"), forms=ALSO_RESUMED
    )
    # fmt: on

    @property
    def form(self) -> str:
        return "resume" if self.resume is not None else ""

    @property
    def opening(self) -> str:
        if self.resume is not None:
            return f"resuming the study in {mounts.with_addresses(self.resume)}"
        names = ",".join(self.implementations)
        return f"a study of {self.model or DEFAULT_MODEL} with {names}, data set {self.dataset}"

    def with_preset(self) -> "RunOptions":
        """Return these options, with the preset's values for those that were not given."""
        if self.preset is None:
            return self
        values = PRESETS[self.preset]
        return replace(self, **{name: value for name, value in values.items() if getattr(self, name) is None})
