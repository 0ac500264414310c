"""What servers of today know beyond 0.6.3: the request of each method, and what becomes of its answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import pytest
from tinsmith import (
    AdamParams,
    ClosedError,
    DimuonOptimizerConfig,
    DimuonParams,
    InputError,
    ModelInput,
    RequestFailedError,
    RestClient,
    SamplingClient,
    SamplingParams,
    ServiceClient,
    TensorData,
    TinkerError,
    TrainingClient,
    testing,
    types,
)
from tinsmith.clients import downloads

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


RUN = "run:train:0"
PATH = f"tinker://{RUN}/weights/one"
EXTERNAL = f"tinker://{RUN}/external_weights/one"
HOUR = datetime(2026, 11, 1, 5, tzinfo=UTC)


@pytest.fixture
def service() -> Iterator[testing.LedgerService]:
    """Run a service in memory."""
    with testing.frozen_clock():
        yield testing.LedgerService()


@pytest.fixture
def client(service: testing.LedgerService) -> ServiceClient:
    """Make a client of it."""
    return ServiceClient(**service.settings())


class Ask(NamedTuple):
    """One call of RestClient: the request that it is, the answer to it, and what comes back."""

    call: Callable[[RestClient], Any]
    method: str
    target: str
    body: Any
    answer: Any
    result: Any


EVENT = {
    "bucket_start": "2026-11-01T05:00:00Z",
    "bucket_end": "2026-11-01T06:00:00Z",
    "session_id": "s",
    "estimated_cost_usd": 0.5,
    "event_info": {"type": "training", "token_count": 9, "colour": "red"},
    "mood": "good",
}
SUMMARY = {
    "session_id": "s",
    "created_at": "2026-11-01T05:00:00Z",
    "status": {"type": "active"},
    "new": 1,
}
CURSOR = {"last_created_at": "2026-11-01T05:00:00Z", "last_session_id": "s"}
NEXT = types.SessionSearchCursor("s", "2026-11-01T05:00:00Z")
ASKED: dict[str, Ask] = {
    "external urls": Ask(
        lambda c: c.get_external_weights_urls(EXTERNAL),
        "GET",
        f"api/v1/training_runs/{RUN}/checkpoints/external_weights/one/external_weights_urls",
        None,
        {"urls": {"a.bin": "https://store/a"}, "expires": "2026-11-01T05:00:00Z"},
        types.ExternalWeightsUrlsResponse({"a.bin": "https://store/a"}, HOUR),
    ),
    "project": Ask(
        lambda c: c.assign_session_project("s", "p"),
        "PUT",
        "api/v1/sessions/s/project",
        {"project_id": "p"},
        None,
        None,
    ),
    "search": Ask(
        lambda c: c.search_sessions(types.SessionSearchRequest(display_name="try", limit=2)),
        "POST",
        "api/v1/sessions/search",
        {"user_metadata": {}, "display_name": "try", "owner": {"type": "own"}, "limit": 2},
        {"sessions": [SUMMARY], "next_cursor": CURSOR},
        types.SessionSearchResponse(
            [types.SessionSummary("s", HOUR, status=types.SessionStatus("active"))], NEXT
        ),
    ),
    "search by state and owner": Ask(
        lambda c: c.search_sessions(
            types.SessionSearchRequest(
                project_ids=["p"],
                owner=types.UserSearchOwner(["u"]),
                statuses=[types.ClientFinishedSessionStatusQuery(["errored"])],
                cursor=NEXT,
            )
        ),
        "POST",
        "api/v1/sessions/search",
        {
            "project_ids": ["p"],
            "user_metadata": {},
            "owner": {"owner_urns": ["u"], "type": "user"},
            "statuses": [{"reasons": ["errored"], "type": "client_finished"}],
            "limit": 50,
            "cursor": CURSOR,
        },
        {"sessions": []},
        types.SessionSearchResponse([]),
    ),
    "trace": Ask(
        lambda c: c.export_session_trace("s"),
        "GET",
        "api/v1/sessions/s/trace_export",
        None,
        {"status": "ready", "url": "https://store/trace"},
        "https://store/trace",
    ),
    "usage": Ask(
        lambda c: c.get_billing_usage(HOUR, "2026-11-01T08:00:00+02:00"),
        "GET",
        "api/v1/billing/usage/events?starting_on=2026-11-01T05%3A00%3A00Z"
        "&ending_before=2026-11-01T06%3A00%3A00Z",
        None,
        {"data": [EVENT], "sessions": {"s": {}}, "cost_data_through": "2026-11-01T05:00:00Z"},
        types.BillingUsageResponse(
            [
                types.BillingUsageEvent(
                    types.BillingEventInfo("training", 9),
                    HOUR,
                    HOUR.replace(hour=6),
                    session_id="s",
                    estimated_cost_usd=0.5,
                )
            ],
            {"s": types.BillingUsageSession()},
            HOUR,
        ),
    ),
    "storage": Ask(
        lambda c: c.get_current_checkpoint_storage_usage("p"),
        "GET",
        "api/v1/billing/usage/checkpoints/current?project_id=p",
        None,
        {"data": [{"checkpoint_count": 2, "size_bytes": 7, "size_gigabytes": 0.1}]},
        types.CurrentCheckpointStorageUsageResponse(
            [types.CurrentCheckpointStorageUsageItem(2, 7, size_gigabytes=0.1)]
        ),
    ),
    "audit": Ask(
        lambda c: c.get_audit_log("checkpoints", date(2026, 11, 1)),
        "GET",
        "api/v1/audit?event_type=checkpoints&day=2026-11-01",
        None,
        {"entries": [{"timestamp": "2026-11-01T05:00:00Z", "event": "deleted", "event_details": {"a": 1}}]},
        types.AuditLogResponse([types.AuditLogEntry(HOUR, "deleted", {"a": 1})]),
    ),
    "audit of a text": Ask(
        lambda c: c.get_audit_log("all", "2026-11-01"),
        "GET",
        "api/v1/audit?event_type=all&day=2026-11-01",
        None,
        {"entries": []},
        types.AuditLogResponse([]),
    ),
    "audit of a time": Ask(
        lambda c: c.get_audit_log("all", datetime.fromisoformat("2026-11-01T01:00:00+02:00")),
        "GET",
        "api/v1/audit?event_type=all&day=2026-10-31",
        None,
        {"entries": []},
        types.AuditLogResponse([]),
    ),
    "audit of today": Ask(
        lambda c: c.get_audit_log(),
        "GET",
        "api/v1/audit?event_type=all",
        None,
        {"entries": []},
        types.AuditLogResponse([]),
    ),
    "whoami": Ask(
        lambda c: c.whoami(),
        "POST",
        "api/v1/auth/token",
        {},
        {"jwt": "e30.eyJzdWIiOiJ1IiwiZW1haWwiOiJhQGIiLCJvcmdfaWQiOiJ0bWw6b3JnYW5pemF0aW9uOm8ifQ.x"},
        types.WhoamiResponse("u", "tml:organization:o", "a@b"),
    ),
    "copy": Ask(
        lambda c: c.copy_weights(PATH, "p", ttl_seconds=3600),
        "POST",
        "api/v1/copy_weights",
        {"source_path": PATH, "destination_project_id": "p", "ttl_seconds": 3600},
        {"tinker_path": "tinker://copy/weights/one"},
        "tinker://copy/weights/one",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_rest_call(service: testing.LedgerService, client: ServiceClient, name: str) -> None:
    """The request is the contract's, the answer becomes a value, and what is not known of it does no harm."""
    ask = ASKED[name]
    answer = testing.reply(ask.answer) if ask.answer is not None else testing.reply({}, 204)
    service.rules.append(lambda *_: answer)
    given = ask.call(client.create_rest_client()).result(WAIT_S)
    assert given == ask.result
    seen = service.seen[-1]
    assert (seen.method, seen.target, seen.json()) == (ask.method, ask.target, ask.body)
    assert "create_session" not in [each.path.rpartition("/")[2] for each in service.seen]


