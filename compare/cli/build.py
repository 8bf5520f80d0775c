"""Build a command line from the declarations of a command's options (compare/options)."""

import importlib
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from compare.options.base import Options
from compare.options.option import GROUPS, Option, declared
from compare.processes.signals import GIVEN_COMMAND
from compare.reporting.opening import opening
from shared.errors import InputError
from shared.storage import mounts
from shared.storage.stores import is_address

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
HELP = "Help"  # the group of --help
MOST_SAID = 200  # characters of a path, which may have any length
PLAIN_TYPES = {int: click.INT, float: click.FLOAT, str: click.STRING}


class InGroups(click.Command):
    """A command whose help lists the options in their groups."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        lines: dict[str, list[tuple[str, str]]] = {group: [] for group in ("Arguments", *GROUPS, HELP)}
        for parameter in self.get_params(context):
            if isinstance(parameter, Placed):
                lines["Arguments"].append((parameter.declared.title, parameter.declared.help))
            elif record := parameter.get_help_record(context):
                lines[parameter.declared.group if isinstance(parameter, Named) else HELP].append(record)
        for group, records in lines.items():
            if records:
                with formatter.section(group):
                    formatter.write_dl(records)


class Named(click.Option):
    """An option of the command line, with its declaration."""

    declared: Option


class Placed(click.Argument):
    """An argument of the command line, with its declaration."""

    declared: Option


class Parsed(click.ParamType):  # type: ignore[type-arg]
    """A value that is parsed by its declaration."""

    def __init__(self, one: Option) -> None:
        self.one = one
        self.name = "text"

    def convert(self, value: Any, *_: object) -> Any:
        if not isinstance(value, str):
            return value
        if self.one.kind is not Path:
            return self.one.parsed(value)
        if self.one.several and not self.one.argument:  # an argument is passed one by one
            return tuple(_usable(self.one, text.strip()) for text in value.split(",") if text.strip())
        return _usable(self.one, value)


def command(name: str, of: type[Options]) -> click.Command:
    """Return the command `name`, which takes the options of `of`. It calls `command(options, screen)` of its module in
    compare/commands, which returns the exit code. That module is imported by the call, because it takes long."""
    known = declared(of)

    @click.pass_context
    def called(context: click.Context, /, **values: Any) -> None:
        from compare.reporting.screen import Screen

        given = {key for key in values if context.get_parameter_source(key) is click.core.ParameterSource.COMMANDLINE}
        former = _take_former(known, values, given)
        options = of(command=given_command(), given=frozenset(given), **values)
        screen = Screen(options.as_json, options.quiet)
        if options.opening:
            screen.open(options.opening)
        options.checked()
        module = "_".join([f"compare.commands.{name}", *([options.module] if options.module else [])])
        code = importlib.import_module(module).command(options, screen)
        for one in former:
            screen.note(f"--{one.former} is now called {one.title} in '{name}', with the same meaning.")
        context.exit(code)

    parameters = [parameter for one in known.values() for parameter in _parameters(one)]
    return InGroups(
        name, params=parameters, callback=called, help=of.summary, short_help=of.summary, context_settings=SETTINGS
    )


def given_command() -> str:
    """Return the command as it was given; manifests keep it."""
    return os.environ.pop(GIVEN_COMMAND, "") or shlex.join(["python", "-m", "compare", *sys.argv[1:]])


def _parameters(one: Option) -> list[click.Parameter]:
    type_ = None if one.kind is bool else _type(one)
    if one.argument:
        made: click.Parameter = Placed(
            [one.name],
            type=type_,
            nargs=-1 if one.several else 1,
            required=one.required,
            metavar=one.metavar if one.required else f"[{one.metavar}]",
        )
        made.declared = one  # type: ignore[attr-defined]
        return [made]
    shared_settings: dict[str, Any] = {"type": type_, "is_flag": one.kind is bool}
    default = {} if one.required else {"default": one.default}  # None would count as a default as well
    made = Named(
        [one.title, *([one.short] if one.short else []), one.name],
        help=one.help + (f"  [default: {shown}]" if (shown := one.default_in_words) else ""),
        required=one.required,
        metavar=None if one.kind is bool else one.value_in_words,
        envvar=one.variable or None,
        show_default=False,
        nargs=one.values,
        **shared_settings,
        **default,
    )
    made.declared = one
    if not one.former:
        return [made]
    return [made, click.Option([f"--{one.former}", one.former], hidden=True, default=None, **shared_settings)]


def _type(one: Option) -> Any:
    plain = not one.several and not one.word and one.kind in PLAIN_TYPES
    return PLAIN_TYPES[one.kind] if plain else Parsed(one)


def _take_former(known: dict[str, Option], values: dict[str, Any], given: set[str]) -> list[Option]:
    """Move values given under a former name to the new one, and return those options. Raises InputError if both names
    were given."""
    found = []
    for name, one in known.items():
        if one.former and (value := values.pop(one.former)) is not None:
            if name in given:
                raise InputError(f"--{one.former} is the former name of {one.title}. Give one of them.")
            given.discard(one.former)
            given.add(name)
            values[name] = value
            found.append(one)
    return found


def _usable(one: Option, text: str) -> Path:
    """Return a local path, whether it exists or not. A folder on a store is copied here before the command begins,
    which may take a while."""
    if not text:  # from a variable that was not set; it would be the current folder
        raise InputError(f"{one.title} is empty. Give a path, or leave it out.")
    parse: Callable[[str], Path] = one.parse or Path
    if parse is mounts.located and is_address(text) and not {"-q", "--quiet"} & set(sys.argv):
        opening.announce(f"compare: fetching what {text} holds ...")
    path = parse(text)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # the command that needs it reports that
    except OSError as error:
        raise InputError(f"{str(path)[:MOST_SAID]} cannot be used: {error.strerror}. Give another path.") from None
    return path
