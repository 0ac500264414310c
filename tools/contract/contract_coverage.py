"""Writes docs/contract-coverage.md: which routes real traffic has verified, and which not.

Usage: contract_coverage.py [--check]. With --check it writes nothing and exits with 1 when the page is stale.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from contract_captures import CAPTURES, INTEROP, OUTSIDE, Contract, Exchange, exchanges
from contract_document import CONTRACT, load

if TYPE_CHECKING:
    from tinsmith.contract.document import Operation

CHECKED = Path(__file__).parents[2] / "tests" / "servers" / "checked.json"
"""What `tinsmith contract check` found on the servers of others."""

PAGE = Path(__file__).parents[2] / "docs" / "contract-coverage.md"

INTRODUCTION = """\
<!-- Written by tools/contract/contract_coverage.py from the captures below tests/. Do not edit. -->
# What real traffic has verified of the contract

The contract was written from a description of the protocol. Recorded traffic shows how far it is right:
requests and answers, each checked against the contract by `tests/contract/test_captures.py`,
`tests/contract/test_server_captures.py` and `tests/interop/test_traffic.py`. A route counts as verified when
a server of somebody else has answered it with a success. What only the official client and our own service
have said to each other shows what that client sends, and not what other servers answer. The last column of
the lower tables is what `tinsmith contract check` found on the servers that we could run.
"""


def render() -> str:
    """Return the page."""
    contract = Contract(load(CONTRACT))
    served, asked = _by_operation(contract, CAPTURES), _by_operation(contract, INTEROP)
    kinds = {
        exchange.request_headers["x-tinker-request-type"]
        for exchange in exchanges()
        if contract.result_of(exchange) is not None
    }
    verified = [op for op in contract.operations.values() if _verified(served[op.id])]
    others = [op for op in contract.operations.values() if not _verified(served[op.id])]
    ours = [op for op in others if _verified(asked[op.id])]
    unseen = [op for op in others if op not in ours]
    lines = [INTRODUCTION, _sources(), "", "## Verified by servers of others", ""]
    lines += ["| operation | route | servers | answers | result |", "| --- | --- | --- | --- | --- |"]
    lines += [_verified_row(op, served[op.id], kinds) for op in verified]
    lines += ["", "## Asked by the official client, answered by our own service alone", ""]
    lines += ["| operation | route | clients | servers of others |", "| --- | --- | --- | --- |"]
    lines += [_asked_row(op, asked[op.id]) for op in ours]
    lines += ["", "## Verified by no capture", ""]
    lines += ["| operation | route | servers of others |", "| --- | --- | --- |"]
    lines += [_other_row(op) for op in unseen]
    total = len(contract.operations)
    lines += [
        "",
        f"{len(verified)} of {total} operations are verified by servers of others, {len(ours)} more were"
        f" asked by the official client, {len(unseen)} are in no capture.",
        "",
    ]
    return "\n".join(lines)


def _by_operation(contract: Contract, directory: Path) -> dict[str, list[Exchange]]:
    """Return the exchanges of each operation."""
    seen: dict[str, list[Exchange]] = {name: [] for name in contract.operations}
    for exchange in exchanges(directory):
        op = contract.operation_of(exchange.method, exchange.path)
        if op is not None:
            seen[op.id].append(exchange)
    return seen


def _verified_row(op: Operation, found: list[Exchange], kinds: set[str]) -> str:
    statuses = ", ".join(sorted({str(exchange.status) for exchange in found}))
    if all(exchange.path.count("/") < op.path.count("/") for exchange in found):
        statuses += " (on a shorter path)"
    servers = sorted({exchange.source.partition("-on-")[2] for exchange in found if exchange.status < 400})
    kind = op.node.get("x-tinker-request-type")
    result = "no promise" if kind is None else "yes" if kind in kinds else "**no**"
    return f"| `{op.id}` | {op.method} `{op.path}` | {', '.join(servers)} | {statuses} | {result} |"


def _asked_row(op: Operation, found: list[Exchange]) -> str:
    clients = ", ".join(sorted({exchange.source for exchange in found if exchange.status < 400}))
    return f"| `{op.id}` | {op.method} `{op.path}` | {clients} | {_elsewhere(op)} |"


def _other_row(op: Operation) -> str:
    note = " (our own extension)" if op.node.get("x-tinsmith-extension") else ""
    return f"| `{op.id}` | {op.method} `{op.path}` | {_elsewhere(op)}{note} |"


def _elsewhere(op: Operation) -> str:
    """Say what the check of other servers found of an operation."""
    checked = json.loads(CHECKED.read_text(encoding="utf-8"))
    found = {server: result["operations"].get(op.id, "not checked") for server, result in checked.items()}
    if set(found.values()) == {"absent"}:
        return "no server here has it"
    return ", ".join(f"{server}: {verdict}" for server, verdict in found.items())


def _verified(found: list[Exchange]) -> bool:
    """Tell whether a success was recorded: a refusal alone says nothing about a route."""
    return any(exchange.status < 400 for exchange in found)


def _sources() -> str:
    counted: dict[str, int] = defaultdict(int)
    for exchange in (*exchanges(), *exchanges(INTEROP)):
        counted[exchange.source] += exchange.name not in OUTSIDE
    return "\n".join(f"* `{name}`, {count} exchanges" for name, count in counted.items())


def main(arguments: list[str]) -> int:
    """Write the page or check it."""
    page = render()
    if "--check" in arguments:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
            print(f"{PAGE.name} is out of date: run tools/contract/contract_coverage.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
