"""A foreign file gives its content or one clear error: no traceback, no hang, no gigabyte."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cifar_files
import idx_files
import numpy as np
import pytest
from fuzzing import bounded, changed, changed_json, quick, thorough
from hypothesis import given
from hypothesis import strategies as st
from results import result, run

from compare.analysis.seeds import Judging
from compare.bench.result import Contestant
from compare.bench.tuned import Fastest, TunedMemory
from compare.folders.output import OutputFolder
from compare.folders.picture_file import read_picture
from compare.folders.run_folder import load_record
from compare.training.checkpoint import Checkpoint, Checkpoints
from shared.data import archive, cifar, inert_pickle, npz, own_csv, own_idx
from shared.data.dataset import Damaged
from shared.errors import InputError
from shared.models import MODELS
from shared.result import RunResult
from shared.weights import check_weights, from_safetensors, initial_weights, to_safetensors

IDX, IDX_CONTENTS = idx_files.make(5, 5)
CIFAR, CIFAR_CONTENTS = cifar_files.make()
IMAGES = "train-images-idx3-ubyte"
N_QUICK, N_LONG = 20, 500

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@dataclass(frozen=True)
class Target:
    """Something that is read: its bad content, its reader, and the errors that the reader may raise."""

    content: st.SearchStrategy[bytes]
    read: Callable[[Path], object]
    errors: tuple[type[Exception], ...] = (InputError,)
    name: str = "file"


def _npz(compress: bool = True) -> bytes:
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (6, 4, 4), np.uint8),
        "y_train": np.arange(6),
        "x_test": rng.random((3, 4, 4)),
        "y_test": np.arange(3, dtype=np.uint8),
    }
    stream = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(stream, **arrays)
    return stream.getvalue()


@st.composite
def _npz_with_a_changed_array(draw: st.DrawFn) -> bytes:
    """Draw a valid zip archive with an invalid array."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_npz())) as good, zipfile.ZipFile(stream, "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            bad.writestr(name, draw(changed(content)) if draw(st.booleans()) else content)
    return stream.getvalue()


@st.composite
def _safetensors_with_a_changed_header(draw: st.DrawFn) -> bytes:
    good = to_safetensors(WEIGHTS, {"model": "dense_baseline"})
    size = int.from_bytes(good[:8], "little")
    header = draw(changed_json(good[8 : 8 + size]))
    return len(header).to_bytes(8, "little") + header + good[8 + size :]


def _picture(kind: str) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.fromarray(pixels).save(stream, kind, exif=exif)
    return stream.getvalue()


def _read_idx(path: Path) -> object:
    (path.parent / "Tiny" / "raw").mkdir(parents=True, exist_ok=True)
    for name, content in IDX_CONTENTS.items():
        if name != IMAGES:
            (path.parent / "Tiny" / "raw" / name).write_bytes(content)
    path.rename(path.parent / "Tiny" / "raw" / path.name)
    try:
        return IDX.read(path.parent)
    finally:
        (path.parent / "Tiny" / "raw" / path.name).unlink()


def _own_idx(path: Path) -> object:
    folder = path.parent / "own"
    folder.mkdir(exist_ok=True)
    for name, content in IDX_CONTENTS.items():
        (folder / name).write_bytes(content)
    (folder / IMAGES).unlink()
    path.rename(folder / path.name)
    try:
        return own_idx.read(folder)
    finally:
        (folder / path.name).unlink()


def _pickle(path: Path) -> object:
    return inert_pickle.loads(path.read_bytes(), cifar.NAMES)


def _take(path: Path) -> None:
    names = {f"{cifar_files.FOLDER}/{name}": path.parent / f"taken-{name}" for name in CIFAR_CONTENTS}
    archive.take(path, names, 1 << 20, 1 << 22)


def _weights(path: Path) -> None:
    check_weights(MODELS["dense_baseline"], from_safetensors(path.read_bytes()))


def _checkpoint(path: Path) -> object:
    folder = OutputFolder.__new__(OutputFolder)
    folder.path = path.parents[1]
    return Checkpoints(folder).load(RUN, "0" * 64)


def _good_checkpoint() -> bytes:
    kept: dict[str, bytes] = {}

    class Kept:
        path = Path()

        def write(self, name: str, content: bytes) -> None:
            kept[name] = content

    checkpoint = Checkpoint(run=RUN, data_digest="0" * 64, epochs=(), slices=())
    Checkpoints(Kept()).save(checkpoint, WEIGHTS)  # type: ignore[arg-type]
    return next(iter(kept.values()))


