"""Request order and exactly-once, point by point, by a server's ledger."""

from __future__ import annotations

import concurrent.futures
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import (
    APIConnectionError,
    BadRequestError,
    ClientPoisonedError,
    ConflictError,
    Datum,
    InputError,
    ModelInput,
    ModelLostError,
    PartialBatchError,
    RequestFailedError,
    ResultLostError,
    ServiceClient,
    TinkerError,
    testing,
)
from tinsmith.core.config import ChunkLimits, ClientConfig
from tinsmith.testing.fault_plans import AtPosition, FaultKind
from tinsmith.testing.ledger_service import ServerDialect, reply

from tests.io.bench import ADAM, WAIT_S, datum, once, refuse, trainer_on

if TYPE_CHECKING:
    from tinsmith import TrainingClient
    from tinsmith.io.http.messages import Answer, Seen

SUBMITS = tuple(f"api/v1/{name}" for name in ("forward_backward", "optim_step", "forward"))
STEP = "api/v1/optim_step"


def chunked(service: testing.LedgerService, **settings: Any) -> TrainingClient:
    """Make a training client that puts one datum into each request."""
    config = ClientConfig.from_environment(
        base_url="http://127.0.0.1:1/", api_key="tml-x", chunk_limits=ChunkLimits(max_datums=1), **settings
    )
    return trainer_on(service, config=config)


def bodies(service: testing.LedgerService, path: str) -> list[bytes]:
    """Return the bodies that arrived at a path."""
    return [seen.body for seen in service.seen if seen.path == path]


# 1 and 10: order, frozen bytes


def test_threads_get_gapless_numbers_in_call_order(service: testing.LedgerService) -> None:
    """8 threads x 50 steps on one client arrive in call order with gapless numbers."""
    trainer = trainer_on(service)
    calls: list[concurrent.futures.Future[Any]] = []
    line = threading.Lock()

    def work() -> None:
        for _ in range(50):
            with line:
                calls.append(trainer.optim_step(ADAM))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [int(call.result(WAIT_S).metrics["seq_id"]) for call in calls]
    assert numbers == list(range(1, 401))
    service.ledger.assert_exactly_once(trainer.model_id, 400)


def test_chunks_of_a_large_call_stay_together(service: testing.LedgerService) -> None:
    """300 datums go out as 128, 128 and 44 under successive numbers, and results are merged in order."""
    trainer = trainer_on(service)
    first = trainer.forward_backward([datum(1)] * 300, "cross_entropy")
    second = trainer.forward([datum(1, 2)], "cross_entropy")
    assert len(first.result(WAIT_S).loss_fn_outputs) == 300
    assert second.result(WAIT_S).metrics == {"loss:sum": 2.0}
    assert (first.seq_id, second.seq_id) == (1, 4)
    sizes = [body.count(b"model_input") for body in bodies(service, "api/v1/forward_backward")]
    assert sizes == [128, 128, 44]


def test_number_is_drawn_at_the_turn(service: testing.LedgerService) -> None:
    """`seq_id` and `request_id` are None until the request's turn came."""
    trainer = trainer_on(service)
    future = trainer.optim_step(ADAM)
    future.result(WAIT_S)
    assert (future.seq_id, future.request_id) == (1, "request-2")


@pytest.mark.parametrize("kind", [FaultKind.RESET_AFTER, FaultKind.STATUS_502_AFTER, FaultKind.STATUS_408])
def test_resend_is_byte_identical(service: testing.LedgerService, kind: FaultKind) -> None:
    """A request of unknown outcome goes out again with the same bytes, number and idempotency key."""
    service.plan = AtPosition({0: kind}, paths=[STEP])
    trainer = trainer_on(service)
    trainer.optim_step(ADAM).result(WAIT_S)
    sent = [seen for seen in service.seen if seen.path == STEP]
    assert len(sent) == 2
    assert sent[0].body == sent[1].body
    assert sent[0].headers["x-idempotency-key"] == sent[1].headers["x-idempotency-key"]
    service.ledger.assert_exactly_once(trainer.model_id, 1)


# 2: numbers


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 422])
def test_refused_request_gives_its_number_back(service: testing.LedgerService, status: int) -> None:
    """A status that proves that nothing was taken leaves no gap, and the next correct request works."""
    service.rules.append(once("optim_step", refuse(status)))
    trainer = trainer_on(service)
    with pytest.raises(TinkerError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "no"
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}


