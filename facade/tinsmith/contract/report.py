"""What traffic shows of each operation: verified, deviates, refused, absent, or not tried.

Sums up what `judge` and `rules` found. Sends nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import attrs

from tinsmith.contract.bodies import BATCHES
from tinsmith.contract.dialects import Dialect, dialect_of
from tinsmith.contract.exchange import NO_BODY, UNKNOWN, WRONG_KEY
from tinsmith.contract.judge import Finding, answer_findings
from tinsmith.contract.rules import findings
from tinsmith.contract.traffic import POLL, Traffic, is_promise, outcome, words_of
from tinsmith.core.server_profiles import UNKNOWN as UNKNOWN_SERVER
from tinsmith.core.server_profiles import Clues, ServerProfile, recognise, version_by_probe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.contract.exchange import Exchange

Verdict = Literal["verified", "deviates", "refused", "absent", "not tried", "failed"]
"""The result for an operation; only the check itself can be `failed`, if it ended early."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""All verdicts, in the order in which a report counts them."""

ITSELF = "the check itself"
"""The name in the row of a check that ended early, where other rows have the operation."""


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
        found = attrs.asdict(self, filter=lambda field, _: field.name not in ("rules", "only"))
        found["operations"] = found.pop("rows")
        found["dialects"] = [{**each["dialect"], "seen": each["findings"]} for each in found["dialects"]]
        return {**found, "passed": self.passed}


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
    single = (
        finding
        for _, exchange in traffic.calls
        if not traffic.is_absent(exchange)  # a route that is not there breaks no rule
        for finding in answer_findings(contract, exchange, traffic.issued)
    )
    found: dict[Dialect | None, list[Finding]] = {None: []}
    for finding in dict.fromkeys([*single, *findings(traffic)]):
        found.setdefault(dialect_of(finding), []).append(finding)
    deviations = found.pop(None)
    wrong = {finding.operation for finding in deviations}
    return Report(
        source=source,
        server=_server(traffic, Clues(server)),
        contract=contract.document["info"]["version"],
        rows=tuple(
            _row(op, traffic, op.id in wrong, (untried or {}).get(op.id, ""))
            for op in contract.operations.values()
        ),
        deviations=tuple(deviations),
        dialects=tuple(
            Named(dialect=dialect, findings=tuple(seen)) for dialect, seen in found.items() if dialect
        ),
        left_behind=tuple(left_behind),
    )


def _row(op: Operation, traffic: Traffic, deviates: bool, untried: str) -> Row:
    mine = [exchange for found, exchange in traffic.calls if found is op]
    keyed = [each for each in mine if each.step != WRONG_KEY] or mine
    plain = [each for each in keyed if each.step != UNKNOWN] or keyed
    verdict: Verdict
    if deviates:
        verdict, reason = "deviates", ""
    elif not mine:
        verdict, reason = "not tried", untried or "nothing was sent to it"
    else:
        verdict, reason = _verdict(op, traffic, plain)
    statuses = tuple(dict.fromkeys(each.status for each in keyed))
    return Row(operation=op.id, verdict=verdict, statuses=statuses, reason=reason)


def _verdict(op: Operation, traffic: Traffic, asked: Sequence[Exchange]) -> tuple[Verdict, str]:
    """Judge an operation that breaks no rule: it is served, refused for a reason, or not there."""
    served = [each for each in asked if 200 <= each.status < 400]
    if op.result is not None:
        promises = [each.answer["request_id"] for each in served if is_promise(each.answer)]
        if any(traffic.result(promise) is not None for promise in promises):
            return "verified", ""
        if promises:
            failed = next(filter(None, map(traffic.failure, promises)), None)
            return "refused", failed or "its promise was not followed to the end"
    elif served:
        fulfilled = op.id != POLL or any(outcome(each.answer) == "done" for each in served)
        return "verified", "" if fulfilled else "no promise was fulfilled"
    refused = [each for each in asked if not traffic.is_absent(each)]
    if not refused:
        return "absent", ""
    if refused[-1].step == NO_BODY and refused[-1].status in (400, 422):
        return "refused", f"refused {NO_BODY}"  # the words of servers describe a request of ours, not them
    return "refused", words_of(refused[-1].answer)


def _server(traffic: Traffic, clues: Clues) -> str:
    """Recognise the kind of server as clients do."""
    refuses_json = False
    for op, exchange in traffic.calls:
        clues = recognise(clues, op.id, exchange.status, exchange.answer_headers, exchange.answer)
        is_json = "json" in exchange.request_headers.get("content-type", "")
        refuses_json |= op.id in BATCHES and is_json and exchange.status == 415
    return version_by_probe(clues.profile, "protobuf" if refuses_json else "json").name
