"""CIFAR-10's archive is fetched from servers on this machine, and its files are extracted."""

import gzip
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import cifar_files
import numpy as np
import pytest
from cifar_files import ARCHIVE, FOLDER, member
from patience import GENEROUS_S

from shared.data import archive, choice, cifar, fetch
from shared.data.download import DownloadProgress
from shared.errors import InputError

TINY, CONTENTS = cifar_files.make()
GOOD = cifar_files.tar_gz(CONTENTS)
NAMES = sorted(CONTENTS)
ALL_BUT_ONE = {name: content for name, content in CONTENTS.items() if name != "data_batch_3"}
MEMBER = f"{FOLDER}/data_batch_3"


def served(content: object) -> dict[str, object]:
    return {f"/{ARCHIVE}": content}


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_fetched_files_are_whole_and_readable(tmp_path: Path, serve) -> None:
    steps: list[DownloadProgress] = []
    paths = fetch.fetch(TINY, tmp_path, 20, steps.append, [serve(served(GOOD)).url])
    assert paths == [tmp_path / FOLDER / name for name in TINY.file_names]
    assert everything_in(tmp_path) == [FOLDER, *(f"{FOLDER}/{name}" for name in NAMES)]
    assert {path.name: path.read_bytes() for path in paths} == CONTENTS
    assert steps[-1] == DownloadProgress(ARCHIVE, len(GOOD), len(GOOD))
    assert TINY.read(tmp_path).x_train.shape == (20, 32, 32, 3)


def test_what_is_there_is_left_alone(tmp_path: Path, serve) -> None:
    """This holds even if it is not the original, because it may be the user's only copy."""
    server = serve(served(GOOD))
    cifar_files.write(tmp_path / FOLDER, ALL_BUT_ONE | {"data_batch_1": b"somebody's own"})
    assert [path.name for path in fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url])] == ["data_batch_3"]
    assert (tmp_path / FOLDER / "data_batch_1").read_bytes() == b"somebody's own"
    assert server.handler.asked == [f"/{ARCHIVE}"]
    assert fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url]) == []
    assert server.handler.asked == [f"/{ARCHIVE}"]


