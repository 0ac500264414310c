"""What is wrong with a built site, as far as its files show: dead links and anchors, pictures without a text.

Usage: python -m tools.site.built SITE. It needs nothing but Python, and opens no connection: links that leave
the site are not followed.
"""

from __future__ import annotations

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Reader(HTMLParser):
    """Reads of a page what is linked, what can be linked to, and which pictures have no text."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        self.links += [given[name] for name in ("href", "src") if given.get(name)]
        if tag == "img" and not given.get("alt", "").strip() and given.get("role") != "presentation":
            self.silent.append(given.get("src", "?"))


def read(page: Path) -> Reader:
    """Read a page."""
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def pages(site: Path) -> list[str]:
    """Return the addresses of all pages within the site, the page of the 404 left out."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [page for page in found if page != "404.html"]


def faults(site: Path) -> list[str]:
    """Return a sentence for each dead link, dead anchor and picture without a text."""
    known = {page: read(site / page) for page in pages(site)}
    wrong = []
    for page, reader in known.items():
        wrong += [f"{page}: the picture {source} has no alternative text" for source in reader.silent]
        for link in dict.fromkeys(reader.links):
            if problem := _problem(site, known, page, link):
                wrong.append(f"{page}: {problem}")
    for picture in sorted(site.rglob("*.css")):
        for link in re.findall(r"url\((https?:[^)]+)\)", picture.read_text(encoding="utf-8")):
            wrong.append(f"{picture.relative_to(site)}: loads {link}")
    return wrong


def _problem(site: Path, known: dict[str, Reader], page: str, link: str) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = (
        os.path.normpath(os.path.join(os.path.dirname(page), unquote(parts.path))) if parts.path else page
    )
    if target.startswith(".."):
        return f"{link} leaves the site"
    if (site / target).is_dir():
        target = f"{target}/index.html".removeprefix("./")
    if not (site / target).exists():
        return f"{link} leads nowhere"
    anchor = unquote(parts.fragment)
    if anchor and target in known and anchor not in known[target].anchors:
        return f"{link} leads to no place of {target}"
    return None


if __name__ == "__main__":
    sys.exit("\n".join(faults(Path(sys.argv[1]))) or 0)
