"""A report as a section of another one."""

import re
from collections.abc import Callable


def as_section(text: str, path_of: Callable[[str], str]) -> str:
    """A report in Markdown one level deeper, each of its pictures under the path that `path_of` gives for it."""
    deeper = re.sub(r"^(#+) ", r"#\1 ", text, flags=re.MULTILINE)
    return re.sub(r"(!\[[^\]]*\]\()([^)]+)\)", lambda found: f"{found[1]}{path_of(found[2])})", deeper)


def without_command(text: str) -> str:
    """A report without its last section, where the report around it tells the command."""
    return text.partition("\n## The command")[0]
