"""Every reference run can be made, and one that fails leaves its old report."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
import reference_runs
from reference_runs import ENTRIES, FOLDER, QUICK_MINUTES, Making, Reference, command_of, page, verdict

from compare.cli.app import NAME, app
from compare.options import OPTIONS

REPORT = """# cnn_same

- \u2713 **Same function**: proven
- **Foreign load: much.**

text

## more

- no verdict

```
python -m compare bench --out {out}
```
"""


def test_the_table_is_that_of_the_reports() -> None:
    assert (FOLDER / "README.md").read_text() == page(FOLDER)


def test_quick_keeps_to_its_time_and_covers_each_kind() -> None:
    quick = [entry for entry in ENTRIES if entry.quick]
    assert sum(entry.quick_minutes for entry in quick) < QUICK_MINUTES
    commands = " ".join(f"{entry.command} {entry.quick}" for entry in quick)
    assert all(part in commands for part in ("port ", "--beside", "--inference", "keras@torch", "--dataset mnist"))
    assert commands.count("port ") == 4  # of two models


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_is_one_of_this_program(entry: Reference) -> None:
    for command in filter(None, (entry.command, entry.quick)):
        words = shlex.split(command)
        name, rest = (words[0], words[1:]) if words[0] in OPTIONS else ("run", words)
        app.commands[name].make_context(f"{NAME} {name}", rest)  # raises an error for unknown options


def test_a_report_is_replaced_and_a_failure_leaves_the_old_one(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []

    def do(arguments: Sequence[str]) -> int:
        asked.append(arguments)
        out = Path(arguments[-1])
        if "fails" in arguments:
            return 2
        out.mkdir()
        (out / "plots").mkdir()
        (out / "plots" / "a.png").write_bytes(b"new")
        (out / "weights").write_text("not kept")
        (out / "report.md").write_text(REPORT.format(out=out))
        return 1

    fine, wrong = (
        Reference(name, "", command, 1, None, codes=(0, 1)) for name, command in (("mnist", "port x"), ("six", "fails"))
    )
    for name in ("mnist", "six"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.md").write_text("old")
    late = Reference("beside", "", "bench", 100, None)
    making = Making(tmp_path, False, 60, do, clock=lambda: 0.0)
    making.make([fine, wrong, late])
    assert [one[:2] for one in asked] == [["port", "x"], ["fails", "--out"]]
    assert (tmp_path / "six" / "report.md").read_text() == "old"
    assert {str(path.relative_to(tmp_path / "mnist")) for path in (tmp_path / "mnist").rglob("*")} == {
        "report.md", "plots", "plots/a.png"
    }  # fmt: skip
    assert command_of((tmp_path / "mnist" / "report.md").read_text()) == "`python -m compare bench`"
    assert [text.partition(":")[0] for text in making.problems] == ["six", "beside"]
    assert "| \u2713 **Same function**: proven | `python -m compare bench` |" in (tmp_path / "README.md").read_text()


def test_an_interrupted_making_goes_on(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []
    names = ("mnist", "curves", "beside")
    entries = [Reference(name, "", f'bench --model "a b" --seed {n}', 1, None) for n, name in enumerate(names)]
    commits = ("0123456789ab", "0123456789ab+", "fedcba987654")  # the last is of another commit
    for entry, commit in zip(entries, commits, strict=True):
        (tmp_path / entry.name).mkdir()
        text = f"# x\n\n```\npython -m compare {entry.command}\n```\n\ncompare 0.1.0 ({commit}).\n"
        (tmp_path / entry.name / "report.md").write_text(text)
    (tmp_path / "curves" / "report.md").write_text((tmp_path / "mnist" / "report.md").read_text())  # another command's

    def do(arguments: Sequence[str]) -> int:
        asked.append(arguments)
        return 1

    Making(tmp_path, False, 60, do, made_by=commits[0]).make(entries)
    assert [one[4] for one in asked] == ["1", "2"]
    assert (tmp_path / "README.md").is_file()


def test_what_needs_another_package_says_so(tmp_path: Path) -> None:
    making = Making(tmp_path, False, 60, lambda _: pytest.fail("must not run"))
    making.make([Reference("six", "", "parity", 1, None, needs=("no_such_module",))])
    assert making.problems == [f"six: no_such_module not installed: {reference_runs.INSTALL}"]


def test_a_verdict_is_what_a_report_says_first() -> None:
    assert verdict(REPORT) == "\u2713 **Same function**: proven"
    assert verdict("# x\n\nOne. Two.\n") == "One."
