"""The options of the commands that say what is here: data, doctor, models."""

from typing import Annotated

import typer

from compare.cli.options import AsJson, DataDir, Quiet, screen_for, starting


def data(
    name: Annotated[
        str | None, typer.Argument(help="Data set to fetch and check: mnist, fashion_mnist or cifar10.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Fetch a data set; without a name, say which are at hand and whole."""
    starting(screen_for(False, False), f"looking at {name or 'all data sets'}")

    from compare.commands.data import data_command
    from shared.data.choice import default_data_dir

    raise typer.Exit(data_command(name, data_dir or default_data_dir()))


def doctor(data_dir: DataDir = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Say what is here: frameworks, devices, data sets, memory, disk; and what to do where something is not well."""
    screen = starting(screen_for(as_json, quiet), "looking at what is here")

    from compare.commands.doctor import doctor_command
    from shared.data.choice import default_data_dir

    raise typer.Exit(doctor_command(data_dir or default_data_dir(), screen))


def models(
    name: Annotated[str | None, typer.Argument(help="Architecture whose layers are shown.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Ask each framework too: its own count of parameters and FLOPs.")
    ] = False,
) -> None:
    """Show the architectures; with a name, its layers, parameters and FLOPs."""
    from compare.commands.models import models_command

    raise typer.Exit(models_command(name, check))