def sent(service: testing.LedgerService, operation: str) -> dict[str, Any]:
    """Return the last body that was sent to a route."""
    body = next(seen for seen in reversed(service.seen) if seen.path.endswith(f"/{operation}")).json()
    assert isinstance(body, dict)
    return body


def test_copy_goes_out_under_one_key_with_its_token(
    service: testing.LedgerService, client: ServiceClient
) -> None:
    """A copy that is tried again is the same copy; the token is a header, and no part of the body."""
    answers = [testing.reply({"detail": "busy"}, 503), testing.reply({"tinker_path": PATH})]
    service.rules.append(lambda name, *_: answers.pop(0) if name == "copy_weights" else None)
    assert client.copy_weights(PATH, weights_access_token="secret-token").result(WAIT_S) == PATH
    tries = [seen for seen in service.seen if seen.path.endswith("/copy_weights")]
    assert len({seen.headers["x-idempotency-key"] for seen in tries}) == 1
    assert [seen.headers["x-tinker-weights-access-token"] for seen in tries] == ["secret-token"] * 2
    body = tries[0].json()
    assert body == {"source_path": PATH, "session_id": body["session_id"], "model_seq_id": 0}
    assert body == tries[1].json()
    later = client.create_lora_training_client("tinsmith/tiny").result()
    assert sent(service, "create_model")["model_seq_id"] == 1
    assert later.model_id


