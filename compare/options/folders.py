"""The options of the commands that read what others wrote: report, runs, verify, diff, export, visualize."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from compare.options import common
from compare.options.base import Options
from compare.options.option import COMPARISON, DATA, OUTPUT, REQUIRED, argument, option
from shared.choices import Format
from shared.plurals import number_of
from shared.storage import mounts


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """The options of `compare report`."""

    summary: ClassVar[str] = "Rebuild the reports of a folder from its records, or write one report of several folders."

    folders: tuple[Path, ...] = common.run_dir(metavar="RUN_DIR...", help="Folders of runs, comparisons and benches.")
    out: Path | None = common.out("RUN_DIR; of several runs/<UTC time>-report")

    @property
    def opening(self) -> str:
        return f"reading {number_of(len(self.folders), 'folder')}"


@dataclass(frozen=True, kw_only=True)
class RunsOptions(Options):
    """The options of `compare runs`."""

    summary: ClassVar[str] = (
        "List every run, comparison and bench below a folder, and write index.html there: a table that sorts and "
        "filters, joint curves, trends over commits, links to each report."
    )

    # fmt: off
    folder: Path | None = argument(
        None, "Folder with the folders of runs in it (runs if left out). Links in it are not followed.",
        parse=mounts.here, metavar="DIR",
    )
    # fmt: on

    @property
    def root(self) -> Path:
        """The given folder, or runs/."""
        return self.folder or Path("runs")

    @property
    def opening(self) -> str:
        return f"reading the folders below {self.root}"


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(common.ReadsData, Options):
    """The options of `compare verify`."""

    summary: ClassVar[str] = (
        "Check that every file of a folder is as it was written, and that its reports match its records."
    )

    run_dir: Path = common.run_dir()
    rerun: bool = option(False, COMPARISON, "Also evaluate the trained weights again.")
    sign: Path | None = option(
        None,
        OUTPUT,
        "Sign the manifest with this private Ed25519 key (PEM); needs the extra sign.",
        parse=mounts.here,
        metavar="FILE",
        extra="sign",
    )
    verify_key: Path | None = option(
        None,
        COMPARISON,
        "Check the signature with this public Ed25519 key (PEM); needs the extra sign.",
        parse=mounts.here,
        metavar="FILE",
        extra="sign",
    )
    model: str | None = common.own_model()
    data_dir: Path | None = common.data_dir()

    @property
    def opening(self) -> str:
        return f"checking every file of {mounts.with_addresses(self.run_dir)}"


@dataclass(frozen=True, kw_only=True)
class DiffOptions(Options):
    """The options of `compare diff`."""

    summary: ClassVar[str] = (
        "Show what changed from one run to another, and whether accuracy or speed changed by more than noise."
    )

    before: Path = common.run_dir(metavar="RUN_A", help="Folder of the run before.")
    after: Path = common.run_dir(metavar="RUN_B", help="Folder of the run after.")
    margin: float = option(
        0.003,
        COMPARISON,
        "Accuracies this close are equal: 0.003 is 0.3 points.",
        gt=0,
        lt=1,
        quantity="a difference in accuracy",
        example="0.003 stands for 0.3 points",
    )
    more_before: tuple[Path, ...] | None = option(
        None,
        COMPARISON,
        "More runs like RUN_A: they show how launches vary.",
        parse=mounts.located,
        metavar="DIR,...",
        left_out="none",
    )
    more_after: tuple[Path, ...] | None = option(
        None,
        COMPARISON,
        "More runs like RUN_B.",
        parse=mounts.located,
        metavar="DIR,...",
        left_out="none",
    )
    across_machines: bool = option(False, COMPARISON, "Compare runs of different machines, with a warning.")
    fail_on_regression: bool = option(
        False, COMPARISON, "Exit with 1 if accuracy or speed got worse.", note="What is not known is not worse."
    )

    @property
    def opening(self) -> str:
        return "reading both runs"


@dataclass(frozen=True, kw_only=True)
class ExportOptions(common.ReadsData, Options):
    """The options of `compare export`."""

    summary: ClassVar[str] = "Write a trained network as a file that its framework loads without this project."

    run_dir: Path = common.run_dir()
    format: Format = option(REQUIRED, OUTPUT, "torch (torch.export), onnx, keras or tf_savedmodel.")
    implementation: str | None = option(
        None, DATA, "Whose network.", left_out="the format's own framework's, or the first"
    )
    seed: int | None = option(None, DATA, "Which seed's network.", left_out="the first")
    model: str | None = common.own_model()
    data_dir: Path | None = common.data_dir()
    out: Path | None = common.out(
        "in RUN_DIR/exports", help="File, or folder of a SavedModel.", parse=mounts.here, metavar="PATH"
    )

    @property
    def opening(self) -> str:
        return f"exporting a network of {mounts.with_addresses(self.run_dir)} as {self.format}"


@dataclass(frozen=True, kw_only=True)
class VisualizeOptions(common.ReadsData, Options):
    """The options of `compare visualize`."""

    summary: ClassVar[str] = (
        "Draw filters, feature maps, learning curves, confusion matrices and the worst mistakes, side by side."
    )

    run_dir: Path = common.run_dir(help="Folder of a run, with its weights.")
    images: tuple[int, ...] = option(
        (0, 1, 2), DATA, "Test images whose feature maps are shown.", quantity="whole numbers", ge=0
    )
    filter: int = option(0, DATA, "Which filter's feature maps are shown.", ge=0)
    seed: int | None = option(None, DATA, "Which seed's networks.", left_out="the first")
    predict: Path | None = option(
        None, DATA, "A picture (PNG, JPEG) for all networks to classify.", parse=mounts.here, metavar="FILE"
    )
    model: str | None = common.own_model()
    data_dir: Path | None = common.data_dir()
    cmap: str = option("inferno", OUTPUT, "Colour map, one of matplotlib's.")
    out: Path | None = common.out("RUN_DIR/pictures", help="Folder for the pictures.", parse=mounts.here)

    @property
    def opening(self) -> str:
        return f"pictures of the networks of {mounts.with_addresses(self.run_dir)}"
