"""Implementations of other packages are found when needed, and unusable ones break no others."""

import sys
from pathlib import Path

import pytest

from compare import checks, registry
from compare.__main__ import main
from compare.registry import BUILT_IN, Registry, implementation
from shared.errors import InputError

ABOUT = """
from compare.registry import ImplementationSpec
SPEC = ImplementationSpec("{name}", "A title", "somewhere", "eager")
"""
PROBLEMS = {
    "no_module": ("", "nowhere.at_all:SPEC", "ModuleNotFoundError: No module named 'nowhere'"),
    "no_name": ("", "{module}:SPEC", "AttributeError"),
    "raises": ("raise RuntimeError('it is broken')", "{module}:SPEC", "RuntimeError: it is broken"),
    "exits": ("raise SystemExit(3)", "{module}:SPEC", "SystemExit: 3"),
    "no_spec": ("SPEC = 3", "{module}:SPEC", "TypeError: it is not an ImplementationSpec but of type int"),
    "another": (
        ABOUT.format(name="other"),
        "{module}:SPEC",
        "its name is 'other', and that of the entry point 'another'",
    ),
    "torch": (ABOUT.format(name="torch"), "{module}:SPEC", "there is an implementation of that name already"),
    "eager": (
        f"import sys\nsys.modules['jax'] = sys{ABOUT.format(name='eager')}",
        "{module}:SPEC",
        "it imports jax before a worker asks for it",
    ),
}


def offer(folder: Path, name: str, code: str, value: str) -> None:
    """Write a package to `folder` as pip would, with an entry point `name` of this value."""
    module = f"package_of_{name.replace('@', '_')}"
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value.format(module=module)}\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_name_may_have_an_at_of_its_own(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`keras@jax` is not Keras trained by several processes, and cannot become that."""
    offer(packages, "keras@foreign", ABOUT.format(name="keras@foreign"), "{module}:SPEC")
    known = Registry(BUILT_IN)
    assert known["keras@foreign"].title == "A title"
    assert [known.in_one_process(name) for name in ("keras@foreign", "keras@2", "keras", "keras@nowhere")] == [
        "keras@foreign",
        "keras",
        "keras",
        "keras@nowhere",
    ]
    assert "keras@foreign@2" not in known
    monkeypatch.setitem(registry.IMPLEMENTATIONS, "keras@foreign", known["keras@foreign"])
    assert checks.named(["keras@foreign", "keras@2"], [1]) == ["keras@foreign", "keras@2"]
    with pytest.raises(InputError, match="'keras@foreign' cannot be trained by several"):
        checks.named(["keras@foreign"], [1, 2])


def test_one_of_another_package_is_found_when_it_matters(packages: Path) -> None:
    offer(packages, "foreign", ABOUT.format(name="foreign"), "{module}:SPEC")
    known = Registry(BUILT_IN)
    assert known["torch"].title == "PyTorch"
    assert "package_of_foreign" not in sys.modules  # it was not requested
    assert known["foreign"].title == "A title"
    assert [*known][:4] == [spec.name for spec in BUILT_IN]
    assert "foreign" in [*known]
    assert "foreign@2" not in known  # it does not state how its processes would be joined


@pytest.mark.parametrize("name", PROBLEMS)
def test_one_that_cannot_be_used_says_why(name: str, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, value, said = PROBLEMS[name]
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    offer(packages, name, code, value)
    known = Registry(BUILT_IN)
    assert {spec.name for spec in BUILT_IN} <= set(known)
    assert said in known.absent[name]
    assert known["torch"] is BUILT_IN[0]
    monkeypatch.setattr(registry, "IMPLEMENTATIONS", known)
    if name != "torch":
        with pytest.raises(InputError, match=f"'{name}' is installed, but cannot be used: "):
            implementation(name)


def test_a_command_names_the_reason_and_others_go_on(
    packages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(packages, "raises", *PROBLEMS["raises"][:2])
    known = registry.IMPLEMENTATIONS
    monkeypatch.setattr(known, "searched", False)
    monkeypatch.setattr(known, "absent", {})
    monkeypatch.setattr(sys, "argv", ["compare", "run", "--implementations", "raises", "--dataset", "digits"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "RuntimeError: it is broken. Fix or uninstall its package" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["compare", "models"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    assert "raises cannot be used: package_of_raises:SPEC: RuntimeError: it is broken" in capsys.readouterr().out
