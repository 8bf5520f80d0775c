"""Make docs/reference again: `make reference`, or `python tests/support/reference_runs.py` with other options.

Each entry is a command of this project. Its report, tables and pictures replace those in docs/reference/<name>, and
README.md there is written from all reports of the folder. Run it on an otherwise idle machine. The reports state if it
was busy.
"""

import argparse
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
KEPT = ("report.md", "results.csv", "*.png", "plots/*.png", "pictures/*.png", "parity/plots/*.png")
VISUALIZE = "--images 9,22,45 --filter 2"
MOST_VERDICTS = 6  # lines of a report in the table of README.md
QUICK_MINUTES = 20
KERAS = "(weights=None,classifier_activation=None)"
SIX = "torch,keras,tf_lowlevel,jax,keras@jax,keras@torch"
SHORT = "--model cnn_bn_cifar --precision float64 --steps 2 --draws 1"
INSTALL = "pip install examples/jax_impl 'examples/keras_backends[jax]'"


@dataclass(frozen=True)
class Reference:
    """An entry: the arguments of `python -m compare`, and those with `--quick` (None: not made then).

    Each has its approximate minutes on two cores. `codes` are the exit codes of success. `needs` are modules that must
    be installed. `pictures` says whether `visualize` is run on it.
    """

    name: str
    title: str
    command: str
    minutes: float
    quick: str | None
    quick_minutes: float = 0.0
    codes: tuple[int, ...] = (0,)
    needs: tuple[str, ...] = ()
    pictures: bool = False


ENTRIES = (
    Reference(
        "mnist", "MNIST, `cnn_same`", "--dataset mnist --epochs 5 --parity", 7,
        "--dataset mnist --epochs 1 --parity", 2.5, pictures=True,
    ),
    Reference(
        "fashion_mnist", "Fashion-MNIST, `cnn_same`", "--dataset fashion_mnist --epochs 5 --parity", 7,
        None, pictures=True,
    ),
    Reference(
        "mnist-stretch", "MNIST, preset `stretch`", "--preset stretch --dataset mnist --seed 7", 45, None, pictures=True
    ),
    Reference(
        "fashion_mnist-stretch", "Fashion-MNIST, preset `stretch`", "--preset stretch --dataset fashion_mnist", 45,
        None, pictures=True,
    ),
    Reference(
        "six", "Six implementations, one function",
        f"parity --implementations {SIX} {SHORT}", 4,
        f"parity --implementations {SIX} {SHORT} --batch-size 8", 1,
        needs=("jax_impl", "keras_backends"),
    ),
    Reference(
        "recipes", "Why the frameworks' own recipes differ", "parity --waterfall --model cnn_same", 4,
        "parity --waterfall --model cnn_same --steps 30", 1,
    ),
    Reference(
        "port-mobilenet_v2", "`port`: MobileNetV2 of torchvision and of Keras",
        f'port "torchvision.models:mobilenet_v2()" "keras.applications:MobileNetV2{KERAS}"', 1.2,
        f'port "torchvision.models:mobilenet_v2()" "keras.applications:MobileNetV2{KERAS}"', 1.2, codes=(0, 1),
    ),
    Reference(
        "port-resnet50", "`port`: ResNet50 of torchvision and of Keras",
        f'port "torchvision.models:resnet50()" "keras.applications:ResNet50{KERAS}"', 2.3,
        f'port "torchvision.models:resnet50()" "keras.applications:ResNet50{KERAS}"', 2.3, codes=(0, 1),
    ),
    Reference(
        "bench-tuned", "Step times in the users' modes and tuned, with profiles",
        "bench --modes default,tuned --profile --budget 150", 8,
        "bench --modes default,tuned --profile --budget 90", 5,
    ),
    Reference(
        "speed-waterfall", "From plain loops to the fastest, factor by factor", "bench --waterfall --budget 330", 12,
        None,
    ),
    Reference(
        "curves", "Step times over batch sizes and threads",
        "bench --batch-sizes 16,64,256,1024 --threads 1,2 --budget 420", 7, None,
    ),
    Reference(
        "beside", "How much busy neighbours slow each down",
        "bench --beside 0,1,2 --implementations torch,keras --budget 180", 3.2,
        "bench --beside 0,1,2 --implementations torch,keras --budget 60", 1.2,
    ),
    Reference(
        "inference", "Serving: latency, throughput, start, memory", "bench --inference --budget 600", 12,
        "bench --inference --implementations torch,keras --served-as eager,graph,onnx,savedmodel --budget 60", 2,
    ),
)  # fmt: skip


