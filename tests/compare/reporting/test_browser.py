"""Reports in a real browser: no error, nothing loaded from outside, tables that sort, pages that fit.

Chromium is started once a look, without a network. Where none is installed the tests are skipped: on Debian it is the
package `chromium`.
"""

import json
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest
from patience import GENEROUS_S
from results import failure, result

from compare.analysis.seeds import Judging
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


def look(page: Path, *options: str) -> tuple[str, str]:
    """What Chromium prints when it opens `page`, and what it logs."""
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
    """A report with tables, pictures and a failure whose text would act if it could."""
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
    """A copy of the page in which `script` runs after everything else."""
    copy = page.with_name("scripted.html")
    copy.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    return copy


def asked_for_outside(page: Path, log: Path) -> set[str]:
    """What the page asked the network for; what the browser itself asks for has no origin."""
    look(page, "--dump-dom", f"--log-net-log={log}")
    asked = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    by_pages = [of for of in asked if of.get("initiator", "not an origin") != "not an origin"]
    return {of["url"] for of in by_pages if not of["url"].startswith(("file:", "data:"))}


def test_nothing_is_loaded_from_outside(page: Path, tmp_path: Path) -> None:
    assert asked_for_outside(page, tmp_path / "network.json") == set()


def test_a_page_that_does_load_something_is_noticed(page: Path, tmp_path: Path) -> None:
    """Its own policy keeps a page from it, and without that policy it is seen in the log."""
    script = "document.body.append(Object.assign(new Image(), {src: 'http://outside.invalid/'}));"
    scripted = with_script(page, script)
    _, said = look(scripted, "--dump-dom")
    assert "CONSOLE" in said
    assert "Content Security Policy" in said
    scripted.write_text(scripted.read_text().replace("Content-Security-Policy", "no-policy"))
    assert asked_for_outside(scripted, tmp_path / "network.json") == {"http://outside.invalid/"}


def test_nothing_goes_wrong(page: Path) -> None:
    dom, said = look(page, "--dump-dom")
    assert "CONSOLE" not in said
    assert "<title>cnn_same on digits</title>" in dom


@pytest.mark.parametrize(
    ("column", "clicks", "first"),
    [("test accuracy", 1, "96.00%"), ("test accuracy", 2, "99.00%"), ("implementation", 1, "keras")],
)
def test_tables_sort_by_their_headings(page: Path, column: str, clicks: int, first: str) -> None:
    script = f"""
      const table = document.querySelectorAll("table")[1];
      const head = [...table.tHead.rows[0].cells].find(cell => cell.textContent === {column!r});
      for (let n = 0; n < {clicks}; n++) head.querySelector("button").click();
      document.title = table.tBodies[0].rows[0].cells[head.cellIndex].textContent + " " + head.ariaSort
        + " " + table.tBodies[0].rows[table.tBodies[0].rows.length - 1].cells[head.cellIndex].textContent;
    """
    dom, _ = look(with_script(page, script), "--dump-dom")
    found = dom.partition("<title>")[2].partition("</title>")[0]
    assert found.startswith(f"{first} {'ascending' if clicks == 1 else 'descending'}")
    if column == "test accuracy":
        assert found.endswith(" -")  # what failed comes last, whichever way


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_the_window(page: Path, width: int, scheme: str) -> None:
    """It does not scroll sideways (its tables do, within), and its words can be told from the paper."""
    script = """
      const ink = getComputedStyle(document.body);
      const light = colour => { const [r, g, b] = colour.match(/\\d+/g).map(Number); return (r + g + b) / 765; };
      document.title = [document.documentElement.scrollWidth <= innerWidth,
        Math.abs(light(ink.color) - light(ink.backgroundColor)) > 0.7, light(ink.backgroundColor) > 0.5].join(" ");
    """
    dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    dom, _ = look(with_script(page, script), "--dump-dom", f"--window-size={width},900", *dark)
    assert dom.partition("<title>")[2].partition("</title>")[0] == f"true true {str(scheme == 'light').lower()}"


def test_a_picture_is_taken(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    look(page, f"--screenshot={picture}", "--window-size=390,900")
    assert struct.unpack(">II", picture.read_bytes()[16:24]) == (390, 900)


def test_it_can_be_printed(page: Path, tmp_path: Path) -> None:
    printed = tmp_path / "report.pdf"
    look(page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    assert printed.read_bytes().startswith(b"%PDF-")
    assert printed.stat().st_size > 20_000
