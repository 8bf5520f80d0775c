"""The rules for plain English, over documentation, templates, docstrings, messages, help texts, comments and names.

`python tests/support/prose.py` prints every place that breaks one, with what to write instead; `.ci/run` and a test run
it. Code within Markdown is left out, and so is the record of decisions.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("compare", "shared", "torch_impl", "tf_impl", "tf_lowlevel_impl", "examples", "tests")
# Decisions keep their original text. Generated pages take their words from the modules checked here.
LEFT_OUT = {"decisions.md", "ledger.md", "faults.md", "slips.md"}
# These contain forbidden words on purpose, and models as strangers write them.
LEFT_OUT |= {"prose.py", "test_prose.py", "strangers.py", "whole_models.py"}
MOST_WORDS = 30  # of a sentence in a page, a template or a message
# A function's name is a noun for its result or a verb for its action. The older names in compare/port stay.
FUNCTIONS_LEFT_OUT = {"said", "shown", "moved", "spoken", "heard", "look", "of_one", "given"}
NAMES_LEFT_OUT = {"told", "anew", "apart", "nobody", "somebody", "everybody", "anybody", "whoever"}  # as a word of one


@dataclass(frozen=True)
class Rule:
    """A pattern that must not be written, and what to write instead."""

    pattern: str
    instead: str

    def found(self, text: str) -> Iterator[str]:
        """Yield each match in `text`."""
        return (match[0] for match in re.finditer(self.pattern, text, re.IGNORECASE))


RULES = (
    Rule(r"\b(no|every|some|any)body\b", "name who: a user, a process, no one"),
    Rule(r"\banew\b", "again, or from scratch"),
    Rule(r"\b(hold|holds|held|holding)\s+(\w+\s+)?against\b", "compare with"),
    Rule(r"\btold\b", "reported, given, distinguished"),
    Rule(r"\btaken?\s+for\b", "predicted, or read as"),
    Rule(r"\b(come|comes|came)\s+to\s+be\b", "becomes"),
    Rule(r"\bone's\s+own\b", "your own"),
    Rule(r"\bwhere\s+(there\s+(is|are)|not)\b", "if: where is for places"),
    Rule(r"\b(whatever|nothing|something|anything)\s+parts?\b|\bwould\s+part\b", "differs"),
    Rule(r"\bto\s+be\s+thanked\b", "contributes"),
    Rule(r"\bkeeps?\s+the\s+luck\b", "varies between launches"),
    Rule(r"\bwho(so)?ever\b", "name who: a user, a caller, the process that"),
    Rule(r"\b(Raises?\s+\w+|InputError|returns?\s+\w+|code,?\s+\d|None|empty)\s+where\b", "if: where is for places"),
    Rule(r"\bwithout\s+a\s+word\b", "without a message"),
    Rule(r"\blook(s|ed|ing)?\s+at\b", "read, inspect or check"),
    Rule(r"\b(hears?|heard)\b", "receives, or is called with"),
    Rule(r"\b(also|only|even|except)\s+where\b", "if: where is for places"),
    Rule(r"\b(comes?|came)\s+to\s+(its|their|an|the)\s+end\b", "ends, or is completed"),
    Rule(r"\b(what|nothing|anything)\s+(comes?|came|could\s+come)\s+of\b", "the result"),
    Rule(r"\bheld\s+to\b", "compared with, or checked against"),
    Rule(r"\b(to|they|what)\s+parts?\b(?!\s+(of|in))|\bparts?\s+from\b", "differs"),
    Rule(r"\b(tried|begun|begins?)\s+again\b", "retried, or restarted"),
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the prose of a file: each text and the line on which it starts.

    Skip a file that matches no rule, because parsing it costs more.
    """
    if not any(re.search(rule.pattern, path.read_text(), re.IGNORECASE) for rule in RULES):
        return iter(())
    return _of_python(path.read_text()) if path.suffix == ".py" else _of_markdown(path.read_text())


def _of_markdown(text: str) -> Iterator[tuple[int, str]]:
    within = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            within = not within
        elif not within:
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "`", line)


def _of_python(text: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings, every other text of several words, and comments."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, re.sub(r"`[^`\n]*`", "`", node.value)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], re.sub(r"`[^`]*`", "`", token.string)


def names(text: str) -> Iterator[tuple[int, str]]:
    """Yield the names in a Python text that contain a forbidden word, once each, with their lines."""
    seen: set[str] = set()
    if not any(name in text.lower() for name in NAMES_LEFT_OUT):
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string not in seen:
            seen.add(token.string)
            if NAMES_LEFT_OUT & set(token.string.lower().split("_")):
                yield token.start[0], token.string