@dataclass
class Making:
    """The state of making several entries. `do` runs a command and returns its exit code. `clock` is in seconds."""

    folder: Path
    quick: bool
    most_minutes: float
    do: Callable[[Sequence[str]], int]
    clock: Callable[[], float] = time.monotonic
    made_by: str = ""  # the commit of an interrupted run, whose reports are kept
    problems: list[str] = field(default_factory=list)

    def make(self, entries: Sequence[Reference]) -> None:
        """Make each entry, and after each write the table of all.

        An entry that fails is recorded as a problem, and its old report stays.
        """
        begun = self.clock()
        for entry in entries:
            command, minutes = (entry.quick, entry.quick_minutes) if self.quick else (entry.command, entry.minutes)
            missing = [name for name in entry.needs if importlib.util.find_spec(name) is None]
            gone = (self.clock() - begun) / 60
            if command is None:
                print(f"{entry.name}: left out of --quick.", flush=True)
            elif self._is_made(entry, command):
                print(f"{entry.name}: made from commit {self.made_by} already.", flush=True)
            elif missing:
                self._problem(f"{entry.name}: {' and '.join(missing)} not installed: {INSTALL}")
            elif gone + minutes > self.most_minutes:
                self._problem(
                    f"{entry.name}: takes about {minutes:g} of {self.most_minutes:g} minutes, and {gone:.1f} are gone."
                )
            else:
                print(f"{entry.name}: python -m compare {command} (about {minutes:g} minutes)", flush=True)
                self._one(entry, command)
            (self.folder / "README.md").write_text(page(self.folder))

    def _is_made(self, entry: Reference, command: str) -> bool:
        """Return whether the report of an entry is from `made_by` and this command."""
        report = self.folder / entry.name / "report.md"
        if not self.made_by or not report.is_file():
            return False
        text = report.read_text()
        made = shlex.split(command_of(text).strip("`"))
        return f"({self.made_by}" in text and made == shlex.split(f"python -m compare {command}")

    def _one(self, entry: Reference, command: str) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            made = Path(temporary) / entry.name
            code = self.do([*shlex.split(command), "--out", str(made)])
            if code in entry.codes and entry.pictures:
                code = self.do(["visualize", str(made), *VISUALIZE.split()])
            if code not in entry.codes or not (made / "report.md").is_file():
                self._problem(f"{entry.name}: exit code {code}. Its old report, if there is one, was left as it is.")
                return
            into = self.folder / entry.name
            shutil.rmtree(into, ignore_errors=True)
            for path in sorted({path for pattern in KEPT for path in made.glob(pattern)}):
                kept = into / path.relative_to(made)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, kept)
            report = into / "report.md"
            report.write_text(report.read_text().replace(f" --out {made}", ""))

    def _problem(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
        self.problems.append(text)


HEAD = """# Reference runs

Made by this program with `make reference` ([CONTRIBUTING.md](../../CONTRIBUTING.md#the-reference-runs)). Each
report says at its end by which command, when, on which machine and from which commit. Weights, the record of every step
and the SVG pictures are not kept here.
"""


def page(folder: Path) -> str:
    """Return README.md from the reports in `folder`: each one's result and command, and what the networks learned."""
    lines = [HEAD, "| report | what it found | command |", "| --- | --- | --- |"]
    there = [entry for entry in ENTRIES if (folder / entry.name / "report.md").is_file()]
    for entry in there:
        text = (folder / entry.name / "report.md").read_text()
        lines.append(f"| [{entry.title}]({entry.name}/report.md) | {verdict(text)} | {command_of(text)} |")
    pictured = [entry for entry in there if (folder / entry.name / "pictures" / "filters.png").is_file()]
    if pictured:
        lines += ["", "## What the networks learned", "", f"Made by `python -m compare visualize RUN_DIR {VISUALIZE}`."]
    for entry in pictured:
        lines += ["", f"### {entry.title}"]
        for name, about in (
            ("filters", "First-layer filters of the three implementations, and their differences"),
            ("mistakes", "The worst mistakes, with the probabilities of each implementation"),
        ):
            if (folder / entry.name / "pictures" / f"{name}.png").is_file():
                lines += ["", f"![{about}]({entry.name}/pictures/{name}.png)"]
    return "\n".join(lines) + "\n"


def verdict(report: str) -> str:
    """Return a report's result in one cell of a table: its first list, or else its sentence on the runs."""
    before = report.partition("\n## ")[0]
    first = re.search(r"(?:^- .+\n)+", before, flags=re.M)  # notes are separate lists after the table
    found = re.findall(r"^- (?!\*\*(?:Check|Foreign))(.+)$", first[0] if first else "", flags=re.M)[:MOST_VERDICTS]
    found = found or re.findall(r"^.*runs were trained;.*$", before, flags=re.M)[:1]
    if not found:  # older reports have a sentence first
        found = [re.split(r"(?<=\.)\s", one.strip())[0] for one in before.split("\n\n")[1:2]]
    return "<br>".join(one.replace("|", "\\|").replace("\n", " ") for one in found)


def command_of(report: str) -> str:
    """Return the command that a report names at its end, as code."""
    found = re.findall(r"^```[a-z]*\n(python -m compare .*)\n```", report, flags=re.M)
    return "`" + re.sub(r" --out \S+", "", found[-1]).replace("|", "\\|") + "`" if found else ""


def _run(arguments: Sequence[str]) -> int:
    return subprocess.run([sys.executable, "-m", "compare", *arguments], cwd=ROOT, check=False).returncode


def _commit() -> str:
    """Return the commit as reports name it."""
    asked = ["git", "rev-parse", "--short=12", "HEAD"]
    return subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    """Make the entries requested on the command line. Return exit code 1 if any could not be made, else 0."""
    parser = argparse.ArgumentParser(description="Make docs/reference again.")
    parser.add_argument("--quick", action="store_true", help=f"short settings: under {QUICK_MINUTES} minutes in all")
    parser.add_argument("--only", help="names of entries, separated by commas", default="")
    parser.add_argument("--minutes", type=float, help="begin no entry that would end later than after so many minutes")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder of the reports (docs/reference)")
    parser.add_argument("--resume", action="store_true", help="leave out entries that this commit has made already")
    parser.add_argument("--list", action="store_true", help="show the entries and about how long each takes")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or [entry.name for entry in ENTRIES]
    if unknown := set(names) - {entry.name for entry in ENTRIES}:
        parser.error(f"no such entry: {', '.join(sorted(unknown))}; known: {', '.join(one.name for one in ENTRIES)}")
    chosen = [entry for entry in ENTRIES if entry.name in names]
    if options.list:
        for entry in chosen:
            quick = f"{entry.quick_minutes:g} min" if entry.quick else "left out"
            print(f"{entry.name:22} {entry.minutes:g} min; quick: {quick}\n    python -m compare {entry.command}")
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    most = options.minutes or (QUICK_MINUTES if options.quick else float("inf"))
    making = Making(options.out, options.quick, most, _run, made_by=_commit() if options.resume else "")
    making.make(chosen)
    return 1 if making.problems else 0


if __name__ == "__main__":
    sys.exit(main())
