"""The command line: help, and one clear paragraph for every kind of bad input."""

import errno
import os
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import idx_files
import numpy as np
import pytest
from patience import GENEROUS_S

from compare.__main__ import main
from compare.cli.app import report_input_errors
from compare.commands.lifecycle import Work
from compare.folders.output import OutputFolder
from compare.options import OPTIONS
from compare.processes import signals
from compare.reporting import opening
from shared.errors import InputError, UserCodeError

ROOT = Path(__file__).parents[3]


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run `python -m compare *arguments` in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COMPARE_DATA_DIR", raising=False)
    monkeypatch.setattr(opening, "SILENCE_S", 1e6)  # a busy machine takes longer to reject something
    return folder


BAD_OPTIONS = {
    "--model cnn_sam": "There is no architecture 'cnn_sam'. Did you mean 'cnn_same'?",
    "--dataset fashion": "There is no data set 'fashion'. Did you mean 'fashion_mnist'?",
    "--dataset digits --implementations torch,keras,tf_lowlevle": "'tf_lowlevle'. Did you mean 'tf_lowlevel'?",
    "--implementations ,": "--implementations names none",
    "--implementations torch,torch": "--implementations torch,torch names one twice",
    "--optimizer adamx": "There is no optimizer 'adamx'. Did you mean 'adam",
    "--schedule linaer": "There is no schedule 'linaer'. Did you mean 'linear'?",
    "--scale unti": "There is no scale 'unti'. Did you mean 'unit'?",
    "--mode grpah": "There is no mode 'grpah'. Did you mean 'graph'?",
    "--mode xla": "The implementation 'torch' has no mode 'xla', only eager and graph.",
    "--device gpu": "There is no device 'gpu'. Did you mean 'cuda'?",
    "--device tpu": "There is no device 'tpu'. Known: auto, cpu, cuda.",
    "--model mlp": "There is no architecture 'mlp'. Did you mean 'dense_baseline'?",
    "--dataset emnist": "Did you mean 'emnist_balanced' or 'emnist_letters' or 'emnist_digits'?",
    "--implementations tf.keras": "There is no implementation 'tf.keras'. Did you mean 'keras' or 'keras_functional'?",
    "--implementations tensorflow": "'tensorflow'. Did you mean 'keras' or 'tf_lowlevel'?",
    "--implementations PyTorch": "'PyTorch'. Did you mean 'torch'?",
    "--dataset fashion-mnist": "'fashion-mnist'. Did you mean 'fashion_mnist'?",
    "--batch-size 999999999999": "--batch-size 999999999999 is not possible. Give a number from 1 to 1,000,000.",
    "parity --precision double": "'double'. Did you mean 'float64'?",
    "--epochs 0": "--epochs 0 is not possible. Give a number from 1 to 1,000,000.",
    "--epochs -3": "--epochs -3 is not possible",
    "--batch-size 0": "--batch-size 0 is not possible",
    "--seed -1": "--seed -1 is not possible. Give a number from 0 to 4,294,967,295.",
    "--seeds 0": "--seeds 0 is not possible",
    "--limit 0": "--limit 0 is not possible",
    "--threads 0": "--threads 0 is not possible",
    "--learning-rate 0": "--learning-rate 0 is not possible",
    "--learning-rate nan": "--learning-rate nan is not possible",
    "--weight-decay -0.1": "--weight-decay -0.1 is not possible. Give a number from 0 up",
    "--weight-decay inf": "--weight-decay inf is not possible",
    "--recipe idiomatic --weight-decay 0.1": "--weight-decay cannot be combined with --recipe idiomatic",
    "--timeout -1": "--timeout -1 is not possible. Give a number from 1 to 1,000,000.",
    "--timeout nan": "--timeout nan is not possible",
    "--timeout 1e10": "--timeout 1e+10 is not possible. Give a number from 1 to 1,000,000.",
    "--seeds 1000000000": "--seeds 1000000000 is not possible. Give a number from 1 to 100,000.",
    "--threads 100000": "--threads 100000 is not possible. Give a number from 1 to 1,024.",
    "--dataset digits --out o\udcff": "--out 'o\\udcff' has characters that cannot be shown",
    f"--dataset digits --out {'o' * 300}": "cannot be used: File name too long",
    f"--dataset {'o' * 300}.npz": "cannot be read as an .npz file",
    f"--dataset mnist --data-dir {'o' * 300}": "cannot be used: File name too long",
    "--dataset digits --batch-size 1438": "--batch-size 1,438 is larger than the 1,437 training images",
    "--dataset digits --limit 100 --batch-size 101": "--batch-size 101 is larger than the 100 training images",
    "--dataset digits --limit 1438": "digits has 1,437 training images, and 1,438 were asked for",
    "--dataset nothing.npz": "There is no file nothing.npz",
    "--recipe idiomtic": "There is no recipe 'idiomtic'. Did you mean 'idiomatic'?",
    "--recipe idiomatic --optimizer sgd --scale unit": "--scale and --optimizer cannot be combined with --recipe idiom",
    "--mixed-precision bflot16": "There is no mixed precision 'bflot16'. Did you mean 'bfloat16'?",
    "--mixed-precision tf32": "--mixed-precision tf32 is a format of CUDA devices only. Give --device cuda",
    "--precision float16": "There is no precision 'float16'. Did you mean",
    "--precision float64 --mixed-precision bfloat16": "--mixed-precision cannot be combined with --precision float64",
    "--recipe idiomatic --precision float64": "--precision cannot be combined with --recipe idiomatic",
    "--mode tuend": "There is no mode 'tuend'. Did you mean 'tuned'?",
    "--mode tuned --allocator system": "--allocator cannot be combined with --mode tuned, which is the fastest",
    "--mode tuned --parity": "--parity cannot be combined with --mode tuned, which is the fastest",
    "--mode tuned --executor ray": "--executor cannot be combined with --mode tuned, which is the fastest",
    "--mode tuned --world-size 2": "'torch@2' has no mode 'tuned'",
    "--recipe idiomatic --mixed-precision bfloat16": "--mixed-precision cannot be combined with --recipe idiomatic",
    "--recipe idiomatic --mode eager": "--mode cannot be combined with --recipe idiomatic",
    "--preset strech": "There is no preset 'strech'. Did you mean 'stretch'?",
    "--augment afine": "There is no augmentation 'afine'. Did you mean 'affine'?",
    "--dropout 0.5": "the architecture 'cnn_same' has no dropout. Use --model cnn_deep_dropout.",
    "--model cnn_deep_dropout --dropout 1": "--dropout 1 is not possible. Give a rate from 0 to below 1.",
    "--model cnn_deep_dropout --dropout nan": "--dropout nan is not possible",
    "--margin 0": "--margin 0 is not possible. Give a difference in accuracy above 0 and below 1",
    "--target 99": "--target 99 is not possible. Give an accuracy above 0 and up to 1: 0.99 stands for 99 %.",
    "--stop-at 98": "--stop-at 98 is not possible. Give an accuracy above 0 and up to 1: 0.98 stands for 98 %.",
    "--stop-at nan": "--stop-at nan is not possible",
    "--batch-size many": "--batch-size 'many' is not possible. Give a whole number, or auto.",
    "--validation -1": "--validation -1 is not possible",
    "--dataset digits --validation 1437": "--validation 1,437 leaves none of the 1,437 training images",
    "--implementations keras_functional": "'keras_functional' has no 'cnn_same', only cnn_bn_cifar.",
    "--dataset digits --model cnn_bn_cifar": "takes images of (32, 32, 3) (height, width, channels), and those of",
    "models cnn_sme": "There is no architecture 'cnn_sme'. Did you mean 'cnn_same'?",
    "models --check": "--check needs the name of an architecture",
    "parity --model cnn_sam": "There is no architecture 'cnn_sam'. Did you mean 'cnn_same'?",
    "parity --model ,": "--model names none",
    "parity --steps 0": "--steps 0 is not possible. Give a number from 1 to 100,000.",
    "parity --draws 0": "--draws 0 is not possible",
    "parity --seed -1": "--seed -1 is not possible",
    "parity --seeds 0": "--seeds 0 is not possible",
    "parity --batch-size 0": "--batch-size 0 is not possible",
    "parity --batch-size 1438": "--batch-size 1,438 is larger than the 1,437 training images",
    "parity --timeout nan": "--timeout nan is not possible",
    "parity --rung gradient": "There is no rung 'gradient'. Did you mean 'gradients'?",
    "parity --precision float16": "There is no precision 'float16'. Did you mean 'float64'?",
    "parity --optimizer adamx": "There is no optimizer 'adamx'. Did you mean 'adam",
    "parity --device gpu": "There is no device 'gpu'",
    "parity --implementations torch": "A comparison needs two implementations, and of --implementations torch 1 has",
    "parity --implementations torch,kears": "There is no implementation 'kears'. Did you mean 'keras'?",
    "parity --implementations torch,keras_functional": "of --implementations torch,keras_functional 1 has 'cnn_same'",
    "parity --dataset fashion": "There is no data set 'fashion'. Did you mean 'fashion_mnist'?",
    "parity --model cnn_bn_cifar --dataset digits": "takes images of (32, 32, 3) (height, width, channels), and those",
    "parity --out o\udcff": "--out 'o\\udcff' has characters that cannot be shown",
    "parity --ledger --row adam-default": "There is no row 'adam-default'. Did you mean 'adam-defaults'?",
    "parity --row ,": "--row names none",
    "parity --ledger --timeout nan": "--timeout nan is not possible",
    "parity --ledger --steps 5 --model cnn_same": "--model and --steps cannot be combined with --ledger",
    "parity --row tf32 --out ledger.md": "--out is for the page of the whole ledger, and --row asks for some of it.",
    "parity --waterfall --precision float64": "--precision cannot be combined with --waterfall",
    "parity --waterfall --model all": "--waterfall takes one architecture at a time",
    "parity --mode grpah": "There is no mode 'grpah'. Did you mean 'graph'?",
    "parity --ledger --out ledger": "the ledger is one page. Give a file whose name ends with .md.",
    "parity --ledger --out nowhere/ledger.md": "the folder nowhere does not exist, or cannot be written to",
    "data mnits": "There is no data set to fetch 'mnits'. Did you mean 'mnist'?",
}


