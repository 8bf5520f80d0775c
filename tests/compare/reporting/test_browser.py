"""Reports in a real browser: no error, nothing loaded from outside, tables that sort, pages that fit.

Chromium is started once per check, without a network. If it is not installed, the tests are skipped. On Debian it is
the package `chromium`.
"""

import base64
import hashlib
import html
import json
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import made_up
import pytest
from patience import GENEROUS_S
from results import failure, result

from compare.analysis.seeds import Judging
from compare.bench import report as bench_report
from compare.bench.inference import report as inference_report
from compare.folders.manifest import Manifest
from compare.training import report
from shared.models import CNN_SAME
from shared.weights import initial_weights

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MANIFEST = Manifest(
    command="python -m compare",
    started="2026-01-02T03:04:05Z",
    ended="2026-01-02T03:05:05Z",
    version="0",
    commit=None,
    dataset_reason="Asked for.",
    files={},
)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-features=NetworkTimeServiceQuerying,OptimizationHints",
    "--no-first-run",
    "--enable-logging=stderr",
    "--v=0",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install the package chromium to test reports in it"),
]


def open_page(page: Path, *options: str) -> tuple[str, str]:
    """Return Chromium's output for `page`, and its log."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *options, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=GENEROUS_S,
            check=True,
        )
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report with tables, pictures and a failure whose text tries to be active content."""
    accuracies = {"torch": (0.97, 0.981, 0.99), "keras": (0.975, 0.98, 0.96)}
    results = [
        result(implementation=name, seed=seed, accuracy=accuracy)
        for name, of_one in accuracies.items()
        for seed, accuracy in enumerate(of_one)
    ]
    weights = {one.name: initial_weights(CNN_SAME, 0) for one in results if one.run.train.seed == 0}
    hostile = failure("<script>document.title = 'acted'</script> <img src=http://outside.invalid/x.png>", seed=7)
    files = report.render([*results, hostile], weights, MANIFEST, Judging())
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(files["report.html"])
    return path


def with_script(page: Path, script: str) -> Path:
    """Copy the page, with `script` run after everything else."""
    copy = page.with_name("scripted.html")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = page.read_text().replace("script-src ", f"script-src 'sha256-{digest}' ")  # otherwise the policy forbids it
    copy.write_text(text.replace("</body>", f"<script>{script}</script></body>"))
    return copy


def found_by(page: Path, script: str, *options: str) -> list[object]:
    """Return the list `found` that a script on the page fills."""
    script = f"const found = []; {script} document.title = JSON.stringify(found);"
    dom, said = open_page(with_script(page, script), "--dump-dom", *options)
    assert "CONSOLE" not in said
    found = json.loads(html.unescape(dom.partition("<title>")[2].partition("</title>")[0]))
    assert isinstance(found, list)
    return found


def asked_for_outside(page: Path, log: Path) -> set[str]:
    """Return the page's network requests. The browser's own requests have no origin."""
    open_page(page, "--dump-dom", f"--log-net-log={log}")
    asked = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    by_pages = [of for of in asked if of.get("initiator", "not an origin") != "not an origin"]
    return {of["url"] for of in by_pages if not of["url"].startswith(("file:", "data:"))}


def test_nothing_is_loaded_from_outside(page: Path, tmp_path: Path) -> None:
    assert asked_for_outside(page, tmp_path / "network.json") == set()


def test_a_page_that_does_load_something_is_noticed(page: Path, tmp_path: Path) -> None:
    """The page's own policy prevents loading, and without the policy the log shows it."""
    script = "document.body.append(Object.assign(new Image(), {src: 'http://outside.invalid/'}));"
    scripted = with_script(page, script)
    _, said = open_page(scripted, "--dump-dom")
    assert "CONSOLE" in said
    assert "Content Security Policy" in said
    scripted.write_text(scripted.read_text().replace("Content-Security-Policy", "no-policy"))
    assert asked_for_outside(scripted, tmp_path / "network.json") == {"http://outside.invalid/"}


def test_nothing_goes_wrong(page: Path) -> None:
    dom, said = open_page(page, "--dump-dom")
    assert "CONSOLE" not in said
    assert "<title>cnn_same on digits</title>" in dom


def test_a_script_that_is_not_the_page_s_own_does_not_run(page: Path) -> None:
    copy = page.with_name("alien.html")
    copy.write_text(page.read_text().replace("</body>", "<script>document.title = 'acted'</script></body>"))
    dom, said = open_page(copy, "--dump-dom")
    assert "<title>acted" not in dom
    assert "Content Security Policy" in said


def test_tables_sort_and_filter(page: Path) -> None:
    found = found_by(
        page,
        """
        const table = document.querySelectorAll("table")[1];
        const rows = () => [...table.tBodies[0].rows];
        for (const [name, clicks] of [["test accuracy", 1], ["test accuracy", 1], ["implementation", 1]]) {
          const head = [...table.tHead.rows[0].cells].find(cell => cell.textContent === name);
          for (let n = 0; n < clicks; n++) head.querySelector("button").click();
          const cells = rows().map(row => row.cells[head.cellIndex].textContent);
          found.push([cells[0], head.ariaSort, cells.at(-1)]);
        }
        const many = [...document.querySelectorAll("table")].find(one => one.tBodies[0].rows.length === 41);
        many.closest("details").open = true;
        const input = many.closest(".table").previousElementSibling.querySelector("input");
        const count = input.closest(".filter").querySelector("output");
        found.push(count.textContent);
        input.value = "97.5 "; input.dispatchEvent(new Event("input"));
        found.push(count.textContent, [...many.tBodies[0].rows].filter(row => row.offsetHeight > 0).length);
        """,
    )
    assert found[:2] == [["96.00%", "ascending", "-"], ["99.00%", "descending", "-"]]  # failures come last
    assert found[2] == ["keras", "ascending", "torch"]
    all_rows, some_rows, shown = found[3:]
    assert all_rows == "41 rows"
    assert some_rows == f"{shown} of 41 rows"
    assert 0 < int(str(shown)) < 41


