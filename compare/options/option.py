"""How an option is declared: as a field of a dataclass, one dataclass a command.

    weight_decay: float | None = option(None, TRAINING, "Weight decay of every parameter.", ge=0)

is `--weight-decay`, a number from 0 up; left out, it is None. The type of the field determines the values: a number, a
text, a path, or one of the names of a Literal. A tuple takes several of these, separated by commas.
"""

import math
import types
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from shared.errors import InputError, check_name

# The groups of the help, in their order.
DATA, TRAINING, COMPUTATION, COMPARISON = "Data", "Training", "Computation", "Comparison"
OUTPUT, CLUSTER = "Output", "Cluster"
REQUIRED = MISSING
GROUPS = (DATA, TRAINING, COMPUTATION, COMPARISON, OUTPUT, CLUSTER)


MOST_NAMES = 40  # characters of a list of names in the help; a longer list is replaced by a placeholder
KINDS: dict[type, str] = {int: "N", float: "NUMBER", str: "NAME", Path: "PATH"}


@dataclass(frozen=True)
class Conflict:
    """Another option (the field's name) that excludes this one: if it is `value`, or, without a value, if it is given.
    `because` continues from its name: "which ..."."""

    other: str
    because: str
    value: object = None

    def holds(self, options: object) -> bool:
        """Whether the other option has that value."""
        found = getattr(options, self.other)
        return found not in (None, False) if self.value is None else bool(found == self.value)


