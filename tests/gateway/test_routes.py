"""The gateway as a server: models, tokenizers, keys, hosts, bounds, errors, clients that leave."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import tinsmith
from starlette.testclient import TestClient
from tinsmith.clients.sampling import SamplingClient
from tinsmith.core import errors
from tinsmith.core.config import ClientConfig, RetryConfig, Secret
from tinsmith.gateway import GatewayOptions, gateway_app, parse_aliases
from tinsmith.gateway.refusals import refusal_of
from tinsmith.io.future import APIFuture
from tinsmith.types import SampledSequence, SampleResponse
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving
from tinsmith_local.work.sampling_engine import SamplingEngine

from tests.gateway.conftest import MODEL, complete, events, refusal, stand_in
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

BODY = {"model": MODEL, "prompt": "Hi", "max_tokens": 1}


def test_models(gateway: TestClient) -> None:
    """Aliases come first, then the base models; each can be asked for by itself."""
    listed = gateway.get("/v1/models").json()
    assert listed["object"] == "list"
    names = [entry["id"] for entry in listed["data"]]
    assert names[:2] == ["tiny", MODEL]
    first = listed["data"][0]
    assert (first["object"], first["root"], first["max_model_len"]) == ("model", MODEL, 4096)
    assert gateway.get("/v1/models/tiny").json() == first
    assert gateway.get(f"/v1/models/{MODEL}").json()["id"] == MODEL


@pytest.mark.parametrize("name", ["nobody", "tinker://r/weights/x", "tinker://", "/etc", "~", "x" * 999])
def test_unknown_models(gateway: TestClient, name: str) -> None:
    """A model that is not there is a 404 that says how models are named."""
    for answer in (
        gateway.post("/v1/completions", json={**BODY, "model": name}),
        gateway.get(f"/v1/models/{name}"),
        gateway.get("/tokenizer_info", params={"model": name}),
    ):
        assert answer.status_code == 404
        error = refusal(answer)
        assert (error["param"], error["code"]) == ("model", "model_not_found")


def test_a_checkpoint_by_its_path_and_its_alias(tmp_path: Path) -> None:
    """What was trained answers under its `tinker://` paths, that for training too, and under a name."""
    with tinsmith.ServiceClient(base_url=f"local:{tmp_path}/data") as service:
        trainer = service.create_lora_training_client(MODEL, rank=2, seed=1)
        path = trainer.save_weights_for_sampler("last").result().path
        state = trainer.save_state("last").result().path
        assert path is not None
        with TestClient(gateway_app(service, GatewayOptions(aliases={"mine": path}))) as gateway:
            names = ("mine", path, state)
            named = [complete(gateway, "Hi", model=name, max_tokens=4, seed=1)["choices"] for name in names]
            assert named[0] == named[1] == named[2]
            assert gateway.get(f"/v1/models/{path}").json()["root"] == path
            assert gateway.get("/tokenizer_info").json()["model_max_length"] == 4096


def test_tokenizers(gateway: TestClient) -> None:
    """Programs without a tokenizer ask for tokens and texts; without a model they mean the first alias."""
    told = gateway.get("/tokenizer_info").json()
    assert (told["eos_token"], told["model_max_length"]) == ("<|im_end|>", 4096)
    assert "add_generation_prompt" in told["chat_template"]
    made = gateway.post("/tokenize", json={"prompt": "aé", "return_token_strs": True}).json()
    assert made == {
        "count": 3,
        "max_model_len": 4096,
        "tokens": list("aé".encode()),
        "token_strs": ["a", "bytes:\\xc3", "bytes:\\xa9"],
    }
    again = gateway.post("/detokenize", json={"model": MODEL, "tokens": [*made["tokens"], 258]}).json()
    assert again == {"prompt": "aé<|im_end|>"}
    asked = {"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": False}
    rendered = gateway.post("/tokenize", json=asked).json()
    text = gateway.post("/detokenize", json={"tokens": rendered["tokens"]}).json()["prompt"]
    assert text == "<|im_start|>user\nHi<|im_end|>\n"


def test_which_model_when_none_is_named(service: tinsmith.ServiceClient) -> None:
    """Without an alias there is no telling among several."""
    with TestClient(gateway_app(service)) as gateway:
        answer = gateway.get("/tokenizer_info")
        assert (answer.status_code, refusal(answer)["param"]) == (400, "model")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic secret"}, 401),
        ({"Authorization": "bearer secret"}, 200),
        ({"Authorization": "Bearer secret", "Host": "evil.example"}, 403),
        ({"Authorization": "Bearer secret", "Host": "localhost:99"}, 200),
    ],
)
def test_keys_and_hosts(service: tinsmith.ServiceClient, headers: dict[str, str], status: int) -> None:
    """Every route needs the key, and answers under its own names alone."""
    options = GatewayOptions(token="secret", allowed_hosts=("127.0.0.1", "localhost"))
    assert "secret" not in repr(options)
    with TestClient(gateway_app(service, options), base_url="http://127.0.0.1") as gateway:
        for path in ("/v1/models", "/v1/nothing", "/tokenizer_info?model=tinsmith/tiny"):
            answer = gateway.get(path, headers=headers)
            assert answer.status_code == (404 if "nothing" in path and status == 200 else status)
            if status != 200:
                refusal(answer)
                assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"{", 400, "invalid_json"), (b"[]", 400, "invalid_type"), (b'"' * 3000, 413, "body_too_large")],
)
def test_bodies(service: tinsmith.ServiceClient, content: bytes, status: int, code: str) -> None:
    """What is no JSON object is refused, and what is too big before it is read."""
    with TestClient(gateway_app(service, GatewayOptions(max_body_bytes=2000))) as gateway:
        for path in ("/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"):
            answer = gateway.post(path, content=content)
            assert (answer.status_code, refusal(answer)["code"]) == (status, code)


def test_other_paths_and_methods(gateway: TestClient) -> None:
    """They are refused in the shape of the API."""
    assert refusal(gateway.get("/v1/embeddings"))["code"] == "unknown_url"
    answer = gateway.get("/v1/completions")
    assert (answer.status_code, refusal(answer)["code"]) == (405, "unknown_url")


def test_more_than_there_is_room_for(service: tinsmith.ServiceClient) -> None:
    """Requests beyond the bound are told to come back later; the places are free again afterwards."""
    with TestClient(gateway_app(service, GatewayOptions(max_waiting=2, max_choices=8))) as gateway:
        busy = gateway.post("/v1/completions", json={**BODY, "n": 3})
        assert (busy.status_code, busy.headers["Retry-After"]) == (429, "1")
        error = refusal(busy)
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        for _ in range(3):
            complete(gateway, "Hi", n=2, max_tokens=1)
        many = gateway.post("/v1/completions", json={**BODY, "n": 9})
        assert (many.status_code, refusal(many)["param"]) == (400, "n")


FAILURES = [
    (errors.RateLimitError("slow down", retry_after_s=7), 429, "rate_limit_exceeded"),
    (errors.BillingError("no money"), 429, "insufficient_quota"),
    (errors.BadRequestError("bad"), 400, None),
    (errors.UnprocessableEntityError("bad"), 400, None),
    (errors.RequestFailedError("bad", category=errors.RequestErrorCategory.User), 400, None),
    (errors.RequestFailedError("oh", category=errors.RequestErrorCategory.Server), 502, "upstream_error"),
    (errors.NotFoundError("gone"), 404, "not_found"),
    (errors.AuthenticationError("tml-key is wrong"), 502, "upstream_key"),
    (errors.APITimeoutError(), 504, "upstream_timeout"),
    (errors.APIConnectionError(), 502, "upstream_error"),
    (errors.ClosedError("closed"), 503, "closed"),
    (errors.InternalServerError("oh", status_code=500), 502, "upstream_error"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "code"), FAILURES, ids=[type(row[0]).__name__ for row in FAILURES]
)
def test_errors_of_the_service(
    gateway: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    error: errors.TinkerError,
    status: int,
    code: str | None,
    stream: bool,
) -> None:
    """What the service says is answered in the shape of the API, before any event is sent."""
    stand_in(monkeypatch, lambda *_: _failed(error))
    answer = gateway.post("/v1/completions", json={**BODY, "stream": stream})
    assert answer.status_code == status
    assert refusal(answer)["code"] == code
    assert "tml-key" not in answer.text
    assert answer.headers.get("Retry-After") == ("7" if isinstance(error, errors.RateLimitError) else None)


def test_an_error_behind_the_first_event(gateway: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status was sent: the error is an event, and there is no [DONE]."""
    drawn = SampleResponse(sequences=[SampledSequence(stop_reason="length", tokens=[65])])

    def sample(prompt: Any, _: int) -> APIFuture[Any]:
        failed: APIFuture[Any] = APIFuture()
        if prompt.to_ints() == [120]:
            failed.settle(drawn)
            return failed
        asyncio.get_running_loop().call_later(
            0.3, failed.fail, errors.InternalServerError("oh", status_code=500)
        )
        return failed

    stand_in(monkeypatch, sample)
    answer = gateway.post("/v1/completions", json={**BODY, "prompt": ["x", "y"], "stream": True})
    assert answer.status_code == 200
    assert "[DONE]" not in answer.text
    assert '"error":{"message":"oh"' in answer.text.split("\n\n")[-2]


