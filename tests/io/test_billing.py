"""The pause while the account cannot pay: told, bounded, and over by itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import BillingError, ModelInput, SamplingParams, ServiceClient, TrainingClient, testing
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, once, refuse, timed

if TYPE_CHECKING:
    from tinsmith.io.events import Event, StillWaiting


def watched(
    service: testing.LedgerService, **settings: Any
) -> tuple[TrainingClient, list[StillWaiting], ServiceClient]:
    """Make a training client, and the list of its pauses."""
    seen: list[StillWaiting] = []

    def note(event: Event) -> None:
        if event.kind == "wait" and "402" in event.waits_for:
            seen.append(event)

    client = ServiceClient(**service.settings(observer=note, **settings))
    return client.create_lora_training_client("tinsmith/tiny").result(), seen, client


def limited(service: testing.LedgerService, limit_s: float) -> None:
    """Have the service bound the pause."""
    given = {"billing_exception_max_pause_duration_sec": limit_s}
    service.rules.append(lambda asked, _seen, _body: reply(given) if asked == "client/config" else None)


def test_submission_waits_for_the_bill_and_goes_on(
    clock: testing.FrozenClock, service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """402 thrice: the same bytes every 5 s, one warning and one word when it goes on, nothing lost."""
    service.rules.append(once("optim_step", refuse(402), refuse(402), refuse(402)))
    trainer, seen, _ = watched(service)
    with caplog.at_level(logging.WARNING, "tinsmith"):
        errors, took_s = timed(clock, lambda: trainer.optim_step(ADAM), lambda: trainer.optim_step(ADAM))
    assert errors == [None, None]
    assert took_s == pytest.approx(15.0, abs=1.0)
    sent = [each.body for each in service.seen if each.path == "api/v1/optim_step"]
    assert sent[0] == sent[1] == sent[2] == sent[3]
    assert [(event.operation, event.waited_s) for event in seen] == [("optim_step", 0.0)]
    assert [record.getMessage() for record in caplog.records] == [
        "optim_step has waited 0 s for the account to be able to pay (402), at most 3600 s",
        "optim_step goes on after a pause of 15 s for billing",
    ]
    service.ledger.assert_exactly_once(trainer.model_id, 2)


def test_poll_waits_for_the_bill_and_tells(
    clock: testing.FrozenClock, service: testing.LedgerService
) -> None:
    """A promise whose poll is answered 402 pauses visibly, with its id, and goes on."""
    trainer, seen, _ = watched(service)
    service.rules.append(once("retrieve_future", refuse(402), refuse(402)))
    errors, took_s = timed(clock, lambda: trainer.optim_step(ADAM))
    assert errors == [None]
    assert took_s == pytest.approx(10.0, abs=1.0)
    assert [event.request_id for event in seen] == ["request-2"]


@pytest.mark.parametrize("operation", ["optim_step", "retrieve_future"])
def test_pause_ends_where_the_server_says(
    clock: testing.FrozenClock, service: testing.LedgerService, operation: str
) -> None:
    """billing_exception_max_pause_duration_sec bounds it; then the error carries what is known."""
    limited(service, 60)
    trainer, seen, _ = watched(service)
    service.rules.append(once(operation, *[refuse(402)] * 100))
    errors, took_s = timed(clock, lambda: trainer.optim_step(ADAM))
    (error,) = errors
    assert isinstance(error, BillingError)
    assert error.seq_id == 1
    assert error.applied == ("no" if operation == "optim_step" else "unknown")
    assert took_s == pytest.approx(60.0, abs=6.0)
    assert "at most 60 s" in seen[0].waits_for


def test_number_of_an_unpaid_request_is_given_back(service: testing.LedgerService) -> None:
    """402 proves that nothing was taken: the next request has the same number."""
    limited(service, 1)
    trainer, _, _ = watched(service)
    service.rules.append(once("optim_step", refuse(402), refuse(402)))
    with pytest.raises(BillingError):
        trainer.optim_step(ADAM).result(WAIT_S)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}


def test_server_may_forbid_the_pause(service: testing.LedgerService) -> None:
    """x-should-retry: false is obeyed."""
    answer = reply({"detail": "unpaid"}, 402, {"x-should-retry": "false"})
    service.rules.append(once("optim_step", answer))
    trainer, seen, _ = watched(service)
    with pytest.raises(BillingError):
        trainer.optim_step(ADAM).result(WAIT_S)
    assert seen == []


def test_pause_is_not_charged_to_the_retries(service: testing.LedgerService) -> None:
    """After a pause of 20 minutes a 503 is still retried."""
    service.rules.append(once("optim_step", *[refuse(402)] * 240, refuse(503)))
    trainer, seen, _ = watched(service)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
    waited = [event.waited_s for event in seen]
    assert waited == [pytest.approx(60.0 * minute, abs=1.0) for minute in range(20)]


def test_samples_wait_for_the_bill(service: testing.LedgerService) -> None:
    """A sample pauses as training does."""
    _, seen, client = watched(service)
    service.rules.append(once("asample", refuse(402)))
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    prompt, short = ModelInput.from_ints([1]), SamplingParams(max_tokens=1)
    assert sampler.sample(prompt, 1, short).result(WAIT_S).sequences
    assert [event.operation for event in seen] == ["asample"]


# A proxy that lost its server


def test_empty_400_is_a_fault_of_the_way(service: testing.LedgerService) -> None:
    """Some proxies answer so when a connection went stale: the same bytes, soon, over another one."""
    bare = type(refuse(400))(400, {}, b"")
    service.rules.append(once("optim_step", bare, bare))
    trainer, _, _ = watched(service)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
    sent = [each.body for each in service.seen if each.path == "api/v1/optim_step"]
    assert len(sent) == 3
    assert len(set(sent)) == 1


def test_empty_400_for_ever_is_what_it_says(service: testing.LedgerService) -> None:
    """After four it is the server's word: nothing was taken."""
    bare = type(refuse(400))(400, {}, b"")
    service.rules.append(once("optim_step", *[bare] * 4))
    trainer, _, _ = watched(service)
    with pytest.raises(Exception, match="400") as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert getattr(caught.value, "applied", None) == "no"
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
