"""A user's own network on the command line, from its folder to a run, and back from the run's folder."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy_own import FILE, NETWORK
from numpy_specs import numpy_spec
from patience import GENEROUS_S
from rich.console import Console

from compare.__main__ import main
from compare.folders.manifest import hashes, sealed
from compare.folders.run_folder import load_manifest
from compare.registry import IMPLEMENTATIONS
from compare.reporting.screen import Screen
from compare.training import ray_executor
from compare.training.planned import PLAN, Planned
from compare.training.study import Settings
from shared import own_code
from shared.data import load
from shared.description import CONTRACT
from shared.errors import InputError
from shared.result import RunResult

RUN = ["--implementations", "numpy", "--device", "cpu", "--epochs", "1", "--batch-size", "8", "--quiet"]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, numpy_implementation: str, tmp_path: Path) -> Path:
    """Make a folder `mine` with a network for NumPy beside `data.npz`, in the current folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(IMPLEMENTATIONS, "numpy", numpy_spec("numpy", "numpy_own", own_file=FILE))
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / FILE).write_text(NETWORK)
    rng = np.random.default_rng(0)
    labels = (np.arange(21) % 7).astype(np.uint8)
    images = rng.integers(0, 256, (21, 6, 5, 3), np.uint8)
    np.savez(tmp_path / "data.npz", x_train=images, y_train=labels, x_test=images[::-1], y_test=labels[::-1])
    return mine


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    return command(monkeypatch, "run", *RUN, "--dataset", "data.npz", "--model", "mine/", *arguments)


def test_from_a_folder_to_a_run_and_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    assert run(monkeypatch, "--out", "out") == 2
    assert "python -m compare contract mine" in capsys.readouterr().err

    assert command(monkeypatch, "contract", "mine") == 0
    shown = capsys.readouterr().out
    assert "numpy.py matches the contract." in shown
    assert "Every command leaves these out, as they have no file: keras.py, tf_lowlevel.py, torch.py." in shown
    assert sorted(path.name for path in folder.iterdir()) == [CONTRACT, FILE], "nothing else is left in the folder"

    out = tmp_path / "out"
    assert run(monkeypatch, "--out", out) == 0
    planned = Planned.model_validate_json((out / PLAN).read_text())
    spec = planned.runs[0].spec
    assert (spec.name, spec.n_classes, spec.n_params, spec.code and spec.code.folder) == ("mine", 7, 28, str(folder))
    assert "network" not in json.loads((out / PLAN).read_text())["runs"][0], "it is there once, and not with every run"
    assert (out / "network" / FILE).read_text() == NETWORK
    for again in (["verify", out], ["verify", out, "--rerun"], ["report", out], ["diff", out, out]):
        assert command(monkeypatch, *again) == 0, again
    assert "mine" in (out / "report.md").read_text()


def test_its_code_runs_only_as_it_was_and_if_it_was_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    assert command(monkeypatch, "contract", "mine") == 0
    assert run(monkeypatch, "--out", "out") == 0
    capsys.readouterr()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "somebody"))
    assert command(monkeypatch, "verify", "out", "--rerun") == 2
    assert "you never named that folder on this machine" in capsys.readouterr().err
    assert command(monkeypatch, "verify", "out", "--rerun", "--model", "mine") == 0
    assert command(monkeypatch, "verify", "out", "--rerun") == 0

    (folder / FILE).write_text(NETWORK + "# changed\n")
    capsys.readouterr()
    for again in (
        ["run", "--resume", "out"],
        ["verify", "out", "--rerun"],
        ["verify", "out", "--rerun", "--model", "mine"],
    ):
        assert command(monkeypatch, *again) == 2
        assert f"{FILE} of {folder} changed since the run began" in capsys.readouterr().err
    shutil.rmtree(folder)
    assert command(monkeypatch, "verify", "out", "--rerun") == 2
    assert "that folder is not there" in capsys.readouterr().err
    assert command(monkeypatch, "report", "out") == 0, "which needs no code"


