"""One answer of something on the way, under every 4xx: what errors say of `applied` is what the ledger says.

Written by hand from the rules: the lists below say where nobody can know, and nowhere else may it be said.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import Datum, ModelInput, RequestFailedError, ServiceClient, TinkerError, testing
from tinsmith.io.http.messages import Answer
from tinsmith.testing.ledger_service import ServerDialect, reply

from tests.io.bench import ADAM, WAIT_S, datum, once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith import APIFuture, TrainingClient
    from tinsmith.io.http.messages import Seen

STATUSES = range(400, 500)

PROOFS = {400, 401, 402, 403, 404, 405, 406, 411, 413, 414, 415, 422, 429, 431}
"""Statuses of a first send that prove that nothing was applied."""
SENT_AGAIN = {402, 408, 425, 429}
"""Statuses after which a submission is sent again, and then works."""
UNKNOWN_OF_SUBMISSIONS = set(STATUSES) - PROOFS - SENT_AGAIN

UNKNOWN_OF_POLLS: dict[str, set[int]] = {
    "text": {401, 403, 409},
    "message": set(),
    "page": set(),
    "nothing": set(),
}
"""Statuses of one poll after which nobody knows: the key was refused, or a 409 without numbers."""
FAILURES = {400, 422}
"""Statuses by which a server tells that a promise failed, with a text."""


def answers(body: str) -> dict[int, Answer]:
    """Make one answer for each status."""
    made = {
        "text": lambda status: reply({"detail": f"status {status}"}, status),
        "message": lambda status: reply({"message": f"status {status}"}, status),
        "page": lambda status: Answer(
            status, {"content-type": "text/html"}, b"<html><h1>%d gateway</h1></html>" % status
        ),
        "nothing": lambda status: Answer(status, {}, b""),
    }
    return {status: made[body](status) for status in STATUSES}


BODIES = ["text", "message", "page", "nothing"]

ACTS: dict[str, Callable[[TrainingClient], APIFuture[Any]]] = {
    "forward_backward": lambda trainer: trainer.forward_backward([datum()], "cross_entropy"),
    "optim_step": lambda trainer: trainer.optim_step(ADAM),
    "save_weights": lambda trainer: trainer.save_state("a"),
    "load_weights": lambda trainer: trainer.load_state("tinker://r/weights/a"),
}


def said(future: APIFuture[Any]) -> str | None:
    """Return what an error says of `applied`; None for a result."""
    error = future.exception(WAIT_S)
    if error is None:
        return None
    assert isinstance(error, TinkerError), error
    assert error.applied in ("no", "yes", "unknown"), error
    return error.applied


def check(service: testing.LedgerService, trainer: TrainingClient, told: str | None, where: str) -> None:
    """Compare what was said of the first request of a model with the ledger."""
    applied = [entry.seq_id for entry in service.ledger.of(trainer.model_id)]
    assert applied in ([], [1]), where
    assert (told, bool(applied)) not in {("no", True), ("yes", False), (None, False)}, where


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("act", ACTS)
def test_every_4xx_on_a_submission(service: testing.LedgerService, act: str, body: str) -> None:
    """The gateway answers in place of the server: a refusal by the list, else unknown; training goes on."""
    client = ServiceClient(**service.settings())
    for status, answer in answers(body).items():
        trainer = client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
        service.rules[:] = [once(act, answer)]
        told, where = said(ACTS[act](trainer)), f"{status} {body} on {act}"
        check(service, trainer, told, where)
        if status in UNKNOWN_OF_SUBMISSIONS:
            assert told == "unknown", where
            continue
        retried = status in SENT_AGAIN or (status == 400 and body == "nothing")
        assert told == (None if retried else "no"), where
        ACTS[act](trainer).result(WAIT_S)


@pytest.mark.parametrize("body", BODIES)
def test_every_4xx_after_a_submission_was_applied(service: testing.LedgerService, body: str) -> None:
    """The server acted and its answer was replaced: what is no proof never says `no`."""
    client = ServiceClient(**service.settings())
    for status, answer in answers(body).items():
        if status in PROOFS:
            continue  # a gateway that says so and forwards the request all the same lies
        trainer = client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
        service.rules[:] = [_replaced(service, "optim_step", answer)]
        told, where = said(trainer.optim_step(ADAM)), f"{status} {body}"
        check(service, trainer, told, where)
        assert told == (None if status in SENT_AGAIN else "unknown"), where


def _replaced(
    service: testing.LedgerService, operation: str, answer: Answer
) -> Callable[[str, Seen, dict[str, Any]], Answer | None]:
    """Make a rule that lets the service act on the first request of an operation, and answers itself."""
    left = [answer]

    def rule(asked: str, seen: Seen, body: dict[str, Any]) -> Answer | None:
        if asked != operation or not left:
            return None
        service._in_order(operation, seen, body)
        return left.pop()

    return rule


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("act", ACTS)
def test_every_4xx_on_a_poll(service: testing.LedgerService, act: str, body: str) -> None:
    """One poll is answered by the gateway; only what is the server's own word ends the wait."""
    client = ServiceClient(**service.settings())
    unknown = UNKNOWN_OF_POLLS[body]
    for status, answer in answers(body).items():
        fails = body == "text" and status in FAILURES
        service.fail_promise = (lambda *_: {"error": "as told"}) if fails else None
        trainer = client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
        service.rules[:] = [once("retrieve_future", answer)]
        future, where = ACTS[act](trainer), f"{status} {body} on {act}"
        told = said(future)
        check(service, trainer, told, where)
        if status in unknown:
            assert told == "unknown", where
        elif fails:
            assert told == "no", where
            assert isinstance(future.exception(0), RequestFailedError)
        else:
            assert told is None, where
            trainer.optim_step(ADAM).result(WAIT_S)


