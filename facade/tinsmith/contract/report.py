"""What traffic shows of each operation: verified, deviates, refused, absent, or not tried.

Sums up what `judge` and `rules` found. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

import attrs

from tinsmith.contract.dialects import Dialect, dialect_of
from tinsmith.contract.judge import POLL, Finding, answer_findings, outcome, words_of
from tinsmith.contract.rules import NO_BODY, UNKNOWN, WRONG_KEY, findings
from tinsmith.contract.traffic import Traffic
from tinsmith.core.server_profiles import UNKNOWN as UNKNOWN_SERVER
from tinsmith.core.server_profiles import Clues, ServerProfile, recognise, version_by_probe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.contract.exchange import Exchange

Verdict = Literal["verified", "deviates", "refused", "absent", "not tried", "failed"]
"""What came of an operation; `failed` is said of the check itself alone, where it ended before its time."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""All verdicts, in the order in which a report counts them."""

ITSELF = "the check itself"
"""Stands in the place of the operation in the row of a check that ended before its time."""

MISSING_ROUTE = "/api/v1/x-contract-check/no-such-route"
"""A path that no server has: its answer shows how the server says that a route is missing."""

NO_ROUTE = "no such route"
"""The step of that request."""


@attrs.frozen(kw_only=True)
class Row:
    """What was seen of one operation."""

    operation: str
    """Its operation id."""
    verdict: Verdict
    """The outcome."""
    statuses: tuple[int, ...]
    """The statuses that came, each once, in order."""
    reason: str
    """Why, in a few words; empty where the verdict says all."""


@attrs.frozen(kw_only=True)
class Named:
    """A habit of servers that was seen."""

    dialect: Dialect
    """Which."""
    findings: tuple[Finding, ...]
    """Where."""


@attrs.frozen(kw_only=True)
class Report:
    """What a check, or a capture, shows of a server."""

    source: str
    """The server's address, or the capture."""
    server: str
    """Which kind of server it was taken for."""
    contract: str
    """The version of the contract."""
    rows: tuple[Row, ...]
    """One an operation, in the order of the contract, and one of the check itself where it failed."""
    deviations: tuple[Finding, ...]
    """What is wrong."""
    dialects: tuple[Named, ...]
    """What is otherwise, and known."""
    left_behind: tuple[str, ...] = ()
    """What the check made and could not delete."""
    shows_nothing: bool = False
    """Whether a server served nothing that needs a key: it may not have this API at all."""

    @property
    def passed(self) -> bool:
        """Whether the check came to its end, something was served, and nothing deviates."""
        return not (self.deviations or self.shows_nothing or self.count("failed"))

    def count(self, verdict: Verdict) -> int:
        """Count the operations with a verdict."""
        return sum(row.verdict == verdict for row in self.rows)

    def document(self) -> dict[str, Json]:
        """Return the report as JSON has it."""
        return {
            "source": self.source,
            "server": self.server,
            "contract": self.contract,
            "passed": self.passed,
            "shows_nothing": self.shows_nothing,
            "operations": [attrs.asdict(row) for row in self.rows],
            "deviations": [attrs.asdict(finding) for finding in self.deviations],
            "dialects": [
                {
                    "name": named.dialect.name,
                    "text": named.dialect.text,
                    "servers": list(named.dialect.servers),
                    "seen": [attrs.asdict(finding) for finding in named.findings],
                }
                for named in self.dialects
            ],
            "left_behind": list(self.left_behind),
        }


def report(
    contract: Contract,
    exchanges: Sequence[Exchange],
    source: str,
    *,
    server: ServerProfile = UNKNOWN_SERVER,
    untried: Mapping[str, str] | None = None,
    left_behind: Iterable[str] = (),
) -> Report:
    """Judge traffic and sum up.

    `server` is what is known of it before; `untried` says why operations were not tried.
    """
    traffic = Traffic(contract, exchanges)
    found = list(dict.fromkeys([*_each(contract, exchanges, traffic), *findings(traffic)]))
    explained = [(finding, dialect_of(finding)) for finding in found]
    deviations = tuple(finding for finding, dialect in explained if dialect is None)
    dialects = dict.fromkeys(dialect.name for _, dialect in explained if dialect is not None)
    named = (
        [(finding, dialect) for finding, dialect in explained if dialect is not None and dialect.name == name]
        for name in dialects
    )
    return Report(
        source=source,
        server=_server(contract, exchanges, Clues(server)),
        contract=contract.version,
        rows=_rows(traffic, {finding.operation for finding in deviations}, untried or {}),
        deviations=deviations,
        dialects=tuple(Named(dialect=seen[0][1], findings=tuple(one for one, _ in seen)) for seen in named),
        left_behind=tuple(left_behind),
    )


