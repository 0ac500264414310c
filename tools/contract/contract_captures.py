"""The recorded traffic of this repository, and what of it does not fit the contract in openapi/.

Judging is `tinsmith.contract`, as for `tinsmith contract check`; here are the captures and the document that
they are held against, which may be newer than the one in the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contract_validation import for_validation
from tinsmith.contract import document
from tinsmith.contract.dialects import dialect_of
from tinsmith.contract.exchange import Exchange, as_json, exchanges_in
from tinsmith.contract.judge import answer_findings
from tinsmith.contract.traffic import outcome, promise_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_document import Json

__all__ = ["CAPTURES", "INTEROP", "OUTSIDE", "Contract", "Exchange", "exchanges"]

CAPTURES = Path(__file__).parents[2] / "tests" / "contract" / "captures"

INTEROP = CAPTURES.parents[1] / "interop" / "captures"
"""What the official client said to our own service."""

OUTSIDE = {"GET /api/v1/training_runs/{id}/checkpoints/{ckpt}/download 200"}
"""Traffic that is no part of the API: the signed URL that the archive redirects to."""


def exchanges(directory: Path = CAPTURES) -> Iterator[Exchange]:
    """Yield all recorded traffic."""
    for file in sorted(directory.glob("*.json")):
        yield from exchanges_in(file)


class Contract(document.Contract):
    """The contract in openapi/, ready to judge traffic."""

    def __init__(self, contract: Json) -> None:
        super().__init__(for_validation(contract))

    def result_of(self, exchange: Exchange) -> str | None:
        """Return the schema that a polled result must fit: the caller says in a header what it asked for."""
        kind = promise_kind(self, exchange, {})
        is_result = exchange.status == 200 and outcome(exchange.answer) == "done"
        return kind.result if kind is not None and is_result else None

    def problems(self, exchange: Exchange) -> list[str]:
        """Say what does not fit; empty when all does, or is how a known server does it."""
        try:
            exchange = as_json(exchange)
        except ValueError as error:
            return [str(error)]
        found = answer_findings(self, exchange, {})
        deviations = [str(finding) for finding in found if dialect_of(finding) is None]
        # A request that was refused for its form may have been wrong on purpose: a client probes so.
        asked = [] if exchange.status in (400, 415, 422) else self._request_problems(exchange)
        return [*asked, *deviations]

    def _request_problems(self, exchange: Exchange) -> Iterator[str]:
        """Say what in a request does not fit: its body, its query, its headers."""
        op = self.operation_of(exchange.method, exchange.path)
        if op is None:
            yield f"{exchange.method} {exchange.path}: no such operation"
            return
        schema = self.request_schema(op)
        if schema is not None:
            yield from (f"{op.id} request {misfit}" for misfit in self.misfits(schema, exchange.request))
        elif exchange.request is not None:
            yield f"{op.id}: a request body where none is documented"
        given = {"query": exchange.query, "header": exchange.request_headers}
        declared = self.parameters(op)
        for parameter in declared:
            place, name = parameter["in"], parameter["name"]
            value = given.get(place, {}).get(name.lower() if place == "header" else name)
            if value is None:
                continue
            schema = self.resolve(parameter["schema"])
            typed = int(value) if schema.get("type") == "integer" else value
            yield from (f"{op.id} {place} {name} {misfit}" for misfit in self.misfits(schema, typed))
        known = {parameter["name"] for parameter in declared if parameter["in"] == "query"}
        yield from (f"{op.id}: query {name} is not documented" for name in exchange.query.keys() - known)