def test_copy_into_the_clients_own_project(service: testing.LedgerService) -> None:
    """Where no project is named it is the client's; without one the error says so."""
    service.rules.append(
        lambda name, *_: testing.reply({"tinker_path": PATH}) if name == "copy_weights" else None
    )
    own = ServiceClient(**service.settings(project_id="mine")).create_rest_client()
    assert own.copy_weights(PATH).result(WAIT_S) == PATH
    assert sent(service, "copy_weights")["destination_project_id"] == "mine"
    with pytest.raises(InputError, match="name a project"):
        ServiceClient(**service.settings()).create_rest_client().copy_weights(PATH)


def test_trace_is_asked_for_until_it_is_written(
    service: testing.LedgerService, client: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pending trace is asked for again after a pause; a failed one is an error with the server's reason."""
    monkeypatch.setattr(downloads, "ASK_EVERY_S", 0.0)
    answers: list[Any] = [
        {"status": "pending"},
        {"status": "pending"},
        {"status": "ready", "url": "https://store/trace"},
        {"status": "failed", "error": "it is empty"},
    ]
    service.rules.append(lambda *_: testing.reply(answers.pop(0)))
    rest = client.create_rest_client()
    assert rest.export_session_trace("s").result(WAIT_S) == "https://store/trace"
    assert len(service.seen) == 3
    with pytest.raises(RequestFailedError, match="it is empty"):
        rest.export_session_trace("s").result(WAIT_S)


TRAINED: list[tuple[Callable[[TrainingClient], Any], str, dict[str, Any]]] = [
    (
        lambda c: c.save_state("a", 3600, True, {"k": "v"}),
        "save_weights",
        {"path": "a", "ttl_seconds": 3600, "overwrite": True, "user_metadata": {"k": "v"}},
    ),
    (
        lambda c: c.save_weights_for_sampler("a", user_metadata={"k": "v"}),
        "save_weights_for_sampler",
        {"path": "a", "user_metadata": {"k": "v"}},
    ),
    (
        lambda c: c.save_weights_external("a", 7200, ["age1x"]),
        "save_weights_external",
        {"path": "a", "ttl_seconds": 7200, "age_encryption_recipients": ["age1x"]},
    ),
    (
        lambda c: c.save_weights_and_get_sampling_client_submit(kind="inflight"),
        "save_weights_for_sampler",
        {"sampling_session_seq_id": 0, "kind": "inflight"},
    ),
    (
        lambda c: c.save_weights_and_get_sampling_client_submit(),
        "save_weights_for_sampler",
        {"sampling_session_seq_id": 0},
    ),
]


@pytest.mark.parametrize(("call", "operation", "fields"), TRAINED)
def test_training_call(
    service: testing.LedgerService,
    client: ServiceClient,
    call: Callable[[TrainingClient], Any],
    operation: str,
    fields: dict[str, Any],
) -> None:
    """A save says what is asked for, under a number of the line; nothing else is sent."""
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    call(trainer).result(WAIT_S)
    standing = {"model_id": trainer.model_id, "seq_id": 1, "type": operation}
    assert sent(service, operation) == {**fields, **standing}


def test_optimizer_is_chosen_and_stepped(service: testing.LedgerService, client: ServiceClient) -> None:
    """The optimizer goes out with the model, and each kind of step under its own name."""
    trainer = client.create_lora_training_client("tinsmith/tiny", optimizer=DimuonOptimizerConfig()).result()
    assert sent(service, "create_model")["optimizer_config"] == {"version": 1, "type": "dimuon"}
    trainer.optim_step(DimuonParams(0.5)).result(WAIT_S)
    dimuon = {"learning_rate": 0.5, "grad_clip_norm": 0.0, "beta1": 0.9, "type": "dimuon"}
    assert sent(service, "optim_step")["optimizer_params"] == dimuon
    trainer.optim_step(optim_params={"type": "lion", "wd": 1}).result(WAIT_S)
    assert sent(service, "optim_step")["optimizer_params"] == {"type": "lion", "wd": 1}
    trainer.optim_step(optim_params=AdamParams()).result(WAIT_S)
    assert "optimizer_params" not in sent(service, "optim_step")
    client.create_lora_training_client("tinsmith/tiny").result()
    assert "optimizer_config" not in sent(service, "create_model")


def test_checkpoint_is_loaded_with_another_optimizer(
    service: testing.LedgerService, client: ServiceClient
) -> None:
    """A base model and an optimizer that are named win over those of the checkpoint."""
    client.create_training_client_from_state(PATH, base_model="other", optimizer={"type": "lion"}).result()
    made = sent(service, "create_model")
    assert (made["base_model"], made["optimizer_config"]) == ("other", {"type": "lion"})


def test_sample_asks_for_what_is_wanted(service: testing.LedgerService, client: ServiceClient) -> None:
    """New fields are sent when they are asked for, and their answers become values."""
    sampler: SamplingClient = client.create_sampling_client(base_model="tinsmith/tiny").result()
    prompt, params = ModelInput.from_ints([1, 2]), SamplingParams(max_tokens=1)
    drawn = sampler.sample(
        prompt,
        1,
        params,
        topk_sample_logprobs=2,
        target_prompt_logprobs=TensorData([4, 5], "int64", [2, 1]),
        prompt_alt_tokens_k=3,
        prompt_logprobs_last_n=1,
    )
    drawn.result(WAIT_S)
    wanted = {
        "topk_sample_logprobs": 2,
        "target_prompt_logprobs": {"data": [4, 5], "dtype": "int64", "shape": [2, 1]},
        "prompt_alt_tokens_k": 3,
        "prompt_logprobs_last_n": 1,
    }
    body = sent(service, "asample")
    assert {name: body[name] for name in wanted} == wanted
    sampler.sample(prompt, 1, params).result(WAIT_S)
    assert not wanted.keys() & sent(service, "asample").keys()


def test_samples_ask_for_stability_where_their_client_does(
    service: testing.LedgerService, client: ServiceClient
) -> None:
    """`record_stability_info` of a creation is in each sample of that client, and of its pickled copy."""
    trainer = client.create_lora_training_client("tinsmith/tiny", rank=2)
    makers: tuple[Callable[..., SamplingClient], ...] = (
        lambda **given: client.create_sampling_client(base_model="tinsmith/tiny", **given),
        lambda **given: trainer.create_sampling_client("tinker://run:train:0/sampler_weights/one", **given),
        lambda **given: trainer.save_weights_and_get_sampling_client(**given),
        lambda **given: SamplingClient.create(client.holder, base_model="tinsmith/tiny", **given).result(),
    )
    prompt, params = ModelInput.from_ints([1, 2]), SamplingParams(max_tokens=1)
    for make in makers:
        for given, wanted in (({}, None), ({"record_stability_info": True}, True)):
            sampler = make(**given)
            sampler.sample(prompt, 1, params).result(WAIT_S)
            assert sent(service, "asample").get("record_stability_info") is wanted
            assert sampler.__reduce__()[1][-1] is bool(wanted)


def test_a_future_gives_a_coroutine(client: ServiceClient) -> None:
    """`coroutine()` is what programs give to `gather`, by its official name."""
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()

    async def both() -> list[Any]:
        return await asyncio.gather(
            *(sampler.compute_logprobs(ModelInput.from_ints([1, n])).coroutine() for n in (2, 3))
        )

    assert [len(each) for each in asyncio.run(both())] == [2, 2]


def _ending(service: testing.LedgerService) -> list[Any]:
    return [seen.json() for seen in service.seen if seen.path.endswith("/finish")]


def test_session_is_finished_as_it_ended(service: testing.LedgerService) -> None:
    """`close` tells what it is told; a block tells how it was left; without a session nobody is told."""

    def opened() -> ServiceClient:
        made = ServiceClient(**service.settings())
        made.create_sampling_client(base_model="tinsmith/tiny").result()
        return made

    opened().close("errored", "a reason").result(0)
    with opened():
        pass
    with pytest.raises(KeyError), opened():
        raise KeyError("private")
    with pytest.raises(KeyboardInterrupt), opened():
        raise KeyboardInterrupt
    opened().close()
    ServiceClient(**service.settings()).close("success")
    assert _ending(service) == [
        {"reason": {"type": "errored"}, "detail": "a reason"},
        {"reason": {"type": "success"}},
        {"reason": {"type": "errored"}, "detail": "KeyError"},
        {"reason": {"type": "interrupted"}},
    ]
    with pytest.raises(InputError, match="success, errored, interrupted"):
        opened().close("done")  # type: ignore[arg-type]


def test_server_that_cannot_hear_of_the_end(service: testing.LedgerService) -> None:
    """An old server answers 404; closing is none the worse."""
    service.rules.append(
        lambda _name, seen, _body: testing.reply({}, 404) if seen.path.endswith("/finish") else None
    )
    client = ServiceClient(**service.settings())
    client.create_sampling_client(base_model="tinsmith/tiny").result()
    client.close("success")
    assert client.holder.connection.closed


def test_session_is_named_and_paid_for(service: testing.LedgerService) -> None:
    """Name and project go out with the session, also where a configuration is given."""
    plain = ServiceClient(**service.settings(project_id="p", display_name="n"))
    plain.create_sampling_client(base_model="tinsmith/tiny").result()
    config = attrs.evolve(ServiceClient(**service.settings()).config, display_name="old")
    given = service.settings(config=config, project_id="p", display_name="n")
    ServiceClient(**given).create_sampling_client(base_model="tinsmith/tiny").result()
    bodies = [seen.json() for seen in service.seen if seen.path.endswith("/create_session")]
    assert [(body["project_id"], body["display_name"]) for body in bodies] == [("p", "n")] * 2


BAD: list[tuple[Callable[[RestClient], Any], str]] = [
    (lambda c: c.copy_weights("weights/one", "p"), "path"),
    (lambda c: c.copy_weights(PATH, "p", ttl_seconds=60), "ttl_seconds"),
    (lambda c: c.get_billing_usage("yesterday", HOUR), "starting_on"),
    (lambda c: c.get_billing_usage("0001-01-01T00:00:00+01:00", HOUR), "starting_on"),
    (lambda c: c.get_audit_log("all", "0001-01-01T00:00:00+01:00"), "day"),
    (lambda c: c.get_billing_usage(HOUR, HOUR.replace(minute=1)), "ending_before"),
    (lambda c: c.get_billing_usage(HOUR, 7), "ending_before"),  # type: ignore[arg-type]
    (lambda c: c.get_audit_log("everything"), "event_type"),  # type: ignore[arg-type]
    (lambda c: c.get_audit_log(day="today"), "day"),
    (lambda c: c.get_audit_log(day=7), "day"),  # type: ignore[arg-type]
    (lambda c: c.search_sessions({"limit": 5}), "request"),  # type: ignore[arg-type]
    (lambda c: c.assign_session_project("s", ""), "project_id"),
    (lambda c: c.get_external_weights_urls("tinker://a/b/c/d"), "path"),
    (lambda c: c.set_checkpoint_ttl_from_tinker_path(PATH, 60), "ttl_seconds"),
]


@pytest.mark.parametrize(("call", "field"), BAD)
def test_bad_argument(
    service: testing.LedgerService, client: ServiceClient, call: Callable[[RestClient], Any], field: str
) -> None:
    """The call raises, names the argument, and sends nothing."""
    with pytest.raises(InputError) as caught:
        call(client.create_rest_client())
    assert caught.value.field == field
    assert service.seen == []


BAD_SAMPLES: list[tuple[dict[str, Any], str]] = [
    ({"topk_sample_logprobs": -1}, "topk_sample_logprobs"),
    ({"prompt_alt_tokens_k": True}, "prompt_alt_tokens_k"),
    ({"prompt_logprobs_last_n": -1}, "prompt_logprobs_last_n"),
    ({"target_prompt_logprobs": [1]}, "target_prompt_logprobs"),
    ({"target_prompt_logprobs": TensorData([1.0], "float32")}, "target_prompt_logprobs"),
    ({"target_prompt_logprobs": TensorData([1.5], "int64")}, "target_prompt_logprobs"),
]


@pytest.mark.parametrize(("given", "field"), BAD_SAMPLES)
def test_bad_sample(client: ServiceClient, given: dict[str, Any], field: str) -> None:
    """What a sample cannot ask for is named."""
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    with pytest.raises(InputError) as caught:
        sampler.sample(ModelInput.from_ints([1]), 1, SamplingParams(), **given)
    assert caught.value.field == field


BAD_TRAINING: list[tuple[Callable[[TrainingClient], Any], str]] = [
    (lambda c: c.save_state("a", ttl_seconds=60), "ttl_seconds"),
    (lambda c: c.save_weights_for_sampler("a", ttl_seconds=3599), "ttl_seconds"),
    (lambda c: c.save_weights_external("a", ttl_seconds=1), "ttl_seconds"),
    (lambda c: c.save_weights_external("a/b"), "name"),
    (lambda c: c.save_weights_external("a", None, "age1x"), "age_encryption_recipients"),
    (lambda c: c.save_state("a", user_metadata=7), "user_metadata"),  # type: ignore[arg-type]
    (lambda c: c.save_weights_and_get_sampling_client(kind="live").result(), "kind"),  # type: ignore[arg-type]
    (lambda c: c.optim_step(), "adam_params"),
    (lambda c: c.optim_step(AdamParams(), optim_params=AdamParams()), "adam_params"),
    (lambda c: c.optim_step({"learning_rate": 1}), "adam_params"),
]


@pytest.mark.parametrize(("call", "field"), BAD_TRAINING)
def test_bad_training_call(
    service: testing.LedgerService, client: ServiceClient, call: Callable[[TrainingClient], Any], field: str
) -> None:
    """The call raises, names the argument, and the line has no gap."""
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    with pytest.raises(InputError) as caught:
        call(trainer)
    assert caught.value.field == field
    trainer.optim_step(AdamParams()).result(WAIT_S)
    assert sent(service, "optim_step")["seq_id"] == 1


def test_calls_on_a_closed_client_were_not_sent(
    service: testing.LedgerService, client: ServiceClient
) -> None:
    """Whatever is called after `close` says `applied` "no", reads too: nothing of it left."""
    rest, trainer = client.create_rest_client(), client.create_lora_training_client("tinsmith/tiny").result()
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    client.close()
    before = len(service.seen)
    for call in (
        lambda: rest.list_sessions().result(),
        lambda: rest.search_sessions(types.SessionSearchRequest()).result(),
        lambda: trainer.get_info(),
        lambda: trainer.optim_step(AdamParams()).result(),
        lambda: sampler.compute_logprobs(ModelInput.from_ints([1])).result(),
        lambda: client.get_server_capabilities(),
        lambda: client.create_sampling_client(base_model="tinsmith/tiny").result(),
        lambda: client.raw.healthz().result(),
    ):
        with pytest.raises(ClosedError) as caught:
            call()
        assert caught.value.applied == "no"
    assert len(service.seen) == before


def test_rest_client_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a ServiceClient it takes address and key as that one does, and opens no session."""
    monkeypatch.delenv("TINKER_API_KEY", raising=False)
    alone = RestClient(base_url="local:")
    assert alone.list_sessions().result(WAIT_S).sessions == []
    monkeypatch.setenv("TINKER_BASE_URL", "local:")
    assert RestClient().list_training_runs().result(WAIT_S).training_runs == []
    with pytest.raises(TinkerError, match="no API key"):
        RestClient(base_url="https://example.com")