@pytest.mark.parametrize("body", BODIES)
def test_every_4xx_on_a_heartbeat(service: testing.LedgerService, body: str) -> None:
    """A heartbeat that is refused on the way ends no session; only the server's word that it is gone does."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
    asked, left = threading.Event(), list(answers(body).items())
    if body == "text":
        left = [(status, answer) for status, answer in left if status not in (404, 410)]

    def rule(operation: str, *_: Any) -> Answer | None:
        if operation != "session_heartbeat":
            return None
        if not left:
            asked.set()
            return None
        return left.pop()[1]

    service.rules[:] = [rule]
    number = 0
    while not asked.wait(0.001):
        number += 1
        assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": float(number)}
    service.ledger.assert_exactly_once(trainer.model_id, number)


@pytest.mark.parametrize("status", [404, 410])
def test_session_that_the_server_does_not_know(service: testing.LedgerService, status: int) -> None:
    """Its own word ends the session; a bare "Not Found" says that it has no heartbeats."""
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result(WAIT_S)
    asked = threading.Event()
    words = iter(["Not Found", "no such session"])

    def rule(operation: str, *_: Any) -> Answer | None:
        if operation != "session_heartbeat":
            return None
        if (text := next(words)) != "Not Found":
            asked.set()
        return reply({"detail": text}, status)

    service.rules[:] = [rule]
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
    assert asked.wait(WAIT_S)
    while said(trainer.optim_step(ADAM)) is None:
        pass
    assert type(trainer.optim_step(ADAM).exception(WAIT_S)).__name__ == "SessionLostError"


# Servers with the habits of real ones


def test_server_that_refuses_duplicates_on_the_poll(clock: testing.FrozenClock) -> None:
    """One answer lost at each position: what was applied is said to be, and nothing is applied twice."""
    dialect = ServerDialect(duplicates="sequence")
    for position in range(3):
        service = testing.LedgerService(dialect)
        service.plan = testing.AtPosition(
            {position: testing.FaultKind.RESET_AFTER},
            paths=[f"api/v1/{operation}" for operation in ("forward_backward", "optim_step", "save_weights")],
        )
        trainer = (
            ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result(WAIT_S)
        )
        futures = [ACTS[act](trainer) for act in ("forward_backward", "optim_step", "save_weights")]
        told = [said(future) for future in futures]
        assert told == ["yes" if index == position else None for index in range(3)]
        service.ledger.assert_exactly_once(trainer.model_id, 3)


def test_server_that_keeps_names_and_lacks_things(clock: testing.FrozenClock) -> None:
    """Names that exist, routes and losses that do not: each is told as what it is, and training goes on."""
    dialect = ServerDialect(
        names="refuse",
        lacks=frozenset({"save_weights_external"}),
        lacks_losses=frozenset({"ppo"}),
    )
    service = testing.LedgerService(dialect)
    trainer = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny").result(WAIT_S)
    tokens = [1, 2]
    inputs = {"target_tokens": tokens, "logprobs": [0.0, 0.0], "advantages": [1.0, 1.0]}
    rl = Datum(model_input=ModelInput.from_ints(tokens), loss_fn_inputs=inputs)
    assert said(trainer.save_state("a")) is None
    assert [said(trainer.save_state("a")) for _ in range(2)] == ["no", "no"]
    assert "no such operation" in str(trainer.save_weights_external("x").exception(WAIT_S))
    assert said(trainer.forward_backward([rl], "ppo")) == "no"
    assert said(trainer.forward_backward([datum()], "cross_entropy")) is None
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 3.0}
    service.ledger.assert_exactly_once(trainer.model_id, 3)