def test_what_its_code_raises_is_shown_as_its_own_last_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert command(monkeypatch, "contract", "mine") == 0
    capsys.readouterr()
    for code, last in (
        (NETWORK.replace("    layers =", "    nothing_of_that_name\n    layers ="), "  | NameError: name"),
        ("def (", "  | SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "  | SystemExit: 3"),
        ("a = 1", "numpy.py needs either a class `Network` or a function `network`, and has neither."),
        (NETWORK.replace("7", "8"), "numpy.py is not as mine/contract.json says"),
    ):
        (folder / FILE).write_text(code)
        assert run(monkeypatch, "--out", "out") == 2, code
        said = capsys.readouterr()
        assert last in said.err
        assert "compare/worker" not in said.err
        assert not Path("out").exists()


@pytest.mark.parametrize(
    ("code", "wrote"), [("print('bye', flush=True)", "Its last output: bye"), ("", "It printed nothing.")]
)
def test_code_that_ends_its_process_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, code: str, wrote: str
) -> None:
    (folder / FILE).write_text(f"{code}\nimport os\nos._exit(3)\n")
    assert command(monkeypatch, "contract", "mine") == 2
    said = f"compare: mine/numpy.py could not be built and called: the worker exited with code 3. {wrote}"
    assert said in capsys.readouterr().err


def test_who_has_no_file_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert command(monkeypatch, "contract", "mine") == 0
    assert run(monkeypatch, "--implementations", "numpy,torch") == 2
    assert (
        "'mine' has no network for the implementation 'torch', which needs a file torch.py there"
        in capsys.readouterr().err
    )
    monkeypatch.setitem(IMPLEMENTATIONS, "keras", replace(IMPLEMENTATIONS["numpy"], name="keras", title="Keras"))
    arguments = [one for one in RUN if one not in ("--implementations", "numpy", "--quiet")]
    assert command(monkeypatch, "run", *arguments, "--dataset", "data.npz", "--model", "mine") == 0
    said = capsys.readouterr()
    assert "Left out: torch, tf_lowlevel, as the folder has no torch.py and tf_lowlevel.py." in said.err