def test_a_defect_is_an_error_too(service: tinsmith.ServiceClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours has the shape of the API, and tells nothing but its kind."""
    monkeypatch.setattr(SamplingClient, "sample", lambda *_, **__: 1 / 0)
    with TestClient(gateway_app(service), raise_server_exceptions=False) as gateway:
        answer = gateway.post("/v1/completions", json=BODY)
        assert (answer.status_code, refusal(answer)["message"]) == (500, "internal error: ZeroDivisionError")


def test_a_sampler_that_the_server_forgot(gateway: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made anew when its model is asked for again."""
    complete(gateway, "Hi", max_tokens=1)
    with monkeypatch.context() as patch:
        patch.setattr(SamplingClient, "sample", lambda *_, **__: _failed(errors.NotFoundError("gone")))
        assert gateway.post("/v1/completions", json=BODY).status_code == 404
    complete(gateway, "Hi", max_tokens=1)


def _failed(error: errors.TinkerError) -> APIFuture[Any]:
    failed: APIFuture[Any] = APIFuture()
    failed.fail(error)
    return failed


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves(
    service: tinsmith.ServiceClient, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """What it asked for is withdrawn, and its place is free."""
    asked: list[APIFuture[Any]] = []
    is_asked = asyncio.Event()

    def sample(*_: Any) -> APIFuture[Any]:
        asked.append(APIFuture())
        is_asked.set()
        return asked[-1]

    stand_in(monkeypatch, sample)
    app = gateway_app(service, GatewayOptions(max_waiting=2))

    async def leave() -> None:
        for _ in range(3):
            is_asked.clear()
            await _post_and_leave(app, {**BODY, "n": 2, "stream": stream}, is_asked)
            assert all(each.cancelled() for each in asked)

    asyncio.run(asyncio.wait_for(leave(), WAIT_S))
    assert len(asked) == (6 if stream else 3)


async def _post_and_leave(
    app: ASGIApp, body: dict[str, Any], is_time: asyncio.Event, send: Any = None
) -> None:
    """Send a request, and go away when it is time."""
    content = httpx.Request("POST", "http://gateway", json=body).read()
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": content, "more_body": False}
        await is_time.wait()
        return {"type": "http.disconnect"}

    async def nothing(message: Any) -> None:
        assert message["type"] != "http.response.start" or message["status"] == 499

    scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": [], "query_string": b""}
    await app({**scope, "raw_path": b"", "root_path": "", "http_version": "1.1"}, receive, send or nothing)


def test_a_client_that_leaves_frees_its_place_in_the_engine(tmp_path: Path) -> None:
    """A stream that is left behind its third event is drawn no further."""
    with (
        serving(ServeOptions(data_dir=tmp_path)) as (address, embedded),
        tinsmith.ServiceClient(base_url=address.base_url, api_key=address.token) as service,
    ):
        app = gateway_app(service)

        async def leave() -> None:
            is_read, count = asyncio.Event(), 0

            async def send(message: Any) -> None:
                nonlocal count
                count += message["type"] == "http.response.body"
                if count == 3:
                    assert embedded.sampling.load > 0
                    is_read.set()

            body = {
                "model": MODEL,
                "prompt": "Hi",
                "max_tokens": 4000,
                "n": 2,
                "stream": True,
                "stop": ["no"],
            }
            await _post_and_leave(app, body, is_read, send)

        asyncio.run(asyncio.wait_for(leave(), WAIT_S))
        while embedded.sampling.load:
            time.sleep(0.01)


def test_many_at_once(service: tinsmith.ServiceClient) -> None:
    """Requests that come together are answered together, each with its own answer."""
    app = gateway_app(service)

    async def ask() -> list[Any]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=WAIT_S) as http:
            bodies = [{**BODY, "prompt": f"{number}", "echo": True} for number in range(64)]
            return await asyncio.gather(*[http.post("/v1/completions", json=body) for body in bodies])

    texts = [answer.json()["choices"][0]["text"] for answer in asyncio.run(ask())]
    assert all(text.startswith(f"{number}") for number, text in enumerate(texts))


def test_requests_that_come_together_share_the_steps_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """64 requests take a fraction of the steps that they would take in turn."""
    steps, step = 0, SamplingEngine.step

    def counted(self: SamplingEngine) -> None:
        nonlocal steps
        steps += 1
        step(self)

    monkeypatch.setattr(SamplingEngine, "step", counted)
    with tinsmith.ServiceClient(base_url=f"local:{tmp_path}") as service:
        app = gateway_app(service)

        async def ask(number: int) -> int:
            before = steps
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://g", timeout=WAIT_S) as http:
                body = {**BODY, "max_tokens": 24, "stop": ["no end"]}
                bodies = [{**body, "prompt": f"{number}, {each}"} for each in range(number)]
                await asyncio.gather(*[http.post("/v1/completions", json=one) for one in bodies])
            return steps - before

        asyncio.run(ask(1))
        alone, together = asyncio.run(ask(1)), asyncio.run(ask(64))
    assert together < 64 * alone / 4


def test_a_server_that_takes_no_more(tmp_path: Path) -> None:
    """Its push-back becomes a 429 with Retry-After, whole and streaming, once the client has been patient."""
    options = ServeOptions(data_dir=tmp_path, max_queued_samples=0)
    retry = RetryConfig(deadline_s=0.1)
    with (
        serving(options) as (address, _),
        tinsmith.ServiceClient(
            config=ClientConfig(base_url=address.base_url, api_key=Secret.of(address.token), retry=retry)
        ) as service,
        TestClient(gateway_app(service)) as gateway,
    ):
        for stream in (False, True):
            answer = gateway.post("/v1/completions", json={**BODY, "stream": stream})
            assert (answer.status_code, refusal(answer)["code"]) == (429, "rate_limit_exceeded")
            assert int(answer.headers["Retry-After"]) >= 1


def test_events_end_as_the_api_says(gateway: TestClient) -> None:
    """A stream has its own kind of content, and [DONE] at its end."""
    assert events(gateway.post("/v1/completions", json={**BODY, "stream": True}))


def test_aliases() -> None:
    """They are read as NAME=MODEL; a checkpoint's path may hold what it likes."""
    assert parse_aliases(["a=tinker://r/weights/x=1", "b=c"]) == {"a": "tinker://r/weights/x=1", "b": "c"}
    for words in (["a"], ["=b"], ["a="], ["a=b", "a=c"]):
        with pytest.raises(ValueError, match=r"NAME=MODEL|twice"):
            parse_aliases(words)


def test_every_error_has_an_answer() -> None:
    """No error of the library is answered with a success, or as a mistake of ours."""
    assert refusal_of(errors.TinkerError("odd")).status == 502
    assert refusal_of(errors.InputError("odd", field="stop")).param == "stop"
