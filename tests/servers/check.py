"""Checks servers that other people wrote against the contract, and writes the outcome into docs/servers.md.

`python -m tests.servers.check [--server NAME]...` from the root of the repository; `make servers-check` does
it. What is not checked this time stays in the page as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinsmith.contract.check import Check
from tinsmith.contract.document import shipped
from tinsmith.contract.exchange import written
from tinsmith.core.config import ClientConfig

from tests.servers.environments import BUILD, KEY, KINDS, Kind, Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tinsmith.contract.report import Report

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"
RESULTS = Path(__file__).parent / "checked.json"
"""What the last checks found, for the tables."""
BETWEEN = re.compile(r"(?<=<!-- checked -->\n).*(?=<!-- /checked -->)", re.DOTALL)
"""The part of the page that is written."""
PATIENCE_S = 300.0
"""Longest wait for a promise: the first one compiles the model."""


def check(kind: Kind) -> dict[str, Any]:
    """Start a server, check it with --write, and keep what was said beside it."""
    with Server(kind) as server:
        config = ClientConfig.from_environment(base_url=server.url, api_key=KEY, environ={})
        found = Check(config, write=True, base_model=server.base_model, patience_s=PATIENCE_S)
        asyncio.run(found.run())
        about = f"What the check said to {kind.release}, and its answers."
        text = written(found.exchanges, about, shipped(), [KEY])
        (kind.folder / "checked.json").write_text(text, encoding="utf-8")
        return kept(found.report(), kind)


def kept(report: Report, kind: Kind) -> dict[str, Any]:
    """Return what the page shows of a report, without paths of this machine."""
    found = {
        "operations": {row.operation: row.verdict for row in report.rows},
        "deviations": [[one.operation, one.place, one.value, one.text] for one in report.deviations],
        "dialects": {one.dialect.name: one.dialect.text for one in report.dialects},
        "left_behind": len(report.left_behind),
    }
    plain: dict[str, Any] = json.loads(json.dumps(found).replace(str(kind.folder), kind.release))
    return plain


def tables(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a row an operation and a column a server, then what deviates and which dialects were seen."""
    operations = dict.fromkeys(name for report in found.values() for name in report["operations"])
    rows = [
        [f"`{name}`", *(report["operations"].get(name, "") for report in found.values())]
        for name in operations
    ]
    deviations = [
        [name, f"`{operation}`", place, value or "nothing", text]
        for name, report in found.items()
        for operation, place, value, text in report["deviations"]
    ]
    dialects = {name: text for report in found.values() for name, text in report["dialects"].items()}
    seen = [
        [f"`{dialect}`", text, ", ".join(name for name in found if dialect in found[name]["dialects"])]
        for dialect, text in dialects.items()
    ]
    parts = (
        table(["operation", *found], rows),
        table(["server", "deviates", "place", "found", "rule"], deviations),
        table(["dialect", "what it is", "seen on"], seen),
    )
    return "\n".join(parts)


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table as Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(_cell, cells))} |\n" for cells in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def page_with(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page with the tables of these results."""
    return BETWEEN.sub(lambda _: tables(found), PAGE.read_text(encoding="utf-8"))


def main() -> int:
    """Check the chosen servers, one after the other, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", action="append", choices=list(KINDS), help="A server; all unless given.")
    parser.add_argument("--python", default=sys.executable, help="Python 3.11 or newer for the environments.")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers end with us
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in options.server or KINDS:
        KINDS[name].install(options.python)
        found[name] = check(KINDS[name])
        print(f"{name}: {len(found[name]['deviations'])} deviations", flush=True)
    found = {name: found[name] for name in KINDS if name in found}
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page_with(found), encoding="utf-8")
    print(f"what was said: {BUILD.relative_to(Path.cwd())}/*/checked.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