def test_number_once_unknown_is_never_given_back(service: testing.LedgerService) -> None:
    """A 400 after a reset proves nothing: the outcome is unknown and the client poisoned."""
    service.plan = AtPosition({0: FaultKind.RESET_BEFORE}, paths=[STEP])
    service.rules.append(once("optim_step", refuse(400)))
    trainer = trainer_on(service)
    with pytest.raises(BadRequestError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "unknown"
    with pytest.raises(ClientPoisonedError):
        trainer.optim_step(ADAM).result(WAIT_S)


def test_number_given_back_but_counted_is_skipped(service: testing.LedgerService) -> None:
    """If a number given back is answered 409 on its first re-use, the next one is taken."""
    service.rules += [once("optim_step", refuse(400), refuse(409))]
    trainer = trainer_on(service)
    with pytest.raises(BadRequestError):
        trainer.optim_step(ADAM).result(WAIT_S)
    service.dialect = ServerDialect(order="arrival")
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 2.0}


def test_conflict_on_a_number_given_back_proves_nothing_after_a_lost_answer(
    service: testing.LedgerService,
) -> None:
    """A 409 may mean the request that gave the number back or the one that was lost: nobody knows which."""
    service.rules += [once("optim_step", refuse(400), refuse(502), refuse(409))]
    trainer = trainer_on(service)
    with pytest.raises(BadRequestError):
        trainer.optim_step(ADAM).result(WAIT_S)
    with pytest.raises(ConflictError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "unknown"
    with pytest.raises(ClientPoisonedError):
        trainer.optim_step(ADAM).result(WAIT_S)


def test_input_found_while_encoding_uses_no_number(service: testing.LedgerService) -> None:
    """NaN in a datum is named, nothing is sent, and the number is free for the next request."""
    trainer = trainer_on(service)
    bad = Datum(
        model_input=ModelInput.from_ints([1]),
        loss_fn_inputs={"target_tokens": [1], "weights": [float("nan")]},
    )
    with pytest.raises(InputError, match=r"datum 1, field 'weights'") as caught:
        trainer.forward_backward([datum(), bad], "cross_entropy").result(WAIT_S)
    assert (caught.value.applied, bodies(service, "api/v1/forward_backward")) == ("no", [])
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}


def test_bad_number_in_a_later_chunk_sends_no_chunk(service: testing.LedgerService) -> None:
    """A call of several chunks is checked as a whole before its first chunk goes out."""
    trainer = chunked(service)
    bad = Datum(
        model_input=ModelInput.from_ints([1]),
        loss_fn_inputs={"target_tokens": [1], "weights": [float("inf")]},
    )
    with pytest.raises(InputError, match="datum 2"):
        trainer.forward_backward([datum(), datum(), bad], "cross_entropy").result(WAIT_S)
    assert bodies(service, "api/v1/forward_backward") == []


