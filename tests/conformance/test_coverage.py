"""Nothing escapes the conformance tests: what exists on disk is in the registries that they run over."""

import ast
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from reference import LAYERS

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS, ImplementationSpec
from shared.models import MODELS

ROOT = Path(__file__).parents[2]


def networks_file(spec: ImplementationSpec) -> Path:
    """Where an implementation's networks are written: models.py of a package, or the module itself."""
    path = ROOT / spec.module.replace(".", "/")
    return path / "models.py" if path.is_dir() else path.with_suffix(".py")


def test_every_implementation_package_is_covered() -> None:
    packages = {path.name for path in ROOT.glob("*_impl") if path.is_dir()}
    assert packages == {spec.module.split(".")[0] for spec in IMPLEMENTATIONS.values()}


def test_every_module_with_networks_is_covered() -> None:
    """A file that registers networks in MODELS is that of an implementation."""
    holders = {path for path in ROOT.glob("*_impl/*.py") if "\nMODELS: " in path.read_text()}
    assert holders == {networks_file(spec) for spec in IMPLEMENTATIONS.values()}


def test_every_architecture_is_in_the_three_implementations() -> None:
    for name in ("torch", "keras", "tf_lowlevel"):
        assert IMPLEMENTATIONS[name].models == tuple(MODELS)


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    code = [
        p
        for p in ROOT.glob("*/**/__init__.py")
        if p.relative_to(ROOT).parts[0] not in ("tests", "build", "examples", ".venv")
    ]
    assert set(listed) == {".".join(p.parent.relative_to(ROOT).parts) for p in code}


def test_every_contract_has_a_reference() -> None:
    assert LAYERS.keys() == MODELS.keys()
    for name, spec in MODELS.items():
        assert [layer for _, layer in LAYERS[name]] == [layer.name for layer in spec.layers]


@pytest.mark.parametrize("spec", IMPLEMENTATIONS.values(), ids=lambda spec: spec.name)
def test_every_network_written_is_covered(spec: ImplementationSpec) -> None:
    """The names in its MODELS are those that it is known to have, and every network written there is in MODELS.

    The file is read as text: importing it would import its framework.
    """
    tree = ast.parse(networks_file(spec).read_text())
    (registry,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "MODELS"
    )
    assert isinstance(registry, ast.Dict)
    registered = {ast.literal_eval(key): value.id for key, value in zip(registry.keys, registry.values, strict=True)}
    assert tuple(registered) == spec.models
    written = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert written - {"untapped", "create"} == set(registered.values())


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not list what a process has loaded")
@pytest.mark.parametrize("which", ["torch", "keras", "tf_lowlevel"])
def test_a_worker_has_one_framework(which: str, session_for: Callable[[str, str], Session]) -> None:
    """Of the libraries that the frameworks are made of, a worker that is at work has loaded one framework's alone."""
    session = session_for(which, "dense_baseline")
    loaded = Path(f"/proc/{session._process.pid}/maps").read_text()
    found = {name for name in ("torch", "tensorflow") if f"/site-packages/{name}/" in loaded}
    assert found == {"torch" if which == "torch" else "tensorflow"}
