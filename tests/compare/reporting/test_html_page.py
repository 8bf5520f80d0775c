"""The HTML page matches report.md, needs nothing from outside, and keeps foreign text inactive."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from results import failure, result

from compare.analysis.seeds import Judging
from compare.folders.manifest import Manifest
from compare.reporting.html_page import Rendered, page
from compare.training import report
from shared.models import CNN_SAME
from shared.weights import initial_weights

MANIFEST = Manifest(
    command="a command",
    started="2026-01-02T03:04:05Z",
    ended="2026-01-02T03:05:05Z",
    version="0",
    commit=None,
    dataset_reason="As asked for.",
    files={},
)


class Reader(HTMLParser):
    """Collects the words of a page, and every address in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data: str) -> None:
        if self.lasttag not in ("script", "style"):
            self.words += data.split()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    results = [
        result(implementation=name, seed=seed, accuracy=0.97) for name in ("torch", "keras") for seed in (0, 1, 2)
    ]
    weights = {one.name: initial_weights(CNN_SAME, 0) for one in results if one.run.train.seed == 0}
    return report.render(results, weights, MANIFEST, Judging(target=0.9))


def test_it_says_what_the_markdown_says(files: dict[str, bytes]) -> None:
    words = Reader(files["report.html"].decode()).words
    text = files["report.md"].decode()
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|[*`#|]|^\s*[-|: ]+$|^\s*- |```", " ", text, flags=re.M)
    missing = [word for word in text.split() if word not in words and word not in ("-", "---", "---:")]
    assert missing == []


def test_everything_is_within(files: dict[str, bytes]) -> None:
    read = Reader(files["report.html"].decode())
    assert [address for address in read.addresses if not address.startswith(("data:image/", "#section-"))] == []
    assert len([address for address in read.addresses if address.startswith("data:image/")]) == 1
    assert "link" not in read.tags


def test_every_picture_is_a_chart_or_the_one_that_the_markdown_names(files: dict[str, bytes]) -> None:
    html = files["report.html"].decode()
    assert re.findall(r"\(plots/(\w+)\.png\)", files["report.md"].decode()) == [
        "learning_curves",
        "step_times",
        "confusion_matrices",
        "filters",
    ]
    assert html.count('<figure class="chart"') == 3
    ((kind, encoded),) = re.findall(r'src="data:image/([a-z+]+);base64,([^"]+)"', html)
    suffix = "svg" if kind == "svg+xml" else "png"
    assert base64.b64decode(encoded) == files[f"plots/filters.{suffix}"]


def test_the_policy_lets_the_page_s_own_script_run_alone(files: dict[str, bytes]) -> None:
    html = files["report.html"].decode()
    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith(f"script-src 'sha256-{digest}'")


def test_parity_is_folded_to_its_verdict() -> None:
    text = (
        "# run\n\n## Parity of x\n\nThe verdict.\n\n### x, seed 0\n\nfar\n\n#### x in float64\n\nfar\n\n## Y\n\n### z\n"
    )
    html = page({"report.md": text.encode()}).decode()
    body = html[html.index("<main>") :]
    folded = body[body.index("<details>") : body.index("</details>")]
    assert body.count("<details>") == 1
    assert "<summary><h3>x, seed 0</h3>" in folded.replace("\n", "")
    assert "x in float64" in folded
    assert "The verdict." in body[: body.index("<details>")]


def test_every_section_can_be_gone_to(files: dict[str, bytes]) -> None:
    html = files["report.html"].decode()
    headings = re.findall(r"^## (.*)$", files["report.md"].decode(), flags=re.M)
    assert re.findall(r'<a href="#section-\d+">(.*?)</a>', html) == headings
    assert re.findall(r'<h2 id="section-\d+">(.*?)</h2>', html) == headings


def test_pictures_have_words(files: dict[str, bytes]) -> None:
    alternatives = re.findall(r'<img[^>]* alt="([^"]*)"', files["report.html"].decode())
    assert len(alternatives) == 1
    assert all(len(text) > 20 for text in alternatives)
    labels = re.findall(r'role="img" aria-label="([^"]*)"', files["report.html"].decode())
    assert len(labels) > 4
    assert all(len(text) > 10 for text in labels)


def test_names_and_errors_from_outside_stay_text() -> None:
    hostile = "<script>alert(1)</script>|[x](javascript:alert(1))![y](http://evil/z.png).npz"
    results = [result(dataset=hostile), failure("<img src=x onerror=alert(1)>\n\n<script>alert(2)</script>")]
    html = report.render(results, {}, MANIFEST, Judging())["report.html"].decode()
    read = Reader(html)
    assert read.tags.count("script") == 1  # its own
    assert "onerror" not in re.sub(r"onerror=alert\(1\)&gt;", "", html)
    assert not any(address.startswith(("javascript:", "http")) for address in read.addresses)
    assert "<script>alert(1)</script>" in " ".join(read.words)


def test_a_large_drawing_is_shown_as_pixels() -> None:
    files = {"report.md": b"# t\n\n![a picture](plots/a.png)\n", "plots/a.png": b"p", "plots/a.svg": b"s" * 300_001}
    assert f"data:image/png;base64,{base64.b64encode(b'p').decode()}" in page(files).decode()


def test_the_page_is_the_same_every_time(files: dict[str, bytes]) -> None:
    assert isinstance(files, Rendered)
    assert page(files, files.drawings) == files["report.html"]
