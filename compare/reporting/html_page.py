"""A report as one HTML file that needs nothing else: the same text as report.md, its pictures within.

The body is the Markdown report itself, so that the two cannot say different things. What came from outside was made
plain text when the Markdown was written (compare/training/report.py), and HTML within Markdown is not let through.
"""

import base64
import itertools
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from compare.analysis.headline import MARKS

if TYPE_CHECKING:
    from markdown_it.token import Token

MOST_SVG_BYTES = 300_000  # a larger drawing is shown as pixels
# In a box of its own that scrolls sideways, by keyboard too.
TABLE = '<div class="table" role="region" tabindex="0" aria-label="table"><table>'
MIME = {".png": "image/png", ".svg": "image/svg+xml"}


def with_page(files: Mapping[str, bytes], drawing: str = "") -> dict[str, bytes]:
    """`files`, and the page of the report.md among them; `drawing` is one for the page alone (see `page`)."""
    return {**files, "report.html": page(files, drawing)}


def page(files: Mapping[str, bytes], drawing: str = "") -> bytes:
    """The HTML page of the report.md in `files`, with the pictures in `files` that it shows. `drawing` is markup of our
    own for the start of the last section but one: a drawing that can be clicked, which Markdown has none of."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("compare.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    title, sections, body = _convert(files)
    if drawing:
        before, last, after = body.rpartition("<h2")
        before, section, rest = before.rpartition("</h2>")
        shown = f'<div class="table" role="region" tabindex="0" aria-label="drawing">{drawing}</div>'
        body = f"{before}{section}{shown}{rest}{last}{after}"
    template = environment.get_template("page.html.j2")
    return template.render(title=title, sections=sections, body=Markup(body)).encode()


def _convert(files: Mapping[str, bytes]) -> tuple[str, list[tuple[str, str]], str]:
    """The title, every section's anchor and heading, and the body as HTML."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", lambda *_: TABLE)
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    tokens = parser.parse(files["report.md"].decode())
    title = ""
    sections: list[tuple[str, str]] = []
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            said = _text(tokens[number + 1])
            if token.tag == "h1":
                title = title or said
            elif token.tag == "h2":
                anchor = f"section-{len(sections) + 1}"
                token.attrSet("id", anchor)
                sections.append((anchor, said))
        for child in token.children or ():
            if child.type == "image":
                _inline(child, files)
    before = itertools.takewhile(lambda token: token.tag != "h2", tokens)
    for verdict in [token for token in before if token.type == "bullet_list_open"][:1]:
        verdict.attrSet("class", "verdict")
    for number, token in enumerate(tokens):
        said = _text(tokens[number + 2]) if token.type == "list_item_open" else ""
        for state, mark in MARKS.items():
            if said.startswith(f"{mark} "):
                token.attrSet("class", state)
    return title, sections, parser.renderer.render(tokens, parser.options, {})


def _text(token: "Token") -> str:
    return "".join(child.content for child in token.children or ())


def _inline(image: "Token", files: Mapping[str, bytes]) -> None:
    """Put the picture that `image` names into it: as a drawing where there is one of no great size."""
    path = PurePosixPath(str(image.attrGet("src")))
    drawn = files.get(str(path.with_suffix(".svg")))
    if drawn is not None and len(drawn) <= MOST_SVG_BYTES:
        path, content = path.with_suffix(".svg"), drawn
    else:
        content = files.get(str(path), b"")
    if not content:  # of a report that speaks of a picture that it does not have
        return
    image.attrSet("src", f"data:{MIME[path.suffix]};base64,{base64.b64encode(content).decode()}")
