"""The settings of a server: when and how often a client fetches them, and what follows from the answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from tinsmith import (
    APIStatusError,
    BillingError,
    InternalServerError,
    ModelInput,
    PromptProvenanceSpan,
    SamplingParams,
    ServiceClient,
    testing,
)
from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import InputError, ProgressTimeoutError
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum, once, refuse, timed, trainer_on

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Answer, Seen

CONFIG = "api/v1/client/config"
ONE = ModelInput.from_ints([1, 2])
SHORT = SamplingParams(max_tokens=1)


class Probed(testing.LedgerService):
    """A service whose answers to the probe are scripted; afterwards it refuses nothing."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer a probe by the script."""
        answer = await super().answer(seen, drips=drips)
        return self.answers.pop(0) if seen.body == b"{}" and self.answers else answer


def paths(service: testing.LedgerService) -> list[str]:
    """Return what was asked, in order, without polls."""
    return [seen.path for seen in service.seen if not seen.path.endswith("retrieve_future")]


def flags(service: testing.LedgerService, **given: object) -> None:
    """Have the service answer client/config."""
    service.rules.append(lambda asked, _seen, _body: reply(given) if asked == "client/config" else None)


# When it is asked


def test_reading_asks_nothing(service: testing.LedgerService) -> None:
    """What only reads is one request: the time to the first answer is a bar."""
    ServiceClient(**service.settings()).get_server_capabilities()
    assert paths(service) == ["api/v1/get_server_capabilities"]


def test_config_comes_before_the_session_and_once(service: testing.LedgerService) -> None:
    """It is the first request of a client that trains, with our version, and it is not repeated."""
    client = ServiceClient(**service.settings())
    first = client.create_lora_training_client("tinsmith/tiny").result()
    client.create_lora_training_client("tinsmith/tiny").result()
    first.optim_step(ADAM).result(WAIT_S)
    assert paths(service)[:2] == [CONFIG, "api/v1/create_session"]
    assert paths(service).count(CONFIG) == 1
    assert set(service.seen[0].json()) == {"sdk_version"}


def test_probe_comes_before_the_first_batch_and_once(service: testing.LedgerService) -> None:
    """Not before an optim_step; once for many batches that are asked for at the same time."""
    trainer = trainer_on(service)
    trainer.optim_step(ADAM).result(WAIT_S)
    assert service.probes == []
    calls = [trainer.forward_backward([datum()], "cross_entropy") for _ in range(3)]
    calls.append(trainer.forward([datum()], "cross_entropy"))
    for call in calls:
        call.result(WAIT_S)
    assert len(service.probes) == 1
    service.ledger.assert_exactly_once(trainer.model_id, 5)


def test_two_models_share_the_probe(service: testing.LedgerService) -> None:
    """Concurrent first batches of two lines wait for one probe."""
    client = ServiceClient(**service.settings())
    trainers = [client.create_lora_training_client("tinsmith/tiny").result() for _ in range(2)]
    for call in [each.forward_backward([datum()], "cross_entropy") for each in trainers]:
        call.result(WAIT_S)
    assert len(service.probes) == 1


@pytest.mark.parametrize("forced", ["json"])
def test_forced_encoding_is_never_probed(service: testing.LedgerService, forced: Any) -> None:
    """`encoding=` on the client spares the probe."""
    trainer = trainer_on(service, encoding=forced)
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert service.probes == []


def test_forced_encoding_that_a_server_does_not_read(service: testing.LedgerService) -> None:
    """A service of JSON answers 415: nothing was applied, and a step afterwards has the number."""
    trainer = trainer_on(service, encoding="protobuf")
    with pytest.raises(APIStatusError, match="JSON alone") as caught:
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert (caught.value.status_code, caught.value.applied) == (415, "no")
    assert trainer.optim_step(ADAM).result(WAIT_S)
    assert [entry.seq_id for entry in service.ledger.applied] == [1]


def test_unknown_encoding_is_refused(service: testing.LedgerService) -> None:
    """A word that is none of the three is refused at once."""
    with pytest.raises((InputError, ValueError)):
        ServiceClient(**service.settings(encoding="xml"))


# What is lost on the way


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_lost_probe_is_asked_again(clock: testing.FrozenClock, status: int) -> None:
    """A fault says nothing: the same probe goes out again, and the batch follows."""
    service = Probed(refuse(status))
    trainer = trainer_on(service)
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert len({seen.headers["x-idempotency-key"] for seen in service.probes}) == 1
    assert len(service.probes) == 2


def test_probe_waits_for_the_bill(clock: testing.FrozenClock) -> None:
    """402 thrice: the batch stands still as it would after the probe, and goes on by itself."""
    service = Probed(*[refuse(402)] * 3)
    trainer = trainer_on(service)
    (error,), took_s = timed(clock, lambda: trainer.forward_backward([datum()], "cross_entropy"))
    assert error is None
    assert took_s == pytest.approx(15.0, abs=1.0)
    assert len(service.probes) == 4


