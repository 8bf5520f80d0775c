"""Write the tables of options to docs/options.md: `python tests/support/option_tables.py`."""

from pathlib import Path

from compare.options import OPTIONS
from compare.options.tables import markdown

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "options.md"
HEAD = """# Every option of every command

Made from the declarations in compare/options by `python tests/support/option_tables.py`. Options are checked before
anything is started; their JSON schema is [options.schema.json](schema/options.schema.json).
"""


def page() -> str:
    """Return all tables."""
    sections = [f"## compare {name}\n\n{of.summary}\n\n{markdown(of)}" for name, of in OPTIONS.items()]
    return "\n".join([HEAD, *sections]).replace("](docs/", "](")


if __name__ == "__main__":
    PAGE.write_text(page())
