"""Render a report as one HTML file that needs nothing else: the text of report.md, with its pictures inside.

The body is the Markdown report itself, which keeps the two consistent. Text from outside became plain when the Markdown
was written (compare/training/report.py), and HTML within Markdown is not let through. Some pictures are drawn for the
page alone, as SVG that shows its values (compare/reporting/charts.py).
"""

import base64
import hashlib
import itertools
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from compare.analysis.headline import MARKS

if TYPE_CHECKING:
    import jinja2
    from markdown_it.token import Token

Drawing = Callable[
    [str], str
]  # takes a name that nothing else on the page has, and returns markup of our own; "" if there is none
MOST_SVG_BYTES = 300_000  # a larger drawing is shown as pixels
LATE = "late"  # the drawing at the start of the last section but one, which replaces no picture
FOLDED = "Parity of "  # a section with folded subsections: its verdict precedes them
MIME = {".png": "image/png", ".svg": "image/svg+xml"}


class Rendered(dict[str, bytes]):
    """The content of every file of a folder's report, by its path there. `drawings` are those of its page, by the path
    of the picture that each replaces."""

    def __init__(self, files: Mapping[str, bytes], drawings: Mapping[str, Drawing]) -> None:
        super().__init__(files)
        self.drawings = drawings


def with_page(files: Mapping[str, bytes], drawings: Mapping[str, Drawing] | None = None) -> Rendered:
    """Return `files`, with the page of the report.md among them (see `page`)."""
    return Rendered({**files, "report.html": page(files, drawings)}, drawings or {})


def page(files: Mapping[str, bytes], drawings: Mapping[str, Drawing] | None = None) -> bytes:
    """Return the HTML page of the report.md in `files`, with the pictures in `files` that it shows. `drawings` replace
    the pictures that they are given for."""
    from markupsafe import Markup

    title, sections, body = _convert(files, drawings or {})
    if drawings and LATE in drawings:
        before, last, after = body.rpartition("<h2")
        before, section, rest = before.rpartition("</h2>")
        drawn = drawings[LATE](LATE)
        shown = f'<div class="table" role="region" tabindex="0" aria-label="drawing">{drawn}</div>'
        body = f"{before}{section}{shown}{rest}{last}{after}"
    return filled("page.html.j2", title=title, sections=sections, body=Markup(body))


def filled(template: str, **values: object) -> bytes:
    """Return a page made from `template`, with the style and the script of all pages. The page's policy contains the
    script's hash: a browser runs no other script, whatever a report contains."""
    from markupsafe import Markup

    environment = _environment()
    style, script = (environment.get_template(f"page.{kind}.j2").render() for kind in ("css", "js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page_ = environment.get_template(template)
    return page_.render(style=Markup(style), script=Markup(script), script_sha256=digest, **values).encode()


@cache
def _environment() -> "jinja2.Environment":
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("compare.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )


def _convert(files: Mapping[str, bytes], drawings: Mapping[str, Drawing]) -> tuple[str, list[tuple[str, str]], str]:
    """Return the title, every section's anchor and heading, and the body as HTML."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
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
            if child.type == "image" and str(child.attrGet("src")) not in drawings:
                _inline(child, files)
    _mark_verdicts(tokens)
    tokens = _with_drawings(tokens, drawings, files)
    _label_boxes(tokens)
    return title, sections, parser.renderer.render(_folded(tokens), parser.options, {})


def _mark_verdicts(tokens: list["Token"]) -> None:
    """Give the first list its class, and each of its lines the class of its state."""
    before = itertools.takewhile(lambda token: token.tag != "h2", tokens)
    for verdict in [token for token in before if token.type == "bullet_list_open"][:1]:
        verdict.attrSet("class", "verdict")
    for number, token in enumerate(tokens):
        said = _text(tokens[number + 2]) if token.type == "list_item_open" else ""
        for state, mark in MARKS.items():
            if said.startswith(f"{mark} "):
                token.attrSet("class", state)


def _with_drawings(tokens: list["Token"], drawings: Mapping[str, Drawing], files: Mapping[str, bytes]) -> list["Token"]:
    """Replace each paragraph that only holds a picture by the picture's drawing, if it has one."""
    found = list(tokens)
    for number, token in enumerate(tokens):
        children = token.children or []
        if [child.type for child in children] != ["image"]:
            continue
        path = str(children[0].attrGet("src"))
        if path not in drawings:
            continue
        markup = drawings[path](f"chart-{number}")
        if not markup:
            _inline(children[0], files)
            continue
        found[number - 1 : number + 2] = [_raw(""), _raw(markup), _raw("")]
    return found


def _label_boxes(tokens: list["Token"]) -> None:
    """Make each table and each command a box that scrolls sideways, by keyboard too, named by the heading above it."""
    heading, n_below = "", 0
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            heading, n_below = _text(tokens[number + 1]), 0
        elif token.type == "table_open":
            n_below += 1
            label = escape(f"{heading}, table {n_below}")
            tokens[number] = _raw(f'<div class="table" role="region" tabindex="0" aria-label="{label}"><table>\n')
        elif token.type == "table_close":
            tokens[number] = _raw("</table></div>\n")
        elif token.type == "fence":
            label = escape(f"{heading}, code")
            code = escape(token.content)
            tokens[number] = _raw(f'<pre role="region" tabindex="0" aria-label="{label}"><code>{code}</code></pre>\n')
        elif token.type == "th_open":
            token.attrSet("scope", "col")


def _folded(tokens: list["Token"]) -> list["Token"]:
    """Fold the subsections of sections on parity, whose verdict precedes them."""
    found: list[Token] = []
    within = opened = False
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and opened and token.tag in ("h1", "h2", "h3"):
            found.append(_raw("</details>\n"))
            opened = False
        if token.type == "heading_open" and token.tag in ("h1", "h2"):
            within = _text(tokens[1]).startswith(FOLDED) or _text(tokens[number + 1]).startswith(FOLDED)
        if token.type == "heading_open" and token.tag == "h3" and within:
            opened = True
            found.append(_raw("<details><summary>"))
        found.append(token)
        if token.type == "heading_close" and token.tag == "h3" and opened:
            found.append(_raw("</summary>\n"))
    return [*found, _raw("</details>\n")] if opened else found


def _raw(markup: str) -> "Token":
    from markdown_it.token import Token

    return Token("html_block", "", 0, content=markup)


def _text(token: "Token") -> str:
    return "".join(child.content for child in token.children or ())


def _inline(image: "Token", files: Mapping[str, bytes]) -> None:
    """Embed the picture that `image` names, as a drawing if there is one and it is small."""
    path = PurePosixPath(str(image.attrGet("src")))
    drawn = files.get(str(path.with_suffix(".svg")))
    if drawn is not None and len(drawn) <= MOST_SVG_BYTES:
        path, content = path.with_suffix(".svg"), drawn
    else:
        content = files.get(str(path), b"")
    if not content:  # the report names a picture that is not there
        return
    image.attrSet("src", f"data:{MIME[path.suffix]};base64,{base64.b64encode(content).decode()}")
