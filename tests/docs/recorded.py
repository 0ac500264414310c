"""What a recorded terminal shows, read from its picture."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path  # noqa: TC003 - beside its readers
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def shown(picture: Path) -> list[str]:
    """Return the lines of the terminal in a picture."""
    pieces: dict[float, list[tuple[float, str]]] = defaultdict(list)
    for text in ElementTree.parse(picture).iter(f"{SVG}text"):
        pieces[float(text.get("y", "0"))].append((float(text.get("x", "0")), "".join(text.itertext())))
    return [
        "".join(piece for _, piece in sorted(pieces[row])).replace("\xa0", " ").rstrip()
        for row in sorted(pieces)
    ]
