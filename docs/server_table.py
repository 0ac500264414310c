"""Writes the tables of docs/servers.md: the profiles that the client uses, and what `make servers` measured.

Usage: server_table.py [--check]. With --check it writes nothing and exits with 1 when the page is stale.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.core.server_profiles import PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinsmith.core.server_profiles import ServerName, ServerProfile

PAGE = Path(__file__).parent / "servers.md"

MEASURED = Path(__file__).parent.parent / "tests" / "servers" / "table.md"
"""Steps and servers, as the last whole run of `make servers` found them."""

LACKS = MEASURED.with_name("lacks.toml")
"""Why a step of that table ends in an error where a server lacks it."""

HEADS = [
    "server",
    "reads batches as",
    "deduplicates",
    "order",
    "chunks at once",
    "prompt logprobs",
    "checkpoint ids",
    "loss",
]

MARKS: dict[ServerName, str] = {
    "hosted": "its address",
    "skyrl-0.3": "`session_` and 8 hex digits as session id, or promises whose `request_id` and"
    " `future_id` are digits; the probe answered 422",
    "skyrl-0.4": "as SkyRL 0.3, but the probe answered 415, or `proto_write_fwdbwd` in `client/config`",
    "tuft": "201 for a session, then 202 for a promise",
    "hatchery": "`max_pipelined_requests` in `client/config`, `max_rank` in the capabilities, or promises"
    " with `operation` and a `request_id` that begins with `fut_`",
    "tinsmith": "`local:`, or the header `Server: tinsmith`",
    "unknown": "none of these",
}
"""By what `tinsmith.core.server_profiles.recognise` knows each kind."""


def tables() -> str:
    """Return what is known of each kind of server, by what it is recognised, and what it lacks."""
    profiles = PROFILES.values()
    facts = _table(HEADS, (_row(profile) for profile in profiles))
    marks = _table(["server", "is recognised by"], ([f"`{one.name}`", MARKS[one.name]] for one in profiles))
    lacking = (profile for profile in profiles if profile.lacks)
    lacks = _table(["server", "lacks"], ([f"`{one.name}`", _names(one.lacks)] for one in lacking))
    return f"{facts}\n{marks}\n{lacks}"


def measured() -> str:
    """Return the table of steps, its sums, and the list of what a server lacks."""
    table = MEASURED.read_text()
    counts = " and ".join(f"{table.count(f'| {word} ')} {meaning}" for word, meaning in _SIGNS.items())
    entries = tomllib.loads(LACKS.read_text())["lack"]
    lacks = _table(
        ["server", "step", "error", "`applied`", "why"],
        (
            [_joined(entry["server"], "`"), _joined(entry["step"], ""), f"`{entry['error']}`", *_told(entry)]
            for entry in entries
        ),
    )
    return f"{counts}.\n\n{table}\n{lacks}"


_SIGNS = {"ok": "steps are right", "lacks": "end in an error that names what the server does not do"}


def _joined(named: str | list[str], quote: str) -> str:
    names = [named] if isinstance(named, str) else named
    return "<br>".join(f"{quote}{name}{quote}" for name in names)


def _told(entry: dict[str, str]) -> list[str]:
    return [entry.get("applied", ""), entry["reason"]]


_AT_ONCE = {
    "yes": "yes",
    "yes unless flagged": "yes, unless its flag says no",
    "no unless flagged": "if its flag says yes",
    "no": "no",
}


def _row(profile: ServerProfile) -> list[str]:
    return [
        f"`{profile.name}`",
        ", ".join(profile.reads) or "the probe finds out",
        "yes" if profile.deduplicates else "**no**",
        profile.order,
        _AT_ONCE[profile.chunks_at_once],
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
    """Return the page with tables of today between its marks."""
    for mark, made in (("profiles", tables()), ("measured", measured())):
        between = re.compile(rf"(?<=<!-- {mark} -->\n).*(?=<!-- /{mark} -->)", re.DOTALL)
        page = between.sub(lambda _, made=made: made, page)
    return page


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    page = PAGE.read_text()
    if "--check" not in arguments:
        PAGE.write_text(render(page))
        return 0
    if page == render(page):
        return 0
    sys.stderr.write(f"{PAGE.name} is not what its sources say; run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