WEIGHTS = initial_weights(MODELS["dense_baseline"], 0)
RUN = run("numpy").model_copy(update={"model": "dense_baseline"})
BATCH = next(content for name, content in CIFAR_CONTENTS.items() if name == "data_batch_1")
CONTESTANT = Contestant(
    name="numpy", implementation="numpy", mode="eager", threads=2, batch_size=64, tuning={"threads": "2"}, variables={}
)
CHOICE = Fastest(factor="threads", contestant=CONTESTANT, n_candidates=3, speed=1.2)

TARGETS = {
    "idx": Target(changed(IDX_CONTENTS[IMAGES]), _read_idx, name=IMAGES),
    "gzipped idx": Target(changed(gzip.compress(IDX_CONTENTS[IMAGES])), _read_idx, name=f"{IMAGES}.gz"),
    "own idx": Target(changed(IDX_CONTENTS[IMAGES]), _own_idx, name=IMAGES),
    "own gzipped idx": Target(changed(gzip.compress(IDX_CONTENTS[IMAGES])), _own_idx, name=f"{IMAGES}.gz"),
    "cifar batch": Target(
        changed(BATCH), lambda path: cifar._batch(path.read_bytes(), cifar_files.N_IMAGES), errors=(Damaged,)
    ),
    "pickle": Target(changed(BATCH), _pickle, errors=(Damaged,)),
    "archive": Target(changed(cifar_files.tar_gz(CIFAR_CONTENTS)), _take, errors=(Damaged, OSError)),
    "tar in an archive": Target(
        changed(cifar_files.tar(CIFAR_CONTENTS)).map(gzip.compress), _take, errors=(Damaged, OSError)
    ),
    "npz": Target(changed(_npz()), npz.read, name="mine.npz"),
    "uncompressed npz": Target(changed(_npz(compress=False)), npz.read, name="mine.npz"),
    "table": Target(changed(b"label,a,b,c,d\n0,1,2,3,4\n1,5,6,7,8\n"), own_csv.read, name="mine.csv"),
    "array in npz": Target(_npz_with_a_changed_array(), npz.read, name="mine.npz"),
    "weights": Target(changed(to_safetensors(WEIGHTS, {})), _weights, errors=(ValueError,)),
    "header of weights": Target(_safetensors_with_a_changed_header(), _weights, errors=(ValueError,)),
    "checkpoint": Target(
        changed(_good_checkpoint()), _checkpoint, errors=(), name=f"checkpoints/{RUN.name}.safetensors"
    ),
    "png": Target(changed(_picture("PNG")), lambda path: read_picture(path, (28, 28, 1))),
    "jpeg": Target(changed(_picture("JPEG")), lambda path: read_picture(path, (32, 32, 3))),
    "gif": Target(changed(_picture("GIF")), lambda path: read_picture(path, (28, 28, 1))),
    "tiff": Target(changed(_picture("TIFF")), lambda path: read_picture(path, (28, 28, 1))),
    "bmp": Target(changed(_picture("BMP")), lambda path: read_picture(path, (28, 28, 1))),
    "webp": Target(changed(_picture("WEBP")), lambda path: read_picture(path, (28, 28, 1))),
    "result": Target(
        changed_json(result().model_dump_json().encode()), lambda path: load_record(path, RunResult), name="r.json"
    ),
    "study": Target(changed_json(Judging().model_dump_json().encode()), lambda path: load_record(path, Judging)),
    "tuned": Target(
        changed_json(json.dumps({"key": CHOICE.model_dump()}).encode()),
        lambda path: TunedMemory(path).recall("key"),
        errors=(),
    ),
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_bad_file(target: Target, tmp_path: Path) -> None:
    @quick(N_QUICK)
    @given(target.content)
    def check(content: bytes) -> None:
        _check(target, content, tmp_path)

    check()


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_thousand_bad_files(target: Target, tmp_path: Path) -> None:
    @thorough(N_LONG)
    @given(target.content)
    def check(content: bytes) -> None:
        _check(target, content, tmp_path)

    check()


def _check(target: Target, content: bytes, folder: Path) -> None:
    path = folder / target.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with bounded():
        try:
            target.read(path)
        except target.errors as error:
            reported = str(error)
            assert reported
            assert len(reported) < 2_000, reported
