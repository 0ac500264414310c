"""Judges one exchange by the contract: status, headers, body, and the result that a poll brings.

What takes more than one exchange to see is in `rules`. Sends nothing; knows no server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from tinsmith.contract.document import shortened
from tinsmith.contract.exchange import as_json, is_bare
from tinsmith.contract.traffic import POLL, field_of, is_promise, outcome, promise_kind, words_of
from tinsmith.core.retry import http_date_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.contract.exchange import Exchange
    from tinsmith.contract.traffic import Issued

BROKEN = frozenset({500, 502, 504})
"""Statuses with which a server fails. 501, 503 and 507 say that it does not want to, or not now."""

_RESULTS = {
    "pending": "TryAgainResponse",
    "failed": "RequestFailedResponse",
    "announced": "CompleteMetadataResponse",
}
"""What a poll brings instead of the result -> its schema."""

_Report = Callable[..., "Finding"]


@attrs.frozen
class Finding:
    """One place where a server does not do what the contract says."""

    operation: str
    """The operation that answered."""
    rule: str
    """The rule that is broken, as a word that dialects know."""
    place: str
    """Where in the answer."""
    value: str
    """The value there, shortened."""
    text: str
    """The rule, for people."""
    exchange: str = ""
    """The exchange in which it was seen."""

    def __str__(self) -> str:
        """Say it in one line."""
        value = f", not {self.value}" if self.value else ""
        return f"{self.operation} {self.place}: {self.text}{value}"


def answer_findings(contract: Contract, exchange: Exchange, issued: Issued) -> Iterator[Finding]:
    """Yield what in an answer does not fit; `issued` says what polls ask for."""
    op = contract.operation_of(exchange.method, exchange.path)
    if op is None:
        return

    def finding(rule: str, place: str, text: str, value: Json = None) -> Finding:
        shown = "" if value is None else value if isinstance(value, str) else shortened(value)
        return Finding(op.id, rule, place, shown, text, exchange.name)

    if exchange.status == 0:
        yield finding("no-answer", "answer", "every request gets an answer", exchange.answer)
        return
    try:
        exchange = as_json(exchange)
    except ValueError as error:
        yield finding("protobuf", "body", str(error))
        return
    holder = contract.documented(op, exchange.status)
    if holder is None:
        yield finding("status", "status", "is a status that the contract names", exchange.status)
        return
    if exchange.status in BROKEN and not _is_reported_by_rules(op, exchange, issued):
        text = "a request is served, or refused with a reason"
        yield finding("server-error", "status", text, exchange.status)
    yield from _headers(contract, exchange, holder, finding)
    kind = promise_kind(contract, exchange, issued) if op.id == POLL else None
    if exchange.status >= 400:
        if exchange.status in BROKEN and is_bare(exchange.answer):
            return  # reported already: the server broke
        if not words_of(exchange.answer) and exchange.status != 408:
            yield finding("error-words", "body", "an error says what is wrong", exchange.answer)
    elif kind is not None and kind.result is not None:
        yield from _result(contract, kind, exchange, finding)
        return
    streamed = contract.events_of(holder)
    if streamed:
        yield from _events(contract, streamed, exchange.answer, finding)
    else:
        yield from _body(contract, op, exchange, contract.schema_of(holder), finding)


def _is_reported_by_rules(op: Operation, exchange: Exchange, issued: Issued) -> bool:
    """Whether a 500 is the failure of a promise, or of reading protobuf, which `rules` reports."""
    if "protobuf" in exchange.request_headers.get("content-type", ""):
        return True
    promise = str(field_of(exchange.request, "request_id"))
    is_worded = isinstance(exchange.answer, Mapping) and "detail" in exchange.answer
    return op.id == POLL and promise in issued and is_worded


def _headers(
    contract: Contract, exchange: Exchange, holder: Mapping[str, Json], finding: _Report
) -> Iterator[Finding]:
    """Yield headers that are missing, waits that cannot be read, and redirects to no URL."""
    headers = exchange.answer_headers
    for name, raw in holder.get("headers", {}).items():
        if contract.resolve(raw).get("required") and name.lower() not in headers:
            yield finding("header", f"header {name}", "is required")
    wait = headers.get("retry-after")
    if wait is not None and not _is_seconds(wait) and http_date_s(wait) is None:
        yield finding("retry-after", "header Retry-After", "is seconds or an HTTP date", wait)
    wait = headers.get("retry-after-ms")
    if wait is not None and not _is_seconds(wait):
        yield finding("retry-after", "header retry-after-ms", "is milliseconds", wait)
    where = headers.get("location")
    if exchange.status == 302 and where is not None and not where.startswith(("http://", "https://", "/")):
        yield finding("location", "header Location", "is a URL to fetch over http", where)


def _is_seconds(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


def _body(
    contract: Contract, op: Operation, exchange: Exchange, schema: Json, finding: _Report
) -> Iterator[Finding]:
    """Check a body against its schema."""
    answer, status = exchange.answer, exchange.status
    if schema is None:
        if answer is not None:
            yield finding("body-unexpected", "body", "this answer has no body", answer)
    elif answer is None:
        says_nothing = status == 204 and not contract.resolve(schema).get("required")
        yield finding("body-empty" if says_nothing else "body-missing", "body", "is required", status)
    elif status < 300 and is_bare(answer):
        yield finding("body", "body", "is JSON", answer)
    elif status < 300 and op.result is None and is_promise(answer) and op.id != POLL:
        yield finding("promise", "body", "is the answer itself, not a promise of it", answer)
    else:
        for misfit in contract.misfits(schema, answer):
            yield finding("body", f"body/{misfit.place}".rstrip("/"), misfit.rule, misfit.value)


def _events(
    contract: Contract, schemas: Mapping[str, Json], answer: Json, finding: _Report
) -> Iterator[Finding]:
    """Check the events of a stream, each against the schema of its name."""
    events: Json = answer.get("events") if isinstance(answer, Mapping) else None
    if not events or not all(isinstance(each, list) and len(each) == 2 for each in events):
        yield finding("body", "body", "is a stream of events", answer)
        return
    for index, (name, data) in enumerate(events):
        if name not in schemas:
            yield finding("body", f"event {index}", "has a name that the contract has", name)
        for misfit in contract.misfits(schemas[name], data) if name in schemas else ():
            yield finding("body", f"event {index}/{misfit.place}".rstrip("/"), misfit.rule, misfit.value)


def _result(contract: Contract, kind: Operation, exchange: Exchange, finding: _Report) -> Iterator[Finding]:
    """Check what a poll brings against the result of the promise's kind, or what else it may be."""
    found = outcome(exchange.answer)
    if found == "pending":
        yield finding("pending", "status", "a promise that is not there yet is answered 408", exchange.status)
    schema, part = _RESULTS.get(found, kind.result or ""), "result" if found == "done" else "body"
    for misfit in contract.misfits(contract.named(schema), exchange.answer):
        problem = finding("result", f"{part}/{misfit.place}".rstrip("/"), misfit.rule, misfit.value)
        yield attrs.evolve(problem, operation=kind.id) if found == "done" else problem
