"""Drives our client against servers that other people wrote, and compares what it says with what they did.

`python -m tests.servers.run [--server NAME]...` from the root of the repository; `make servers` does it.
Prints a table of steps and servers, writes it as JSON, and fails on what is neither right nor in
`lacks.toml`. A run without a deviation writes what it found into the table for docs/servers.md.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import signal
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from tinsmith.core.errors import ServerWarning

from tests.interop.recorder import recording
from tests.servers import checkpoints, refusals, restarts, sampling, sessions, training, walk
from tests.servers.drive import Drive, Lack, Result, known_lacks, perform, steps_in
from tests.servers.environments import BUILD, KINDS, Kind, Server
from tests.servers.ledgers import Ledger, SkyrlLedger, TuftLedger
from tests.servers.positions import judged, positions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STEPS = [
    step
    for module in (training, checkpoints, sampling, sessions, refusals, walk)
    for step in steps_in(module)
]
"""The steps that share one program, in order."""
TABLE = Path(__file__).with_name("table.md")
"""What runs without a deviation found, for docs/servers.md."""
BASE_MODEL = "/models/tiny-qwen3"
"""What captures call the base model."""
SIGNS = {"ok": "ok", "lack": "lacks", "DEVIATION": "DEVIATION"}
"""What a cell of the table says."""
LOST = "answer lost: "
"""How the steps begin whose number the traffic of a run decides."""


def ledger_of(server: Server) -> Ledger:
    """Return the tables of a server."""
    if server.kind.name == "tuft":
        return TuftLedger(server.run / "bookkeeping.json")
    return SkyrlLedger(server.run / "tinker.db")


def drive(kind: Kind, lacks: Sequence[Lack], options: argparse.Namespace) -> list[Result]:
    """Run all against one server."""
    folder = kind.folder / "written"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    results: list[Result] = []

    def wanted(name: str) -> bool:
        return any(part in name for part in options.only or [""])

    def tell(result: Result) -> None:
        results.append(result)
        seconds, sign = f"{result.seconds:6.1f} s", SIGNS[result.verdict]
        print(f"{kind.name:10} {sign:9} {seconds}  {result.step}: {result.note}", flush=True)

    with Server(kind) as server:
        ledger = ledger_of(server)
        with _address(server, options.record) as url:
            program = Drive(kind.name, url, server.base_model, ledger, folder)
            program.python = kind.python
            for step in STEPS:
                if wanted(step.name):
                    tell(perform(program, step, lacks))
            program.service.close(timeout=5.0)
        for step in steps_in(restarts):
            if wanted(step.name):
                program = Drive(kind.name, server.url, server.base_model, ledger, folder)
                program.restart = server.restart
                tell(perform(program, step, lacks))
                program.service.close(timeout=1.0)
        if wanted("answer lost"):
            for result in judged(positions(server, ledger, folder), kind.name, lacks):
                tell(result)
    return results


@contextmanager
def _address(server: Server, record: Path | None) -> Iterator[str]:
    """Give the address of a server, or that of a recorder before it."""
    if record is None:
        yield server.url
        return
    release = server.kind.release
    with recording(server.url, f"Requests of our client and answers of {release}, a few of each kind.") as (
        url,
        recorder,
    ):
        yield url
    kept = record / f"tinsmith-on-{release}.json"
    recorder.write(kept)
    text = kept.read_text(encoding="utf-8")  # the base model is called by its folder, which is this machine's
    text = text.replace(server.base_model, BASE_MODEL).replace(str(server.kind.folder), f"/servers/{release}")
    kept.write_text(text, encoding="utf-8")


def table(found: dict[str, list[Result]]) -> list[str]:
    """Return the table of steps and servers as Markdown."""
    rows = list(dict.fromkeys(result.step for results in found.values() for result in results))
    cells = {
        (name, result.step): SIGNS[result.verdict] for name, results in found.items() for result in results
    }
    return _lines(list(found), rows, cells)


def refreshed(found: dict[str, list[Result]]) -> list[str]:
    """Return the table of the last whole run, with the cells that were found anew."""
    _, _, *old = TABLE.read_text(encoding="utf-8").splitlines()
    kept = [[cell.strip() for cell in line.strip("|").split("|")] for line in old]
    cells = {(name, row[0]): cell for row in kept for name, cell in zip(KINDS, row[1:], strict=True)}
    cells |= {
        (name, result.step): SIGNS[result.verdict] for name, results in found.items() for result in results
    }
    own = [step.name for step in (*STEPS, *steps_in(restarts))]
    return _lines(list(KINDS), own + [row[0] for row in kept if row[0].startswith(LOST)], cells)


def _lines(servers: list[str], rows: list[str], cells: Mapping[tuple[str, str], str]) -> list[str]:
    lines = [f"| step | {' | '.join(servers)} |", f"| --- |{' --- |' * len(servers)}"]
    return lines + [
        f"| {row} | {' | '.join(cells.get((name, row), '') for name in servers)} |" for row in rows
    ]


def main() -> int:
    """Drive the chosen servers, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", action="append", choices=list(KINDS), help="A server; all unless given.")
    parser.add_argument("--only", action="append", help="Only steps whose name contains this.")
    parser.add_argument("--python", default=sys.executable, help="Python 3.11 or newer for the environments.")
    parser.add_argument("--install", action="store_true", help="Install, and drive nothing.")
    parser.add_argument("--record", type=Path, help="Folder for what is said on the way, redacted.")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for quiet in ("tinsmith", "httpx"):
        logging.getLogger(quiet).setLevel(logging.ERROR)
    warnings.simplefilter("ignore", ServerWarning)  # which server it is stands in the table
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers end with us
    chosen = [KINDS[name] for name in options.server or KINDS]
    for kind in chosen:
        kind.install(options.python)
    if options.install:
        return 0
    lacks, started = known_lacks(), time.monotonic()
    found = {kind.name: drive(kind, lacks, options) for kind in chosen}
    lines = table(found)
    (BUILD / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plain = {name: [attrs.asdict(result) for result in results] for name, results in found.items()}
    (BUILD / "results.json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    whole = not options.only and list(found) == list(KINDS)
    print("\n".join(["", *lines, ""]))
    counts = [result.verdict for results in found.values() for result in results]
    right, lacking, wrong = (counts.count(verdict) for verdict in ("ok", "lack", "DEVIATION"))
    print(
        f"{right} ok, {lacking} lacks of the server, {wrong} deviations in {time.monotonic() - started:.0f} s"
    )
    if not wrong:
        TABLE.write_text("\n".join(lines if whole else refreshed(found)) + "\n", encoding="utf-8")
        print("what was found stands in tests/servers/table.md; `make docs` puts it into docs/servers.md")
    print(f"the table and all notes: {BUILD.relative_to(Path.cwd())}/table.md, results.json")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