def test_scaffold_and_source(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert command(monkeypatch, "models", "cnn_bn_cifar", "--scaffold", "fresh") == 0
    assert sorted(path.name for path in Path("fresh").iterdir()) == [CONTRACT, "keras.py", "tf_lowlevel.py", "torch.py"]
    capsys.readouterr()
    assert command(monkeypatch, "models", "cnn_bn_cifar", "--scaffold", "fresh") == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert command(monkeypatch, "models", "cnn_bn_cifar", "--source", "--json") == 0
    source = json.loads(capsys.readouterr().out)["source"]
    for name, text in source.items():
        assert text.split('"""')[2] in Path("fresh", f"{name}.py").read_text(), name
    assert command(monkeypatch, "models", "fresh") == 0
    assert "Twice two padded convolutions" in capsys.readouterr().out


@pytest.mark.parametrize("is_terminal", [True, False])
def test_source_in_a_narrow_window(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, is_terminal: bool
) -> None:
    """On a terminal, lines end between words and keep their indentation. A file gets the code unchanged."""
    words = ", ".join(['"a word"'] * 12)
    text = NETWORK.replace("    layers =", f"    steps = [{words}]\n    layers =")
    (folder / FILE).write_text(text)
    assert command(monkeypatch, "contract", "mine") == 0
    capsys.readouterr()
    monkeypatch.setattr(
        Screen, "console", lambda self: Console(width=80, force_terminal=is_terminal, color_system=None)
    )
    assert command(monkeypatch, "models", "mine/", "--source") == 0
    lines = capsys.readouterr().out.splitlines()
    if not is_terminal:
        assert "\n".join(lines[1:]).rstrip() == text.rstrip()
        return
    assert max(map(len, lines)) <= 80
    (first,) = (at for at, line in enumerate(lines) if line.startswith("    steps = ["))
    assert lines[first + 1].startswith('      word", "a')


def test_links_of_its_folder_lead_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    """Otherwise a folder from another user could have a private file copied into the run's folder, or overwritten."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "key").write_text("precious")
    assert command(monkeypatch, "contract", "mine") == 0
    for name in ("more.py", FILE, CONTRACT, "below"):
        path, target = folder / name, victim / "key" if "." in name else victim
        before = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        for line in (["contract", "mine"], ["models", "mine"], ["run", "--model", "mine/", "--dataset", "data.npz"]):
            capsys.readouterr()
            assert command(monkeypatch, *line) == 2, (name, line)
            assert f"mine/{name} is a symbolic link that leads out of the folder" in capsys.readouterr().err
        path.unlink()
        if before is not None:
            path.write_bytes(before)
    assert (victim / "key").read_text() == "precious"
    (folder / "more.py").symlink_to(FILE)  # within the folder
    assert command(monkeypatch, "models", "mine") == 0


def test_a_folder_that_a_record_names_is_not_searched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    """Nor can the advice run another command when it is copied to a shell."""
    assert command(monkeypatch, "contract", "mine") == 0
    assert run(monkeypatch, "--out", "out") == 0
    other = tmp_path / "x; rm -rf y"
    other.mkdir()
    record = next((tmp_path / "out" / "results").iterdir())
    record.write_text(record.read_text().replace(str(folder), str(other)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "somebody"))
    monkeypatch.setattr(own_code, "contents", lambda _: pytest.fail("it was searched"))
    capsys.readouterr()
    assert command(monkeypatch, "verify", "out", "--rerun") == 1, "a record was altered"
    assert command(monkeypatch, "export", "out", "--format", "onnx") == 2
    assert f"add --model '{other}'" in capsys.readouterr().err


def test_verify_holds_the_copy_of_the_code_to_the_plan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    """People read the copy, and a manifest can be sealed again."""
    assert command(monkeypatch, "contract", "mine") == 0
    assert run(monkeypatch, "--out", "out") == 0
    out = tmp_path / "out"
    (out / "network" / FILE).write_text("# harmless\n")
    (out / "network" / "added.py").write_text("")
    known = load_manifest(out)
    for name, content in sealed(known, hashes(out)).items():
        (out / name).write_bytes(content)
    capsys.readouterr()
    assert command(monkeypatch, "verify", "out") == 1
    said = capsys.readouterr().out
    for name in (FILE, "added.py"):
        assert f"network/{name} is not the file of the network that plan.json records." in said
    assert folder.is_dir()


@pytest.mark.parametrize("there", ["a link to nothing", "a file's name"])
def test_a_folder_that_cannot_be_made_gets_a_sentence(
    there: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "new").symlink_to("nothing") if there == "a link to nothing" else (tmp_path / "f").write_text("")
    target = "new" if there == "a link to nothing" else "f/new"
    assert command(monkeypatch, "models", "cnn_same", "--scaffold", target) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_its_code_is_sent_to_a_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    """A task of Ray trains with the files sent along, on a node without the folder."""
    assert command(monkeypatch, "contract", "mine") == 0
    assert run(monkeypatch, "--out", "out") == 0
    (planned,) = Planned.model_validate_json((tmp_path / "out" / PLAN).read_text()).runs
    here = RunResult.model_validate_json((tmp_path / "out" / "results" / "numpy-seed0.json").read_text())
    data, settings = load(planned.data, tmp_path), Settings(1, "kept", True, GENEROUS_S, "passive")
    on_ray = ray_executor.OnRay("cluster", ["numpy"], data, tmp_path, settings, lambda _: None)
    code = on_ray._code_of(planned)
    assert set(code) == {FILE, CONTRACT}
    (folder / FILE).write_text(NETWORK + "# changed")
    assert on_ray._code_of(planned) == code, "all runs of a study are of the same code"
    with pytest.raises(InputError, match=f"{FILE} of {folder} changed. Begin another study"):
        ray_executor.OnRay("cluster", ["numpy"], data, tmp_path, settings, lambda _: None)._code_of(planned)

    shutil.rmtree(folder)
    sent = ray_executor._train(planned.model_dump_json(), data.arrays(), settings, code)
    there = RunResult.model_validate_json(sent.result)
    assert (there.error, there.run) == (None, planned)
    assert here.outcome is not None
    assert there.outcome is not None
    assert there.outcome.weights_sha256 == here.outcome.weights_sha256
    capsys.readouterr()
    assert command(monkeypatch, "bench", "--executor", "ray", "--model", "mine/") == 2
    assert "is not sent to the cluster's node" in capsys.readouterr().err