@pytest.mark.parametrize("operation", ["forward_backward", "forward"])
def test_failed_chunk_beside_an_unknown_one_is_unknown(
    operation: str, service: testing.LedgerService
) -> None:
    """One chunk failed for sure, of the other nobody knows: the call as a whole is not called harmless."""
    service.fail_promise = lambda asked, body: (
        {"error": "bad", "category": "user"} if asked == operation and body["seq_id"] == 1 else None
    )

    def deny_second(asked: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        asked_for_second = asked == "retrieve_future" and body["request_id"] == "request-3"
        return refuse(401) if asked_for_second else None

    trainer = chunked(service)
    service.rules.append(deny_second)
    call = trainer.forward_backward if operation == "forward_backward" else trainer.forward
    with pytest.raises(TinkerError) as caught:
        call([datum(), datum()], "cross_entropy").result(WAIT_S)
    assert caught.value.applied == "unknown"


# 3: the turn is released


def test_cancel_before_the_turn_costs_nothing() -> None:
    """A call cancelled in line is never sent, uses no number, and nobody behind it fails."""
    with testing.frozen_clock(auto=False) as clock:
        service = testing.LedgerService()
        trainer = trainer_on(service)
        service.rules.append(once("optim_step", refuse(429)))
        first, second, third = (trainer.optim_step(ADAM) for _ in range(3))
        assert second.cancel()
        clock.auto = True
        clock.advance(0.0)
        assert first.result(WAIT_S).metrics == {"seq_id": 1.0}
        assert third.result(WAIT_S).metrics == {"seq_id": 2.0}
        assert second.cancelled()


def test_cancel_after_sending_keeps_the_number(service: testing.LedgerService) -> None:
    """A call cancelled while it is under way goes on at the server; the ones behind it are not touched."""
    trainer = trainer_on(service)
    sent = threading.Event()
    hold = threading.Event()

    def rule(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if operation == "optim_step" and not sent.is_set():
            sent.set()
            assert hold.wait(WAIT_S)
        return None

    service.rules.append(rule)
    first = trainer.optim_step(ADAM)
    assert sent.wait(WAIT_S)
    assert first.cancel()
    hold.set()
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 2.0}
    service.ledger.assert_exactly_once(trainer.model_id, 2)


def test_timeout_does_not_cancel(service: testing.LedgerService) -> None:
    """`result(timeout)` that runs out leaves the request alone; a later wait has its result."""
    trainer = trainer_on(service)
    hold = threading.Event()

    def rule(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if operation == "optim_step":
            assert hold.wait(WAIT_S)
        return None

    service.rules.append(rule)
    future = trainer.optim_step(ADAM)
    with pytest.raises(TimeoutError):
        future.result(0.01)
    hold.set()
    assert future.result(WAIT_S).metrics == {"seq_id": 1.0}


# 4: every error says what was applied; an unknown outcome poisons


def test_unknown_outcome_poisons_at_once(service: testing.LedgerService) -> None:
    """When the retries end in doubt, the future and every later call fail with the cause, and none hangs."""
    service.rules.append(lambda name, _seen, _body: refuse(500) if name == "optim_step" else None)
    trainer = trainer_on(service, max_retries=2)
    first, queued = trainer.optim_step(ADAM), trainer.forward([datum()], "cross_entropy")
    with pytest.raises(TinkerError) as caught:
        first.result(WAIT_S)
    error = caught.value
    assert (error.applied, error.seq_id, error.attempts, error.model_id) == (
        "unknown",
        1,
        3,
        trainer.model_id,
    )
    assert error.elapsed_s is not None
    assert error.elapsed_s > 0
    for later in (queued, trainer.optim_step(ADAM)):
        with pytest.raises(ClientPoisonedError) as poisoned:
            later.result(WAIT_S)
        assert poisoned.value.__cause__ is error


# 5: nothing behind a failure; partial batches


def test_queue_behind_a_refused_request_fails_fast(service: testing.LedgerService) -> None:
    """An optim_step never runs without the gradient that was called before it."""
    service.rules.append(once("forward_backward", refuse(400)))
    trainer = trainer_on(service)
    gradient = trainer.forward_backward([datum()], "cross_entropy")
    step = trainer.optim_step(ADAM)
    with pytest.raises(PartialBatchError) as caught:
        step.result(WAIT_S)
    assert caught.value.applied == "no"
    with pytest.raises(BadRequestError):
        gradient.result(WAIT_S)
    assert bodies(service, STEP) == []
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 2.0}


def test_step_called_after_an_unseen_failure_is_kept_back(service: testing.LedgerService) -> None:
    """A step that is called after its gradient failed, by code that has not looked, is kept back too."""
    service.rules.append(once("forward_backward", refuse(400)))
    trainer = trainer_on(service)
    gradient = trainer.forward_backward([datum()], "cross_entropy")
    concurrent.futures.wait([gradient], WAIT_S)
    with pytest.raises(PartialBatchError):
        trainer.optim_step(ADAM).result(WAIT_S)
    assert bodies(service, STEP) == []


def test_step_called_before_the_look_is_kept_back(service: testing.LedgerService) -> None:
    """What counts is whether the error was seen when the step was called, not when its turn comes."""
    service.rules.append(once("forward_backward", refuse(400)))
    trainer = trainer_on(service)
    gradient = trainer.forward_backward([datum()], "cross_entropy")
    concurrent.futures.wait([gradient], WAIT_S)
    hold, blocked = threading.Event(), threading.Event()

    def stop_the_loop() -> None:
        blocked.set()
        hold.wait(WAIT_S)

    trainer.holder.connection.runtime.call_soon(stop_the_loop)
    assert blocked.wait(WAIT_S)
    step = trainer.optim_step(ADAM)
    assert gradient.exception(WAIT_S) is not None
    hold.set()
    with pytest.raises(PartialBatchError):
        step.result(WAIT_S)
    assert bodies(service, STEP) == []


@pytest.mark.parametrize(("chunks", "bad"), [(n, k) for n in range(1, 9) for k in range(n)])
def test_chunk_refused_on_submit(service: testing.LedgerService, chunks: int, bad: int) -> None:
    """Nothing is sent behind a refused chunk, and the error lists which chunks were applied."""
    service.rules.append(_nth("forward_backward", bad, refuse(422)))
    trainer = chunked(service)
    gradient = trainer.forward_backward([datum()] * chunks, "cross_entropy")
    step = trainer.optim_step(ADAM)
    with pytest.raises(TinkerError) as caught:
        gradient.result(WAIT_S)
    with pytest.raises(TinkerError):
        step.result(WAIT_S)
    assert len(service.ledger.of(trainer.model_id)) == bad
    assert bodies(service, STEP) == []
    if bad:
        assert isinstance(caught.value, PartialBatchError)
        assert caught.value.chunks_applied == tuple(range(bad))
        assert caught.value.chunks_failed == tuple(range(bad, chunks))


@pytest.mark.parametrize("mode", ["accepted", "results"])
@pytest.mark.parametrize(("chunks", "bad"), [(n, k) for n in range(2, 9) for k in range(n)])
def test_chunk_failing_in_its_promise(
    service: testing.LedgerService, mode: str, chunks: int, bad: int
) -> None:
    """With "results" no step runs on part of a batch; with "accepted" it says that it did, and poisons."""
    count = iter(range(100))

    def fail(operation: str, _body: dict[str, Any]) -> dict[str, Any] | None:
        if operation == "forward_backward" and next(count) == bad:
            return {"error": "bad datum", "category": "user"}
        return None

    service.fail_promise = fail
    trainer = chunked(service, optim_after=mode)
    gradient = trainer.forward_backward([datum()] * chunks, "cross_entropy")
    step = trainer.optim_step(ADAM)
    with pytest.raises(TinkerError) as behind:
        step.result(WAIT_S)
    with pytest.raises(PartialBatchError) as caught:
        gradient.result(WAIT_S)
    assert isinstance(caught.value.__cause__, RequestFailedError)
    assert caught.value.chunks_failed == (bad,)
    stepped = any(entry.operation == "optim_step" for entry in service.ledger.applied)
    assert stepped == (behind.value.applied == "yes")
    if mode == "results":
        assert not stepped
    with pytest.raises(ClientPoisonedError):
        trainer.optim_step(ADAM).result(WAIT_S)


def test_a_steps_result_is_handed_out_after_its_gradients(service: testing.LedgerService) -> None:
    """The step's promise is fulfilled first; its future waits for that of the gradient."""
    polled: dict[str, int] = {}
    called = threading.Event()

    def rule(operation: str, _seen: Seen, body: dict[str, Any]) -> Answer | None:
        if operation != "retrieve_future":
            return None
        assert called.wait(WAIT_S)
        polled[body["request_id"]] = polled.get(body["request_id"], 0) + 1
        is_gradient = body["request_id"] == gradient.request_ids[0]
        return reply({"type": "try_again"}, 408) if is_gradient and polled[body["request_id"]] < 5 else None

    trainer = trainer_on(service)
    service.rules.append(rule)
    ended: list[str] = []
    gradient = trainer.forward_backward([datum()], "cross_entropy")
    gradient.add_done_callback(lambda _: ended.append("gradient"))
    step = trainer.optim_step(ADAM)
    step.add_done_callback(lambda _: ended.append("step"))
    called.set()
    assert step.result(WAIT_S).metrics == {"seq_id": 2.0}
    assert ended == ["gradient", "step"]
    assert [polled[future.request_ids[0]] for future in (gradient, step)] == [5, 1]


def test_failed_single_chunk_leaves_the_client_usable(service: testing.LedgerService) -> None:
    """A promise that fails by the user's fault poisons nothing once the user has seen it."""
    service.fail_promise = lambda operation, body: (
        {"error": "bad", "category": "user"} if body["seq_id"] == 1 else None
    )
    trainer = trainer_on(service)
    with pytest.raises(RequestFailedError):
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 3.0}


