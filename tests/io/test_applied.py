"""Whether `applied` of errors agrees with the server's ledger, on servers and gateways as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from tinsmith import (
    APIFuture,
    APIResponseValidationError,
    ClientPoisonedError,
    ConflictError,
    InputError,
    InternalServerError,
    ModelInput,
    ModelLostError,
    NotFoundError,
    ProgressTimeoutError,
    RateLimitError,
    RequestFailedError,
    ResultLostError,
    SamplingParams,
    ServiceClient,
    TinkerError,
    testing,
)
from tinsmith.io.events import Event, StillWaiting
from tinsmith.io.http.messages import Answer
from tinsmith.testing.ledger_service import ServerDialect, reply

from tests.io.bench import ADAM, WAIT_S, datum, once, refuse, trainer_on
from tests.io.test_waiting import config, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith import TrainingClient
    from tinsmith.io.http.messages import Seen

POLL = "retrieve_future"
EXISTS = reply({"detail": "Checkpoint 'a' already exists for model 'M'"}, 409)
SAMPLING = SamplingParams(max_tokens=2)


def sends(service: testing.LedgerService, operation: str) -> int:
    """Count the requests of an operation."""
    return sum(seen.path.endswith(f"v1/{operation}") for seen in service.seen)


def polls_of(kind: str, *answers: Answer) -> Callable[[str, Seen, dict[str, Any]], Answer | None]:
    """Make a rule that answers the first polls for results of a kind."""
    left = list(answers)

    def rule(operation: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        mine = operation == POLL and seen.headers["x-tinker-request-type"] == kind
        return left.pop(0) if mine and left else None

    return rule


def told(error: BaseException | None) -> str:
    """Return what an error says of `applied`."""
    assert isinstance(error, TinkerError), error
    assert error.applied is not None
    return error.applied


# Refusals of a first send


@pytest.mark.parametrize("status", [405, 406, 411, 414, 431, 501, 505])
@pytest.mark.parametrize("told_to_retry", [{}, {"x-should-retry": "true"}])
def test_refused_first_send(
    service: testing.LedgerService, status: int, told_to_retry: dict[str, str]
) -> None:
    """The number goes back and the client lives; 501 and 505 are sent once, whatever the server says."""
    never = status in (501, 505)
    service.rules.append(once("optim_step", reply({"detail": "no"}, status, told_to_retry if never else {})))
    trainer = trainer_on(service)
    error = trainer.optim_step(ADAM).exception(WAIT_S)
    assert (told(error), sends(service, "optim_step")) == ("no", 1)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}


def test_server_that_lacks_a_loss(service: testing.LedgerService) -> None:
    """A 501 keeps its text, and training goes on with another loss."""
    service.rules.append(once("forward_backward", reply({"detail": "'dro' is not implemented"}, 501)))
    trainer = trainer_on(service)
    with pytest.raises(InternalServerError, match="'dro' is not implemented") as caught:
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert (caught.value.applied, caught.value.attempts) == ("no", 1)
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    service.ledger.assert_exactly_once(trainer.model_id, 1)


def test_refusal_after_a_lost_answer_proves_nothing(service: testing.LedgerService) -> None:
    """A 405 to a number that was sent before with an unknown outcome is unknown."""
    service.rules.append(once("optim_step", refuse(502), refuse(405)))
    error = trainer_on(service).optim_step(ADAM).exception(WAIT_S)
    assert told(error) == "unknown"


# Conflicts


def test_names_that_exist(service: testing.LedgerService) -> None:
    """Two saves under names that are taken leave no gap, and all that follows goes on."""
    service.rules.append(once("save_weights", EXISTS, EXISTS))
    trainer = trainer_on(service)
    for _ in range(2):
        with pytest.raises(ConflictError, match="already exists") as caught:
            trainer.save_state("a").result(WAIT_S)
        assert caught.value.applied == "no"
    saved = trainer.save_state("b")
    assert saved.result(WAIT_S).path.endswith("/b")
    assert saved.seq_id == 1
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 2.0}
    service.ledger.assert_exactly_once(trainer.model_id, 2)


def test_name_that_exists_after_a_lost_answer(service: testing.LedgerService) -> None:
    """It may be our own first send that took the name: unknown."""
    service.rules.append(once("save_weights", refuse(502), EXISTS))
    trainer = trainer_on(service)
    assert told(trainer.save_state("a").exception(WAIT_S)) == "unknown"


@pytest.mark.parametrize("act", ["forward_backward", "optim_step", "load_weights", "save_weights"])
@pytest.mark.parametrize("answer", [refuse(409), Answer(409, {}, b""), Answer(409, {}, b"<html>conflict")])
def test_conflict_that_proves_nothing(service: testing.LedgerService, act: str, answer: Answer) -> None:
    """Something on the way may have sent the bytes twice: unknown, and never sent again."""
    service.rules.append(once(act, answer))
    trainer = trainer_on(service)
    calls: dict[str, Callable[[], APIFuture[Any]]] = {
        "forward_backward": lambda: trainer.forward_backward([datum()], "cross_entropy"),
        "optim_step": lambda: trainer.optim_step(ADAM),
        "load_weights": lambda: trainer.load_state("tinker://r/weights/a"),
        "save_weights": lambda: trainer.save_state("a"),
    }
    error = calls[act]().exception(WAIT_S)
    assert isinstance(error, ConflictError)
    assert (error.applied, sends(service, act)) == ("unknown", 1)
    assert isinstance(trainer.optim_step(ADAM).exception(WAIT_S), ClientPoisonedError)


def numbers(expected: int, got: int) -> Answer:
    """Make a refusal that speaks of numbers."""
    return reply({"detail": f"Sequence conflict: expected {expected}, got {got}."}, 409)


@pytest.mark.parametrize("where", ["submission", "poll"])
def test_number_that_was_counted(service: testing.LedgerService, where: str) -> None:
    """The server expects the next number: ours was applied, its result is lost, training goes on."""
    told_so = numbers(2, 1)
    if where == "poll":
        service.rules.append(polls_of("OptimStep", told_so))
    else:
        service.plan = testing.AtPosition({0: testing.FaultKind.RESET_AFTER}, paths=["api/v1/optim_step"])
        sent = iter(range(100))
        service.rules.append(lambda op, *_: told_so if op == "optim_step" and next(sent) == 1 else None)
    trainer = trainer_on(service)
    with pytest.raises(ResultLostError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "yes"
    assert [entry.seq_id for entry in service.ledger.of(trainer.model_id)] == [1]
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 2.0}


@pytest.mark.parametrize("where", ["optim_step", POLL])
@pytest.mark.parametrize("expected", [1, 9])
def test_server_that_counts_differently(service: testing.LedgerService, where: str, expected: int) -> None:
    """The model is lost once, with its checkpoint; later calls are refused at once."""
    trainer = trainer_on(service)
    path = trainer.save_state("before").result(WAIT_S).path
    service.rules.append(once(where, *[numbers(expected, 2)] * 2))
    with pytest.raises(ModelLostError, match=path) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert (caught.value.applied, caught.value.checkpoint) == ("unknown", path)
    refused = trainer.save_state("after").exception(WAIT_S)
    assert isinstance(refused, ClientPoisonedError)
    assert refused.applied == "no"


# Lost promises, in every place that waits for one


def _train(client: ServiceClient) -> TrainingClient:
    return client.create_lora_training_client("tinsmith/tiny").result()


PLACES: dict[str, tuple[str, Callable[[ServiceClient], Any]]] = {
    "create_model": ("CreateModel", lambda client: _train(client).model_id),
    "save_weights": ("SaveWeights", lambda client: _train(client).save_state("a").result(WAIT_S)),
    "asample": (
        "Sample",
        lambda client: (
            client.create_sampling_client(base_model="tinsmith/tiny")
            .result()
            .sample(ModelInput.from_ints([1, 2]), 1, SAMPLING)
            .result(WAIT_S)
        ),
    ),
}
"""Each place with the type of its polls and how to get there."""


@pytest.mark.parametrize("place", PLACES)
def test_lost_promise_without_deduplication(clock: testing.FrozenClock, place: str) -> None:
    """It is sent once, and the error has its promise and says that nobody knows."""
    kind, act = PLACES[place]
    service = testing.LedgerService(ServerDialect(duplicates="apply"))
    service.rules.append(polls_of(kind, *[reply({"detail": "gone"}, 410)] * 3))
    with pytest.raises(ResultLostError) as caught:
        act(ServiceClient(**service.settings()))
    assert (caught.value.applied, sends(service, place)) == ("unknown", 1)
    assert caught.value.request_id is not None


@pytest.mark.parametrize("place", PLACES)
def test_lost_promise_with_deduplication(service: testing.LedgerService, place: str) -> None:
    """It is submitted once more, with the same bytes; lost again it was applied."""
    kind, act = PLACES[place]
    gone = reply({"detail": "gone"}, 410)
    service.rules.append(polls_of(kind, gone))
    act(ServiceClient(**service.settings()))
    assert sends(service, place) == 2
    bodies = {seen.body for seen in service.seen if seen.path.endswith(place)}
    assert len(bodies) == 1
    service.rules.append(polls_of(kind, gone, gone))
    with pytest.raises(ResultLostError) as caught:
        act(ServiceClient(**service.settings()))
    assert caught.value.applied == "yes"


@pytest.mark.parametrize("place", PLACES)
def test_result_that_cannot_be_read(service: testing.LedgerService, place: str) -> None:
    """The thing is there: `yes`, with the ids of the promise."""
    kind, act = PLACES[place]
    service.rules.append(polls_of(kind, reply({"path": 5, "nonsense": 1})))
    with pytest.raises(APIResponseValidationError) as caught:
        act(ServiceClient(**service.settings()))
    assert caught.value.applied == "yes"
    assert caught.value.request_id is not None


def test_promise_gone_at_once_under_a_new_id(service: testing.LedgerService) -> None:
    """A server that makes a new promise and forgets it too tells a failure: nobody knows of what."""
    trainer = trainer_on(service)
    service.rules.append(polls_of("OptimStep", *[refuse(404)] * 2))
    count = iter(range(100))

    def other_promise(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        again = operation == "optim_step" and next(count) == 1
        return reply({"request_id": "another"}) if again else None

    service.rules.append(other_promise)
    with pytest.raises(RequestFailedError) as caught:
        trainer.optim_step(ADAM).result(WAIT_S)
    assert (caught.value.applied, caught.value.request_id) == ("unknown", "another")


def test_missing_checkpoint_told_by_the_poll(service: testing.LedgerService) -> None:
    """One submission, a failure that says so, and training goes on."""
    text = "Failed to retrieve future: Failed to read metadata for checkpoint nope."
    service.rules.append(polls_of("LoadWeights", reply({"detail": text}, 404)))
    trainer = trainer_on(service)
    with pytest.raises(RequestFailedError, match="metadata for checkpoint") as caught:
        trainer.load_state("tinker://r/weights/nope").result(WAIT_S)
    assert (caught.value.applied, sends(service, "load_weights")) == ("no", 1)
    trainer.optim_step(ADAM).result(WAIT_S)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, "Failed to retrieve future: Unknown model"),
        (400, "M not loaded (likely stale request from previous server)"),
        (410, "Session is terminated"),
    ],
)
@pytest.mark.parametrize("where", ["poll", "submission"])
def test_model_that_is_gone(service: testing.LedgerService, status: int, text: str, where: str) -> None:
    """Told by whatever status: the last checkpoint that was loaded is named."""
    gone = reply({"detail": text}, status)
    trainer = trainer_on(service)
    trainer.load_state("tinker://r/weights/old").result(WAIT_S)
    rule = polls_of("SaveWeights", gone, gone) if where == "poll" else once("save_weights", gone, gone)
    service.rules.append(rule)
    with pytest.raises(ModelLostError, match="tinker://r/weights/old"):
        trainer.save_state("a").result(WAIT_S)
    if where == "poll":
        assert isinstance(trainer.save_state("b").exception(WAIT_S), ClientPoisonedError)


@pytest.mark.parametrize(
    "answer",
    [reply({"detail": "Not Found"}, 404), Answer(404, {}, b"404 page not found\n"), refuse(405)],
)
def test_operation_that_a_server_lacks(service: testing.LedgerService, answer: Answer) -> None:
    """It is told as that; the model is there, and its number is free."""
    service.rules.append(once("save_weights_external", answer))
    trainer = trainer_on(service)
    error = trainer.save_weights_external("x").exception(WAIT_S)
    assert told(error) == "no"
    assert not isinstance(error, ModelLostError)
    if answer.status == 404:
        assert isinstance(error, NotFoundError)
        assert "this server has no such operation: save_weights_external" in str(error)
    assert trainer.optim_step(ADAM).result(WAIT_S).metrics == {"seq_id": 1.0}


def test_proxys_404_is_no_lost_model(service: testing.LedgerService) -> None:
    """A page says nothing of the model."""
    service.rules.append(once("optim_step", Answer(404, {}, b"<html>nobody here</html>")))
    trainer = trainer_on(service)
    error = trainer.optim_step(ADAM).exception(WAIT_S)
    assert isinstance(error, NotFoundError)
    assert error.applied == "no"


# Noise on polls


NOISE = {
    "page": Answer(200, {"content-type": "text/html"}, b"<html>Sign in</html>"),
    "nothing": Answer(200, {}, b""),
    "half an object": Answer(200, {"content-type": "application/json"}, b'{"metrics":'),
    "junk as protobuf": Answer(200, {"content-type": "application/x-protobuf"}, b"\xff\xff\xff\xff\xff"),
    "half a message": Answer(200, {"content-type": "application/x-protobuf"}, b"\x0a\x7f\x01"),
    "no message": Answer(200, {"content-type": "application/x-protobuf"}, b""),
    "page as protobuf": Answer(200, {"content-type": "application/x-protobuf"}, b"<html>login</html>"),
    "forbidden page": Answer(403, {}, b"<html>blocked</html>"),
    "gateway's message": reply({"message": "Forbidden"}, 403),
    "too large a header": reply({"detail": "no"}, 431),
    "client went away": Answer(499, {}, b""),
}


@pytest.mark.parametrize("noise", NOISE)
def test_minute_of_noise_on_polls(
    clock: testing.FrozenClock, service: testing.LedgerService, noise: str
) -> None:
    """A minute of it ends nothing, and asks seldom."""
    trainer = trainer_on(service)
    service.rules.append(until(clock, 60.0, NOISE[noise]))
    before = sends(service, POLL)
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert sends(service, POLL) - before < 20
    trainer.optim_step(ADAM).result(WAIT_S)
    service.ledger.assert_exactly_once(trainer.model_id, 2)


def test_junk_for_good_is_a_protocol_error(
    clock: testing.FrozenClock, service: testing.LedgerService
) -> None:
    """The same bytes for two minutes end the wait, whatever they claim to be."""
    trainer = trainer_on(service)
    service.rules.append(until(clock, 1e6, NOISE["junk as protobuf"]))
    began = clock.now()
    with pytest.raises(APIResponseValidationError) as caught:
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert (caught.value.applied, caught.value.request_id) == ("unknown", "request-2")
    assert 120.0 <= clock.now() - began < 200.0


# One clock a promise


def test_dead_promise_beside_living_ones(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """What finishes behind a promise, or on another model, does not keep its wait alive."""
    client = ServiceClient(**service.settings(config=config(progress_timeout_s=300.0)))
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    other = client.create_lora_training_client("tinsmith/tiny").result()
    pending = reply({"type": "try_again"}, 408)
    service.rules.append(
        lambda op, _seen, body: pending if op == POLL and body["request_id"] == dead.request_id else None
    )
    with clock.held():
        dead = trainer.save_state("a")
        began = clock.now()
    while clock.now() - began < 600.0 and not dead.done():
        trainer.forward([datum()], "cross_entropy").result(WAIT_S)
        other.forward([datum()], "cross_entropy").result(WAIT_S)
        clock.advance(10.0)
    error = dead.exception(WAIT_S)
    assert isinstance(error, ProgressTimeoutError)
    assert (error.applied, error.seq_id) == ("unknown", 1)
    assert 300.0 <= clock.now() - began < 600.0


# Calls that answer at once


@pytest.mark.parametrize(
    ("answer", "applied"),
    [
        (reply({"detail": "Not Found"}, 404), "no"),
        (reply({"detail": "a is public already"}, 409), "no"),
        (refuse(409), "unknown"),
        (Answer(502, {"x-should-retry": "false"}, b""), "unknown"),
    ],
)
def test_publish_says_what_was_applied(service: testing.LedgerService, answer: Answer, applied: str) -> None:
    """Its errors, and those of delete and TTL, carry `applied`."""
    service.rules.append(lambda *_: answer)
    rest = ServiceClient(**service.settings()).create_rest_client()
    path = "tinker://r/weights/a"
    calls = [rest.publish_checkpoint_from_tinker_path(path)]
    if answer.status != 409:
        calls += [
            rest.unpublish_checkpoint_from_tinker_path(path),
            rest.delete_checkpoint_from_tinker_path(path),
            rest.set_checkpoint_ttl_from_tinker_path(path, 3600),
        ]
    assert {told(call.exception(WAIT_S)) for call in calls} == {applied}


def test_create_model_that_is_pushed_back_for_ever(
    clock: testing.FrozenClock, service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """After a minute the log and observers say why; in the end the error does."""
    heard: list[Event] = []
    busy = reply({"detail": "Max 5 concurrent sessions"}, 429)
    service.rules.append(lambda op, *_: busy if op == "create_model" else None)
    client = ServiceClient(**service.settings(observer=heard.append))
    began = clock.now()
    with pytest.raises(RateLimitError, match="Max 5 concurrent sessions") as caught:
        _train(client).optim_step(ADAM).result(WAIT_S)
    assert caught.value.applied == "no"
    assert clock.now() - began < 400.0
    waits = [event for event in heard if isinstance(event, StillWaiting)]
    assert 60.0 <= waits[0].waited_s < 75.0
    assert all("429: Max 5 concurrent sessions" in event.waits_for for event in waits)
    told_so = [record for record in caplog.records if "Max 5 concurrent sessions" in record.message]
    assert len(told_so) == len(waits) == 3


def test_trace_that_is_never_written(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """The progress timeout ends this wait too; observers hear of it before."""
    heard: list[Event] = []
    service.rules.append(
        lambda _op, seen, _body: reply({"status": "pending"}) if "trace" in seen.path else None
    )
    client = ServiceClient(**service.settings(config=config(progress_timeout_s=300.0), observer=heard.append))
    began = clock.now()
    with pytest.raises(ProgressTimeoutError, match="session s-1") as caught:
        client.create_rest_client().export_session_trace("s-1").result(WAIT_S)
    assert caught.value.request_id == "s-1"
    assert 300.0 <= clock.now() - began < 310.0
    assert [type(event) for event in heard if isinstance(event, StillWaiting)] == [StillWaiting] * 3


def test_ids_that_are_none_are_not_sent(service: testing.LedgerService) -> None:
    """No path holds the word None."""
    client = ServiceClient(**service.settings())
    rest, nobody = client.create_rest_client(), cast("str", None)
    calls: list[Callable[[], APIFuture[Any]]] = [
        lambda: rest.get_session(nobody),
        lambda: rest.get_sampler(nobody),
        lambda: rest.get_training_run(nobody),
        lambda: rest.list_checkpoints(nobody),
        lambda: rest.delete_checkpoint(nobody, "weights/a"),
        lambda: rest.export_session_trace(nobody),
        lambda: rest.assign_session_project(nobody, "p"),
        lambda: client.raw.get_session(session_id=nobody),
    ]
    for call in calls:
        with pytest.raises(InputError) as caught:
            call().result(WAIT_S)
        assert caught.value.applied == "no"
    assert not any("None" in seen.path for seen in service.seen)


# Results go to their call


def test_promise_of_another_call(clock: testing.FrozenClock, service: testing.LedgerService) -> None:
    """A server that answers every submission with one promise gives nobody another's result."""
    trainer = trainer_on(service)
    first = trainer.forward_backward([datum()], "cross_entropy")
    first.result(WAIT_S)
    stale = reply({"request_id": first.request_id})
    service.rules.append(lambda op, *_: stale if op in ("forward_backward", "optim_step") else None)
    second = trainer.forward_backward([datum(5)], "cross_entropy")
    step = trainer.optim_step(ADAM)
    with pytest.raises(APIResponseValidationError, match="gave to another call") as caught:
        second.result(WAIT_S)
    assert caught.value.applied == "unknown"
    assert isinstance(step.exception(WAIT_S), ClientPoisonedError)
    assert [entry.seq_id for entry in service.ledger.of(trainer.model_id)] == [1]


