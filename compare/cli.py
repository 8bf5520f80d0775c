"""The command line: one function a command. Only what is needed to show the help is imported up here."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import InputError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="One small CNN in PyTorch, Keras and raw TensorFlow: train it in each, time it, tabulate it.",
    epilog="Options without a command belong to 'run': 'python -m compare --epochs 3' is 'python -m compare run "
    "--epochs 3'. Exit codes: 0 done; 1 a run failed; 2 bad input or usage; 130 interrupted.",
)


@contextmanager
def report_input_errors() -> Iterator[None]:
    """Turn what is the user's to mend, and an interrupt, into a line on standard error and an exit code."""
    try:
        yield
    except InputError as error:
        print(f"compare: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:  # a command that has something to keep has dealt with it itself
        print("compare: interrupted.", file=sys.stderr)
        raise SystemExit(130) from None


def _version(show: bool) -> None:
    if show:
        from compare.manifest import code_version

        print(code_version())
        raise typer.Exit


@app.callback()
def compare(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What stands in front of every command."""


DataDir = Annotated[
    Path | None,
    typer.Option(envvar="COMPARE_DATA_DIR", help="Folder of data sets in torchvision's layout.", show_default="cache"),
]


@app.command()
def run(
    model: Annotated[str, typer.Option(help="Architecture: cnn_same or dense_baseline.")] = "cnn_same",
    dataset: Annotated[
        str,
        typer.Option(help="auto (MNIST where it can be had, else digits), digits, mnist, fashion_mnist or FILE.npz."),
    ] = "auto",
    data_dir: DataDir = None,
    implementations: Annotated[
        str, typer.Option(help="Which implementations, separated by commas.")
    ] = "torch,keras,tf_lowlevel",
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data.", show_default="digits 20, others 3")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Images in a batch.")] = 64,
    optimizer: Annotated[str, typer.Option(help="adam, or sgd with momentum 0.9.")] = "adam",
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default="adam 0.002, sgd 0.01")
    ] = None,
    schedule: Annotated[
        str, typer.Option(help="Learning rate: linear (falls in a line to 0 by the end) or constant.")
    ] = "linear",
    seed: Annotated[int, typer.Option(help="First seed: of the initial weights and of the order of the batches.")] = 0,
    seeds: Annotated[int, typer.Option(help="How many seeds, counted up from the first.")] = 1,
    limit: Annotated[int | None, typer.Option(help="Train on the first N images only.", show_default="all")] = None,
    scale: Annotated[
        str, typer.Option(help="Pixels: unit (divided by 255) or standard (mean 0, deviation 1).")
    ] = "unit",
    mode: Annotated[
        str, typer.Option(help="default (torch eager, TensorFlow graph), eager or graph, for all alike.")
    ] = "default",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads of each framework.", show_default="cores")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Output folder.", show_default="runs/<UTC time>-<model>-<dataset>")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Give a worker up after so many seconds without an answer.")] = 300.0,
) -> None:
    """Train each implementation, evaluate it, and write a table and a report."""
    from compare.plan import Options
    from compare.run import run_command
    from shared.data.choice import default_data_dir

    code = run_command(
        Options(
            model=model,
            dataset=dataset,
            data_dir=data_dir or default_data_dir(),
            implementations=implementations,
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            seed=seed,
            seeds=seeds,
            limit=limit,
            scale=scale,
            mode=mode,
            device=device,
            threads=threads,
            out=out,
            timeout_s=timeout,
            command=shlex.join(["python", "-m", "compare", *sys.argv[1:]]),
        )
    )
    raise typer.Exit(code)


@app.command()
def data(
    name: Annotated[str | None, typer.Argument(help="Data set to fetch and check: mnist or fashion_mnist.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Fetch a data set; without a name, say which are at hand and whole."""
    from compare.data_command import data_command
    from shared.data.choice import default_data_dir

    raise typer.Exit(data_command(name, data_dir or default_data_dir()))