WRONG = {
    "not found": (404, "HTTP status 404"),
    "cut off on the way": (("cut", GOOD), "the connection broke off"),
    "cut off before": (GOOD[: len(GOOD) // 2], "its file is cut off: its gzip stream ends early"),
    "cut off inside": (
        gzip.compress(cifar_files.tar(CONTENTS)[:20_000]),
        "its file cannot be unpacked: .*unexpected end",
    ),
    "a sign-in page": (b"<html>sign in</html>", "its file cannot be unpacked: Not a gzipped file"),
    "no archive inside": (gzip.compress(b"<html>" * 1_000), "its file cannot be unpacked: ReadError"),
    "broken inside": (
        GOOD[:5_000] + bytes(100) + GOOD[5_100:],
        "its file (cannot be unpacked|has a .* not the original)",
    ),
    "empty": (cifar_files.tar_gz({}), "its file holds no .*data_batch_1 and no .*batches.meta"),
    "a file is missing": (cifar_files.tar_gz(ALL_BUT_ONE), f"its file holds no {MEMBER}[)]"),
    "a file is another": (
        cifar_files.tar_gz(CONTENTS | {"data_batch_3": CONTENTS["data_batch_2"]}),
        "its file has a data_batch_3 that is not the original data_batch_3: the MD5",
    ),
    "the file meant for torchvision is another": (
        cifar_files.tar_gz(CONTENTS | {"batches.meta": b"cposix\nsystem\n(S'true'\ntR."}),
        "its file has a batches.meta that is not the original",
    ),
    "a link is in its place": (
        cifar_files.tar_gz(ALL_BUT_ONE, member(MEMBER, tarfile.SYMTYPE, "/etc/hostname")),
        f"holds no {MEMBER}",
    ),
    "a hard link is in its place": (
        cifar_files.tar_gz(ALL_BUT_ONE, member(MEMBER, tarfile.LNKTYPE, f"{FOLDER}/data_batch_2")),
        f"holds no {MEMBER}",
    ),
    "a folder is in its place": (
        cifar_files.tar_gz(ALL_BUT_ONE, member(MEMBER, tarfile.DIRTYPE)),
        f"holds no {MEMBER}",
    ),
    "a pipe is in its place": (cifar_files.tar_gz(ALL_BUT_ONE, member(MEMBER, tarfile.FIFOTYPE)), f"holds no {MEMBER}"),
    "it lies elsewhere": (
        cifar_files.tar_gz(ALL_BUT_ONE, member(f"{FOLDER}/../{MEMBER}", size=9), member("data_batch_3", size=9)),
        f"holds no {MEMBER}",
    ),
    "a file is too large": (
        cifar_files.tar_gz(ALL_BUT_ONE, member(MEMBER, size=(32 << 20) + 1)),
        f"its file has a {MEMBER} of 33,554,433 bytes, more than 33,554,432",
    ),
    "too many members": (
        cifar_files.tar_gz(CONTENTS, *(member(f"{i}") for i in range(1_001))),
        "its file has more than 1,000 members",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_bad_mirror_is_named_and_leaves_nothing(tmp_path: Path, serve, case: str) -> None:
    answer, reason = WRONG[case]
    server = serve(served(answer))
    with pytest.raises(InputError, match=f"{ARCHIVE} could not be fetched: {server.url} .*({reason})"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=[server.url])
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("case", WRONG)
def test_the_next_mirror_is_asked(tmp_path: Path, serve, case: str) -> None:
    bad, good = serve(served(WRONG[case][0])), serve(served(GOOD))
    assert len(fetch.fetch(TINY, tmp_path, 20, mirrors=[bad.url, good.url])) == 7
    assert everything_in(tmp_path / FOLDER) == NAMES


def test_a_bomb_is_not_unpacked(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "MAX_ARCHIVE_BYTES", 1 << 20)
    bomb = cifar_files.tar_gz(CONTENTS, member("zeros", size=1 << 26))
    assert len(bomb) < 1 << 20
    with pytest.raises(InputError, match="its file unpacks to more than 1,048,576 bytes"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=[serve(served(bomb)).url])
    assert everything_in(tmp_path) == []


def test_an_archive_too_large_is_not_fetched_to_its_end(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "MAX_ARCHIVE_BYTES", len(GOOD) - 1)
    for answer in (GOOD, ("of unknown length", GOOD)):
        with pytest.raises(InputError, match=f"its file is larger than {len(GOOD) - 1:,} bytes"):
            fetch.fetch(TINY, tmp_path, 20, mirrors=[serve(served(answer)).url])
    monkeypatch.setattr(cifar, "MAX_ARCHIVE_BYTES", 1 << 20)
    assert len(fetch.fetch(TINY, tmp_path, 20, mirrors=[serve(served(GOOD)).url])) == 7


def test_members_that_lead_elsewhere_are_not_looked_at(tmp_path: Path, serve) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    hostile = cifar_files.tar_gz(
        CONTENTS,
        member("../../evil", size=9),
        member(f"{FOLDER}/../../evil", size=9),
        member(str(outside / "evil"), size=9),
        member(f"{FOLDER}/evil", size=9),
        member(FOLDER, tarfile.SYMTYPE, str(outside)),
        member(f"{FOLDER}/data_batch_1", tarfile.SYMTYPE, str(outside / "evil")),
        member(f"{FOLDER}/data_batch_2", tarfile.LNKTYPE, "/etc/hostname"),
        member(f"{FOLDER}/device", tarfile.CHRTYPE),
    )
    data_dir = tmp_path / "deep" / "data"
    assert len(fetch.fetch(TINY, data_dir, 20, mirrors=[serve(served(hostile)).url])) == 7
    assert everything_in(tmp_path) == sorted(
        ["deep", "deep/data", "outside", f"deep/data/{FOLDER}", *(f"deep/data/{FOLDER}/{name}" for name in NAMES)]
    )
    assert not any(path.is_symlink() for path in (data_dir / FOLDER).iterdir())
    assert TINY.read(data_dir).x_train.shape == (20, 32, 32, 3)


def test_a_full_disk_is_reported(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.shutil, "copyfileobj", full)
    with pytest.raises(InputError, match=r"cannot be written to .*: No space left on device"):
        fetch.fetch(TINY, tmp_path, 20, mirrors=[serve(served(GOOD)).url])
    assert everything_in(tmp_path) == []


def test_asked_for_by_name_it_comes_from_ones_own_mirror(
    tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(choice.DATASETS, "tiny", TINY)
    server = serve({f"/base/tiny/{ARCHIVE}": GOOD})
    monkeypatch.setenv(fetch.MIRROR_VARIABLE, f"{server.url}base")
    assert choice.choose("tiny", tmp_path).dataset == "tiny"
    assert everything_in(tmp_path / FOLDER) == NAMES


TORCHVISION = """
import sys
import numpy as np
from torchvision.datasets import CIFAR10

root, out, *md5 = sys.argv[1:]
CIFAR10.train_list = [[f"data_batch_{i + 1}", md5[i]] for i in range(5)]
CIFAR10.test_list = [["test_batch", md5[5]]]
CIFAR10.meta = CIFAR10.meta | {"md5": md5[6]}
train, test = CIFAR10(root, train=True), CIFAR10(root, train=False)
assert train.classes == [f"class {i}" for i in range(10)]
np.savez(out, x_train=train.data, y_train=train.targets, x_test=test.data, y_test=test.targets)
"""


@pytest.mark.slow
def test_torchvision_reads_what_was_fetched(tmp_path: Path, serve) -> None:
    fetch.fetch(TINY, tmp_path, 20, mirrors=[serve(served(GOOD)).url])
    hashes = [file.md5 for file in TINY.files]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TORCHVISION, str(tmp_path), str(tmp_path / "out.npz"), *hashes],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        check=True,
        timeout=GENEROUS_S,
    )
    raw = TINY.read(tmp_path)
    with np.load(tmp_path / "out.npz") as theirs:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            np.testing.assert_array_equal(getattr(raw, name), theirs[name])
