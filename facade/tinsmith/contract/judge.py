"""Holds one exchange against the contract: status, headers, body, and the result that a poll brings.

What takes more than one exchange to see is in `rules`. Sends nothing; knows no server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from tinsmith.contract.document import Json, Operation, shortened
from tinsmith.contract.exchange import as_json, is_bare
from tinsmith.core.decision import http_date_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.contract.document import Contract
    from tinsmith.contract.exchange import Exchange

POLL = "retrieve_future"
"""The operation that brings the results of promises."""

BROKEN = frozenset({500, 502, 504})
"""Statuses with which a server fails. 501, 503 and 507 say that it does not want to, or not now."""

Issued = Mapping[str, "Exchange"]
"""The request behind each promise, by the id of the promise."""

_Tell = Callable[..., "Finding"]


@attrs.frozen
class Finding:
    """One place where a server does otherwise than the contract says."""

    operation: str
    """The operation that answered."""
    rule: str
    """What is asked, as a word that dialects know."""
    place: str
    """Where in the answer."""
    value: str
    """What stood there, shortened."""
    text: str
    """What is asked, for people."""
    exchange: str = ""
    """The exchange in which it was seen."""

    def __str__(self) -> str:
        """Say it in one line."""
        value = f", not {self.value}" if self.value else ""
        return f"{self.operation} {self.place}: {self.text}{value}"


def request_problems(contract: Contract, exchange: Exchange) -> Iterator[str]:
    """Say what in a request does not fit: its body, its query, its headers."""
    op = contract.operation_of(exchange.method, exchange.path)
    if op is None:
        yield f"{exchange.method} {exchange.path}: no such operation"
        return
    schema = contract.request_schema(op)
    if schema is not None:
        yield from (f"{op.id} request {misfit}" for misfit in contract.misfits(schema, exchange.request))
    elif exchange.request is not None:
        yield f"{op.id}: a request body where none is documented"
    yield from _parameter_problems(contract, op, exchange)


def answer_findings(contract: Contract, exchange: Exchange, issued: Issued) -> Iterator[Finding]:
    """Say what in an answer does not fit; `issued` tells what polls ask for."""
    op = contract.operation_of(exchange.method, exchange.path)
    if op is None:
        return

    def finding(rule: str, place: str, text: str, value: Json = None) -> Finding:
        shown = "" if value is None else value if isinstance(value, str) else shortened(value)
        return Finding(op.id, rule, place, shown, text, exchange.name)

    if exchange.status == 0:
        yield finding("no-answer", "answer", "every request is answered", exchange.answer)
        return
    try:
        exchange = as_json(exchange)
    except ValueError as error:
        yield finding("protobuf", "body", str(error))
        return
    status = exchange.status
    holder = contract.documented(op, status)
    if holder is None:
        yield finding("status", "status", "is a status that the contract names", status)
        return
    if status in BROKEN and not _is_told_otherwise(op, exchange, issued):
        yield finding(
            "server-error", "status", "a request is served or refused for a reason", exchange.status
        )
    yield from _headers(contract, exchange, holder, finding)
    yield from _body(contract, op, exchange, holder, issued, finding)


def promise_kind(contract: Contract, exchange: Exchange, issued: Issued) -> Operation | None:
    """Return the operation whose result a poll brings: that of the request, or what the poll says."""
    body = exchange.request if isinstance(exchange.request, dict) else {}
    behind = issued.get(str(body.get("request_id")))
    if behind is not None:
        return contract.operation_of(behind.method, behind.path)
    return contract.of_request_type(exchange.request_headers.get("x-tinker-request-type"))


def outcome(answer: Json) -> str:
    """Tell what a success of a poll is: `pending`, `failed`, `announced` (its size alone) or `done`."""
    if not isinstance(answer, Mapping):
        return "done"
    if answer.get("type") == "try_again":
        return "pending"
    if "error" in answer and ("category" in answer or answer.get("type") == "request_failed"):
        return "failed"
    return "announced" if answer.get("status") == "complete_metadata" else "done"


def is_promise(answer: Json) -> bool:
    """Tell whether an answer is a promise."""
    return isinstance(answer, Mapping) and "request_id" in answer


def words_of(answer: Json) -> str:
    """Return what an error says in words; empty where it says nothing."""
    if not isinstance(answer, Mapping):
        return "" if answer is None else shortened(answer)
    for key in ("error", "detail", "message", "title", "text"):
        told = answer.get(key)
        if isinstance(told, list) and told and isinstance(told[0], Mapping):
            loc = told[0].get("loc")
            where = ".".join(map(str, loc if isinstance(loc, list) else ()))
            return f"{where}: {told[0].get('msg', '')}".strip(": ")
        if told:
            return told if isinstance(told, str) else shortened(told)
    return ""


def _is_told_otherwise(op: Operation, exchange: Exchange, issued: Issued) -> bool:
    """Whether a 500 is the failure of a promise, or of reading protobuf, which `rules` tells."""
    if "protobuf" in exchange.request_headers.get("content-type", ""):
        return True
    promise = exchange.request.get("request_id") if isinstance(exchange.request, Mapping) else None
    is_worded = isinstance(exchange.answer, Mapping) and "detail" in exchange.answer
    return op.id == POLL and str(promise) in issued and is_worded


def _headers(
    contract: Contract, exchange: Exchange, holder: Mapping[str, Json], finding: _Tell
) -> Iterator[Finding]:
    """Tell of headers that are missing, and of waits that cannot be read."""
    for name, raw in holder.get("headers", {}).items():
        told = exchange.answer_headers.get(name.lower())
        if contract.resolve(raw).get("required") and told is None:
            yield finding("header", f"header {name}", "is required")
    wait = exchange.answer_headers.get("retry-after")
    if wait is not None and not _is_seconds(wait) and http_date_s(wait) is None:
        yield finding("retry-after", "header Retry-After", "is seconds or an HTTP date", wait)
    wait = exchange.answer_headers.get("retry-after-ms")
    if wait is not None and not _is_seconds(wait):
        yield finding("retry-after", "header retry-after-ms", "is milliseconds", wait)
    where = exchange.answer_headers.get("location")
    if exchange.status == 302 and where is not None and not where.startswith(("http://", "https://", "/")):
        yield finding("location", "header Location", "is a URL to fetch over http", where)


def _is_seconds(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


def _body(
    contract: Contract,
    op: Operation,
    exchange: Exchange,
    holder: Mapping[str, Json],
    issued: Issued,
    finding: _Tell,
) -> Iterator[Finding]:
    """Hold a body against its schema; a result against that of its kind."""
    schema, answer = contract.schema_of(holder), exchange.answer
    if exchange.status >= 400:
        if exchange.status in BROKEN and is_bare(answer):
            return  # told already: the server broke
        if not words_of(answer) and exchange.status != 408:
            yield finding("error-words", "body", "an error says what is wrong", answer)
    elif op.id == POLL:
        kind = promise_kind(contract, exchange, issued)
        if kind is not None and kind.result is not None:
            yield from _result(contract, kind, exchange, finding)
            return
    if schema is None:
        if answer is not None:
            yield finding("body-unexpected", "body", "there is nothing to read", answer)
    elif answer is None:
        says_nothing = exchange.status == 204 and not contract.resolve(schema).get("required")
        rule = "body-empty" if says_nothing else "body-missing"
        yield finding(rule, "body", "is required", exchange.status)
    elif is_bare(answer):
        yield finding("body", "body", "is JSON", answer)
    elif exchange.status < 300 and op.result is None and is_promise(answer) and op.id != POLL:
        yield finding("promise", "body", "is the answer itself, not a promise of it", answer)
    else:
        for misfit in contract.misfits(schema, answer):
            yield finding("body", f"body/{misfit.place}".rstrip("/"), misfit.rule, misfit.value)


def _result(contract: Contract, kind: Operation, exchange: Exchange, finding: _Tell) -> Iterator[Finding]:
    """Hold what a poll brings against the result of the promise's kind, or against what else it may be."""
    schema = {
        "pending": "TryAgainResponse",
        "failed": "RequestFailedResponse",
        "announced": "CompleteMetadataResponse",
        "done": kind.result or "",
    }[outcome(exchange.answer)]
    if outcome(exchange.answer) == "pending":
        yield finding("pending", "status", "a promise that is not there yet is answered 408", exchange.status)
    is_done = outcome(exchange.answer) == "done"
    for misfit in contract.misfits(contract.named(schema), exchange.answer):
        place = f"{'result' if is_done else 'body'}/{misfit.place}".rstrip("/")
        told = finding("result", place, misfit.rule, misfit.value)
        yield attrs.evolve(told, operation=kind.id) if is_done else told


def _parameter_problems(contract: Contract, op: Operation, exchange: Exchange) -> Iterator[str]:
    given = {"query": exchange.query, "header": exchange.request_headers}
    declared = contract.parameters(op)
    for parameter in declared:
        place, name = parameter["in"], parameter["name"]
        value = given.get(place, {}).get(name.lower() if place == "header" else name)
        if place == "path" or value is None:
            continue
        schema = contract.resolve(parameter["schema"])
        typed = int(value) if schema.get("type") == "integer" else value
        yield from (f"{op.id} {place} {name} {misfit}" for misfit in contract.misfits(schema, typed))
    known = {parameter["name"] for parameter in declared if parameter["in"] == "query"}
    yield from (f"{op.id}: query {name} is not documented" for name in exchange.query if name not in known)
