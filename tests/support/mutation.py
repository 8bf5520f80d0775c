"""Plant faults in copies of the implementations, and check whether and where the ladder finds each.

`python tests/support/mutation.py --out docs/faults.md` plants all of tests/support/faults.py, one at a time, and writes
the results. The healthy implementations are observed once per architecture. For each fault, one worker runs the copy in
which it is planted.
"""

import itertools
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from unittest import mock

from faults import FAULTS, GATE, Fault

from compare.options.parity import ParityOptions
from compare.parity import gate, runs
from compare.parity.bounds import bound
from compare.parity.envelope import Drift, envelope
from compare.parity.expected import expected, shortfalls
from compare.parity.ladder import climb
from compare.parity.observation import EVALUATION, Observation
from compare.parity.plan import make_plan
from compare.parity.runs import Extent
from compare.processes import environment
from compare.processes.process import WorkerError
from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS
from compare.subject import Subject
from compare.worker import fingerprint
from shared.choices import Dtype
from shared.models import MODELS
from shared.weights import initial_weights

HOME = Path(__file__).resolve().parents[2]
THREADS = 1
EXTENT = Extent(n_steps=25)  # covers the smaller batch at the end of an epoch of the digits
_starting = threading.Lock()  # patches are shared by all threads
JUDGES = ("torch", "keras", "tf_lowlevel")
DTYPES: tuple[Dtype, ...] = ("float64", "float32")


@dataclass(frozen=True)
class Found:
    """The result for one fault: where it was found, if at all, and which implementation was named."""

    fault: Fault
    rung: str | None
    at: str = ""
    named: tuple[str, ...] = ()

    @property
    def killed(self) -> bool:
        """Return whether anything was found."""
        return self.rung is not None

    @property
    def localised(self) -> bool:
        """Return whether it was found on the right rung, at the right tensor or field, in the right implementation."""
        implementation = next(name for name in JUDGES if IMPLEMENTATIONS[name].package == self.fault.package)
        return self.rung == self.fault.rung and self.at.startswith(self.fault.at) and self.named == (implementation,)


@dataclass
class Bed:
    """The healthy implementations.

    Fingerprints and observations are by type, architecture and name. Envelopes are by type and architecture.
    """

    subjects: dict[str, Subject] = field(default_factory=dict)
    said: dict[tuple[Dtype, str], dict[str, fingerprint.Fields]] = field(default_factory=dict)
    observed: dict[tuple[Dtype, str], dict[str, Observation]] = field(default_factory=dict)
    envelopes: dict[tuple[Dtype, str], Drift] = field(default_factory=dict)

    def prepare(self, models: Sequence[str]) -> None:
        """Observe the healthy implementations of `models`."""
        self.subjects = {name: _subject(name) for name in models}
        draws: dict[tuple[Dtype, str], dict[str, list[Drift]]] = {}
        for dtype, model in itertools.product(DTYPES, models):
            self.said[dtype, model], self.observed[dtype, model], draws[dtype, model] = {}, {}, {}

        def watch(name: str) -> None:
            with _worker(name, root) as session:
                for model, dtype in itertools.product(models, DTYPES):
                    subject = _typed(self.subjects[model], dtype)
                    said, seen = _observe(session, subject)
                    self.said[dtype, model][name], self.observed[dtype, model][name] = said, seen
                    drawn = runs.draw_all(session, subject, EXTENT, {name: seen})
                    draws[dtype, model][name] = [draw.drift for draw in drawn]

        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(environment.usable_cores()) as pool:
            root = copy_of_the_code(Path(folder))
            list(pool.map(watch, JUDGES))  # re-raises an error of any of them
        self.envelopes = {key: envelope(list(of_all.values())) for key, of_all in draws.items()}

    def plant(self, fault: Fault) -> Found:
        """Plant `fault`, and search for it in float64. If it is not found there, search in float32."""
        (name,) = (judge for judge in JUDGES if IMPLEMENTATIONS[judge].package == fault.package)
        with tempfile.TemporaryDirectory() as folder:
            root = copy_of_the_code(Path(folder))
            fault.plant(root)
            with _worker(name, root) as session:
                for dtype in DTYPES:
                    try:
                        said, seen = _observe(session, _typed(self.subjects[fault.model], dtype))
                    except WorkerError as error:
                        return Found(fault, GATE, str(error).partition(": ")[2].strip("'\""), (name,))
                    found = self._judge(fault, dtype, name, said, seen)
                    if found.killed:
                        return found
        return Found(fault, None)

    def _judge(self, fault: Fault, dtype: Dtype, name: str, said: fingerprint.Fields, seen: Observation) -> Found:
        subject = _typed(self.subjects[fault.model], dtype)
        asked = fingerprint.of_request(
            subject.train, subject.data, initial_weights(subject.spec, subject.train.seed), "cpu", THREADS
        )
        if mismatches := gate.check({gate.ASKED: asked, **self.said[dtype, fault.model], name: said}):
            values = mismatches[0].values
            odd = [who for who, value in values.items() if list(values.values()).count(value) == 1]
            return Found(fault, GATE, mismatches[0].field, tuple(odd))
        healthy = self.observed["float64", fault.model]
        oracle = expected(subject, healthy if dtype == "float32" else {**healthy, name: seen})
        observations = shortfalls({**self.observed[dtype, fault.model], name: seen}, oracle[EVALUATION]["logits"])
        bounds = partial(bound, dtype, self.envelopes[dtype, fault.model])
        first = climb({who: o.stages for who, o in observations.items()}, oracle, bounds).first_beyond
        return Found(fault, first.rung, first.tensor, tuple(first.beyond)) if first else Found(fault, None)


