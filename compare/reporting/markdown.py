"""Shared parts of Markdown reports: templates, text from outside, and a report as a section of another one."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from compare.analysis.headline import MARKS, Headline

if TYPE_CHECKING:
    import jinja2

WITHIN = "parity"  # the folder for the files of a comparison within a run


@dataclass(frozen=True)
class WithParity:
    """A comparison within a run: its result, the files of its own report (compare/parity/report.py), and the drawings
    of its page, by the pictures that they replace."""

    headline: Headline
    verdict: str
    files: Mapping[str, bytes]
    drawings: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    @property
    def section(self) -> str:
        """Its report, as a section of the run's."""
        text = without_command(self.files["report.md"].decode())
        return as_section(text, lambda path: f"{WITHIN}/{path}")


def as_section(text: str, path_of: Callable[[str], str]) -> str:
    """Return a Markdown report one level deeper, with each picture at the path that `path_of` returns for it."""
    deeper = re.sub(r"^(#+) ", r"#\1 ", text, flags=re.MULTILINE)
    return re.sub(r"(!\[[^\]]*\]\()([^)]+)\)", lambda found: f"{found[1]}{path_of(found[2])})", deeper)


def without_command(text: str) -> str:
    """Return a report without its last section, because the report around it names the command."""
    return text.partition("\n## The command")[0]


@cache
def markdown_environment() -> "jinja2.Environment":
    """Return the environment that finds and fills in the templates of Markdown reports."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("compare.reporting"),
        autoescape=False,  # Markdown, not HTML; text from outside goes through `plain`
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": plain, "fenced": fenced}
    environment.globals["marks"] = MARKS  # for headlines.md.j2
    return environment


def plain(text: str) -> str:
    """Return text from outside (a file's name, an error) on one line, without active Markdown or HTML."""
    return re.sub(r"([\\`*|\[\]])", r"\\\1", html.escape(_one_line(text), quote=False))


def fenced(text: str) -> str:
    """Return text from outside as one line for a block of code, which it cannot end."""
    return _one_line(text).replace("```", "` ` `")


def _one_line(text: str) -> str:
    """Return text on one line, without characters that steer a terminal or turn the direction of writing."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
