"""An option's command line, checks, schema and tables agree with its declaration."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import click
import jsonschema
import option_tables
import pytest

from compare.cli.app import app
from compare.options import OPTIONS
from compare.options.base import Options
from compare.options.option import DATA, GROUPS, OUTPUT, TRAINING, Conflict, Need, declared, option
from compare.options.run import RunOptions
from compare.options.tables import markdown, schema
from shared.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Baking(Options):
    """Bake."""

    bread: Literal["rye", "wheat"] = option("rye", DATA, "Which.")
    loaves: int = option(1, TRAINING, "How many.", ge=1, le=12)
    salt: float | None = option(None, OUTPUT, "How much.", gt=0, lt=1, quantity="a share", example="0.02 is usual")
    times: tuple[int, ...] = option((30,), OUTPUT, "When to look.", ge=0)
    heat: int | Literal["auto"] | None = option(None, OUTPUT, "How hot.", ge=50)
    steam: bool = option(False, OUTPUT, "Steam.", conflicts=(Conflict("bread", "which stays dry", "wheat"),))
    stone: str = option("none", OUTPUT, "Which stone.", needs=Need("steam", True, "for steam"))
    cold: bool = option(False, OUTPUT, "No oven.", forms=("cold",))

    @property
    def form(self) -> str:
        return "cold" if self.cold else ""


def refused(**values: Any) -> str:
    with pytest.raises(InputError) as caught:
        Baking(**values).checked()
    return str(caught.value)


def test_what_is_possible_passes() -> None:
    Baking().checked()
    Baking(bread="wheat", loaves=12, salt=0.5, times=(0, 1), heat="auto").checked()
    Baking(steam=True, stone="slate", heat=50).checked()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"bread": "rey"}, "There is no bread 'rey'. Did you mean 'rye'? Known: rye, wheat."),
        ({"loaves": 0}, "--loaves 0 is not possible. Give a number from 1 to 12."),
        ({"loaves": 13}, "--loaves 13 is not possible. Give a number from 1 to 12."),
        ({"salt": 0.0}, "--salt 0 is not possible. Give a share above 0 and below 1: 0.02 is usual."),
        ({"salt": float("nan")}, "--salt nan is not possible."),
        ({"salt": float("inf")}, "--salt inf is not possible."),
        ({"times": ()}, "--times names none."),
        ({"times": (3, 3)}, "--times 3,3 names one twice."),
        ({"times": (3, -1)}, "--times -1 is not possible. Give a number from 0 up."),
        ({"heat": 49}, "--heat 49 is not possible."),
        ({"heat": "hot"}, "--heat 'hot' is not possible. Give a whole number, or auto."),
        (
            {"steam": True, "bread": "wheat"},
            "--steam cannot be combined with --bread wheat, which stays dry. Leave it out, or use --bread rye.",
        ),
        ({"stone": "slate"}, "--stone is for steam. Give --steam with it, or leave it out."),
        ({"stone": " "}, "--stone is empty. Give NAME, or leave it out."),
        ({"stone": "a\x1bb"}, "has characters that cannot be shown"),
        ({"cold": True, "loaves": 2}, "--loaves cannot be combined with --cold."),
        ({"cold": True, "given": frozenset({"loaves"})}, "--loaves cannot be combined with --cold"),  # like the default
    ],
)
def test_what_is_not_is_refused_in_words(values: dict[str, Any], said: str) -> None:
    assert said in refused(**values)


def test_texts_are_parsed_as_the_type_says() -> None:
    known = declared(Baking)
    assert known["times"].parsed("1, 2") == (1, 2)
    assert known["heat"].parsed("auto") == "auto"
    assert known["heat"].parsed("200") == 200
    with pytest.raises(InputError, match=r"--heat 'x' is not possible. Give a whole number, or auto."):
        known["heat"].parsed("x")
    with pytest.raises(InputError, match=r"--times 'x' is not possible. Give whole numbers."):
        known["times"].parsed("1,x")


def test_what_was_given_can_be_given_again() -> None:
    options = Baking(times=(1, 2), steam=True, salt=0.1, given=frozenset({"times", "steam", "salt"}))
    assert options.arguments(without=("salt",)) == ["--times", "1,2", "--steam"]


def test_the_schema_refuses_what_the_check_refuses() -> None:
    of_baking = schema(Baking)
    jsonschema.Draft202012Validator.check_schema(of_baking)
    jsonschema.validate({"bread": "wheat", "loaves": 12, "salt": 0.5, "times": [0, 1], "heat": "auto"}, of_baking)
    for wrong in (
        {"bread": "rey"},
        {"loaves": 0},
        {"salt": 0},
        {"salt": 1},
        {"times": []},
        {"times": [3, 3]},
        {"heat": 49},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, of_baking)


def test_the_table_says_it_all() -> None:
    table = markdown(Baking)
    assert "| `--bread rye\\|wheat` | Which. | `rye` |" in table
    assert "| `--times N,...` | When to look. | `30` |" in table
    assert "| `--steam` | Steam. |  |" in table
    assert table.index("**Data**") < table.index("**Training**") < table.index("**Output**")


def test_every_command_has_options_and_does_something() -> None:
    assert list(app.commands) == list(OPTIONS)
    for name, of in OPTIONS.items():
        forms = {form for one in declared(of).values() for form in one.forms or ("",)}
        for form in forms | ({"ray"} if name == "bench" else set()):
            module = import_module("_".join([f"compare.commands.{name}", *([form] if form else [])]))
            assert callable(module.command)


@pytest.mark.parametrize("name", OPTIONS)
def test_help_and_command_line_are_the_declarations(name: str) -> None:
    known = declared(OPTIONS[name])
    command = app.commands[name]
    with click.Context(command, info_name=name) as context:
        shown = " ".join(command.get_help(context).split())
    for one in known.values():
        assert one.title.removesuffix("...") in shown
        assert one.help in shown
        assert one.default_in_words in shown
        assert one.group in GROUPS
    groups = [group for group in GROUPS if f"{group}:" in shown]
    assert groups == [group for group in GROUPS if any(o.group == group and not o.argument for o in known.values())]


def test_defaults_are_possible() -> None:
    for of in OPTIONS.values():
        for one in declared(of).values():
            if one.default is not None:
                one.check(one.default)


def test_conflicts_and_needs_name_options_of_the_same_command() -> None:
    for of in OPTIONS.values():
        known = declared(of)
        for one in known.values():
            for other in (*one.conflicts, *([one.needs] if one.needs else [])):
                assert other.other in known
                if other.value is not None:
                    known[other.other].check(other.value)


def test_what_a_preset_says_goes_behind_what_is_given() -> None:
    filled = RunOptions(preset="stretch", epochs=2).with_preset()
    assert (filled.epochs, filled.model, filled.augment) == (2, "cnn_bn_valid", "elastic")
    filled.checked()


def test_the_documentation_has_the_declared_tables() -> None:
    """If this fails, run: python tests/support/option_tables.py"""
    assert "--weight-decay" in option_tables.PAGE.read_text()
    assert option_tables.PAGE.read_text() == option_tables.page()


def test_paths_are_made_of_texts() -> None:
    of = declared(OPTIONS["report"])
    assert of["folders"].kind is Path
    assert of["folders"].several