def long_sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a Markdown text with more than MOST_WORDS words, with approximate lines.

    Tables, headings and code are left out. A code span or a link counts as one word.
    """
    paragraphs: list[tuple[int, list[str]]] = [(1, [])]
    within = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            within = not within
        begins = re.match(r"\s*([-*]|\d+\.)\s", line) is not None
        if within or not line.strip() or line.lstrip().startswith(("|", "#", "<", "!", "```")):
            paragraphs.append((number + 1, []))
        elif begins or not paragraphs[-1][1]:
            paragraphs.append((number, [line]))
        else:
            paragraphs[-1][1].append(line)
    for number, lines in paragraphs:
        said = re.sub(r"`[^`]*`", "`", " ".join(lines))
        said = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", said)
        yield from ((number, sentence) for sentence in _too_long(said))


def _too_long(text: str) -> list[str]:
    """Return the sentences of a paragraph with more than MOST_WORDS words."""
    sentences = re.split(r"(?<=[.:!?])[)*]*\s+(?=[A-Z*\"`(\d])", " ".join(text.split()))
    return [sentence for sentence in sentences if len(sentence.split()) > MOST_WORDS]


def functions(text: str) -> Iterator[tuple[int, str]]:
    """Yield the functions of a Python text whose name is a bare participle, with their lines."""
    for match in re.finditer(r"^\s*def (\w+)\(", text, re.MULTILINE):
        if match[1].strip("_") in FUNCTIONS_LEFT_OUT:
            yield text.count("\n", 0, match.start(1)) + 1, match[1]


def long_docstrings(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Yield the sentences of docstrings with more than MOST_WORDS words, from the nodes of a Python text.

    Each item of a list, and each attribute in a list, counts separately.
    """
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in nodes:
        docstring = ast.get_docstring(node) if isinstance(node, kinds) else None
        if docstring is None or len(docstring.split()) <= MOST_WORDS:
            continue
        for block in re.split(r"\n\s*\n|\s+-> |\n(?=\s*[-*] |\s*[a-z_][\w, ]*: |.*<- )", docstring):
            yield from ((node.body[0].lineno, one) for one in _too_long(re.sub(r"`[^`]*`", "`", block)))


def long_messages(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Yield the long sentences of messages and help texts: every text that is no docstring.

    A value inserted into a text counts as one word. A text without a full stop, such as code or a list of words, is
    ignored.
    """
    left_out = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # docstrings
    left_out |= {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if id(node) in left_out:
            continue
        said = ""
        if isinstance(node, ast.JoinedStr):
            said = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        for paragraph in re.split(r"\n\s*\n", said) if len(said.split()) > MOST_WORDS else ():
            yield from ((node.lineno, one) for one in _too_long(paragraph) if one.endswith((".", "!", "?")))


def filled(template: str) -> str:
    """Return a template as a reader would see it, with a word for each value and with every branch."""
    branches = re.sub(r"\{%-?\s*else\s*-?%\}", " ", template)
    return re.sub(r"\{\{.*?\}\}", "x", re.sub(r"\{[%#].*?[%#]\}", "", branches, flags=re.DOTALL), flags=re.DOTALL)


def files(root: Path = ROOT) -> list[Path]:
    """Return every file that contains prose."""
    pages = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]
    modules = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    templates = [path for kind in ("md", "html") for path in sorted((root / "compare").rglob(f"*.{kind}.j2"))]
    return [path for path in (*pages, *modules, *templates) if path.name not in LEFT_OUT]


def broken(paths: list[Path]) -> list[str]:
    """Return each place that breaks a rule, as `file:line: text: instead`."""
    found = [
        f"{path.relative_to(ROOT)}:{line + text[: text.lower().find(said.lower())].count(chr(10))}: "
        f"{' '.join(said.split())!r}: write {rule.instead}"
        for path in paths
        for line, text in texts(path)
        for rule in RULES
        for said in rule.found(text)
    ]
    for path in paths:
        where, text = path.relative_to(ROOT), path.read_text()
        if path.suffix != ".py":
            sentences = list(long_sentences(filled(text)))
        else:
            nodes = list(ast.walk(ast.parse(text))) if where.parts[0] != "tests" else []
            sentences = [*long_messages(nodes), *long_docstrings(nodes)]
            named = [*names(text), *(() if "compare/port/" in str(where) else functions(text))]
            found += [f"{where}:{line}: the name {name}: write a noun or a verb" for line, name in named]
        found += [
            f"{where}:{line}: {len(said.split())} words, {said[:60]!r}: write several sentences"
            for line, said in sentences
        ]
    return found


if __name__ == "__main__":
    everything = broken(files())
    print("\n".join(everything))
    sys.exit(1 if everything else 0)