@pytest.mark.parametrize("outstanding", [False, True])
def test_promise_of_another_call_once(service: testing.LedgerService, outstanding: bool) -> None:
    """A stale answer is sent again for, and each call gets its own result."""
    service.dialect = ServerDialect(ready_after_polls=3 if outstanding else 0)
    trainer = trainer_on(service)
    given: list[str] = []

    def stale(operation: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        if operation != "forward":
            return None
        given.append("request-2" if seen.headers["x-stainless-retry-count"] == "0" else "")
        return reply({"request_id": "request-2"}) if given[-1] and len(given) > 1 else None

    service.rules.append(stale)
    first, second = (trainer.forward([datum(*tokens)], "cross_entropy") for tokens in ((1,), (1, 2)))
    assert first.result(WAIT_S).metrics == {"loss:sum": 1.0}
    assert second.result(WAIT_S).metrics == {"loss:sum": 2.0}
    service.ledger.assert_exactly_once(trainer.model_id, 2)


def test_promise_of_another_sample(service: testing.LedgerService) -> None:
    """Samples of one sampler are told apart as training requests are."""
    client = ServiceClient(**service.settings())
    sampler = client.create_sampling_client(base_model="tinsmith/tiny")
    prompt = ModelInput.from_ints([1, 2])
    first = sampler.sample(prompt, 1, SAMPLING)
    first.result(WAIT_S)
    service.rules.append(once("asample", reply({"request_id": first.request_id})))
    second = sampler.sample(prompt, 1, SamplingParams(max_tokens=3))
    assert len(second.result(WAIT_S).sequences[0].tokens) == 3
    assert second.request_id != first.request_id


def test_counters_that_start_again(service: testing.LedgerService) -> None:
    """A server that lost a promise may count anew: ids of ended calls are free again."""
    trainer = trainer_on(service)
    trainer.forward([datum()], "cross_entropy").result(WAIT_S)
    service.rules.append(polls_of("Forward", refuse(410)))
    service._counter = 0
    service.rules.append(
        lambda op, seen, _body: (
            reply({"request_id": "request-2"})
            if op == "forward" and len(lost := sends_of(service, "forward")) == 3 and seen is lost[-1]
            else None
        )
    )
    assert trainer.forward([datum()], "cross_entropy").result(WAIT_S).metrics == {"loss:sum": 3.0}


def sends_of(service: testing.LedgerService, operation: str) -> list[Seen]:
    """Return the requests of an operation."""
    return [seen for seen in service.seen if seen.path.endswith(f"v1/{operation}")]


BATCH = {"loss_fn_output_type": "x", "loss_fn_outputs": [], "metrics": {"seq_id": 1.0}}
FOREIGN: list[tuple[str, dict[str, Any]]] = [
    ("OptimStep", BATCH),
    ("OptimStep", {"type": "save_weights", "metrics": {}}),
    ("SaveWeights", {"type": "load_weights", "path": "tinker://r/weights/a"}),
    ("SaveWeights", {"type": "save_weights_for_sampler", "path": "tinker://r/weights/a"}),
    ("LoadWeights", {"type": "save_weights", "path": "tinker://r/weights/a"}),
    ("Forward", {**BATCH, "type": "optim_step"}),
    ("Sample", {"type": "forward", "sequences": [{"stop_reason": "stop", "tokens": [1]}]}),
    ("CreateModel", {"type": "save_weights", "model_id": "m"}),
]


@pytest.mark.parametrize(("kind", "payload"), FOREIGN)
def test_result_of_another_operation(
    service: testing.LedgerService, kind: str, payload: dict[str, Any]
) -> None:
    """It is refused, and nobody knows what became of the call that it was given for."""
    service.rules.append(polls_of(kind, reply(payload)))
    client = ServiceClient(**service.settings())
    acts: dict[str, Callable[[], Any]] = {
        "OptimStep": lambda: _train(client).optim_step(ADAM).result(WAIT_S),
        "SaveWeights": lambda: _train(client).save_state("a").result(WAIT_S),
        "LoadWeights": lambda: _train(client).load_state("tinker://r/weights/a").result(WAIT_S),
        "Forward": lambda: _train(client).forward([datum()], "cross_entropy").result(WAIT_S),
        "Sample": lambda: PLACES["asample"][1](client),
        "CreateModel": lambda: PLACES["create_model"][1](client),
    }
    with pytest.raises(APIResponseValidationError, match="the result of another call") as caught:
        acts[kind]()
    assert caught.value.applied == "unknown"
    assert caught.value.request_id is not None


def test_types_that_name_nothing_known_are_taken(service: testing.LedgerService) -> None:
    """Null and words of a server's own say nothing against a result."""
    trainer = trainer_on(service)
    for named in (None, "SaveWeightsResult"):
        service.rules.append(polls_of("SaveWeights", reply({"type": named, "path": "tinker://r/weights/b"})))
        assert trainer.save_state("a").result(WAIT_S).path == "tinker://r/weights/b"