@pytest.mark.parametrize("line", BAD_OPTIONS)
def test_bad_options(line: str, monkeypatch: pytest.MonkeyPatch, capsys, empty_folder: Path) -> None:
    assert run_main(monkeypatch, *line.split()) == 2
    shown = capsys.readouterr()
    assert BAD_OPTIONS[line] in shown.err
    assert shown.err.count("\n") == 1  # one paragraph
    assert shown.out == ""
    assert list(empty_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--epoch 3", "No such option '--epoch'. Did you mean '--epochs'?"),
        ("--epochs three", "Invalid value for '--epochs'"),
        ("--epochs 1.5", "Invalid value for '--epochs'"),
        ("rnu", "No such command 'rnu'"),
        ("run extra", "unexpected extra argument"),
        ("export .", "Missing option '--format'"),
    ],
)
def test_bad_usage(line: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert run_main(monkeypatch, *line.split()) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("arguments", [("run", "--resume", ""), ("run", "--out", ""), ("report", "")])
def test_an_empty_path_is_not_the_current_folder(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert run_main(monkeypatch, *arguments) == 2
    assert "is empty. Give a path, or leave it out." in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["run --model =", "run --dataset =", "models =", "data =", "verify . --model =", "port a b --loss ="]
)
def test_an_empty_name_is_not_the_default(line: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """An empty name comes from a variable that is not set, and the user did not mean the default."""
    assert run_main(monkeypatch, *("" if word == "=" else word for word in line.split())) == 2
    assert " is empty. Give " in capsys.readouterr().err


def test_images_of_another_shape(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    images, labels = np.zeros((20, 32, 32, 3), np.uint8), np.zeros(20, np.uint8)
    path = tmp_path / "colour.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    assert run_main(monkeypatch, "--dataset", str(path), "--batch-size", "8") == 2
    assert "takes images of (28, 28, 1) (height, width, channels), and those of" in capsys.readouterr().err


def test_altered_data(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path, empty_folder: Path) -> None:
    _, contents = idx_files.make()
    idx_files.write(tmp_path / "MNIST" / "raw", contents, gzipped=True)
    assert run_main(monkeypatch, "--dataset", "mnist", "--data-dir", str(tmp_path)) == 2
    error = capsys.readouterr().err
    assert "its header says 30 images of 28 x 28, and the original has 60,000 images of 28 x 28" in error
    assert f"Files of your own are read with '--dataset idx:{tmp_path / 'MNIST' / 'raw'}'" in error
    assert "cut off" not in error
    assert "emove" not in error
    assert list(empty_folder.iterdir()) == []


def test_an_occupied_output_folder(monkeypatch: pytest.MonkeyPatch, capsys, empty_folder: Path) -> None:
    (empty_folder / "mine").mkdir()
    (empty_folder / "mine" / "precious").write_text("x")
    assert run_main(monkeypatch, "--dataset", "digits", "--out", "mine") == 2
    assert "The output folder mine is not empty, and nothing in it is overwritten" in capsys.readouterr().err
    assert [p.name for p in (empty_folder / "mine").iterdir()] == ["precious"]


def test_an_output_folder_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, capsys, empty_folder: Path) -> None:
    (empty_folder / "file").write_text("x")
    assert run_main(monkeypatch, "--dataset", "digits", "--out", "file/out") == 2
    assert "The output folder file/out cannot be used: Not a directory" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
def test_folders_of_another_user(tmp_path: Path) -> None:
    """Run as another user, below a folder closed to that user."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    # Python itself may be closed to that user. So a first, failing call imports everything that the second one needs.
    script = (
        "import os, sys; from compare.__main__ import main\n"
        "options, sys.argv[1:] = sys.argv[1:], ['--dataset', 'nothing.npz']\n"
        "try: main()\n"
        "except SystemExit: sys.stderr.flush()\n"
        "print('---', file=sys.stderr, flush=True)\n"
        "sys.argv[1:] = options; os.setuid(65534); main()"
    )
    for options, message in (
        (["--dataset", "mnist", "--out", str(closed / "out")], "cannot be used: Permission denied"),
        (["--dataset", str(closed / "x.npz")], "cannot be read as an .npz file"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *options],
            cwd=ROOT, env=os.environ | {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False, timeout=GENEROUS_S,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        error = done.stderr.split("---\n")[1]
        assert message in error
        assert error.count("\n") == 1


def test_cuda_asked_for_and_not_there(
    numpy_implementation: str, monkeypatch: pytest.MonkeyPatch, capsys, empty_folder: Path
) -> None:
    assert run_main(monkeypatch, "--dataset", "digits", "--device", "cuda", "--implementations", "numpy") == 2
    error = capsys.readouterr().err
    assert "no CUDA device is visible to numpy (" in error
    assert list(empty_folder.iterdir()) == []


def test_data_lists_what_is_there(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    assert run_main(monkeypatch, "data", "--data-dir", str(tmp_path)) == 0
    shown = capsys.readouterr().out
    assert "digits: embedded" in shown
    assert f"mnist: not in {tmp_path / 'MNIST' / 'raw'}" in shown


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("--gpu", "--device cuda"),
        ("--lr 0.1", "--learning-rate"),
        ("bench --bs 16", "--batch-sizes"),
        ("bench --jit", "--modes xla"),
        ("export RUN --framework torch", "--implementation"),
        ("--epoch 3", "--epochs"),  # by its spelling
    ],
)
def test_an_option_that_goes_by_another_name(line: str, meant: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert run_main(monkeypatch, *line.split()) == 2
    assert f"Did you mean '{meant}'?" in capsys.readouterr().err


def test_help_and_version(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert run_main(monkeypatch, "--help") == 0
    shown = capsys.readouterr().out
    assert "Options without a command belong to 'run'" in shown
    words = " ".join(shown.split())
    for name, of in OPTIONS.items():  # each command with its complete summary
        assert of.summary.endswith(".")
        assert f" {name} {of.summary}" in words
    assert run_main(monkeypatch, "--version") == 0
    assert run_main(monkeypatch, "run", "--help") == 0
    assert "--batch-size" in capsys.readouterr().out


def test_help_without_docstrings(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """`python -OO` removes docstrings."""
    for arguments in (["--help"], ["bench", "--help"]):
        assert run_main(monkeypatch, *arguments) == 0
        done = subprocess.run(
            [sys.executable, "-OO", "-m", "compare", *arguments],
            cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=GENEROUS_S,
        )  # fmt: skip
        assert (done.stdout, done.stderr, done.returncode) == (capsys.readouterr().out, "", 0)


def test_from_the_shell() -> None:
    """Run once as a user does: a process, its exit code, its standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "compare", "--epochs", "0"],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=GENEROUS_S,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("compare: --epochs 0 is not possible. Give a number from 1 to 1,000,000.\n")


def test_too_little_memory_to_begin_with(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """With less memory, an import would try to allocate for ever."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (300 << 20, 300 << 20))
    monkeypatch.setattr(sys, "argv", ["compare"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "This process may have 300 MiB of memory (ulimit -v), and needs 1,024" in capsys.readouterr().err


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ELOOP, errno.EIO])
def test_a_path_that_is_closed_to_us(code: int, capsys) -> None:
    """This holds for any command, such as `verify` of a folder with an unreadable subfolder."""
    with pytest.raises(SystemExit) as caught, report_input_errors():
        raise OSError(code, os.strerror(code), "RUN/plots")
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        f"compare: RUN/plots cannot be used: {os.strerror(code)}. Make it accessible, or give another path.\n"
    )


def test_a_message_is_one_line(capsys) -> None:
    """A name from a folder cannot imitate another message."""
    with pytest.raises(SystemExit), report_input_errors():
        raise InputError("RUN/a\nThe folder is as it was written.\x1b[31m is a symbolic link.")
    assert capsys.readouterr().err == (
        "compare: RUN/a\\nThe folder is as it was written.\\x1b[31m is a symbolic link.\n"
    )


def test_the_lines_of_a_users_own_failure_are_marked(capsys) -> None:
    """Each is on its own line, and none can be mistaken for a message of this program."""
    with pytest.raises(SystemExit) as caught, report_input_errors():
        raise UserCodeError("The left model failed:", ("  line 3", "ValueError: a\ncompare: all is well"))
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "compare: The left model failed:\n  |   line 3\n  | ValueError: a\\ncompare: all is well\n"
    )


def test_an_error_of_ours_is_shown_as_one() -> None:
    with pytest.raises(FileNotFoundError), report_input_errors():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "forgotten")


def test_memory_that_runs_out(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    with pytest.raises(SystemExit) as caught, report_input_errors():
        raise MemoryError
    assert caught.value.code == 2
    assert "There is not enough memory." in capsys.readouterr().err


OUTPUTS = {
    "> /dev/full": (1, "Standard output cannot be written to: No space left on device."),
    ">&-": (0, ""),
    "2>&-": (0, ""),
}


@pytest.mark.parametrize("redirected", OUTPUTS)
def test_output_that_goes_nowhere(redirected: str) -> None:
    code, said = OUTPUTS[redirected]
    line = f"{shlex.quote(sys.executable)} -m compare models {redirected}"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    assert said in ran.stderr


def test_a_reader_may_go() -> None:
    line = f"{shlex.quote(sys.executable)} -m compare models | true"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.stderr == ""


def test_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run_main(monkeypatch, "report", ".") == 2
    assert "The current folder cannot be used: No such file or directory." in capsys.readouterr().err


def test_messages_do_not_steer_the_terminal(capsys) -> None:
    with pytest.raises(SystemExit), report_input_errors():
        raise InputError("a name: \x1b[31m" + "x" * 10_000)
    said = capsys.readouterr().err
    assert said.startswith("compare: a name: \\x1b[31mxxx")
    assert len(said) < 3_100


class Counting(Work[int]):
    """A command whose result is 1."""

    unit = "run"

    def do(self) -> Iterator[int]:
        yield 1

    def write(self) -> None:
        """Do nothing, because the result is not written."""


def test_an_interrupt_that_an_import_swallowed_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path
) -> None:
    """During a C extension's import it may vanish or become an ImportError."""
    monkeypatch.setattr(signals, "_noted", [signal.SIGINT])
    with pytest.raises(SystemExit) as caught, report_input_errors():
        raise ImportError("initialization failed")
    assert caught.value.code == 130
    work = Counting(OutputFolder(tmp_path / "out"))
    assert work.carry_out() == 130
    assert work.results == []
    assert "Interrupted. No run had ended" in capsys.readouterr().err