def _rows(traffic: Traffic, deviating: set[str], untried: Mapping[str, str]) -> tuple[Row, ...]:
    """Return one row an operation, in the order of the contract."""
    missing = _signatures(traffic.exchanges)
    addressed: dict[str, list[Exchange]] = {name: [] for name in traffic.contract.operations}
    for exchange in traffic.exchanges:
        op = traffic.operation(exchange)
        if op is not None:
            addressed[op.id].append(exchange)
    return tuple(
        _row(op, traffic, addressed[op.id], op.id in deviating, missing, untried.get(op.id, ""))
        for op in traffic.contract.operations.values()
    )


def _each(contract: Contract, exchanges: Iterable[Exchange], traffic: Traffic) -> Iterator[Finding]:
    """Judge every exchange by itself; a route that is not there breaks no rule."""
    missing = _signatures(traffic.exchanges)
    for exchange in exchanges:
        if not is_absent(exchange, missing):
            yield from answer_findings(contract, exchange, traffic.issued)


def _signatures(exchanges: Iterable[Exchange]) -> set[str]:
    """Return how this server says that a route is missing; as frameworks do where nobody asked."""
    asked = {_signature(each) for each in exchanges if each.step == NO_ROUTE}
    return asked or {'404 "Not Found"'}


def _signature(exchange: Exchange) -> str:
    """Return a status with its words; a path that they repeat is left out."""
    return f"{exchange.status} {words_of(exchange.answer)!r}".replace(exchange.path, "PATH").replace("'", '"')


def is_absent(exchange: Exchange, missing: set[str]) -> bool:
    """Tell whether an answer says that there is no such route, rather than no such id."""
    return exchange.status == 405 or (exchange.status == 404 and _signature(exchange) in missing)


def _row(
    op: Operation,
    traffic: Traffic,
    mine: list[Exchange],
    deviates: bool,
    missing: set[str],
    untried: str,
) -> Row:
    keyed = [each for each in mine if each.step != WRONG_KEY] or mine
    plain = [each for each in keyed if each.step != UNKNOWN] or keyed
    statuses = tuple(dict.fromkeys(each.status for each in keyed))
    served = [each for each in plain if 200 <= each.status < 400]
    verdict, reason = _verdict(op, traffic, plain, served, missing)
    if deviates:
        verdict, reason = "deviates", ""
    elif not mine:
        verdict, reason = "not tried", untried or "nothing was sent to it"
    return Row(operation=op.id, verdict=verdict, statuses=statuses, reason=reason)


def _verdict(
    op: Operation, traffic: Traffic, plain: list[Exchange], served: list[Exchange], missing: set[str]
) -> tuple[Verdict, str]:
    """Judge what answered no rule: served, refused for a reason, or not there."""
    if op.result is not None:
        promises = [
            each.answer["request_id"]
            for each in served
            if isinstance(each.answer, Mapping) and "request_id" in each.answer
        ]
        if any(traffic.result(promise) is not None for promise in promises):
            return "verified", ""
        failed = next(filter(None, map(traffic.failure, promises)), None)
        if failed is not None:
            return "refused", failed
        if promises:
            return "refused", "its promise was not followed to the end"
    elif any(op.id != POLL or outcome(each.answer) == "done" for each in served):
        return "verified", ""
    elif served:
        return "verified", "no promise was fulfilled"
    refused = [each for each in plain if not is_absent(each, missing)]
    if refused and refused[-1].step == NO_BODY and refused[-1].status in (400, 422):
        return "refused", f"refused {NO_BODY}"  # the words of servers describe a request of ours, not them
    if refused:
        return "refused", words_of(refused[-1].answer)
    return "absent", ""


def _server(contract: Contract, exchanges: Iterable[Exchange], clues: Clues) -> str:
    """Recognise the kind of server as clients do."""
    for exchange in exchanges:
        op = contract.operation_of(exchange.method, exchange.path)
        if op is not None:
            clues = recognise(clues, op.id, exchange.status, exchange.answer_headers, exchange.answer)
    refuses_json = any(_is_batch(each) and each.status == 415 for each in exchanges)
    return version_by_probe(clues.profile, "protobuf" if refuses_json else "json").name


def _is_batch(exchange: Exchange) -> bool:
    """Whether a request is a batch as JSON."""
    kind = exchange.request_headers.get("content-type", "")
    return exchange.path.endswith(("/forward", "/forward_backward")) and "json" in kind
