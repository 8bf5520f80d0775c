"""The rules for plain English, over documentation, docstrings, messages and help texts.

`python tests/support/prose.py` prints every place that breaks one, with what to write instead; `.ci/run` and a test run
it. Code within Markdown, comments and names are not looked at, nor is the record of decisions.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("compare", "shared", "torch_impl", "tf_impl", "tf_lowlevel_impl", "examples")
# Decisions are kept as they were written; what is generated has its words from the modules that are read here.
LEFT_OUT = {"decisions.md", "ledger.md", "faults.md", "slips.md"}


@dataclass(frozen=True)
class Rule:
    """What is not to be written, as a pattern, and what to write instead."""

    pattern: str
    instead: str

    def found(self, text: str) -> Iterator[str]:
        """Each place in `text`."""
        return (match[0] for match in re.finditer(self.pattern, text, re.IGNORECASE))


RULES = (
    Rule(r"\b(no|every)body\b", "name who: a user, a process, no one"),
    Rule(r"\banew\b", "again, or from scratch"),
    Rule(r"\b(hold|holds|held|holding)\s+(\w+\s+)?against\b", "compare with"),
    Rule(r"\b(is|are|was|were|be|unless|not)\s+told\b", "is reported, is given"),
    Rule(r"\btold\s+apart\b", "distinguished"),
    Rule(r"\btaken?\s+for\b", "predicted, or read as"),
    Rule(r"\b(come|comes|came)\s+to\s+be\b", "becomes"),
    Rule(r"\bone's\s+own\b", "your own"),
    Rule(r"\b(Raises\s+\w+|InputError|None|empty)\s+where\b", "if: where is for places"),
    Rule(r"\bwhere\s+(there\s+(is|are)|not)\b", "if: where is for places"),
    Rule(r"\b(whatever|nothing|something|anything)\s+parts?\b|\bwould\s+part\b", "differs"),
    Rule(r"\bto\s+be\s+thanked\b", "contributes"),
    Rule(r"\bkeeps?\s+the\s+luck\b", "varies between launches"),
    Rule(r"\bwhosoever\b", "whoever"),
    Rule(r"\bwithout\s+a\s+word\b", "without a message"),
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The prose of a file: the line that it starts on, and the text."""
    return _of_python(path.read_text()) if path.suffix == ".py" else _of_markdown(path.read_text())


def _of_markdown(text: str) -> Iterator[tuple[int, str]]:
    within = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            within = not within
        elif not within:
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "`", line)


def _of_python(text: str) -> Iterator[tuple[int, str]]:
    """Docstrings, and every other text of several words."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, re.sub(r"`[^`\n]*`", "`", node.value)


def files(root: Path = ROOT) -> list[Path]:
    """Every file with prose in it."""
    pages = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]
    modules = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    templates = sorted((root / "compare").rglob("*.md.j2"))
    return [path for path in (*pages, *modules, *templates) if path.name not in LEFT_OUT]


def broken(paths: list[Path]) -> list[str]:
    """Each place that breaks a rule, as `file:line: text: instead`."""
    return [
        f"{path.relative_to(ROOT)}:{line + text[: text.lower().find(said.lower())].count(chr(10))}: "
        f"{' '.join(said.split())!r}: write {rule.instead}"
        for path in paths
        for line, text in texts(path)
        for rule in RULES
        for said in rule.found(text)
    ]


if __name__ == "__main__":
    found = broken(files())
    print("\n".join(found))
    sys.exit(1 if found else 0)
