"""Writes the list of all pages into docs/index.md, from the navigation in mkdocs.yml.

Usage: page_list.py [--check]. With --check it writes nothing and exits with 1 when the list is stale. A page
that is not in the navigation, or is named there and does not exist, is an error in both cases.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PAGE = DOCS / "index.md"
NAVIGATION = ROOT / "mkdocs.yml"

NOTEBOOKS = {
    f"notebooks/{path.stem}.md": f"notebooks/{path.name}" for path in sorted(DOCS.glob("notebooks/*.ipynb"))
}
"""Pages that tools/site/notebook_pages.py makes of notebooks -> their links from docs/."""

OUTSIDE = {
    "CONTRIBUTING.md": "../CONTRIBUTING.md",
    "CHANGELOG.md": "../CHANGELOG.md",
    "SECURITY.md": "../SECURITY.md",
    "LICENSE.md": "../LICENSE",
    **NOTEBOOKS,
}
"""Pages that tools/site/hooks.py adds from outside docs/ -> their links from docs/."""


def sections() -> dict[str, list[tuple[str, str]]]:
    """Return each section's title with the titles and links of its pages; those of no section come first."""
    navigation: list[dict[str, Any]] = yaml.safe_load(NAVIGATION.read_text())["nav"]
    entries = [(title, inside) for entry in navigation for title, inside in entry.items()]
    alone = [(title, inside) for title, inside in entries if isinstance(inside, str)]
    return {
        "First": [(title, page) for title, page in alone if page != PAGE.name],
        **{title: _pages(inside) for title, inside in entries if not isinstance(inside, str)},
    }


def _pages(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in entries:
        for title, inside in entry.items():
            found += [(title, OUTSIDE.get(inside, inside))] if isinstance(inside, str) else _pages(inside)
    return found


def faults() -> list[str]:
    """Return a sentence for each page that the navigation lacks, and for each that does not exist."""
    named = set(re.findall(r"[\w./-]+\.md$", NAVIGATION.read_text(), re.MULTILINE)) - OUTSIDE.keys()
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    return [
        *(
            f"docs/{page} is not in the navigation; add it to `nav` in mkdocs.yml"
            for page in sorted(there - named)
        ),
        *(f"docs/{page}, which mkdocs.yml names, does not exist" for page in sorted(named - there)),
    ]


def render(page: str) -> str:
    """Return the page with the list of today between its marks."""
    made = "".join(
        f"\n**{title}:** " + " · ".join(f"[{name}]({link})" for name, link in pages) + "\n"
        for title, pages in sections().items()
        if pages
    )
    between = re.compile(r"(?<=<!-- pages -->\n).*(?=<!-- /pages -->)", re.DOTALL)
    return between.sub(lambda _: f"{made}\n", page)


def main(arguments: list[str]) -> int:
    """Write the list, or compare it."""
    wrong = faults()
    for fault in wrong:
        sys.stderr.write(f"{fault}\n")
    page = PAGE.read_text()
    if "--check" not in arguments:
        PAGE.write_text(render(page))
    elif page != render(page):
        sys.stderr.write(f"the list of pages in {PAGE.name} is not what mkdocs.yml says; run make docs\n")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
