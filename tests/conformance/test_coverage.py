"""Nothing escapes the conformance tests: what exists on disk is in the registries that they run over."""

import ast
import tomllib
from pathlib import Path

import pytest
from reference import LAYERS

from compare.implementations import IMPLEMENTATIONS
from shared.models import MODELS

ROOT = Path(__file__).parents[2]


def test_every_implementation_package_is_covered() -> None:
    packages = {path.name for path in ROOT.glob("*_impl") if path.is_dir()}
    assert packages == {spec.package for spec in IMPLEMENTATIONS.values()}


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    code = [p for p in ROOT.glob("*/**/__init__.py") if p.relative_to(ROOT).parts[0] not in ("tests", "build", ".venv")]
    assert set(listed) == {".".join(p.parent.relative_to(ROOT).parts) for p in code}


def test_every_contract_has_a_reference() -> None:
    assert LAYERS.keys() == MODELS.keys()
    for name, spec in MODELS.items():
        assert [layer for _, layer in LAYERS[name]] == [layer.name for layer in spec.layers]


@pytest.mark.parametrize("package", [spec.package for spec in IMPLEMENTATIONS.values()])
def test_every_network_written_is_covered(package: str) -> None:
    """The names in its MODELS are the contracts', and every network written in models.py is in MODELS.

    The file is read as text: importing it would import its framework.
    """
    tree = ast.parse((ROOT / package / "models.py").read_text())
    (registry,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "MODELS"
    )
    assert isinstance(registry, ast.Dict)
    registered = {ast.literal_eval(key): value.id for key, value in zip(registry.keys, registry.values, strict=True)}
    assert list(registered) == list(MODELS)
    written = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and node.name != "untapped")
    }
    assert written == set(registered.values())
