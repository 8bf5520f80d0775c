"""The common part of all commands' options, and the checks that their declarations request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from compare.extras import require
from compare.options.option import OUTPUT, Conflict, Option, declared, option
from shared.errors import InputError
from shared.storage import mounts


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a command. `command` is the whole command as it was given, and `given` names the options in it.
    `summary` says what the command does; it is not a docstring, because `python -OO` removes those."""

    summary: ClassVar[str] = ""
    forms_in_words: ClassVar[Mapping[str, str]] = {}  # of those that no option of that name requests

    command: str = ""
    given: frozenset[str] = frozenset()
    as_json: bool = option(
        False, OUTPUT, "Print the results as JSON, and nothing else, on standard output.", flag="--json", forms=None
    )
    quiet: bool = option(False, OUTPUT, "Print only errors, and what --json asks for.", short="-q", forms=None)

    @classmethod
    def of_texts(cls, **values: Any) -> Self:
        """Return options, some of which may be texts, as on a command line."""
        known = declared(cls)
        parsed = {name: known[name].parsed(one) if isinstance(one, str) else one for name, one in values.items()}
        return cls(**parsed)

    @property
    def form(self) -> str:
        """The form of the command, named by the option that requests it; "" is the plain one."""
        return ""

    @property
    def module(self) -> str:
        """The module of compare/commands for it, by the end of its name: `parity_waterfall`."""
        return self.form

    @property
    def opening(self) -> str:
        """What is about to be done, in words."""
        return ""

    def checked(self) -> Self:
        """Return the options if all values are possible and fit together. Raises InputError if not."""
        known = declared(type(self))
        given = {name: one for name, one in known.items() if name in self.given or self._value(one) != one.default}
        if self.form and (
            alien := [one.title for one in given.values() if one.forms is not None and self.form not in one.forms]
        ):
            asked = self.forms_in_words.get(self.form) or known[self.form].title
            raise InputError(f"{' and '.join(alien)} cannot be combined with {asked}.")
        for one in known.values():
            if self._value(one) is not None:
                one.check(self._value(one))
        self._check_together(known, {name: one for name, one in given.items() if self._value(one) != one.default})
        return self

    def _check_together(self, known: Mapping[str, Option], given: Mapping[str, Option]) -> None:
        refused: dict[Conflict, list[str]] = {}
        for one in given.values():
            for conflict in one.conflicts:
                if conflict.holds(self):
                    refused.setdefault(conflict, []).append(one.title)
            if one.needs and getattr(self, one.needs.other) != one.needs.value:
                value = "" if one.needs.value is True else f" {one.needs.value}"
                needed = f"{known[one.needs.other].title}{value}"
                raise InputError(f"{one.title} is {one.needs.because}. Give {needed} with it, or leave it out.")
            if one.extra:
                require(one.extra, one.title)
        for conflict, titles in refused.items():
            other = known[conflict.other]
            by, advice = other.title, "Leave one of them out"
            if conflict.value is not None:
                by = f"{other.title} {conflict.value}"
                advice = f"Leave it out, or use {other.title} {other.default}"
            raise InputError(f"{' and '.join(titles)} cannot be combined with {by}, {conflict.because}. {advice}.")

    def _value(self, one: Option) -> Any:
        return getattr(self, one.name)

    def arguments(self, without: tuple[str, ...] = ()) -> list[str]:
        """Return the options that were given, as on a command line, without some."""
        said: list[str] = []
        for name, one in declared(type(self)).items():
            if name in self.given and name not in without:
                value = self._value(one)
                if one.values > 1:
                    said += [one.title, *map(str, value)]
                    continue
                shown = ",".join(map(str, value)) if isinstance(value, tuple) else mounts.with_addresses(value)
                said += [one.title] if value is True else [one.title, shown]
        return said
