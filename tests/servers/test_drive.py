"""The machinery of `make servers`, without a server: tables, relay, verdicts, positions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from tinsmith.core.config import PollPolicy, RetryConfig
from tinsmith.core.errors import InternalServerError
from tinsmith.testing import LedgerService, ServerDialect, SocketServer, reply
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.servers import restarts
from tests.servers.drive import Differs, Drive, Lack, Step, holds, known_lacks, perform, steps_in
from tests.servers.environments import KINDS
from tests.servers.ledgers import Call, Row, differences
from tests.servers.positions import judged, positions, with_loss
from tests.servers.relay import Relay
from tests.servers.run import STEPS, TABLE
from tests.servers.walk import same_curve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tinsmith.io.http.messages import Answer, Seen


AT_ONCE: dict[str, Any] = {
    "retry": RetryConfig(retry_delay_base=0.01, retry_delay_max=0.02),
    "poll": PollPolicy(storm_base_s=0.01, storm_max_s=0.02),
}
"""The faults are on trial, and not the waits."""


def calls(*said: tuple[str, Literal["no", "yes", "unknown"]]) -> list[Call]:
    """Make calls of one model; an operation may be several, joined by +."""
    return [Call("m", tuple(operations.split("+")), applied) for operations, applied in said]


def rows(*operations: str, failed: Sequence[str] = ()) -> list[Row]:
    """Make applied rows of one model, and failed ones behind them."""
    return [
        Row(order, "m", operation, "failed" if operation in failed else "applied")
        for order, operation in enumerate(operations)
    ]


@pytest.mark.parametrize(
    ("said", "found", "fits"),
    [
        (calls(), rows(), True),
        (calls(("forward", "yes"), ("optim_step", "yes")), rows("forward", "optim_step"), True),
        (calls(("forward", "yes"), ("optim_step", "yes")), rows("optim_step", "forward"), False),
        (calls(("optim_step", "yes")), rows("optim_step", "optim_step"), False),
        (calls(("optim_step", "yes")), rows(), False),
        (calls(("optim_step", "no")), rows(), True),
        (calls(("optim_step", "no")), rows("optim_step"), False),
        (calls(("load_weights", "no")), rows("load_weights", failed=["load_weights"]), True),
        (calls(("optim_step", "unknown")), rows(), True),
        (calls(("optim_step", "unknown")), rows("optim_step"), True),
        (calls(("optim_step", "unknown")), rows("optim_step", "optim_step"), False),
        (calls(("forward+forward_backward", "unknown")), rows("forward"), True),
        (calls(("forward+forward_backward", "unknown")), rows("forward_backward"), False),
        (calls(), rows("optim_step"), False),
    ],
)
def test_tables_are_compared_with_what_the_client_said(
    said: list[Call], found: list[Row], fits: bool
) -> None:
    """Each applied call stands in the tables once and in order, and no other does."""
    assert (differences(said, found) == []) is fits


class Applied:
    """The ledger of a service in memory, as rows."""

    def __init__(self, service: LedgerService) -> None:
        self._service = service

    def rows(self) -> list[Row]:
        """Return what was applied."""
        found = [entry for entry in self._service.ledger.applied if entry.operation != "asample"]
        return [Row(order, entry.model_id, entry.operation, "applied") for order, entry in enumerate(found)]

    def models(self, session_id: str) -> list[str]:
        """Name the models that trained or loaded."""
        found = {entry.model_id for entry in self._service.ledger.applied if ":train:" in entry.model_id}
        return sorted(model_id for model_id in found if model_id.startswith(f"{session_id}:"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the tables at once: a service in memory has nothing pending."""
    monkeypatch.setattr("tests.servers.ledgers.QUIET_S", 0.001)


