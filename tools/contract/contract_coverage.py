"""Writes docs/contract-coverage.md: which routes real traffic has verified, and which not.

Usage: contract_coverage.py [--check]. With --check it writes nothing and exits with 1 when the page is stale.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from contract_captures import OUTSIDE, Contract, Exchange, exchanges
from contract_document import CONTRACT, load
from tinsmith.contract.document import Operation, is_path

PAGE = Path(__file__).parents[2] / "docs" / "contract-coverage.md"

INTRODUCTION = """\
<!-- Written by tools/contract/contract_coverage.py from tests/contract/captures. Do not edit. -->
# What real traffic has verified of the contract

The contract was written from a description of the protocol. Recorded traffic shows how far it is right:
requests of one client and answers of one server, each checked against the contract by
`tests/contract/test_captures.py`. A route without a capture is described as well as we know it; none of us
has seen it on the wire.
"""


def render() -> str:
    """Return the page."""
    contract = Contract(load(CONTRACT))
    seen: dict[str, list[Exchange]] = {name: [] for name in contract.operations}
    kinds: set[str] = set()
    for exchange in exchanges():
        op = contract.operation_of(exchange.method, exchange.path)
        if op is not None:
            seen[op.id].append(exchange)
        if contract.result_of(exchange) is not None:
            kinds.add(exchange.request_headers["x-tinker-request-type"])
    verified = [op for op in contract.operations.values() if _verified(seen[op.id])]
    others = [op for op in contract.operations.values() if not _verified(seen[op.id])]
    lines = [INTRODUCTION, _sources(), "", "## Verified", ""]
    lines += ["| operation | route | request | answers | result |", "| --- | --- | --- | --- | --- |"]
    lines += [_verified_row(op, seen[op.id], kinds) for op in verified]
    lines += ["", "## Verified by no capture", ""]
    lines += ["| operation | route | what was seen |", "| --- | --- | --- |"]
    lines += [_other_row(op, seen[op.id]) for op in others]
    total = len(contract.operations)
    lines += ["", f"{len(verified)} of {total} operations are verified, {len(others)} are not.", ""]
    return "\n".join(lines)


def _verified_row(op: Operation, found: list[Exchange], kinds: set[str]) -> str:
    statuses = ", ".join(sorted({str(exchange.status) for exchange in found}))
    if not any(is_path(op.path, exchange.path) for exchange in found):
        statuses += " (on a shorter path)"
    body = "yes" if "requestBody" in op.node else "no body"
    kind = op.node.get("x-tinker-request-type")
    result = "no promise" if kind is None else "yes" if kind in kinds else "**no**"
    return f"| `{op.id}` | {op.method.upper()} `{op.path}` | {body} | {statuses} | {result} |"


def _other_row(op: Operation, found: list[Exchange]) -> str:
    said = "only " + ", ".join(sorted({str(e.status) for e in found})) if found else "nothing"
    note = " (our own extension)" if op.node.get("x-tinsmith-extension") else ""
    return f"| `{op.id}` | {op.method.upper()} `{op.path}` | {said}{note} |"


def _verified(found: list[Exchange]) -> bool:
    """Tell whether a success was recorded: a refusal alone says nothing about a route."""
    return any(exchange.status < 400 for exchange in found)


def _sources() -> str:
    counted: dict[str, int] = defaultdict(int)
    for exchange in exchanges():
        counted[exchange.source] += exchange.name not in OUTSIDE
    return "\n".join(f"Captures: `{name}`, {count} exchanges." for name, count in counted.items())


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