def copy_of_the_code(to: Path) -> Path:
    """Copy the packages into the folder `to`."""
    for package in ("shared", "compare", "torch_impl", "tf_impl", "tf_lowlevel_impl"):
        shutil.copytree(HOME / package, to / package, ignore=shutil.ignore_patterns("__pycache__"))
    return to


def plant_all(faults: Sequence[Fault]) -> list[Found]:
    """Plant `faults` one at a time, in as many processes as there are cores."""
    bed = Bed()
    bed.prepare(list(dict.fromkeys(fault.model for fault in faults)))
    found = []
    with ThreadPoolExecutor(environment.usable_cores()) as pool:
        for one in pool.map(bed.plant, faults):
            print(line(one), flush=True)  # a whole run takes a quarter of an hour
            found.append(one)
    return found


def page(found: Sequence[Found]) -> str:
    """Return a Markdown page with the rates and a line for each fault."""
    killed, localised = sum(f.killed for f in found), sum(f.localised for f in found)
    lines = [
        "# Faults planted in the implementations",
        "",
        f"{len(found)} faults, one at a time: {killed} were found ({killed / len(found):.1%}), and of {localised} "
        f"({localised / len(found):.1%}) the right implementation was named, with the right rung and tensor or field.",
        "",
        "Each was planted in a copy of the code, and looked for in float64 with 25 steps of the embedded digits, and",
        "where it was not found there in float32. This page is made by",
        "`python tests/support/mutation.py --out docs/faults.md`; the faults themselves are in",
        "[tests/support/faults.py](../tests/support/faults.py).",
        "",
        "| planted in | fault | architecture | found on | at | named |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *map(line, found)]) + "\n"


def line(f: Found) -> str:
    """Return a fault's result as a line of the table."""
    where = f"{f.rung} | {f.at} | {', '.join(f.named)}" if f.killed else "**not found** | |"
    if f.killed and not f.localised:
        where += f" (expected: {f.fault.rung}, {f.fault.at or 'any tensor'})"
    return f"| {f.fault.file} | {f.fault.name} | {f.fault.model} | {where} |"


def _subject(model: str) -> Subject:
    plan = make_plan(ParityOptions(model=(model,), steps=EXTENT.n_steps))
    return plan.subject(MODELS[model], plan.load_data()[model], seed=0)


def _typed(subject: Subject, dtype: Dtype) -> Subject:
    return replace(subject, train=subject.train.model_copy(update={"dtype": dtype}))


def _observe(session: Session, subject: Subject) -> tuple[fingerprint.Fields, Observation]:
    runs.load(session, subject)
    weights = initial_weights(subject.spec, subject.train.seed)
    said = runs.fingerprint_of(session, subject, weights)
    return said, runs.observe(session, subject, EXTENT)


@contextmanager
def _worker(name: str, root: Path) -> Iterator[Session]:
    """Start a worker that imports the code below `root`."""
    with _starting, mock.patch.object(environment, "import_path", return_value=[str(root)]):
        session = Session(name, root / "worker.log", THREADS, hide_cuda=True, timeout_s=300.0)
    try:
        yield session
    finally:
        session.close()


def main() -> None:
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="plant those alone whose name or file contains this")
    arguments = parser.parse_args()
    chosen = [f for f in FAULTS if arguments.only in f.name or arguments.only in f.file]
    arguments.out.write_text(page(plant_all(chosen)))


if __name__ == "__main__":
    main()
