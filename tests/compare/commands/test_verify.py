"""Every change in a folder is named, and reports come from records alone."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fuzzing import bounded

from compare.__main__ import main
from compare.commands.verify import problems
from compare.folders import manifest
from compare.folders.manifest import MANIFEST, SEAL, Manifest, hashes, sealed
from compare.folders.run_folder import load_record


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
def folder(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a run of exactly this code, even if a user commits while the tests run."""
    commit = load_record(run_folder / MANIFEST, Manifest).commit
    monkeypatch.setattr(manifest, "code_commit", lambda: commit)
    return run_folder


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def seal_again(folder: Path) -> None:
    """Have the manifest confirm the current content."""
    for name, content in sealed(load_record(folder / MANIFEST, Manifest), hashes(folder)).items():
        (folder / name).write_bytes(content)


def test_a_folder_as_it_was_written(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert problems(folder) == []
    assert command(monkeypatch, "verify", folder) == 0
    assert capsys.readouterr().out.strip() == f"{folder} is as it was written."


def test_fifty_single_bytes(folder: Path) -> None:
    """Each is in another place of a file. Exactly that file is named, and the one that protects it."""
    random = np.random.default_rng(5)
    having = [name for name in names(folder) if (folder / name).stat().st_size]
    for _ in range(50):
        name = str(random.choice(having))
        path = folder / name
        whole = path.read_bytes()
        at, by = int(random.integers(len(whole))), int(random.integers(1, 256))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ by]) + whole[at + 1 :])
        found = problems(folder)
        assert any(name in text for text in found), (name, at, by, found)
        path.write_bytes(whole)
    assert problems(folder) == []


def test_every_missing_and_every_added_file(folder: Path) -> None:
    for name in names(folder):
        if name == MANIFEST:
            continue
        whole = (folder / name).read_bytes()
        (folder / name).unlink()
        assert any(text.startswith(f"{name} is missing") for text in problems(folder)), name
        (folder / name).write_bytes(whole)
    (folder / "weights" / "extra.txt").write_text("")
    assert problems(folder) == ["weights/extra.txt is not in the manifest."]


def test_a_figure_that_no_record_gives(folder: Path) -> None:
    """It is altered in the report and in the manifest, so every hash is right. Rendering the report again reveals
    it."""
    report = folder / "report.md"
    report.write_text(report.read_text().replace("2 of 2 runs were trained", "3 of 3 runs were trained"))
    seal_again(folder)
    assert problems(folder) == ["report.md does not match its records: rebuilt from them, it has other bytes."]


