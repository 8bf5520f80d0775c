"""Each package imports only what it may, as read from the sources. No process ever has both frameworks."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import GENEROUS_S

ROOT = Path(__file__).parents[1]
TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
FRAMEWORKS = {"torch", "torchvision"} | TENSORFLOW
IMPLEMENTATIONS = {"torch_impl", "tf_impl", "tf_lowlevel_impl"}

# What each package may not import, anywhere in it.
FORBIDDEN = {
    "shared": FRAMEWORKS | IMPLEMENTATIONS | {"compare"},
    "compare": FRAMEWORKS | IMPLEMENTATIONS,
    "torch_impl": (IMPLEMENTATIONS - {"torch_impl"}) | {"compare"} | TENSORFLOW,
    # Both TensorFlow implementations share code that is not compared: MAY_BE_SHARED.
    "tf_impl": (IMPLEMENTATIONS - {"tf_impl", "tf_lowlevel_impl"}) | {"compare", "torch", "torchvision"},
    "tf_lowlevel_impl": (IMPLEMENTATIONS - {"tf_lowlevel_impl"})
    | {"compare", "torch", "torchvision", "keras", "tf_keras"},
}
MAY_BE_SHARED = {f"tf_lowlevel_impl.{name}" for name in ("limits", "on_device", "products", "profile", "tuning")}


SERVED = (
    ROOT / "compare" / "worker" / "served.py"
)  # each of its functions imports the framework of its file, and no other


def imported(path: Path) -> set[str]:
    """Return the top-level modules that a file imports, at any place in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", FORBIDDEN)
def test_who_imports_whom(package: str) -> None:
    files = [path for path in (ROOT / package).rglob("*.py") if path.parent != ROOT / "compare" / "adapters"]
    files = [path for path in files if path != SERVED]
    assert files
    for path in files:
        assert not imported(path) & FORBIDDEN[package], path


def test_an_adapter_knows_one_framework() -> None:
    files = list((ROOT / "compare" / "adapters").rglob("*.py"))
    families = [imported(path) & FRAMEWORKS for path in files]
    assert {"torch"} in families
    assert all(found <= {"torch"} or found <= TENSORFLOW for path, found in zip(files, families, strict=True)
               if path.name not in {"loading.py", "keras_on_torch.py"})  # fmt: skip
    assert imported(ROOT / "compare" / "adapters" / "keras_on_torch.py") & FRAMEWORKS <= {"keras", "torch"}


def test_a_way_to_serve_knows_one_framework() -> None:
    top, functions = [], []
    for node in ast.parse(SERVED.read_text()).body:
        names = {
            name.partition(".")[0]
            for part in ast.walk(node)
            if isinstance(part, ast.Import | ast.ImportFrom)
            for name in ([alias.name for alias in part.names] if isinstance(part, ast.Import) else [part.module or ""])
        }
        (functions if isinstance(node, ast.FunctionDef) else top).append(names & (FRAMEWORKS | IMPLEMENTATIONS))
    assert not any(top)
    assert {"torch"} in functions
    assert all(found <= {"torch"} or found <= TENSORFLOW for found in functions)


def test_what_is_compared_stands_twice() -> None:
    """Networks, layers, losses, optimizers and weights of the Keras implementation are its own."""
    for path in (ROOT / "tf_impl").rglob("*.py"):
        modules = {
            n.module for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom) and n.module
        }
        assert {name for name in modules if name.startswith("tf_lowlevel_impl")} <= MAY_BE_SHARED, path


def test_the_low_level_implementation_takes_nothing_from_keras() -> None:
    for path in (ROOT / "tf_lowlevel_impl").rglob("*.py"):
        attributes = {n.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)}
        assert "keras" not in attributes, path


def test_only_the_worker_imports_an_implementation() -> None:
    importers = [p.relative_to(ROOT).as_posix() for p in (ROOT / "compare").rglob("*.py") if "importlib" in imported(p)]
    others = [
        "compare/adapters/__main__.py",
        "compare/adapters/loading.py",
        "compare/bench/inference/machine.py",
        "compare/cli/build.py",
        "compare/extras.py",
        "compare/folders/manifest.py",
        "compare/own_packages.py",
        "compare/parity/ledger/code.py",
        "compare/processes/interpreters.py",
        "compare/registry/__init__.py",
    ]
    assert sorted(importers) == [*others, "compare/worker/__main__.py", "compare/worker/served.py"]


def modules_after(code: str) -> set[str]:
    """Return the frameworks imported in a fresh process that ran `code`."""
    report = f"import sys; {code}; print(*({FRAMEWORKS!r} & sys.modules.keys()))"
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", report],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=GENEROUS_S,
    )
    return set(done.stdout.split())


def test_the_harness_has_no_framework() -> None:
    code = (
        "import compare.cli.app, compare.commands.run, compare.training.study, compare.training.report, "
        "compare.commands.data, compare.worker.service"
    )
    assert modules_after(code) == set()


def test_help_needs_nothing_heavy() -> None:
    """The help imports nothing slow: no NumPy, pydantic, Matplotlib or pandas."""
    code = (
        "sys.argv = ['compare', '--help']\ntry:\n    from compare.__main__ import main; main()\nexcept SystemExit: pass"
    )
    report = f"import sys\n{code}\nprint('HEAVY', *({{'numpy', 'pandas', 'matplotlib', 'scipy'}} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=True, timeout=GENEROUS_S
    )
    assert done.stdout.splitlines()[-1] == "HEAVY"


def test_workers_do_not_wait_for_what_draws() -> None:
    """A study starts its workers first, and imports Matplotlib while they import their frameworks."""
    report = "import sys, compare.commands.run; print(*({'matplotlib', 'pandas', 'scipy'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=True, timeout=GENEROUS_S
    )
    assert done.stdout.split() == []
