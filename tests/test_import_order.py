"""The packages of compare/ import each other in one direction, and the picture of them is up to date."""

import pytest
from rooms import IMPLEMENTATIONS, ORDER, PICTURE, Imports, Sources, imports, picture, room
from rooms import sources as all_sources

FLOORS = {name: floor for floor, names in enumerate(ORDER) for name in names}


@pytest.fixture(scope="module")
def sources() -> Sources:
    return all_sources()


def wrong(sources: Sources) -> Imports:
    """Return imports that violate ORDER, and those of an implementation from compare/ or another implementation."""
    found = []
    for importer, imported in imports(sources):
        package, of = importer.split(".")[0], imported.split(".")[0]
        if package in IMPLEMENTATIONS:
            if of not in (package, "shared") and (package, of) != ("tf_impl", "tf_lowlevel_impl"):
                found.append((importer, imported))
            continue
        if of in IMPLEMENTATIONS:
            found.append((importer, imported))
        if of != "compare":
            continue
        if importer.startswith("shared") or ((a := room(importer)) != (b := room(imported)) and FLOORS[a] <= FLOORS[b]):
            found.append((importer, imported))
    return found


def circle(sources: Sources) -> list[str]:
    """Return the modules of one circle of imports, in order, if there is one."""
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
        (
            "compare.folders.manifest",
            "def f():\n    from compare.training.plan import RunPlan",
            "compare.training.plan",
        ),
        ("compare.parity.plan", "import compare.bench.plan", "compare.bench.plan"),
        ("compare.worker.machine", "from compare.folders import output", "compare.folders.output"),
        ("shared.models", "from compare.registry import IMPLEMENTATIONS", "compare.registry"),
        ("shared.models", "from torch_impl import models", "torch_impl.models"),
        ("compare.commands.models", "def f():\n    import tf_impl.models", "tf_impl.models"),
        ("tf_lowlevel_impl.train", "from tf_impl.train import KerasModel", "tf_impl.train"),
        ("torch_impl.train", "from compare.registry import implementation", "compare.registry"),
    ],
)
def test_an_import_that_runs_the_other_way_is_found(sources: Sources, importer: str, code: str, imported: str) -> None:
    changed = sources | {importer: f"{sources[importer]}\n{code}\n"}
    assert wrong(changed) == [(importer, imported)]


def test_a_circle_is_found(sources: Sources) -> None:
    changed = sources | {"shared.errors": f"{sources['shared.errors']}\nfrom shared.models import MODELS\n"}
    changed["shared.models"] += "\nfrom shared.errors import InputError\n"
    assert set(circle(changed)) == {"shared.errors", "shared.models"}


def test_the_picture_is_that_of_the_code(sources: Sources) -> None:
    assert PICTURE.read_text() == picture(sources), "run python tests/support/rooms.py"