@pytest.mark.parametrize(
    ("field", "value"), [("libraries", "Python 3.0.1, matplotlib 0.1"), ("version", "0.0.1"), ("commit", "0" * 12)]
)
def test_reports_of_other_code_are_not_made_again(
    field: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    other = load_record(folder / MANIFEST, Manifest).model_copy(update={field: value})
    for name, content in sealed(other, other.files).items():
        (folder / name).write_bytes(content)
    assert command(monkeypatch, "verify", folder, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["problems"] == []
    assert value in answer["not_compared"]
    assert command(monkeypatch, "verify", folder) == 0
    assert capsys.readouterr().out.endswith(f"{folder} is as it was written, by its hashes alone.\n")


@pytest.mark.parametrize(
    ("field", "value"),
    [("libraries", "none of your business"), ("ended", "2001-01-01T00:00:00Z"), ("command", "python -m compare --x")],
)
def test_fields_of_the_manifest_that_cannot_be(folder: Path, field: str, value: str) -> None:
    other = load_record(folder / MANIFEST, Manifest).model_copy(update={field: value})
    for name, content in sealed(other, other.files).items():
        (folder / name).write_bytes(content)
    assert any(text.startswith("manifest.json ") for text in problems(folder))


def test_a_page_that_says_something_else(folder: Path) -> None:
    page = folder / "report.html"
    page.write_text(page.read_text().replace("2 of 2 runs were trained", "3 of 3 runs were trained"))
    seal_again(folder)
    assert problems(folder) == ["report.html does not match its records: rebuilt from them, it has other bytes."]


def test_what_is_no_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (folder / "plots" / "extra.png").symlink_to("/etc/passwd")
    (folder / "extra").symlink_to("/etc")
    os.mkfifo(folder / "plots" / "pipe")
    (folder / "a\nreport.md is missing.").write_text("")
    assert command(monkeypatch, "verify", folder) == 1
    said = capsys.readouterr().out.splitlines()
    assert "plots/extra.png is a symbolic link, and its content was not checked." in said
    assert "extra is a symbolic link, and its content was not checked." in said
    assert "plots/pipe is a pipe, and its content was not checked." in said
    assert "a\\nreport.md is missing. is not in the manifest." in said  # one line, and not one of its own


def test_a_signature(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for name in ("mine", "other"):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pem").write_bytes(private)
        (tmp_path / f"{name}.pub").write_bytes(public)
    assert command(monkeypatch, "verify", folder, "--verify-key", tmp_path / "mine.pub") == 1
    assert "manifest.sig is missing: the folder was not signed." in capsys.readouterr().out
    for option, key in (("--sign", "mine.pub"), ("--verify-key", "mine.pem"), ("--sign", "nothing.pem")):
        assert command(monkeypatch, "verify", folder, option, tmp_path / key) == 2
        assert "Ed25519" in (error := capsys.readouterr().err) or "openssl" in error
    assert command(monkeypatch, "verify", folder, "--sign", tmp_path / "mine.pem") == 0
    assert command(monkeypatch, "verify", folder, "--verify-key", tmp_path / "mine.pub") == 0
    assert command(monkeypatch, "verify", folder, "--verify-key", tmp_path / "other.pub") == 1
    assert problems(folder) == []
    report = folder / "report.md"
    report.write_text(report.read_text() + "more")
    seal_again(folder)  # a forger can do this too
    capsys.readouterr()
    assert command(monkeypatch, "verify", folder, "--verify-key", tmp_path / "mine.pub") == 1
    assert "manifest.sig does not fit" in capsys.readouterr().out


@pytest.mark.long
def test_weights_are_evaluated_again(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert command(monkeypatch, "verify", folder, "--rerun") == 0
    path = folder / "results" / "numpy-seed1.json"
    record = json.loads(path.read_text())
    record["outcome"]["test_accuracy"] += 1 / 360
    path.write_text(json.dumps(record, indent=1))
    seal_again(folder)
    assert command(monkeypatch, "report", folder) == 0  # makes everything consistent
    capsys.readouterr()
    assert command(monkeypatch, "verify", folder, "--rerun") == 1
    assert "numpy-seed1: its weights give a test accuracy of" in capsys.readouterr().out


def test_a_report_is_made_from_records_alone(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    for name in ("report.md", "report.html", "results.csv"):
        (folder / name).unlink()
    shutil.rmtree(folder / "plots")
    assert command(monkeypatch, "report", folder) == 0
    assert "Rebuilt: " in capsys.readouterr().out
    assert names(folder) == sorted(before)
    assert all((folder / name).read_bytes() == before[name] for name in ("report.md", "results.csv"))
    assert problems(folder) == []


def test_an_altered_record_is_not_made_right_by_a_new_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "results" / "numpy-seed1.json"
    path.write_text(path.read_text().replace('"test_loss": ', '"test_loss": 1'))
    assert command(monkeypatch, "report", folder) == 0
    assert command(monkeypatch, "verify", folder) == 1
    assert "results/numpy-seed1.json was altered" in capsys.readouterr().out


@pytest.mark.long
def test_one_report_of_several_folders(
    folder: Path, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "both"
    assert command(monkeypatch, "report", folder, written, "--out", out) == 0
    text = (out / "report.md").read_text()
    assert text.startswith("# 2 reports\n")
    assert text.count("## dense\\_baseline on digits") + text.count("## dense_baseline on digits") == 2
    for number in (1, 2):
        assert f"](plots/{number}-learning_curves.png)" in text
        assert (out / "plots" / f"{number}-learning_curves.png").is_file()
    assert f"- **{folder}**: 2 of 2 runs were trained" in text
    assert problems(out) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "."), "has no manifest.json"),
        (("report", "."), "holds no records that a report is made from"),
        (("report", "nowhere"), "holds no records"),
        (("report", ".", "."), "named twice"),
    ],
)
def test_bad_input(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_seal_is_what_sha256sum_reads(folder: Path) -> None:
    import hashlib

    sha256 = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    assert (folder / SEAL).read_text() == f"{sha256}  {MANIFEST}\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 2}, "was written by a newer version: its schema is 2, and this version reads up to 1"),
        ({"schema_version": "x"}, "schema_version: Input should be 1"),
        ({"n_test": "many"}, "n_test: Input should be a valid integer"),
        ({"surprise": 1}, "it has no field 'surprise'"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_with_its_field(
    change: dict[str, object], said: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    path = folder / "results" / "numpy-seed1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert command(monkeypatch, "report", folder) == 2
    error = capsys.readouterr().err
    assert f"{path}" in error
    assert said in error
    assert "Traceback" not in error


HOSTILE = "1 ![i](x.png) <script>alert(1)</script> [phish](http://evil/)\\n# A heading\\n```\\n<b>"


def test_texts_from_elsewhere_stay_texts(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    path = folder / "results" / "numpy-seed1.json"
    record = json.loads(path.read_text())
    hostile = HOSTILE.replace("\\n", "\n") + "\x1b[31m"
    record["environment"] |= dict.fromkeys(
        ("framework", "framework_version", "python", "numpy", "cpu", "system"), hostile
    )
    record["environment"]["settings"] = {hostile: hostile}
    record["environment"]["variables"] = {f"MALLOC_{hostile}": hostile}
    record["outcome"]["device_name"] = hostile
    path.write_text(json.dumps(record))
    done = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(done | dict.fromkeys(("version", "commit", "command"), hostile)))
    assert command(monkeypatch, "report", folder) == 0, capsys.readouterr().err
    text, page = ((folder / name).read_text() for name in ("report.md", "report.html"))
    code = text.split("```")
    assert len(code) == 3  # one block, which its content cannot end
    assert "<script>" not in code[0] + code[2]
    assert "\x1b" not in text
    assert "\n# A heading" not in text
    assert "<script>alert" not in page
    assert "http://evil" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', page))


def test_links_and_devices_are_not_followed(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """They may be endless, or wait for ever."""
    (folder / "extra").symlink_to("/proc/kmsg")
    with (folder / "large").open("wb") as stream:
        stream.truncate(1 << 40)
    with bounded():
        assert command(monkeypatch, "verify", folder) == 1
    assert "large is not in the manifest." in capsys.readouterr().out
