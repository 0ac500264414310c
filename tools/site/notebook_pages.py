"""Notebooks as pages of the site: their cells as Markdown, and the pictures that they show as files.

Owns what a notebook looks like on the site. Converters that are at hand give pictures no text, and bring
styles and scripts of their own. Nothing is run here: the outputs are those that `make notebooks` wrote down.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FENCE = "`````"
"""Longer than any run of backquotes in a cell."""


def page_of(notebook: Path) -> tuple[str, dict[str, bytes]]:
    """Return the Markdown of a notebook, and its pictures by name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"{FENCE}python\n{text}\n{FENCE}")
        for output in cell["outputs"]:
            name = f"{notebook.stem}-{len(pictures) + 1}.png"
            parts.append(_output(output, name, cell["metadata"], pictures))
    link = f'<a href="{notebook.name}" download>Download this notebook</a>'
    parts.insert(1, f"{link}, with the outputs that are shown here.")
    return "\n\n".join(parts) + "\n", pictures


def _output(output: dict[str, Any], name: str, about: dict[str, Any], pictures: dict[str, bytes]) -> str:
    """Return the Markdown of an output; a picture is put among `pictures`."""
    data = output.get("data", {})
    if "image/png" in data:
        pictures[name] = base64.b64decode(data["image/png"])
        return f"![{about['alt']}]({name})"
    if "text/html" in data:
        table = re.sub(r"\n", "&#10;", "".join(data["text/html"]))
        return f'<div class="output" tabindex="0" role="region" aria-label="Output">{table}</div>'
    text = "".join(output.get("text") or data["text/plain"])
    return f"{FENCE}text\n{text.rstrip()}\n{FENCE}"
