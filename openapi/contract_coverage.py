"""Writes docs/contract-coverage.md: which routes real traffic has verified, and which not.

Usage: contract_coverage.py [--check]. With --check it writes nothing and exits with 1 when the page is stale.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from contract_captures import OUTSIDE, Contract, Exchange, exchanges, is_path
from contract_document import CONTRACT, load

PAGE = Path(__file__).parent.parent / "docs" / "contract-coverage.md"

INTRODUCTION = """\
<!-- Written by openapi/contract_coverage.py from the contract and tests/contract/captures. Do not edit. -->
# What real traffic has verified of the contract

The contract was written from a description of the protocol. Recorded traffic shows how far it is right:
requests of one client and answers of one server, each checked against the contract by
`tests/contract/test_captures.py`. A route without a capture is described as well as we know it; none of us
has seen it on the wire.
"""


def render() -> str:
    """Return the page."""
    contract = Contract(load(CONTRACT))
    seen: dict[str, list[Exchange]] = defaultdict(list)
    results: dict[str, bool] = defaultdict(bool)
    for exchange in exchanges():
        op = contract.operation_of(exchange)
        if op is None:
            continue
        seen[op.id].append(exchange)
        result = contract.result_of(exchange)
        kind = exchange.request_headers.get("x-tinker-request-type")
        for other in contract.operations.values():
            if result is not None and other.node.get("x-tinker-request-type") == kind:
                results[other.id] = True
    lines = [INTRODUCTION, _sources(), "", "## Verified", ""]
    lines += ["| operation | route | request | answers | result |", "| --- | --- | --- | --- | --- |"]
    for op in contract.operations.values():
        found = seen.get(op.id, [])
        if _verified(found):
            statuses = ", ".join(sorted({str(e.status) for e in found}))
            if not any(is_path(op.path, exchange.path) for exchange in found):
                statuses += " (on a shorter path)"
            body = "yes" if "requestBody" in op.node else "no body"
            result = ("yes" if results[op.id] else "**no**") if "x-tinker-result" in op.node else "no promise"
            lines.append(f"| `{op.id}` | {op.method.upper()} `{op.path}` | {body} | {statuses} | {result} |")
    lines += ["", "## Verified by no capture", ""]
    lines += ["| operation | route | what was seen |", "| --- | --- | --- |"]
    for op in contract.operations.values():
        found = seen.get(op.id, [])
        if not _verified(found):
            said = "only " + ", ".join(sorted({str(e.status) for e in found})) if found else "nothing"
            note = " (our own extension)" if op.node.get("x-tinsmith-extension") else ""
            lines.append(f"| `{op.id}` | {op.method.upper()} `{op.path}` | {said}{note} |")
    total, verified = (
        len(contract.operations),
        sum(_verified(seen.get(name, [])) for name in contract.operations),
    )
    lines += ["", f"{verified} of {total} operations are verified, {total - verified} are not.", ""]
    return "\n".join(lines)


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
            print(f"{PAGE.name} is out of date: run openapi/contract_coverage.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
