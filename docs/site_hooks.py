"""What mkdocs does to a page: a link to a file outside docs/ becomes the name of the file: the site has none."""

import re
from typing import Any

# [text](../file), and [`text`](file.ipynb), which the site leaves out
OUTSIDE = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+(?!docs/)[^)\s]+|[^)\s:]+\.ipynb|schema/?[^)\s]*)\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page without links that lead out of docs/."""
    depth = page.file.src_uri.count("/")

    def replaced(found: re.Match[str]) -> str:
        text, target = found[1], found[2]
        if target.startswith("../") and target.count("../") <= depth:
            return found[0]
        file = target.replace("../", "").partition("#")[0]
        return text if file in text else f"{text} (`{file}`)"

    return OUTSIDE.sub(replaced, markdown)