@dataclass(frozen=True)
class Need:
    """Another option that this one requires: `other` has to be `value`. `because` says what this one is."""

    other: str
    value: object
    because: str


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option, or one argument.

    Attributes:
        help: what it does, in a sentence; shown by --help.
        group: the one of GROUPS that it is listed under.
        note: more about it, in Markdown, for the tables of the documentation.
        flag: its name on the command line if that is not the field's.
        short: a name of one letter, such as "-q".
        left_out: its default in words, if the value itself does not say so.
        metavar: the placeholder for its value in the help.
        ge, gt, le, lt: its bounds; each number has to be finite, too.
        quantity, example: what the number is, and one in words, for a user who gave an impossible one.
        what: what its names are, such as "schedule".
        choices: those names, if the type does not state them.
        parse: converts the given text to a path.
        forms: the forms of its command in which it has a meaning (`Options.form`; "" is the plain one); None: all.
        conflicts, needs: options that exclude it, and options that it requires.
        extra: the extra of pyproject.toml that it needs.
        variable: the environment variable that can replace it.
        former: its previous name, which still works, with a note.
        argument: it has no name on the command line, but a position.
        values: how many values follow it, separated by spaces.
    """

    help: str
    group: str
    note: str = ""
    flag: str = ""
    short: str = ""
    left_out: str = ""
    metavar: str = ""
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    quantity: str = "a number"
    example: str = ""
    what: str = ""
    choices: tuple[str, ...] = ()
    parse: Callable[[str], Path] | None = None
    forms: tuple[str, ...] | None = ("",)
    conflicts: tuple[Conflict, ...] = ()
    needs: Need | None = None
    extra: str = ""
    variable: str = ""
    former: str = ""
    argument: bool = False
    values: int = 1
    # These come from the field that it is declared for.
    name: str = ""
    kind: type = str
    several: bool = False
    word: str = ""  # a word that is allowed instead of a number
    default: Any = None
    required: bool = False

    @property
    def title(self) -> str:
        """Its name in messages."""
        return self.metavar if self.argument else self.flag or f"--{self.name.replace('_', '-')}"

    @property
    def default_in_words(self) -> str:
        """Its default in words; "" if there is none."""
        if self.left_out or self.default is None or self.default is False:
            return self.left_out
        if self.several:
            return ",".join(map(str, self.default))
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    @property
    def value_in_words(self) -> str:
        """The placeholder for its value in the help."""
        if self.metavar or self.kind is bool:
            return self.metavar
        names = "|".join(self.choices)
        value = names if names and len(names) <= MOST_NAMES else KINDS[self.kind]
        value += f"|{self.word}" if self.word else ""
        return f"{value},..." if self.several else value

    @property
    def bounds(self) -> str:
        """The bounds of a number, in words."""
        low = "" if self.ge is None else f"{self.ge:,}"
        if self.ge is not None and self.le is not None:
            return f"from {low} to {self.le:,}"
        if self.ge is not None and self.lt is not None:
            return f"from {low} to below {self.lt:,}"
        if self.ge is not None:
            return f"from {low} up"
        upper = f" and up to {self.le:,}" if self.le is not None else f" and below {self.lt:,}" if self.lt else ""
        return f"above {self.gt:,}{upper}"

    def check(self, value: Any) -> None:
        """Raise InputError unless `value` is possible."""
        for one in value if isinstance(value, tuple) else [value]:
            if isinstance(one, int | float) and not isinstance(one, bool):
                self._check_number(one)
            elif self.kind in (int, float) and not isinstance(one, bool):
                self._parsed_one(one)  # it refuses any other word
            elif self.choices:
                check_name(self.what or self.name.replace("_", " "), str(one), self.choices)
            elif not str(one).strip():  # from a variable that was not set
                raise InputError(f"{self.title} is empty. Give {self.value_in_words or 'a value'}, or leave it out.")
            elif not str(one).isprintable():
                raise InputError(f"{self.title} {str(one)!r} has characters that cannot be shown. Give readable ones.")
        if isinstance(value, tuple):
            if not value:
                raise InputError(f"{self.title} names none. Separate several by commas.")
            if len(set(value)) < len(value) and not self.argument and self.values == 1:
                given = ",".join(map(str, value))
                raise InputError(f"{self.title} {given} names one twice. Name each once.")

    def _check_number(self, value: float) -> None:
        possible = (
            math.isfinite(value)
            and (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )
        if not possible:
            given = value if isinstance(value, int) else f"{value:g}"
            wanted = f"{self.quantity} {self.bounds}{f': {self.example}' if self.example else ''}"
            raise InputError(f"{self.title} {given} is not possible. Give {wanted}.")

    def parsed(self, text: str) -> Any:
        """Return the value of `text`. Raises InputError if it has none."""
        if not self.several or self.values > 1:
            return self._parsed_one(text)
        return tuple(self._parsed_one(item.strip()) for item in text.split(",") if item.strip())

    def _parsed_one(self, text: str) -> Any:
        if self.parse:
            return self.parse(text)
        if self.kind not in (int, float) or (self.word and text == self.word):
            return text
        try:
            return self.kind(text)
        except ValueError:
            whole = "a whole number" if self.kind is int else "a number"
            wanted = f"{whole}, or {self.word}" if self.word else f"{whole}s" if self.several else whole
            raise InputError(
                f"{self.title} {text!r} is not possible. Give {wanted.removeprefix('a ' * self.several)}."
            ) from None


def option(default: Any, group: str, help: str, **declared: Any) -> Any:
    """Return a dataclass field for an option; `default` is REQUIRED if it has to be given. The other declarations are
    the attributes of `Option`."""
    return field(default=default, metadata={"option": Option(group=group, help=help, **declared)})


def argument(default: Any, help: str, **declared: Any) -> Any:
    """Return a dataclass field for an argument, which has no name on the command line, but a position."""
    return option(default, OUTPUT, help, argument=True, **declared)


def declared(of: type) -> dict[str, Option]:
    """Return the options of a command by the names of their fields, in the order of their declaration, except that
    those of every command come last."""
    hints, own = get_type_hints(of), of.__annotations__
    found = {}
    for one in sorted(fields(of), key=lambda one: one.name not in own):
        if "option" in one.metadata:
            option_ = one.metadata["option"]
            default = None if one.default is MISSING else one.default
            found[one.name] = replace(
                option_,
                name=one.name,
                default=default,
                required=one.default is MISSING,
                metavar=option_.metavar or (one.name.upper() if option_.argument else ""),
                **_of_type(hints[one.name], option_.choices),
            )
    return found


def _of_type(hint: Any, choices: tuple[str, ...]) -> dict[str, Any]:
    """Return what a type states: `int | Literal["auto"] | None`, `tuple[int, ...]`, `Path`, `Literal["a", "b"]`."""
    parts = list(get_args(hint)) if get_origin(hint) in (Union, types.UnionType) else [hint]
    parts = [part for part in parts if part is not type(None)]
    several = get_origin(parts[0]) is tuple
    if several:
        parts[0] = get_args(parts[0])[0]
    names = tuple(name for part in parts if get_origin(part) is Literal for name in get_args(part))
    kinds = [part for part in parts if isinstance(part, type)]
    if not kinds:
        return {"kind": str, "choices": names, "several": several}
    return {"kind": kinds[0], "choices": choices, "several": several, "word": names[0] if names else ""}
