"""Traffic in the order in which it was sent, and what became of its promises.

Judges nothing: `judge` looks at one exchange, `rules` at what several of them show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tinsmith.contract.exchange import as_json
from tinsmith.contract.judge import POLL, is_promise, outcome, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.contract.exchange import Exchange

WAITS = frozenset({408, 425, 429, 503})
"""Statuses that say: not now."""


class Traffic:
    """Exchanges in the order in which they were sent, and what their promises led to."""

    def __init__(self, contract: Contract, exchanges: Iterable[Exchange]) -> None:
        self.contract = contract
        self.exchanges = [_read(exchange) for exchange in exchanges]
        """Protobuf is read as the JSON that it stands for."""
        self.issued: dict[str, Exchange] = {}
        """The first request behind each promise."""
        self.polls: dict[str, list[tuple[int, Exchange]]] = {}
        """Answers of polls, by the id of the promise, with their places in the traffic."""
        for place, exchange in enumerate(self.exchanges):
            op = self.operation(exchange)
            if op is None or not isinstance(exchange.answer, Mapping):
                pass
            elif op.id != POLL and is_promise(exchange.answer) and exchange.status // 100 == 2:
                self.issued.setdefault(str(exchange.answer["request_id"]), exchange)
            if op is not None and op.id == POLL and isinstance(exchange.request, Mapping):
                request_id = str(exchange.request.get("request_id"))
                self.polls.setdefault(request_id, []).append((place, exchange))

    def operation(self, exchange: Exchange) -> Operation | None:
        """Return the operation that a request addressed."""
        return self.contract.operation_of(exchange.method, exchange.path)

    def final(self, promise: Json) -> tuple[int, Exchange] | None:
        """Return the answer that ended a promise, with its place; None where none did."""
        for place, poll in self.polls.get(str(promise), ()):
            if poll.status // 100 == 2 and outcome(poll.answer) in ("failed", "done"):
                return place, poll
            if poll.status >= 400 and poll.status not in WAITS:
                return place, poll
        return None

    def result(self, promise: Json) -> Mapping[str, Json] | None:
        """Return the result of a promise that was fulfilled."""
        found = self.final(promise)
        if found is None or found[1].status // 100 != 2 or outcome(found[1].answer) != "done":
            return None
        answer = found[1].answer
        return answer if isinstance(answer, Mapping) else None

    def failure(self, promise: Json) -> str | None:
        """Return what a promise failed with, in words; None where it did not."""
        found = self.final(promise)
        if found is None:
            return None
        _, poll = found
        if poll.status // 100 == 2 and outcome(poll.answer) == "done":
            return None
        return f"{poll.status} {words_of(poll.answer)}".strip()

    def successes(self, operation: str) -> Iterator[tuple[int, Exchange]]:
        """Yield what was accepted of an operation, with its place."""
        for place, exchange in enumerate(self.exchanges):
            op = self.operation(exchange)
            if op is not None and op.id == operation and exchange.status // 100 == 2:
                yield place, exchange


def _read(exchange: Exchange) -> Exchange:
    try:  # a forward in protobuf has the route of forward_backward, and that is what it shows
        return as_json(exchange)._replace(path=exchange.path)
    except ValueError:  # told by the judge
        return exchange


def field_of(value: Json, name: str) -> Json:
    """Return a field of an object; None where there is no such field, or no object."""
    return value.get(name) if isinstance(value, Mapping) else None


def text_of(value: Json, name: str) -> str | None:
    """Return a field of an object as text; None where it is absent or null."""
    found = field_of(value, name)
    return None if found is None else str(found)
