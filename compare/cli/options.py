"""What several commands share: options of the same meaning, and what is said before anything slow is imported."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compare.processes.signals import GIVEN_COMMAND
from compare.reporting.opening import opening
from shared.errors import InputError
from shared.storage import mounts
from shared.storage.stores import is_address

if TYPE_CHECKING:
    from compare.reporting.screen import Screen

MOST_SAID = 200  # of a path, which may be of any length


def usable(given: Path | list[Path] | None) -> Path | list[Path] | None:
    """A path that can be looked at, there or not."""
    for path in given if isinstance(given, list) else [given] if given else []:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue  # the command that needs it reports that
        except OSError as error:
            raise InputError(f"{str(path)[:MOST_SAID]} cannot be used: {error.strerror}. Give another path.") from None
    return given


def located(text: str) -> Path:
    """A folder, or a copy of one on a store: fetching that may take a while, before the command itself begins."""
    if is_address(text) and not {"-q", "--quiet"} & set(sys.argv):
        opening.announce(f"compare: fetching what {text} holds ...")
    return mounts.located(text)


DataDir = Annotated[
    Path | None,
    typer.Option(
        parser=mounts.located_data,
        callback=usable,
        envvar="COMPARE_DATA_DIR",
        help="Folder of data sets in torchvision's layout.",
        show_default="cache",
    ),
]


AsJson = Annotated[
    bool, typer.Option("--json", help="Say what was found as JSON, and nothing else, on standard output.")
]


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors, and what --json asks for.")]


RunFolder = Annotated[
    Path, typer.Argument(parser=located, callback=usable, help="Folder that 'python -m compare' wrote.")
]


def screen_for(as_json: bool, quiet: bool) -> "Screen":
    from compare.reporting.screen import Screen

    return Screen(as_json, quiet)


def starting(screen: "Screen", doing: str) -> "Screen":
    """Say what is about to be done, before anything is imported that takes long."""
    screen.open(doing)
    return screen


def given_command() -> str:
    """The command as it was given, which manifests keep."""
    return os.environ.pop(GIVEN_COMMAND, "") or shlex.join(["python", "-m", "compare", *sys.argv[1:]])


def given_options(context: typer.Context) -> list[str]:
    """The options that stand on the command line."""
    return [name for name in context.params if context.get_parameter_source(name).name == "COMMANDLINE"]  # type: ignore[union-attr]


def same_options(context: typer.Context, without: Sequence[str]) -> list[str]:
    """The options as they were given, without some."""
    given = set(given_options(context)) - set(without)
    arguments = []
    for option in context.command.params:
        if option.name in given:
            value = context.params[option.name]
            arguments += [option.opts[0]] if value is True else [option.opts[0], mounts.shown(value)]
    return arguments


def refuse_others(context: typer.Context, flag: str, known: set[str]) -> None:
    from shared.errors import InputError

    if others := [f"--{name.replace('_', '-')}" for name in given_options(context) if name not in known]:
        raise InputError(f"{' and '.join(others)} cannot be given with {flag}: it does not ask for that.")
