"""Writes the tables of docs/servers.md from the profiles of servers that the client itself uses.

Usage: server_table.py [--check]. With --check it writes nothing and exits with 1 when the page is stale.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.core.server_profiles import MARKS, PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinsmith.core.server_profiles import ServerProfile

PAGE = Path(__file__).parent / "servers.md"

BETWEEN = re.compile(r"(?<=<!-- profiles -->\n).*(?=<!-- /profiles -->)", re.DOTALL)
"""The part of the page that is generated."""

HEADS = ["server", "reads batches as", "deduplicates", "order", "prompt logprobs", "checkpoint ids", "loss"]


def tables() -> str:
    """Return what is known of each kind of server, by what it is recognised, and what it lacks."""
    profiles = PROFILES.values()
    facts = _table(HEADS, (_row(profile) for profile in profiles))
    marks = _table(["server", "is recognised by"], ([f"`{one.name}`", MARKS[one.name]] for one in profiles))
    lacking = (profile for profile in profiles if profile.lacks)
    lacks = _table(["server", "lacks"], ([f"`{one.name}`", _names(one.lacks)] for one in lacking))
    return f"{facts}\n{marks}\n{lacks}"


def _row(profile: ServerProfile) -> list[str]:
    return [
        f"`{profile.name}`",
        ", ".join(profile.reads) or "the probe finds out",
        "yes" if profile.deduplicates else "**no**",
        profile.order,
        "none for the first token"
        if profile.prompt_logprobs_start == "omitted"
        else "null for the first token",
        profile.checkpoint_ids,
        profile.loss_reduction,
    ]


def _names(operations: Iterable[str]) -> str:
    return ", ".join(f"`{operation}`" for operation in sorted(operations))


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def render(page: str) -> str:
    """Return the page with tables of today."""
    return BETWEEN.sub(lambda _: tables(), page)


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    page = PAGE.read_text()
    if "--check" not in arguments:
        PAGE.write_text(render(page))
        return 0
    if page == render(page):
        return 0
    sys.stderr.write(f"{PAGE.name} is not what the profiles say; run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
