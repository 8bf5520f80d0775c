"""A foreign folder gives a report or a clear reason why there is none, whatever its records contain."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import running
from fuzzing import bounded, changed_json, quick, thorough
from hypothesis import given
from hypothesis import strategies as st
from numpy_specs import numpy_spec
from patience import GENEROUS_S
from simulation import simulated_bench

from compare.bench import report as bench_report
from compare.commands.rendering import rendered
from compare.commands.verify import problems
from compare.folders.manifest import describe, hashes, sealed, utc_now
from compare.registry import IMPLEMENTATIONS
from shared.errors import InputError

N_QUICK, N_LONG = 15, 500
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

RECORDS = {
    "run": ["results/numpy-seed0.json", "results/numpy-seed1.json", "study.json", "manifest.json"],
    "bench": ["bench.json", "bench.json", "manifest.json"],
    "parity": ["parity.json", "parity.json", "study.json", "manifest.json"],
}
PARITY = "parity --model dense_baseline --dataset digits --steps 2 --draws 2 --implementations numpy,numpy_again"


@pytest.fixture(scope="module")
def folders(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Yield a folder of every kind from which a report is made."""
    made = {kind: tmp_path_factory.mktemp("made") / kind for kind in RECORDS}
    shutil.copytree(written, made["run"])
    made["bench"].mkdir()
    bench, done = simulated_bench(), describe("bench", utc_now())
    files = bench_report.render(bench, done) | {"bench.json": bench.model_dump_json().encode()}
    for name, content in files.items():
        (made["bench"] / name).parent.mkdir(exist_ok=True)
        (made["bench"] / name).write_bytes(content)
    for name, content in sealed(done, hashes(made["bench"])).items():
        (made["bench"] / name).write_bytes(content)
    with running(*PARITY.split(), "--out", made["parity"]) as process:
        _, error = process.communicate(timeout=GENEROUS_S)
        assert process.returncode == 0, error
    with pytest.MonkeyPatch.context() as patch:
        for name in ("numpy", "numpy_again"):
            patch.setitem(IMPLEMENTATIONS, name, numpy_spec(name, "numpy_misbehaving"))
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("kind", RECORDS)
def test_a_bad_folder(folders: dict[str, Path], kind: str) -> None:
    @quick(N_QUICK)
    @given(_broken(folders[kind], kind))
    def check(broken: tuple[str, bytes]) -> None:
        _check(folders[kind], *broken)

    check()


@pytest.mark.long
@pytest.mark.parametrize("kind", RECORDS)
def test_hundreds_of_bad_folders(folders: dict[str, Path], kind: str) -> None:
    @thorough(N_LONG)
    @given(_broken(folders[kind], kind))
    def check(broken: tuple[str, bytes]) -> None:
        _check(folders[kind], *broken)

    check()


@st.composite
def _broken(draw: st.DrawFn, folder: Path, kind: str) -> tuple[str, bytes]:
    """Draw the name of a record, and other content for it."""
    name = draw(st.sampled_from(RECORDS[kind]))
    return name, draw(changed_json((folder / name).read_bytes()))


def _check(folder: Path, name: str, content: bytes) -> None:
    good = (folder / name).read_bytes()
    (folder / name).write_bytes(content)
    reported = []
    try:
        with bounded():
            for read in (rendered, problems):
                try:
                    read(folder)
                except InputError as error:
                    reported.append(str(error))
    finally:
        (folder / name).write_bytes(good)
    assert all(0 < len(text) < 2_000 for text in reported), reported
