"""The options of `compare parity`."""

from pathlib import Path
from typing import Annotated

import typer

from compare.cli.options import (
    AsJson,
    DataDir,
    Quiet,
    given_command,
    given_options,
    refuse_others,
    screen_for,
    starting,
    usable,
)
from shared.storage import mounts

WATERFALL_OPTIONS = (
    "model", "dataset", "data_dir", "implementations", "steps", "seed", "seeds", "batch_size", "device", "mode", "out",
    "timeout", "as_json", "quiet",
)  # fmt: skip


def parity(
    context: typer.Context,
    model: Annotated[str, typer.Option(help="Architectures, separated by commas, or all.")] = "cnn_same",
    dataset: Annotated[
        str,
        typer.Option(help="embedded (digits or photographs), mnist, fashion_mnist, cifar10 or FILE.npz."),
    ] = "embedded",
    data_dir: DataDir = None,
    implementations: Annotated[
        str | None,
        typer.Option(help="Which implementations, two or more.", show_default="all that have the network"),
    ] = None,
    precision: Annotated[str, typer.Option(help="both, float64 or float32.")] = "both",
    steps: Annotated[int, typer.Option(help="How many training steps are compared.")] = 100,
    draws: Annotated[int, typer.Option(help="Runs of each implementation from weights moved by 1 ulp.")] = 3,
    seed: Annotated[int, typer.Option(help="First seed: of the initial weights and of the order of the batches.")] = 0,
    seeds: Annotated[int, typer.Option(help="How many seeds, counted up.", show_default="1; for --waterfall 3")] = 1,
    batch_size: Annotated[int, typer.Option(help="Images in a batch.")] = 64,
    optimizer: Annotated[str, typer.Option(help="adam, adamw, or sgd with momentum 0.9.")] = "adam",
    rung: Annotated[
        str | None,
        typer.Option(help="Highest rung of the ladder: parameters, activations, ...", show_default="evaluation"),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    mode: Annotated[
        str, typer.Option(help="default (torch eager, TensorFlow graph), eager, graph or xla, for all alike.")
    ] = "default",
    world_size: Annotated[
        int, typer.Option(metavar="N", help="Compare each, too, as N processes on shares of every batch.")
    ] = 1,
    ledger: Annotated[bool, typer.Option("--ledger", help="The ledger of differences instead, row by row.")] = False,
    waterfall: Annotated[
        bool, typer.Option("--waterfall", help="From each framework's own recipe to the matched one, factor by factor.")
    ] = False,
    row: Annotated[str | None, typer.Option(help="Some rows of the ledger alone.", show_default="all")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=mounts.located_new,
            callback=usable,
            help="Output folder; of the ledger a .md file.",
            show_default="runs/<UTC time>-parity",
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Give a worker up after so many seconds without an answer.")] = 300.0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Prove that the implementations of an architecture are the same function, or name the one that is not."""
    screen = screen_for(as_json, quiet)
    if ledger or row is not None:
        refuse_others(context, "--ledger", {"ledger", "row", "out", "timeout", "as_json", "quiet"})
        if out is not None:
            mounts.here(mounts.shown(out))
        starting(screen, f"the ledger of differences, {row or 'all rows'}")

        from compare.commands.ledger import ledger_command

        raise typer.Exit(ledger_command(row, out, timeout, screen))
    if waterfall:
        refuse_others(context, "--waterfall", {"waterfall", *WATERFALL_OPTIONS})
    starting(
        screen, f"{'the waterfall' if waterfall else 'parity'} of {model} in {implementations or 'all that have it'}"
    )

    from compare.commands.parity import parity_command
    from compare.parity.plan import Options
    from shared.data.choice import default_data_dir

    options = Options(
        model=model,
        dataset=dataset,
        data_dir=data_dir or default_data_dir(),
        implementations=implementations,
        precision=precision,
        steps=steps,
        draws=draws,
        seed=seed,
        seeds=3 if waterfall and "seeds" not in given_options(context) else seeds,
        batch_size=batch_size,
        optimizer=optimizer,
        rung=rung,
        device=device,
        mode=mode,
        world_size=world_size,
        out=out,
        timeout_s=timeout,
        command=given_command(),
        screen=screen,
    )
    if waterfall:
        from compare.commands.parity_waterfall import waterfall_command

        raise typer.Exit(waterfall_command(options))
    raise typer.Exit(parity_command(options))
