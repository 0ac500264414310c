"""`contract check` names the habits of imitated and of known servers, and calls none of them wrong."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith.contract.check import Check
from tinsmith.contract.dialects import DIALECTS
from tinsmith.core.config import ClientConfig
from tinsmith.io.http.messages import Answer
from tinsmith.io.http.transport import client_of
from tinsmith_local.options import Imitation

from tests.contract.checked import KEY, REFUSED, URL, checked, served
from tests.dialects import standin

if TYPE_CHECKING:
    from tinsmith.contract.report import Report
    from tinsmith.io.http.messages import Seen


IMITATIONS = [
    (["arrival-order"], {"arrival-order"}),
    (["no-deduplication"], {"no-deduplication", "made-again"}),
    (["duplicates-409"], {"duplicates-409"}),
    (["exact-next"], {"exact-next", "duplicates-409"}),
    (["detail=text"], set()),
    (["detail=list"], set()),
    (["status-codes"], {"empty-success"}),
    (["failure-status=400"], set()),
    (["failure-status=404"], set()),
    (["failure-status=422"], set()),
    (["try-again", "unheld-polls"], {"try-again"}),
    (["making-425"], set()),
    (["two-segment-paths"], {"two-segment-paths"}),
    (["short-prompt-logprobs"], {"short-prompt-logprobs"}),
    (["load-first-only"], {"load-first-only"}),
    (["unheld-polls"], set()),
]


@pytest.mark.parametrize(("words", "names"), IMITATIONS, ids=lambda value: "+".join(sorted(value)) or "none")
def test_imitations_are_named_and_no_deviations(words: list[str], names: set[str], tmp_path: Path) -> None:
    """Each habit that shows in the traffic has its name in the report, and nothing is called wrong."""
    running = served(tmp_path / "data", imitate=Imitation.parse(words))
    try:
        report, _ = checked(running)
    finally:
        running.close()
    assert report.deviations == ()
    assert {named.dialect.name for named in report.dialects} == names
    assert report.left_behind == ()


def test_each_imitation_is_tried() -> None:
    """No word of --imitate is left out above."""
    words = {word.partition("=")[0] for words, _ in IMITATIONS for word in words}
    assert words == {word.partition("=")[0] for word in Imitation.words()}


@pytest.mark.parametrize(("wire", "name"), [("json", "json-only"), ("protobuf", "protobuf-only")])
def test_a_server_of_one_encoding_is_walked_through(wire: Any, name: str, tmp_path: Path) -> None:
    """Where batches are read in one form alone, that is named and the walk goes on in it."""
    running = served(tmp_path / "data", wire=wire)
    try:
        report, _ = checked(running)
    finally:
        running.close()
    assert report.deviations == ()
    assert [named.dialect.name for named in report.dialects] == [name]
    refused = {row.operation for row in report.rows if row.verdict != "verified"}
    assert refused == REFUSED | ({"forward"} if wire == "protobuf" else set())


STAND_INS = [
    (standin.SKYRL_0_3, "skyrl-0.3", {"json-only", "no-deduplication", "arrival-order", "bare-ids"}),
    (standin.SKYRL_0_4, "skyrl-0.4", {"protobuf-only", "load-first-only", "shorter-paths"}),
    (standin.TUFT, "tuft", {"protobuf-only", "duplicates-409", "failure-status"}),
    (
        standin.HATCHERY,
        "hatchery",
        {"json-only", "sampler-promise", "checkpoints-paths", "any-path-is-known"},
    ),
]


@pytest.mark.parametrize(("habits", "name", "dialects"), STAND_INS, ids=[row[1] for row in STAND_INS])
def test_known_servers_are_recognised_by_their_answers(
    habits: standin.Habits, name: Any, dialects: set[str]
) -> None:
    """The check says which server it met, and names its habits; what it lacks is absent."""
    server = standin.StandIn(habits)

    async def answer(seen: Seen) -> Answer:
        try:
            return await server.answer(seen)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            body = json.dumps({"detail": f"not understood: {error!r}"}).encode()
            return Answer(422, {"content-type": "application/json"}, body)

    async def check() -> Report:
        config = ClientConfig.from_environment(base_url=URL, api_key=KEY, environ={})
        async with client_of(answer) as client:
            found = Check(config, write=True, http_client=client)
            await found.run()
            return found.report()

    report = asyncio.run(check())
    assert report.server == name
    assert dialects <= {named.dialect.name for named in report.dialects}
    absent = {row.operation for row in report.rows if row.verdict == "absent"}
    assert {"cancel_future", "search_sessions", "list_audit_log"} <= absent


def test_each_dialect_is_seen_somewhere() -> None:
    """No habit is named that neither an imitation, nor a stand-in, nor a real server shows."""
    real = json.loads((Path(__file__).parents[1] / "servers" / "checked.json").read_text(encoding="utf-8"))
    seen = {name for _, names in IMITATIONS for name in names} | {"json-only", "protobuf-only"}
    seen |= {name for *_, names in STAND_INS for name in names}
    seen |= {name for report in real.values() for name in report["dialects"]}
    assert seen == {dialect.name for dialect in DIALECTS}
