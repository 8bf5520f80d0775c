"""The options of the commands that read a run folder: report, verify, diff, export, visualize."""

from pathlib import Path
from typing import Annotated

import typer

from compare.cli.options import (
    AsJson,
    DataDir,
    Quiet,
    RunFolder,
    given_command,
    located,
    screen_for,
    starting,
    usable,
)
from shared.storage import mounts


def report(
    folders: Annotated[
        list[Path],
        typer.Argument(
            parser=located,
            callback=usable,
            metavar="RUN_DIR...",
            help="Folders of runs, comparisons and benches.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.located_new,
            callback=usable,
            help="Output folder.",
            show_default="RUN_DIR; of several runs/<UTC time>-report",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make the reports of a folder again from its records, or one report of several folders."""
    screen = starting(screen_for(as_json, quiet), f"reading {len(folders)} folder{'s' * (len(folders) > 1)}")

    from compare.commands.report import report_command

    raise typer.Exit(report_command(folders, out, given_command(), screen))


def verify(
    folder: RunFolder,
    rerun: Annotated[bool, typer.Option("--rerun", help="Evaluate the trained weights again, too.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say whether every file of a folder is as it was written, and its reports what its records say."""
    screen = starting(screen_for(as_json, quiet), f"checking every file of {mounts.shown(folder)}")

    from compare.commands.verify import verify_command
    from shared.data.choice import default_data_dir

    raise typer.Exit(verify_command(folder, rerun, data_dir or default_data_dir(), screen))


def diff(
    before: Annotated[
        Path, typer.Argument(parser=located, callback=usable, metavar="RUN_A", help="Folder of the run before.")
    ],
    after: Annotated[
        Path, typer.Argument(parser=located, callback=usable, metavar="RUN_B", help="Folder of the run after.")
    ],
    margin: Annotated[float, typer.Option(help="Accuracies this near are one: 0.003 is 0.3 points.")] = 0.003,
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Compare runs of different machines, with a warning.")
    ] = False,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit with 1 where accuracy or speed got worse.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what changed from one run to another, and whether accuracy or speed moved by more than noise."""
    screen = starting(screen_for(as_json, quiet), "reading both runs")

    from compare.commands.diff import diff_command

    raise typer.Exit(diff_command(before, after, margin, across_machines, fail_on_regression, screen))


def export(
    run_dir: RunFolder,
    format_: Annotated[
        str, typer.Option("--format", help="torch (torch.export), onnx, keras or tf_savedmodel.", show_default=False)
    ],
    implementation: Annotated[
        str | None, typer.Option(help="Whose network.", show_default="the format's own framework's, or the first")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Which seed's network.", show_default="the first")] = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.here,
            callback=usable,
            help="File, or folder of a SavedModel.",
            show_default="in RUN_DIR/exports",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a trained network as a file that its framework loads without this project."""
    screen = starting(screen_for(as_json, quiet), f"exporting a network of {mounts.shown(run_dir)} as {format_}")

    from compare.commands.export import Options, export_command
    from shared.data.choice import default_data_dir

    options = Options(run_dir, format_, implementation, seed, data_dir or default_data_dir(), out, screen)
    raise typer.Exit(export_command(options))


def visualize(
    run_dir: Annotated[
        Path, typer.Argument(parser=located, callback=usable, help="Folder of a run, with its weights.")
    ],
    images: Annotated[str, typer.Option(help="Test images whose feature maps are shown.")] = "0,1,2",
    channel: Annotated[int, typer.Option("--filter", help="Which filter's feature maps are shown.")] = 0,
    cmap: Annotated[str, typer.Option(help="Colour map, one of matplotlib's.")] = "inferno",
    seed: Annotated[int | None, typer.Option(help="Which seed's networks.", show_default="the first")] = None,
    predict: Annotated[
        Path | None,
        typer.Option(parser=mounts.here, callback=usable, help="A picture (PNG, JPEG) to be classified by all."),
    ] = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.here, callback=usable, help="Folder for the pictures.", show_default="RUN_DIR/pictures"
        ),
    ] = None,
) -> None:
    """Draw filters, feature maps, learning curves, confusion matrices and the worst mistakes, side by side."""
    starting(screen_for(False, False), f"pictures of the networks of {mounts.shown(run_dir)}")

    from compare.commands.visualize import Options, visualize_command
    from shared.data.choice import default_data_dir

    options = Options(run_dir, data_dir or default_data_dir(), images, channel, cmap, seed, predict, out)
    raise typer.Exit(visualize_command(options))
