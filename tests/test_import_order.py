"""The rooms of compare/ import each other in one direction."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("compare", "shared")
# A room imports from those above it, and from no other; rooms of one line are independent of each other.
ORDER = (
    ("registry", "extras", "rpc", "subject"),
    ("processes",),
    ("worker", "folders", "checks"),
    ("analysis",),
    ("frames", "reporting"),
    ("parity", "bench", "training"),
    ("schema", "commands"),
    ("cli",),
    ("__main__", "pytest_plugin"),
)
FLOORS = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
Sources = dict[str, str]
Imports = list[tuple[str, str]]


@pytest.fixture(scope="module")
def sources() -> Sources:
    """The text of every module of PACKAGES, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


@cache
def named_in(text: str) -> tuple[tuple[str, str], ...]:
    """(module, name) of every `from module import name`, also inside functions; (module, "") of `import module`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return tuple(found)


def imports(sources: Sources) -> Imports:
    """(importing module, imported module) for every import within `sources`."""
    found = set()
    for importer, text in sources.items():
        for module, name in named_in(text):
            if (full := f"{module}.{name}") in sources:
                found.add((importer, full))
            elif module in sources:
                found.add((importer, module))
    return sorted(found)


def room(module: str) -> str:
    """The room of a module of compare/; "" for compare itself."""
    return module.split(".")[1] if "." in module else ""


def wrong(sources: Sources) -> Imports:
    """The imports that run against ORDER."""
    found = []
    for importer, imported in imports(sources):
        if not imported.startswith("compare."):
            continue
        if importer.startswith("shared") or ((a := room(importer)) != (b := room(imported)) and FLOORS[a] <= FLOORS[b]):
            found.append((importer, imported))
    return found


def circle(sources: Sources) -> list[str]:
    """One circle of imports, if there is any: the modules on it, in order."""
    followers: dict[str, list[str]] = {}
    for importer, imported in imports(sources):
        followers.setdefault(importer, []).append(imported)
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return path[path.index(module) :]
        if module in done:
            return []
        for follower in followers.get(module, []):
            if found := visit(follower, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sources if (found := visit(module, []))), [])


def test_every_module_has_a_room(sources: Sources) -> None:
    assert {room(module) for module in sources if module.startswith("compare.")} == set(FLOORS)


def test_no_import_runs_against_the_order(sources: Sources) -> None:
    assert wrong(sources) == []


def test_no_circles(sources: Sources) -> None:
    assert circle(sources) == []


@pytest.mark.parametrize(
    ("importer", "code", "imported"),
    [
        ("compare.rpc.messages", "from compare.processes import session", "compare.processes.session"),
        ("compare.folders.manifest", "def f():\n    from compare.training.plan import Plan", "compare.training.plan"),
        ("compare.parity.plan", "import compare.bench.plan", "compare.bench.plan"),
        ("compare.worker.machine", "from compare.folders import output", "compare.folders.output"),
        ("shared.models", "from compare.registry import IMPLEMENTATIONS", "compare.registry"),
    ],
)
def test_an_import_that_runs_the_other_way_is_found(sources: Sources, importer: str, code: str, imported: str) -> None:
    changed = sources | {importer: f"{sources[importer]}\n{code}\n"}
    assert wrong(changed) == [(importer, imported)]


def test_a_circle_is_found(sources: Sources) -> None:
    changed = sources | {"shared.errors": f"{sources['shared.errors']}\nfrom shared.models import MODELS\n"}
    changed["shared.models"] += "\nfrom shared.errors import InputError\n"
    assert set(circle(changed)) == {"shared.errors", "shared.models"}