# 6: conflicts


def test_duplicate_answered_with_its_promise(service: testing.LedgerService) -> None:
    """A 409 that names the promise of an identical duplicate is an acceptance."""
    service.dialect = ServerDialect(duplicates="conflict")
    service.plan = AtPosition({0: FaultKind.RESET_AFTER}, paths=[STEP])
    trainer = trainer_on(service)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
    service.ledger.assert_exactly_once(trainer.model_id, 1)


def test_duplicate_answered_without_a_promise(service: testing.LedgerService) -> None:
    """A bare 409 to a re-send means applied, with a result that nobody can fetch; training goes on."""
    service.plan = AtPosition({0: FaultKind.RESET_AFTER}, paths=[STEP])
    trainer = trainer_on(service)
    service.rules.append(_nth("optim_step", 1, refuse(409)))
    with pytest.raises(ResultLostError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "yes"
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 2.0}


def test_conflict_with_other_content_is_fatal(service: testing.LedgerService) -> None:
    """A 409 to a first send is never retried, and poisons."""
    service.rules.append(once("optim_step", refuse(409)))
    trainer = trainer_on(service)
    with pytest.raises(ConflictError):
        trainer.optim_step(ADAM).result(WAIT_S)
    assert len(bodies(service, STEP)) == 1
    with pytest.raises(ClientPoisonedError):
        trainer.optim_step(ADAM).result(WAIT_S)


