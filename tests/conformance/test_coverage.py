"""The conformance tests cover everything: what exists on disk is in their registries."""

import ast
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from reference import LAYERS, Network

from compare.processes.session import Session
from compare.registry import IMPLEMENTATIONS, ImplementationSpec
from shared.models import MODELS, LayerSpec

ROOT = Path(__file__).parents[2]
REFERENCE = "compare/conformance/reference.py"
Reference = Mapping[str, Sequence[tuple[str, str]]]  # for each architecture, the kind and the name of each layer


def networks_file(spec: ImplementationSpec) -> Path:
    """Return the file with an implementation's networks: models.py of a package, or the module itself."""
    path = ROOT / spec.module.replace(".", "/")
    return path / "models.py" if path.is_dir() else path.with_suffix(".py")


def test_every_implementation_package_is_covered() -> None:
    packages = {path.name for path in ROOT.glob("*_impl") if path.is_dir()}
    assert packages == {spec.module.split(".")[0] for spec in IMPLEMENTATIONS.values()}


def test_every_module_with_networks_is_covered() -> None:
    """Each file that registers networks in MODELS belongs to an implementation."""
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
    found = reference_problems({name: spec.layers for name, spec in MODELS.items()}, LAYERS)
    assert not found, "\n".join(found)


def reference_problems(contracts: Mapping[str, Sequence[LayerSpec]], reference: Reference) -> list[str]:
    """Return in words which steps of "Adding an architecture" (CONTRIBUTING.md) are missing."""
    found = [
        f"Step 1 is missing: there is no contract of {name} in shared/models.py."
        for name in reference
        if name not in contracts
    ]
    found += [
        f"Step 3 is missing: add the layers of {name} to LAYERS in {REFERENCE}."
        for name in contracts
        if name not in reference
    ]
    for name in (name for name in contracts if name in reference):
        contract, known = [layer.name for layer in contracts[name]], [layer for _, layer in reference[name]]
        if contract != known:
            found.append(f"Step 3: the layers of {name} are {known} in {REFERENCE}, and {contract} in its contract.")
        found += [
            f"Step 3: {name} has a layer '{kind}', and the reference in {REFERENCE} has none of that kind."
            for kind, _ in reference[name]
            if not hasattr(Network, kind)
        ]
    return found


@pytest.mark.parametrize("spec", IMPLEMENTATIONS.values(), ids=lambda spec: spec.name)
def test_every_network_written_is_covered(spec: ImplementationSpec) -> None:
    """Its MODELS has the expected names, and every network in the file is in MODELS."""
    path = networks_file(spec)
    found = network_problems(path.read_text(), path.relative_to(ROOT).as_posix(), spec.models)
    assert not found, "\n".join(found)


def network_problems(code: str, path: str, known: Sequence[str]) -> list[str]:
    """Return, in words, what the file `path` lacks of step 2 of "Adding an architecture" (CONTRIBUTING.md).

    For a network that is not `known` it is step 1. The file is read as text, because importing it would import its
    framework.
    """
    tree = ast.parse(code)
    (registry,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "MODELS"
    )
    assert isinstance(registry, ast.Dict)
    registered = {ast.literal_eval(key): value.id for key, value in zip(registry.keys, registry.values, strict=True)}
    written = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    written -= {"untapped", "create"}
    found = [
        f"Step 2 is missing: write {name} out in {path}, and add it to MODELS there."
        for name in known
        if name not in registered
    ]
    found += [
        f"Step 1 is missing: {path} has {name}, of which there is no contract in shared/models.py."
        for name in registered
        if name not in known
    ]
    found += [
        f"Step 2 is missing: {path} writes {name} out. Add it to MODELS there."
        for name in sorted(written - set(registered.values()))
    ]
    if not found and tuple(registered) != tuple(known):
        found.append(f"Step 2: MODELS of {path} are in another order than those of shared/models.py.")
    return found


def test_what_is_missing_names_its_step() -> None:
    contract = [LayerSpec("stem", (40, 40, 8)), LayerSpec("mean", (8,))]
    layers = [("conv3x3_same_relu", "stem"), ("global_mean", "mean")]
    assert reference_problems({"mine": contract}, {"mine": layers}) == []
    for contracts, reference, said in (
        ({"mine": contract}, {}, "Step 3 is missing: add the layers of mine to LAYERS in compare/"),
        ({}, {"mine": layers}, "Step 1 is missing: there is no contract of mine in shared/models.py."),
        ({"mine": contract}, {"mine": layers[:1]}, "Step 3: the layers of mine are ['stem'] in compare/"),
        ({"mine": contract}, {"mine": [("conv9", "stem"), layers[1]]}, "Step 3: mine has a layer 'conv9', and the ref"),
    ):
        (found,) = reference_problems(contracts, reference)
        assert found.startswith(said)
    code = "class Mine: ...\nMODELS: dict[str, type] = {'mine': Mine}\n"
    assert network_problems(code, "a/models.py", ["mine"]) == []
    for code_of_it, known, said in (
        (code, ["mine", "other"], "Step 2 is missing: write other out in a/models.py, and add it to MODELS there."),
        (code, [], "Step 1 is missing: a/models.py has mine, of which there is no contract in shared/models.py."),
        (f"class Other: ...\n{code}", ["mine"], "Step 2 is missing: a/models.py writes Other out. Add it to MODELS"),
    ):
        (found,) = network_problems(code_of_it, "a/models.py", known)
        assert found.startswith(said)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not list what a process has loaded")
@pytest.mark.parametrize("which", ["torch", "keras", "tf_lowlevel"])
def test_a_worker_has_one_framework(which: str, session_for: Callable[[str, str], Session]) -> None:
    """A working worker has loaded the libraries of only one framework."""
    session = session_for(which, "dense_baseline")
    loaded = Path(f"/proc/{session._process.pid}/maps").read_text()
    found = {name for name in ("torch", "tensorflow") if f"/site-packages/{name}/" in loaded}
    assert found == {"torch" if which == "torch" else "tensorflow"}
