"""List the rooms of compare/, its modules and packages, in their order, and draw them.

`python tests/support/rooms.py` writes the picture to docs/.
"""

import ast
from functools import cache
from pathlib import Path
from textwrap import wrap
from xml.sax.saxutils import escape

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "images" / "architecture.svg"
# Each worker imports one of these packages. TensorFlow's two share code that is not compared.
IMPLEMENTATIONS = ("torch_impl", "tf_impl", "tf_lowlevel_impl")
PACKAGES = ("compare", "shared", *IMPLEMENTATIONS)
# A room imports only from those of the lines above it.
ORDER = (
    ("registry", "extras", "rpc", "subject", "own_packages", "graphs"),
    ("options", "processes", "networks"),
    ("worker", "adapters", "folders", "checks"),
    ("analysis",),
    ("frames", "reporting"),
    ("parity", "bench", "training", "port"),
    ("schema", "commands"),
    ("cli",),
    ("__main__", "pytest_plugin", "conformance"),
)
Sources = dict[str, str]
Imports = list[tuple[str, str]]

WIDTH, MARGIN, GAP, LINE = 980, 20, 12, 15
NAME, TEXT = 14, 11  # font sizes
CHARACTER = 6.1  # approximate width of a small character


def sources() -> Sources:
    """Return the text of every module of PACKAGES, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


@cache
def named_in(text: str) -> tuple[tuple[str, str], ...]:
    """Return (module, name) of every `from module import name`, including those in functions. `import module` gives
    (module, "")."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return tuple(found)


def imports(sources: Sources) -> Imports:
    """Return (importing module, imported module) for every import within `sources`."""
    found = set()
    for importer, text in sources.items():
        for module, name in named_in(text):
            if (full := f"{module}.{name}") in sources:
                found.add((importer, full))
            elif module in sources:
                found.add((importer, module))
    return sorted(found)


def room(module: str) -> str:
    """Return the room of a module of compare/; "" for compare itself."""
    return module.split(".")[1] if "." in module else ""


def used_by(sources: Sources) -> dict[str, list[str]]:
    """Return what each room and each implementation imports from, in the order of the rooms, other packages last."""
    order = [*(name for line in ORDER for name in line), "shared", *IMPLEMENTATIONS]
    found: dict[str, set[str]] = {name: set() for name in order}
    for importer, imported in imports(sources):
        if importer != "compare" and (name := _box_of(importer)) != _box_of(imported):
            found[name].add(_box_of(imported))
    return {name: sorted(used, key=order.index) for name, used in found.items()}


def _box_of(module: str) -> str:
    return room(module) if module.startswith("compare.") else module.split(".", maxsplit=1)[0]


def picture(sources: Sources) -> str:
    """Return an SVG that shows each room as a box, with what it is and what it imports from."""
    used, y, boxes = used_by(sources), MARGIN, []
    for line in (("shared",), *ORDER, IMPLEMENTATIONS):
        width = (WIDTH - 2 * MARGIN - GAP * (len(line) - 1)) / len(line)
        columns = int((width - 16) / CHARACTER)
        texts = [_texts(name, sources, used.get(name, []), columns) for name in line]
        height = 30 + LINE * max(len(text) for text in texts)
        for number, (name, text) in enumerate(zip(line, texts, strict=True)):
            boxes.append(_box(MARGIN + number * (width + GAP), y, width, height, name, text))
        y += height + GAP
    height = y - GAP + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(boxes) + "\n</svg>\n"
    )


OTHERS = {
    "shared": "What all sides agree on: contracts, data, training specs, the protocol, records.",
    "torch_impl": "The networks in PyTorch, which a worker imports.",
    "tf_impl": "The networks in Keras, which a worker imports.",
    "tf_lowlevel_impl": "The networks on raw TensorFlow, which a worker imports.",
}


def _texts(name: str, sources: Sources, used: list[str], columns: int) -> list[str]:
    said = OTHERS.get(name) or ast.get_docstring(ast.parse(sources[f"compare.{name}"])) or ""
    assert said, f"{name} does not say what it is"
    first = said.split("\n\n")[0].replace("\n", " ").replace("`", "")
    return [*wrap(first, columns), *wrap(f"imports {', '.join(used)}" if used else "", columns)]


def _box(x: float, y: float, width: float, height: float, name: str, texts: list[str]) -> str:
    lines = [
        f'<text x="{x + 8:g}" y="{y + 36 + LINE * number:g}" font-size="{TEXT}" fill="#333333">{escape(text)}</text>'
        for number, text in enumerate(texts)
    ]
    return "\n".join(
        [
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="#eef3f8" stroke="#5b7a99"/>',
            f'<text x="{x + 8:g}" y="{y + 19:g}" font-size="{NAME}" font-weight="bold" fill="#1a1a1a">{name}</text>',
            *lines,
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(sources()))