# 7: servers that do not deduplicate


def test_unknown_outcome_is_never_resent_without_deduplication(service: testing.LedgerService) -> None:
    """Where a server does not deduplicate, an unknown outcome raises and poisons."""
    service.dialect = ServerDialect(duplicates="apply")
    service.plan = AtPosition({0: FaultKind.RESET_AFTER}, paths=[STEP])
    trainer = trainer_on(service)
    with pytest.raises(APIConnectionError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "unknown"
    assert len(bodies(service, STEP)) == 1
    assert service.ledger.doubles() == []


def test_lost_promise_without_deduplication(service: testing.LedgerService) -> None:
    """A 410 on the poll of such a server is not answered by a second submission."""
    service.dialect = ServerDialect(duplicates="apply")
    trainer = trainer_on(service)
    service.rules.append(once("retrieve_future", refuse(410)))
    with pytest.raises(ResultLostError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert (caught.value.applied, len(bodies(service, STEP))) == ("unknown", 1)
    with pytest.raises(ClientPoisonedError):
        trainer.optim_step(ADAM).result(WAIT_S)


def test_server_that_nobody_vouched_for_is_warned_of_once(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """Resending to a server of unknown habits is said once, with the setting that answers it."""
    service.plan = AtPosition({0: FaultKind.RESET_AFTER, 2: FaultKind.RESET_AFTER}, paths=[STEP])
    trainer = trainer_on(service, server_deduplicates=None)
    for _ in range(2):
        trainer.optim_step(ADAM).result(WAIT_S)
    assert sum("server_deduplicates" in record.message for record in caplog.records) == 1


# Lost promises and models


@pytest.mark.parametrize("status", [404, 410])
def test_lost_promise_is_submitted_once_more(service: testing.LedgerService, status: int) -> None:
    """A promise that is gone brings the same bytes under the same number, and no second application."""
    trainer = trainer_on(service)
    service.rules.append(once("retrieve_future", refuse(status)))
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}
    first, second = bodies(service, STEP)
    assert first == second
    service.ledger.assert_exactly_once(trainer.model_id, 1)


def test_promise_lost_twice(service: testing.LedgerService) -> None:
    """A promise that is gone again ends in an error that says applied, and training goes on."""
    trainer = trainer_on(service)
    service.rules.append(once("retrieve_future", refuse(410), refuse(410)))
    with pytest.raises(ResultLostError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "yes"
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 2.0}


def test_lost_model_names_the_checkpoint(service: testing.LedgerService) -> None:
    """When the server forgot the model, the error says from which checkpoint to restore."""
    trainer = trainer_on(service)
    path = trainer.save_state("before").result(WAIT_S).path
    service.rules.append(once("optim_step", refuse(404)))
    with pytest.raises(ModelLostError, match=path) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.checkpoint == path


# 10: nothing is shared


def test_two_clients_share_nothing_but_the_loop(clock: testing.FrozenClock) -> None:
    """Two clients with different keys and servers share no key, limit or back-off."""
    one, other = testing.LedgerService(), testing.LedgerService()
    first = ServiceClient(**one.settings(api_key="tml-one", base_url="http://127.0.0.1:1/"))
    second = ServiceClient(**other.settings(api_key="tml-other", base_url="http://127.0.0.1:2/"))
    one.rules.append(lambda name, _seen, _body: reply({}, 429) if name == "create_session" else None)
    blocked = first.create_lora_training_client("tinsmith/tiny")
    second.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).result(WAIT_S)
    with pytest.raises(TinkerError):
        blocked.result(WAIT_S)
    assert {seen.headers["x-api-key"] for seen in one.seen} == {"tml-one"}
    assert {seen.headers["x-api-key"] for seen in other.seen} == {"tml-other"}


def _nth(operation: str, position: int, answer: Answer) -> Any:
    """Make a rule that answers the request at `position` among those of an operation."""
    count = iter(range(10_000))

    def rule(asked: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        return answer if asked == operation and next(count) == position else None

    return rule
