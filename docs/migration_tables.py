"""Writes the tables of docs/migration.md from the list of differences; the text around them is by hand.

Usage: migration_tables.py [--check]. With --check it writes nothing and exits with 1 when the page is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tinsmith.compat.differences import SECTIONS
from tinsmith.compat.modules import OFFICIAL_VERSION

PAGE = Path(__file__).parent / "migration.md"
BEGIN = (
    "<!-- Written by docs/migration_tables.py from facade/tinsmith/compat/differences.py. Do not edit. -->"
)
END = "<!-- End of what is written by docs/migration_tables.py. -->"


def render(page: str) -> str:
    """Return the page with its tables written anew."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE.name} has no place for the tables: {BEGIN} ... {END}")
    parts = [f"{BEGIN}\n"]
    for title, rows in SECTIONS:
        parts += [f"### {title}\n", f"| official {OFFICIAL_VERSION} | here | why |", "|---|---|---|"]
        parts += [f"| {row.official} | {row.here} | {row.why} |" for row in rows]
        parts.append("")
    return "".join([before, "\n".join(parts), "\n", END, after])


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = render(page)
    if "--check" not in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
    elif page != wanted:
        sys.stderr.write(f"{PAGE.name} is stale: run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