@pytest.fixture
def base_model(tmp_path: Path) -> str:
    """Return a folder with a tokenizer of single bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.save(str(tmp_path / "tokenizer.json"))
    return str(tmp_path)


class Standing:
    """A service in memory that stands where a real server would."""

    def __init__(self, dialect: ServerDialect, base_model: str) -> None:
        self.service = LedgerService(dialect)
        self.service.rules.append(self._unload)
        self.kind = KINDS["skyrl-0.4"]
        self.base_model = base_model
        self.url = ""

    @staticmethod
    def _unload(operation: str, _: Seen, __: dict[str, Any]) -> Answer | None:
        return reply({"detail": "Not Found"}, 404) if operation == "unload_model" else None


@pytest.fixture
def standing(request: pytest.FixtureRequest, base_model: str) -> Iterator[Standing]:
    """Serve with the dialect that the test names."""
    stand = Standing(request.param, base_model)
    with SocketServer(stand.service) as socket:
        stand.url = socket.url.rstrip("/")
        yield stand


@pytest.mark.parametrize("standing", [ServerDialect()], indirect=True)
def test_relay_swallows_one_answer_after_the_server_acted(standing: Standing) -> None:
    """The request is sent again and its position is counted again, but nothing else is lost."""
    with Relay(standing.url, 3) as relay:
        drive = Drive("any", relay.url, standing.base_model, Applied(standing.service), Path())
        trainer = drive.create(rank=4)
        drive.learn(trainer)
        drive.service.close()
        assert relay.swallowed in relay.passed[4:]
    assert [entry.operation for entry in standing.service.ledger.applied] == [
        "forward_backward",
        "optim_step",
    ]


@pytest.mark.parametrize("standing", [ServerDialect()], indirect=True)
def test_every_position_is_survived_where_the_server_deduplicates(standing: Standing, tmp_path: Path) -> None:
    """No position ends in an error, and the tables agree."""
    found = positions(standing, Applied(standing.service), tmp_path, **AT_ONCE)  # type: ignore[arg-type]  # stands in
    assert {"create_model", "forward_backward", "optim_step", "retrieve_future"} <= {at.lost for at in found}
    results = judged(found, "any", [])
    assert [result.step for result in results if result.verdict != "ok"] == []


@pytest.mark.parametrize("standing", [ServerDialect(duplicates="apply", order="arrival")], indirect=True)
def test_a_double_application_is_a_deviation(standing: Standing, tmp_path: Path) -> None:
    """Where the server does not deduplicate and the client does not know, the tables tell."""
    ledger, number = Applied(standing.service), 0
    while (found := with_loss(standing, ledger, tmp_path, number, **AT_ONCE)).lost != "forward_backward":  # type: ignore[arg-type]  # stands in
        number += 1
    assert [result.verdict for result in judged([found], "any", [])] == ["DEVIATION"]


def _failing(_: Drive) -> object:
    raise InternalServerError("boom", response=None, body=None)


@pytest.mark.parametrize("standing", [ServerDialect()], indirect=True)
@pytest.mark.parametrize(
    ("run", "listed", "verdict"),
    [
        (lambda drive: drive.learn(drive.trainer), None, "ok"),
        (lambda drive: drive.learn(drive.trainer), "Differs", "DEVIATION"),
        (lambda drive: holds(False, "not so"), None, "DEVIATION"),
        (lambda drive: holds(False, "not so"), "Differs", "lack"),
        (lambda drive: holds(False, "not so"), "NotFoundError", "DEVIATION"),
    ],
)
def test_a_step_is_right_or_its_failure_is_listed(
    standing: Standing, run: Any, listed: str | None, verdict: str
) -> None:
    """A failure that is not in the list is a deviation, and so is an entry that does not hold any more."""
    drive = Drive("any", standing.url, standing.base_model, Applied(standing.service), Path())
    lacks = [Lack("any", "it", listed, "because")] if listed else []
    result = perform(drive, Step("it", run), lacks)
    drive.service.close()
    assert result.verdict == verdict


def test_every_lack_names_a_step_and_a_server() -> None:
    """An entry of the list that nothing can meet would never be noticed."""
    names = {step.name for step in (*STEPS, *steps_in(restarts))}
    assert len(names) >= 60
    for lack in known_lacks():
        assert lack.server in KINDS
        assert lack.step in names or lack.step.startswith("answer lost: "), lack.step
        assert lack.reason


def _measured() -> dict[tuple[str, str], str]:
    """Return the cells of the table that the last whole run wrote, by server and step."""
    head, line, *rows = [
        [cell.strip() for cell in row.strip().strip("|").split("|")]
        for row in TABLE.read_text(encoding="utf-8").splitlines()
    ]
    assert head[1:] == list(KINDS)
    assert set(line) == {"---"}
    return {(name, row[0]): cell for row in rows for name, cell in zip(KINDS, row[1:], strict=True)}


def test_the_table_of_the_docs_is_of_these_steps_and_lacks() -> None:
    """A step or a lack that came or went since the last whole run makes its table stale."""
    measured = _measured()
    names = [name for name in dict.fromkeys(step for _, step in measured) if "answer lost" not in name]
    assert names == [step.name for step in (*STEPS, *steps_in(restarts))]
    assert {measured[server, name] for server in KINDS for name in names} == {"ok", "lacks"}
    assert set(measured.values()) <= {"ok", "lacks", ""}
    lacking = {key for key, cell in measured.items() if cell == "lacks"}
    assert lacking == {(lack.server, lack.step) for lack in known_lacks()}


def test_what_differs_is_an_assertion() -> None:
    """A step says in words what it found."""
    with pytest.raises(Differs, match="two, not one"):
        holds(False, "two, not one")


@pytest.mark.parametrize(
    ("found", "differs"),
    [
        ([{"step": 0, "held_out_loss": 5.8811682}, {"step": 1, "loss": 5.4}], False),
        ([{"step": 0, "held_out_loss": 5.8811681}, {"step": 1, "loss": 5.4}], False),
        ([{"step": 0, "held_out_loss": 5.88}, {"step": 1, "loss": 5.4}], True),
        ([{"step": 0, "held_out_loss": 5.8811682}, {"step": 2, "loss": 5.4}], True),
        ([{"step": 0, "held_out_loss": 5.8811682}, {"step": 1, "held_out_loss": 5.4}], True),
        ([{"step": 0, "held_out_loss": 5.8811682}], True),
        ([], True),
    ],
    ids=["equal", "rounded", "another loss", "another step", "another name", "a step missing", "nothing"],
)
def test_curves_are_the_same_but_for_rounding(found: list[dict[str, float]], differs: bool) -> None:
    """A step that is missing or made twice shows; the order in which a server adds numbers up does not."""
    whole = [{"step": 0, "held_out_loss": 5.8811682}, {"step": 1, "loss": 5.4}]
    if differs:
        with pytest.raises(Differs):
            same_curve(found, whole)
    else:
        same_curve(found, whole)