def test_charts_show_what_is_chosen(page: Path) -> None:
    """The page's style alone shows the view, the names in the legend and a value under the pointer."""
    found = found_by(
        page,
        """
        const chart = document.querySelector("figure.chart");
        const views = [...chart.querySelectorAll("svg.view")];
        const shown = () => views.filter(one => one.getBoundingClientRect().width > 0);
        const names = () => shown().map(one => one.getAttribute("aria-label"));
        const lines = () => shown()[0].querySelectorAll(".line").length;
        const isSeen = one => getComputedStyle(one.parentNode).display !== "none";
        const seen = () => [...shown()[0].querySelectorAll(".line")].filter(isSeen).length;
        found.push(names(), lines() === seen());
        chart.querySelector('[value="2"]').click();
        found.push(names());
        chart.querySelector('[data-line="0"]').click();
        found.push(lines(), seen());
        """,
    )
    assert found[0] == ["Loss (test; thin: training), log scale", "Accuracy (test), log scale"]
    assert found[1] is True
    assert found[2] == ["Loss (test; thin: training) minus torch", "Accuracy (test) minus torch"]
    n_lines, n_seen = found[3:]
    assert int(str(n_seen)) * 2 == int(str(n_lines))  # of two implementations


def test_everything_can_be_used_without_eyes_or_mouse(page: Path) -> None:
    """Every input has a label, every scrolling box and button a name, and every drawing words. Headings descend by
    one."""
    found = found_by(
        page,
        """
        const named = one => (one.getAttribute("aria-label") || one.textContent).trim() !== "";
        const labelled = one => one.labels.length === 1 && named(one.labels[0]);
        found.push([...document.querySelectorAll("input")].every(labelled));
        found.push([...document.querySelectorAll("button, [role=region], [role=img], summary, th")].every(named));
        found.push([...document.querySelectorAll("pre, .table")].every(one => one.tabIndex === 0));
        found.push([...document.querySelectorAll("thead th")].every(one => one.scope === "col"));
        const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map(one => Number(one.tagName[1]));
        found.push(levels.filter(level => level === 1).length);
        found.push(levels.every((level, n) => n === 0 || level <= levels[n - 1] + 1));
        """,
    )
    assert found == [True, True, True, True, 1, True]


@pytest.mark.parametrize("kind", ["run", "bench", "inference"])
def test_a_phone_shows_accuracy_and_step_time_at_once(kind: str, page: Path, tmp_path: Path) -> None:
    """The first columns of the first table are within the window, without scrolling."""
    if kind != "run":
        render = bench_report.render if kind == "bench" else inference_report.render
        made = made_up.bench() if kind == "bench" else made_up.inference()
        page = tmp_path / "report.html"
        page.write_bytes(render(made, MANIFEST)["report.html"])  # type: ignore[operator]
    script = """
      addEventListener("load", () => {
        const found = [], inner = document.querySelector("iframe").contentDocument;
        const table = inner.querySelectorAll("table")[0];
        for (const row of [table.rows[0], table.rows[1]])
          for (const cell of [...row.cells].slice(0, 3)) {
            const box = cell.getBoundingClientRect();
            found.push(box.right <= 390 && box.bottom <= 844 || [cell.textContent, box.right, box.bottom]);
          }
        found.push(inner.documentElement.scrollWidth <= 390);
        document.title = JSON.stringify(found);
      });
    """
    # A window is at least 500 pixels wide, a frame may be narrower.
    frame = f'<iframe style="width:390px; height:844px; border:0" srcdoc="{html.escape(page.read_text())}"></iframe>'
    phone = tmp_path / "phone.html"
    phone.write_text(f"<!DOCTYPE html><meta charset='utf-8'><title></title><body>{frame}<script>{script}</script>")
    dom, _ = open_page(phone, "--dump-dom")
    assert json.loads(html.unescape(dom.partition("<title>")[2].partition("</title>")[0])) == [True] * 7


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_the_window(page: Path, width: int, scheme: str) -> None:
    """It does not scroll sideways, except within its tables. Its words have enough contrast."""
    script = """
      const ink = getComputedStyle(document.body);
      const light = colour => { const [r, g, b] = colour.match(/\\d+/g).map(Number); return (r + g + b) / 765; };
      document.title = [document.documentElement.scrollWidth <= innerWidth,
        Math.abs(light(ink.color) - light(ink.backgroundColor)) > 0.7, light(ink.backgroundColor) > 0.5].join(" ");
    """
    dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    dom, _ = open_page(with_script(page, script), "--dump-dom", f"--window-size={width},900", *dark)
    assert dom.partition("<title>")[2].partition("</title>")[0] == f"true true {str(scheme == 'light').lower()}"


def test_a_picture_is_taken(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    open_page(page, f"--screenshot={picture}", "--window-size=390,900")
    assert struct.unpack(">II", picture.read_bytes()[16:24]) == (390, 900)


def test_it_can_be_printed(page: Path, tmp_path: Path) -> None:
    printed = tmp_path / "report.pdf"
    open_page(page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    assert printed.read_bytes().startswith(b"%PDF-")
    assert printed.stat().st_size > 20_000
