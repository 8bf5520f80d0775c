"""The tables of options in the README and docs/options.md: `python tests/support/option_tables.py` writes them."""

import re
from pathlib import Path

from compare.options import OPTIONS
from compare.options.tables import markdown

ROOT = Path(__file__).parents[2]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "options.md"
BETWEEN = re.compile(r"(<!-- options of run -->\n).*?(<!-- /options -->)", re.DOTALL)
HEAD = """# Every option of every command

Made from the declarations in compare/options by `python tests/support/option_tables.py`. Options are checked before
anything is started; their JSON schema is [options.schema.json](schema/options.schema.json).
"""


def readme(text: str) -> str:
    """The README with the table of the options of `run` as it has to be."""
    return BETWEEN.sub(lambda found: found[1] + markdown(OPTIONS["run"]) + found[2], text)


def page() -> str:
    """All tables."""
    sections = [f"## compare {name}\n\n{of.summary}\n\n{markdown(of)}" for name, of in OPTIONS.items()]
    return "\n".join([HEAD, *sections]).replace("](docs/", "](")


if __name__ == "__main__":
    README.write_text(readme(README.read_text()))
    PAGE.write_text(page())
