"""Reads traffic in the order in which it was sent: what answers say, and what became of promises.

Judges nothing: `judge` looks at one exchange, `rules` at what several of them show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from tinsmith.contract.exchange import NO_ROUTE, as_json
from tinsmith.core.failures import detail_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.contract.exchange import Exchange

    Issued = Mapping[str, Exchange]
    """The request behind each promise, by the id of the promise."""

POLL = "retrieve_future"
"""The operation that brings the results of promises."""

WAITS = frozenset({408, 425, 429, 503})
"""Statuses that say: not now."""


def field_of(value: Json, name: str) -> Json:
    """Return a field of an object; None where there is no such field, or no object."""
    return value.get(name) if isinstance(value, Mapping) else None


def text_of(value: Json, name: str) -> str | None:
    """Return a field of an object as text; None where it is absent or null."""
    found = field_of(value, name)
    return None if found is None else str(found)


def outcome(answer: Json) -> Literal["pending", "failed", "announced", "done"]:
    """Return what a successful poll says of its promise; `announced` is only the size of the result."""
    if not isinstance(answer, Mapping):
        return "done"
    if answer.get("type") == "try_again":
        return "pending"
    if "error" in answer and ("category" in answer or answer.get("type") == "request_failed"):
        return "failed"
    return "announced" if answer.get("status") == "complete_metadata" else "done"


def is_promise(answer: Json) -> bool:
    """Whether an answer is a promise."""
    return isinstance(answer, Mapping) and "request_id" in answer


def words_of(answer: Json) -> str:
    """Return what an error says in words; empty where it says nothing."""
    if isinstance(answer, Mapping):
        answer = next(filter(None, map(answer.get, ("error", "detail", "message", "title", "text"))), None)
    return "" if answer is None else detail_text(answer)


def promise_kind(contract: Contract, exchange: Exchange, issued: Issued) -> Operation | None:
    """Return the operation whose result a poll brings: that of the request, or what the poll says."""
    behind = issued.get(str(field_of(exchange.request, "request_id")))
    if behind is not None:
        return contract.operation_of(behind.method, behind.path)
    return contract.by_request_type.get(exchange.request_headers.get("x-tinker-request-type", ""))


class Traffic:
    """Exchanges in the order in which they were sent, and what their promises led to."""

    def __init__(self, contract: Contract, exchanges: Iterable[Exchange]) -> None:
        self.contract = contract
        self.exchanges = [_read(exchange) for exchange in exchanges]
        """Protobuf is read as the JSON that it stands for."""
        self.calls = [
            (op, exchange)
            for exchange in self.exchanges
            if (op := contract.operation_of(exchange.method, exchange.path)) is not None
        ]
        """Those that address an operation, with it."""
        self.issued: dict[str, Exchange] = {}
        """The first request behind each promise."""
        self.polls: dict[str, list[tuple[int, Exchange]]] = {}
        """Answers of polls, by the id of the promise, with their places among the calls."""
        asked = {_signature(each) for each in self.exchanges if each.step == NO_ROUTE}
        self._missing = asked or {'404 "Not Found"'}  # what frameworks say
        for place, (op, exchange) in enumerate(self.calls):
            if op.id == POLL and isinstance(exchange.request, Mapping):
                promise = str(exchange.request.get("request_id"))
                self.polls.setdefault(promise, []).append((place, exchange))
            elif op.id != POLL and is_promise(exchange.answer) and exchange.is_success:
                self.issued.setdefault(str(exchange.answer["request_id"]), exchange)

    def is_absent(self, exchange: Exchange) -> bool:
        """Whether an answer says that there is no such route, rather than no such id."""
        return exchange.status == 405 or (exchange.status == 404 and _signature(exchange) in self._missing)

    def final(self, promise: Json) -> tuple[int, Exchange] | None:
        """Return the answer that ended a promise, with its place; None where none did."""
        for place, poll in self.polls.get(str(promise), ()):
            if poll.is_success and outcome(poll.answer) in ("failed", "done"):
                return place, poll
            if poll.status >= 400 and poll.status not in WAITS:
                return place, poll
        return None

    def result(self, promise: Json) -> Mapping[str, Json] | None:
        """Return the result of a promise that was fulfilled."""
        found = self.final(promise)
        if found is None or not found[1].is_success or outcome(found[1].answer) != "done":
            return None
        answer = found[1].answer
        return answer if isinstance(answer, Mapping) else None

    def failure(self, promise: Json) -> str | None:
        """Return what a promise failed with, in words; None where it did not."""
        found = self.final(promise)
        if found is None or (found[1].is_success and outcome(found[1].answer) == "done"):
            return None
        return f"{found[1].status} {words_of(found[1].answer)}".strip()


def _read(exchange: Exchange) -> Exchange:
    try:  # a forward in protobuf has the route of forward_backward, and that is what it shows
        return as_json(exchange)._replace(path=exchange.path)
    except ValueError:  # the judge reports it
        return exchange


def _signature(exchange: Exchange) -> str:
    """Return a status with its words; a path that they repeat is left out."""
    return f"{exchange.status} {words_of(exchange.answer)!r}".replace(exchange.path, "PATH").replace("'", '"')
