"""The options of `compare parity`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from compare.options import common
from compare.options.base import Options
from compare.options.option import CLUSTER, COMPARISON, COMPUTATION, DATA, OUTPUT, TRAINING, option
from shared.choices import Channels, Device, OptimizerName, Precision, Rung, TaskName
from shared.world import MAX_SIZE

ALSO_WATERFALL = ("", "waterfall")
EVERY_FORM = ("", "waterfall", "ledger")


@dataclass(frozen=True, kw_only=True)
class ParityOptions(common.ReadsData, Options):
    """The options of `compare parity`."""

    summary: ClassVar[str] = (
        "Prove that the implementations of an architecture are the same function, or name the one that is not."
    )

    # fmt: off
    dataset: str = option(
        "embedded", DATA,
        "embedded (digits or photographs), a name as of run, folder:DIR, FILE.npz, FILE.csv or idx:DIR.",
        forms=ALSO_WATERFALL
    )
    data_dir: Path | None = common.data_dir(forms=ALSO_WATERFALL)
    resize: str | None = common.resize(forms=ALSO_WATERFALL)
    channels: Channels | None = common.channels(forms=ALSO_WATERFALL)
    split: float | None = common.split(forms=ALSO_WATERFALL)
    task: TaskName | None = common.task()
    model: tuple[str, ...] = option(
        ("cnn_same",), TRAINING, "Architectures or folders of your own, separated by commas, or all.",
        metavar="NAME|DIR/,...", forms=ALSO_WATERFALL
    )
    implementations: tuple[str, ...] | None = option(
        None, TRAINING, "Two or more implementations.", left_out="all that have the network",
        forms=ALSO_WATERFALL
    )
    steps: int = option(100, TRAINING, "How many training steps are compared.", forms=ALSO_WATERFALL, ge=1, le=100_000)
    batch_size: int = option(64, TRAINING, "Images in a batch.", forms=ALSO_WATERFALL, ge=1, le=1_000_000)
    optimizer: OptimizerName = option("adam", TRAINING, "adam, adamw, or sgd with momentum 0.9.")
    seed: int = option(
        0, TRAINING, "First seed: of the initial weights and of the order of the batches.", forms=ALSO_WATERFALL, ge=0,
        le=common.MOST_SEED
    )
    seeds: int | None = option(
        None, COMPARISON, "How many seeds, counted up from the first.", left_out="1; for --waterfall 3",
        forms=ALSO_WATERFALL, ge=1, le=10_000
    )
    precision: Precision = option("both", COMPARISON, "both, float64 or float32.")
    draws: int = option(3, COMPARISON, "Runs of each implementation from weights moved by 1 ulp.", ge=1, le=1_000)
    rung: Rung = option("evaluation", COMPARISON, "Highest rung of the ladder: parameters, activations, ...")
    ledger: bool = option(False, COMPARISON, "Check the ledger of differences instead, row by row.", forms=("ledger",))
    row: tuple[str, ...] | None = option(
        None, COMPARISON, "Only these rows of the ledger.", left_out="all", forms=("ledger",)
    )
    symptom: str | None = option(
        None, COMPARISON, "What you see, in a sentence: the rows of the ledger that can be behind it.", metavar="TEXT",
        forms=("ledger",)
    )
    waterfall: bool = option(
        False, COMPARISON, "From each framework's own recipe to the matched one, factor by factor.",
        forms=("waterfall",)
    )
    device: Device = option("cpu", COMPUTATION, "What to compute on.", forms=ALSO_WATERFALL)
    mode: Literal["default", "eager", "graph", "xla"] = option(
        "default", COMPUTATION, "default (torch eager, TensorFlow graph), eager, graph or xla, for all.",
        forms=ALSO_WATERFALL
    )
    verbose: bool = option(False, OUTPUT, "Show the ladder of every comparison, one line per rung.")
    timeout: float = common.timeout()
    out: Path | None = common.out(
        "runs/<UTC time>-parity", help="Output folder; of the ledger a .md file.", forms=EVERY_FORM
    )
    world_size: int = option(
        1, CLUSTER, "Also compare each as N processes, each on its share of every batch.", metavar="N", ge=1,
        le=MAX_SIZE
    )
    # fmt: on

    @property
    def form(self) -> str:
        if self.ledger or self.row is not None or self.symptom is not None:
            return "ledger"
        return "waterfall" if self.waterfall else ""

    @property
    def opening(self) -> str:
        if self.symptom is not None:
            return "a search of the ledger of differences"
        if self.form == "ledger":
            return f"the ledger of differences, {','.join(self.row or ['all rows'])}"
        what = "the waterfall" if self.waterfall else "parity"
        return f"{what} of {','.join(self.model)} in {','.join(self.implementations or ['all implementations'])}"

    @property
    def n_seeds(self) -> int:
        """The number of seeds, given or not."""
        return self.seeds or (3 if self.waterfall else 1)