def test_proxy_that_lost_its_server_does_not_choose_the_encoding(clock: testing.FrozenClock) -> None:
    """An empty 400 speaks of a stale connection: the server behind it, asked again, reads protobuf alone."""
    service = Probed(type(refuse(400))(400, {}, b""), refuse(415))
    trainer = trainer_on(service)
    service.rules.append(once("forward_backward", refuse(422)))
    trainer.forward_backward([datum()], "cross_entropy").exception(WAIT_S)
    sent = [seen for seen in service.seen if seen.path.endswith("/forward_backward")]
    assert [seen.headers["content-type"] for seen in sent] == ["application/x-protobuf"]


def test_unpaid_bill_says_nothing_of_flags(clock: testing.FrozenClock) -> None:
    """The flags are not taken for absent: the call that needed them fails, and the next one asks again."""
    service = testing.LedgerService()
    service.rules.append(once("client/config", refuse(402)))
    flags(service, fwdbwd_max_chunk_len=50)
    client = ServiceClient(**service.settings())
    with pytest.raises(BillingError) as caught:
        client.create_lora_training_client("tinsmith/tiny").result()
    assert caught.value.applied == "no"
    client.create_lora_training_client("tinsmith/tiny").result()
    assert client.holder.settings.limits.chunks.max_datums == 50


def test_server_that_has_no_word_for_the_route(clock: testing.FrozenClock) -> None:
    """501 for ever is a refusal of the question, like 404."""
    service = testing.LedgerService()
    service.rules.append(lambda asked, *_: refuse(501) if asked == "client/config" else None)
    trainer_on(service).optim_step(ADAM).result(WAIT_S)


def test_probe_answered_500_for_ever_is_an_answer(clock: testing.FrozenClock) -> None:
    """Who fails on a body without fields has parsed it."""
    service = Probed(*[refuse(500)] * 4)
    trainer_on(service).forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert len(service.probes) == 4


def test_batch_whose_probe_stays_lost_is_not_sent(clock: testing.FrozenClock) -> None:
    """The error says that nothing was applied; the next batch probes again and works."""
    service = Probed(*[refuse(503)] * 15)
    trainer = trainer_on(service)
    with pytest.raises(InternalServerError) as caught:
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert caught.value.applied == "no"
    assert caught.value.model_id == trainer.model_id
    assert "probe" in caught.value.__notes__[0]
    result = trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert result.metrics == {"loss:sum": 3.0}
    service.ledger.assert_exactly_once(trainer.model_id, 1)


def test_config_that_is_refused_is_no_obstacle(service: testing.LedgerService) -> None:
    """404, and any refusal of the question, leaves our own limits."""
    service.rules.append(once("client/config", refuse(422)))
    trainer = trainer_on(service)
    trainer.forward_backward([datum()] * 129, "cross_entropy").result(WAIT_S)
    assert paths(service).count("api/v1/forward_backward") == 2


def test_lost_config_is_asked_again(service: testing.LedgerService) -> None:
    """A 503 is retried as a read."""
    service.rules.append(once("client/config", refuse(503), refuse(503)))
    trainer_on(service).optim_step(ADAM).result(WAIT_S)
    assert paths(service).count(CONFIG) == 3


def test_config_lost_for_good_is_told(service: testing.LedgerService) -> None:
    """The call that needed it fails with nothing applied; a later one asks again."""
    service.rules.append(once("client/config", *[refuse(503)] * 11))
    client = ServiceClient(**service.settings())
    with pytest.raises(InternalServerError) as caught:
        client.create_lora_training_client("tinsmith/tiny").result()
    assert caught.value.applied == "no"
    client.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).result(WAIT_S)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"null", b"", b"7"])
def test_config_that_cannot_be_read_is_warned_of(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    """A page of a proxy, or any answer that holds no flags: one line, and our own limits."""
    told = type(testing.reply({}))(204 if not body else 200, {"content-type": "text/html"}, body)
    service.rules.append(lambda asked, _seen, _body: told if asked == "client/config" else None)
    with caplog.at_level(logging.WARNING, "tinsmith"):
        trainer_on(service).forward_backward([datum()] * 129, "cross_entropy").result(WAIT_S)
    assert [r.message for r in caplog.records if "client/config" in r.message] == [
        "the server's client/config cannot be read; the limits of this client hold"
    ]
    assert paths(service).count("api/v1/forward_backward") == 2


# What follows


def test_spans_that_are_left_out_are_told_once(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """JSON has no place for provenance: one line, however many batches; a batch without spans is no news."""
    spans: Any = [PromptProvenanceSpan("s:0", length=1)]
    trainer = trainer_on(service)
    with caplog.at_level(logging.WARNING, "tinsmith"):
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
        assert caplog.records == []
        for field in ("model_input_spans", "loss_fn_input_spans"):
            batch = [datum(), attrs.evolve(datum(), **{field: spans})]
            trainer.forward_backward(batch, "cross_entropy").result(WAIT_S)
    assert len([record for record in caplog.records if "provenance spans" in record.message]) == 1


def test_chunks_are_as_large_as_the_server_says(service: testing.LedgerService) -> None:
    """fwdbwd_max_chunk_len replaces our 128."""
    flags(service, fwdbwd_max_chunk_len=50, parallel_fwdbwd_chunks=False)
    trainer_on(service).forward_backward([datum()] * 120, "cross_entropy").result(WAIT_S)
    assert paths(service).count("api/v1/forward_backward") == 3


def test_flag_of_another_kind_is_one_line(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """It is ignored, named once, and the rest of the flags holds."""
    flags(service, fwdbwd_max_chunk_len="50", sample_no_retries=3, sample_max_concurrent_requests=1)
    with caplog.at_level(logging.WARNING, "tinsmith"):
        client = ServiceClient(**service.settings())
        client.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).result(WAIT_S)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "flags of the server with values of another kind: fwdbwd_max_chunk_len, sample_no_retries"
    ]
    assert client.holder.settings.limits.samples_in_flight == 1


def test_samples_in_flight_are_bounded_by_the_server(clock: testing.FrozenClock) -> None:
    """sample_max_concurrent_requests bounds what is in flight."""
    service = testing.LedgerService(testing.ServerDialect(ready_after_polls=1, hold_s=1.0))
    flags(service, sample_max_concurrent_requests=2)
    sampler = ServiceClient(**service.settings()).create_sampling_client(base_model="tinsmith/tiny").result()
    most = 0

    def watch(asked: str, _seen: Seen, _body: dict[str, Any]) -> None:
        nonlocal most
        most = max(most, len(sampler.holder.connection.poller._waits)) if asked == "asample" else most

    service.rules.append(watch)
    for each in [sampler.sample(ONE, 1, SHORT) for _ in range(9)]:
        each.result(WAIT_S)
    assert 1 <= most < 2


@pytest.mark.parametrize("dictated", [False, True])
def test_samples_are_not_sent_again_where_the_server_says_so(
    clock: testing.FrozenClock, dictated: bool
) -> None:
    """sample_no_retries ends a sample that failed; one pushed back, or with rules of its own, goes on."""
    service = testing.LedgerService()
    flags(service, sample_no_retries=dictated)
    sampler = ServiceClient(**service.settings()).create_sampling_client(base_model="tinsmith/tiny").result()
    sampler.sample(ONE, 1, SHORT).result(WAIT_S)
    service.rules.append(once("asample", refuse(429)))
    assert sampler.sample(ONE, 1, SHORT).result(WAIT_S).sequences
    service.rules.append(once("asample", refuse(503)))
    assert sampler.sample(ONE, 1, SHORT, retry_config=RetryConfig()).result(WAIT_S).sequences
    service.rules.append(once("asample", refuse(503)))
    failed = sampler.sample(ONE, 1, SHORT).exception(WAIT_S)
    assert isinstance(failed, InternalServerError) is dictated


@pytest.mark.parametrize("dictated", [False, True])
def test_samples_have_no_progress_timeout_where_the_server_says_so(
    clock: testing.FrozenClock, dictated: bool
) -> None:
    """sample_enable_stuck_detection sets whether a sample of which nothing is heard is given up."""
    service = testing.LedgerService(testing.ServerDialect(ready_after_polls=200, hold_s=60.0))
    flags(service, sample_enable_stuck_detection=not dictated)
    sampler = ServiceClient(**service.settings()).create_sampling_client(base_model="tinsmith/tiny").result()
    failed = sampler.sample(ONE, 1, SHORT).exception(WAIT_S)
    assert isinstance(failed, ProgressTimeoutError) is not dictated
    assert (failed is None) is dictated


def test_two_clients_share_nothing(service: testing.LedgerService) -> None:
    """Flags and encoding belong to one client."""
    trainer_on(service).forward_backward([datum()], "cross_entropy").result(WAIT_S)
    trainer_on(service).forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert paths(service).count(CONFIG) == 2
    assert len(service.probes) == 2


def test_training_request_never_changes_its_encoding(clock: testing.FrozenClock) -> None:
    """A 415 after the probe is an error; the request is not sent in another form."""
    service = Probed()
    service.rules.append(once("forward_backward", refuse(415)))
    trainer = trainer_on(service)
    with pytest.raises(APIStatusError) as caught:
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert (caught.value.status_code, caught.value.applied) == (415, "no")
    assert "application/json" in caught.value.__notes__[0]
    sent = [seen for seen in service.seen if seen.path.endswith("/forward_backward")]
    assert [seen.headers["content-type"] for seen in sent] == ["application/json"]
    assert len(service.probes) == 1
