"""The known faults of stock generated clients: each has a repair here, and a test that fails without it."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Never

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith_api import AuthenticatedClient, Client, models
from tinsmith_api.api.checkpoints import get_checkpoint_archive_url, publish_checkpoint
from tinsmith_api.api.models import get_tokenizer
from tinsmith_api.api.service import get_server_capabilities, healthz
from tinsmith_api.api.sessions import create_session
from tinsmith_api.api.training import optim_step
from tinsmith_api.api.weights import load_weights
from tinsmith_api.client import DEFAULT_TIMEOUT_S
from tinsmith_api.endpoint import Endpoint
from tinsmith_api.errors import InputError, InvalidBody, UnexpectedStatus
from tinsmith_api.exchange import Response
from tinsmith_api.operations import SECRET_FIELDS, SECRET_HEADERS
from tinsmith_api.redaction import struck, struck_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "tml-secret-of-this-test"
HEALTHY = {"status": "ok"}
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>\x1b[31mnginx</body></html>" + b" " * 9000


def answering(
    status: int = 200, body: Any = None, *, seen: list[httpx.Request] | None = None, headers: Any = None
) -> AuthenticatedClient:
    """Return a client whose every request is answered so."""

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content, headers=headers)

    return AuthenticatedClient(
        "http://127.0.0.1:1", KEY, httpx_args={"transport": httpx.MockTransport(answer)}
    )


def both(call: Callable[..., Any], tasks: Callable[..., Any], **given: Any) -> list[Any]:
    """Return what a call gives or raises, from a thread and from a task."""
    found: list[Any] = []
    ways: list[Callable[[], Any]] = [lambda: call(**given), lambda: asyncio.run(tasks(**given))]
    for way in ways:
        try:
            found.append(way())
        except (UnexpectedStatus, InvalidBody) as error:
            found.append(error)
    return found


@pytest.mark.parametrize("status", [301, 307, 404, 418, 451])
def test_undocumented_status_raises_with_the_error_body(status: int) -> None:
    """Where stock clients give None, the error says what the server said, in all four forms."""
    assert "429" in "".join(healthz.ENDPOINT.errors)
    client = answering(status, {"detail": "no such thing", "category": "user"})
    for found in (
        *both(healthz.sync, healthz.asyncio, client=client),
        *both(healthz.sync_detailed, healthz.asyncio_detailed, client=client),
    ):
        assert isinstance(found, UnexpectedStatus)
        assert (found.operation, found.status_code) == ("healthz", status)
        assert isinstance(found.parsed, models.ErrorBody)
        assert found.parsed.detail == "no such thing"
        assert "no such thing" in str(found)


@pytest.mark.parametrize("status", [429, 500, 520, 599])
def test_documented_error_is_an_answer_and_never_a_success(status: int) -> None:
    """The detailed forms give the ErrorBody, also for a status without a name; the others raise."""
    client = answering(status, {"error": "busy"}, headers={"retry-after": "3"})
    for found in both(healthz.sync_detailed, healthz.asyncio_detailed, client=client):
        assert (found.status_code, found.headers["Retry-After"]) == (status, "3")
        assert isinstance(found.parsed, models.ErrorBody)
        assert found.parsed.error == "busy"
    for error in both(healthz.sync, healthz.asyncio, client=client):
        assert isinstance(error, UnexpectedStatus)
        assert isinstance(error.parsed, models.ErrorBody)
        assert error.headers["retry-after"] == "3"


@pytest.mark.parametrize("body", [PAGE, b"", b"[1]", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000])
def test_proxy_page_is_an_unexpected_status(body: bytes) -> None:
    """An error without the contract's body is no JSONDecodeError: it shows the first part of what came."""
    client = answering(502, body)
    for found in both(healthz.sync_detailed, healthz.asyncio_detailed, client=client):
        assert isinstance(found, UnexpectedStatus)
        assert (found.status_code, found.content, found.parsed) == (502, body, None)
        assert len(str(found)) < 700
        assert str(found).isprintable()
    if body is PAGE:
        assert "502 Bad Gateway" in str(found)


@pytest.mark.parametrize("body", [PAGE, b"", b"[1]", b"{}"])
def test_success_of_another_shape_is_one_error(body: bytes) -> None:
    """A login page with status 200, or a missing field, is an InvalidBody that names the operation."""
    for found in both(
        get_server_capabilities.sync, get_server_capabilities.asyncio, client=answering(200, body)
    ):
        assert isinstance(found, InvalidBody)
        assert "get_server_capabilities" in str(found)
        assert len(str(found)) < 1000


def test_any_success_is_read() -> None:
    """Servers answer 200, 201 and 202 for the same thing."""
    for status in (200, 201, 202):
        assert healthz.sync(client=answering(status, HEALTHY)).status == "ok"


def test_key_is_sent_and_shown_nowhere() -> None:
    """The key is in the request's header and in no repr; a client is neither pickled nor copied."""
    seen: list[httpx.Request] = []
    client = answering(200, HEALTHY, seen=seen).with_headers({"CF-Access-Client-Secret": "also-secret"})
    healthz.sync(client=client)
    assert seen[0].headers["X-API-Key"] == KEY
    shown = repr(client) + str(client) + repr(client.get_httpx_client().__dict__)
    assert KEY not in shown
    assert "also-secret" not in repr(client)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make one where it is used") as caught:
            way(client)
        assert KEY not in str(caught.value)


def test_key_is_in_no_error() -> None:
    """What a failed connection raises carries no header, so it can be logged and pickled."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too slow", request=request)

    client = AuthenticatedClient(
        "http://127.0.0.1:1", KEY, httpx_args={"transport": httpx.MockTransport(fail)}
    )
    calls: list[Callable[[], object]] = [
        lambda: healthz.sync(client=client),
        lambda: asyncio.run(healthz.asyncio(client=client)),
    ]
    for call in calls:
        with pytest.raises(httpx.ConnectTimeout) as caught:
            call()
        assert "x-api-key" not in caught.value.request.headers
        assert KEY.encode() not in pickle.dumps(caught.value)


ECHO = {
    "plain": f'{{"detail": "bad key {KEY}", "error": "{KEY}"}}',
    "escaped": '{"detail": "bad key ' + "".join(f"\\u{ord(each):04x}" for each in KEY) + '"}',
    "page": f"<html>no such key: {KEY}</html>",
    "another shape": f'{{"error": "{KEY}", "supported_models": "{KEY}"}}',
    "text": f'"{KEY}"',
}
"""What servers say that quote the key, in JSON and otherwise."""


def everything_in(error: BaseException) -> str:
    """Return all that an error shows, and what a pickle of it and its causes hold."""
    shown = [
        str(error),
        repr(error),
        repr(error.args),
        repr(vars(error)),
        repr(pickle.loads(pickle.dumps(error))),
    ]
    if isinstance(error, UnexpectedStatus):
        shown += [repr(error.content), repr(dict(error.headers)), repr(error.parsed)]
    follow = error.__cause__ or error.__context__
    return "\n".join(shown) + (everything_in(follow) if follow else "")


@pytest.mark.parametrize("status", [200, 401, 404, 418, 500])
@pytest.mark.parametrize("body", ECHO.values(), ids=ECHO)
def test_a_key_that_a_server_quotes_is_in_no_error(status: int, body: str) -> None:
    """Whatever the status, the shape and the spelling: in no text, field, argument, cause or pickle."""
    client = answering(status, body.encode(), headers={"X-Echo": f"was {KEY}", "WWW-Authenticate": KEY})
    for found in (
        *both(get_server_capabilities.sync, get_server_capabilities.asyncio, client=client),
        *both(get_server_capabilities.sync_detailed, get_server_capabilities.asyncio_detailed, client=client),
    ):
        if isinstance(found, Response):
            assert KEY not in repr(found.parsed) + repr(found.content) + repr(dict(found.headers))
            assert found.headers["x-echo"] == found.headers["X-ECHO"] == "was ***"
        else:
            assert isinstance(found, (UnexpectedStatus, InvalidBody))
            assert KEY not in everything_in(found)
            assert "\\u0074" not in everything_in(found)


def test_secrets_of_every_kind_are_struck() -> None:
    """A prefix, headers of gateways, cookies, and the token of weights in a body; not what is no secret."""
    secrets = ["bearer-key-1", "cf-secret-2", "cookie-3-value", "wat_token_4"]
    said = json.dumps({"detail": f"{' '.join(secrets)} and idempotent-5"}).encode()
    client = AuthenticatedClient(
        "http://127.0.0.1:1",
        secrets[0],
        prefix="Bearer",
        auth_header_name="Authorization",
        headers={"CF-Access-Client-Secret": secrets[1], "X-Idempotency-Key": "idempotent-5"},
        cookies={"session": secrets[2]},
        httpx_args={"transport": httpx.MockTransport(lambda _: httpx.Response(403, content=said))},
    )
    body = models.LoadWeightsRequest(
        model_id="m", path="tinker://r/weights/a", optimizer=False, weights_access_token=secrets[3]
    )
    with pytest.raises(UnexpectedStatus) as caught:
        load_weights.sync(client=client, body=body)
    assert "*** *** *** *** and idempotent-5" in str(caught.value)
    assert not [each for each in secrets if each in everything_in(caught.value)]


@given(
    pieces=st.lists(
        st.sampled_from(["tml-ke", "tml\\-ke", "\\u0074ml-ke", "tml-k\\\\u0065", "tm\\l", "\\u00"])
        | st.text("tml-ke\\u0", max_size=8)
    ),
    secret=st.sampled_from(["tml-ke", "t\\ml-ke", "kéy-üé"]),
)
def test_bodies_hide_what_texts_hide(pieces: list[str], secret: str) -> None:
    """Numbers as bytes are not searched for each spelling, and no spelling gets through for that."""
    text = "".join(pieces)
    assert struck_bytes(text.encode(), [secret]) == struck(text, [secret]).encode()
    spelt = "".join(f"\\u{ord(each):04x}" for each in secret)
    assert struck_bytes(f"a {spelt} b\\".encode(), [secret]) == b"a *** b\\"
    numbers = bytes(range(256)) * 4
    assert struck_bytes(numbers, [secret]) is numbers


def test_a_secret_is_what_the_contract_marks() -> None:
    """Fields and headers are its own table."""
    assert {"jwt", "urls", "weights_access_token"} <= SECRET_FIELDS
    assert {"location", "x-tinker-weights-access-token"} <= SECRET_HEADERS
    values = (getattr(models, name) for name in models.__all__)
    hidden = {
        field.name
        for each in values
        if isinstance(each, type) and attrs.has(each)
        for field in attrs.fields(each)
        if not field.repr and field.name != "extra"
    }
    assert hidden == SECRET_FIELDS


@pytest.mark.parametrize("status", [200, 302, 400, 500])
def test_a_body_that_cannot_be_unpacked(status: int) -> None:
    """A success is an InvalidBody that says that it came; an error is one without its body."""

    def answer(_: httpx.Request) -> httpx.Response:
        packed = {"Content-Encoding": "gzip"}
        return httpx.Response(status, stream=httpx.ByteStream(b"no gzip at all"), headers=packed)

    client = Client("http://127.0.0.1:1", httpx_args={"transport": httpx.MockTransport(answer)})
    body = models.CreateSessionRequest(tags=[], user_metadata=None, sdk_version="1")
    for found in both(create_session.sync, create_session.asyncio, client=client, body=body):
        if status == 200:
            assert isinstance(found, InvalidBody)
            assert (found.operation, found.status_code, found.applied) == ("create_session", 200, "yes")
            assert "cannot be unpacked" in str(found)
            assert found.__context__ is None
        else:
            assert isinstance(found, UnexpectedStatus)
            assert (found.status_code, found.content) == (status, b"")


def test_a_header_of_equal_name_replaces() -> None:
    """Names of headers have no case: each is sent once, and the later word counts, the key's own last."""
    seen: list[httpx.Request] = []
    client = answering(200, HEALTHY, seen=seen).with_headers({"x-api-key": "other", "accept": "text/plain"})
    client = client.with_headers({"ACCEPT": "application/json+mine", "content-type": "text/plain"})
    assert dict(client.headers) == {
        "x-api-key": "other",
        "ACCEPT": "application/json+mine",
        "content-type": "text/plain",
    }
    healthz.sync(client=client)
    body = models.CreateSessionRequest(tags=[], user_metadata=None, sdk_version="1")
    with pytest.raises(InvalidBody):
        create_session.sync(client=client, body=body)
    for request in seen:
        assert request.headers.get_list("x-api-key") == [KEY]
        assert request.headers.get_list("accept") == ["application/json+mine"]
    assert seen[1].headers.get_list("content-type") == ["application/json"]


@pytest.mark.parametrize("token", ["", "tml-a\nb", "tml-é", " tml-a", "tml-a\x00", None])
def test_key_that_is_no_header_is_refused_unseen(token: Any) -> None:
    """A key with a line end or the like is refused at once, and the error does not show it."""
    with pytest.raises(InputError, match=r"token|X-API-Key") as caught:
        AuthenticatedClient("http://127.0.0.1:1", token)
    assert "tml-" not in str(caught.value)
    with pytest.raises(InputError, match="X-Secret") as caught:
        Client("http://127.0.0.1:1", headers={"X-Secret": "geheim\n"})
    assert "geheim" not in str(caught.value)


def test_redirect_is_not_followed() -> None:
    """The key never goes to the place that a redirect names, whatever the httpx client would do."""
    seen: list[httpx.Request] = []
    client = answering(
        302, b"", seen=seen, headers={"location": "https://elsewhere.example/archive?signature=x"}
    )
    found = get_checkpoint_archive_url.sync_detailed("s:train:0", "weights", "a", client=client)
    assert found.headers["location"] == "https://elsewhere.example/archive?signature=x"
    transport = client.httpx_args["transport"]
    with httpx.Client(transport=transport, follow_redirects=True) as eager:
        get_checkpoint_archive_url.sync_detailed(
            "s:train:0", "weights", "a", client=client.with_httpx_client(eager)
        )
    with pytest.raises(UnexpectedStatus, match="302"):
        healthz.sync(client=client)
    assert {request.url.host for request in seen} == {"127.0.0.1"}


def test_there_is_a_timeout() -> None:
    """A server that is silent is not waited for without end, unless somebody says so."""
    seen: list[httpx.Request] = []
    client = answering(200, HEALTHY, seen=seen)
    slow = client.with_timeout(None)
    for each in (client, client.with_timeout(2.5), slow):
        both(healthz.sync, healthz.asyncio, client=each)
    limits = [request.extensions["timeout"]["read"] for request in seen]
    assert limits == [DEFAULT_TIMEOUT_S] * 2 + [2.5] * 2 + [None] * 2


def test_colons_arrive_unescaped() -> None:
    """Run ids hold colons, and servers expect them as they are; what could end the path is escaped."""
    seen: list[httpx.Request] = []
    client = answering(204, b"", seen=seen)
    publish_checkpoint.sync("s:train:0", "weights", "a b?c#d%", client=client)
    target = b"/api/v1/training_runs/s:train:0/checkpoints/weights/a%20b%3Fc%23d%25/publish"
    assert seen[0].url.raw_path == target


def test_root_below_a_path_is_kept() -> None:
    """The hosted service stands below a path of its host."""
    seen: list[httpx.Request] = []
    plain = answering(200, HEALTHY, seen=seen)
    for root in ("https://h.example/services/prod", "https://h.example/services/prod/"):
        healthz.sync(client=AuthenticatedClient(root, KEY, httpx_args=plain.httpx_args))
    assert {str(request.url) for request in seen} == {"https://h.example/services/prod/api/v1/healthz"}


@pytest.mark.parametrize("body", [None, {"model_id": "m"}, models.UnloadModelRequest(model_id="m")])
def test_body_of_another_operation_is_not_sent(body: Any) -> None:
    """No body, a mapping and another operation's model are refused before anything is sent."""
    seen: list[httpx.Request] = []
    client = answering(200, {"request_id": "p"}, seen=seen)
    for form in (optim_step.sync, optim_step.sync_detailed):
        with pytest.raises(InputError, match=r"must be .*OptimStepRequest, not") as caught:
            form(client=client, body=body)
        assert caught.value.field == "body"
    for tasks in (optim_step.asyncio, optim_step.asyncio_detailed):
        with pytest.raises(InputError, match="OptimStepRequest"):
            asyncio.run(tasks(client=client, body=body))
    assert seen == []


def test_operation_without_a_body_refuses_one() -> None:
    """What the contract does not name is not sent."""
    with pytest.raises(InputError, match="get_tokenizer has no body"):
        get_tokenizer.ENDPOINT.request(body=models.UnloadModelRequest(model_id="m"))


def test_body_may_be_left_out_where_the_contract_says_so() -> None:
    """An optional body is its model or nothing."""
    endpoint: Endpoint[None, Never] = Endpoint(
        "do", "POST", "/do", None, {}, body="UnloadModelRequest", body_optional=True
    )
    assert endpoint.request().content() is None
    assert endpoint.request(body=models.UnloadModelRequest(model_id="m")).json()["model_id"] == "m"
    with pytest.raises(InputError, match=r"must be .*UnloadModelRequest, not dict"):
        endpoint.request(body={"model_id": "m"})


@pytest.mark.parametrize("root", ["", "h.example", "ftp://h", "http://", "http://k:p@h", "http://h/?a=b"])
def test_address_that_is_none_is_refused(root: str) -> None:
    """A base URL that cannot be one is refused when the client is made."""
    with pytest.raises(InputError, match="base_url"):
        Client(root)


def test_query_is_written_as_servers_read_it() -> None:
    """Only what is given is sent, texts are escaped, truth is `true`."""
    seen: list[httpx.Request] = []
    get_tokenizer.ENDPOINT.sync_detailed(
        answering(404, {"detail": "none"}, seen=seen),
        get_tokenizer.ENDPOINT.request(query={"base_model": "a/b c&d", "deep": True, "not_given": None}),
    )
    assert seen[0].url.query == b"base_model=a%2Fb+c%26d&deep=true"


def test_nothing_changes_a_client() -> None:
    """`with_` methods leave the client as it is, fields cannot be set, and what was handed in may change."""
    given = {"X-One": "1"}
    seen: list[httpx.Request] = []
    first = answering(200, HEALTHY, seen=seen).with_headers(given)
    healthz.sync(client=first)
    second = first.with_headers({"X-Two": "2"}).with_cookies({"c": "3"})
    given["X-One"] = "changed"
    for client in (first, second):
        healthz.sync(client=client)
    before, after, other = (request.headers for request in seen)
    same = {"x-idempotency-key"}
    assert {k: v for k, v in before.items() if k not in same} == {
        k: v for k, v in after.items() if k not in same
    }
    assert (other["x-one"], other["x-two"], other["cookie"]) == ("1", "2", "c=3")
    for field in ("token", "headers", "timeout"):
        with pytest.raises(AttributeError):
            setattr(first, field, None)
    with pytest.raises(TypeError):
        first.headers["X-One"] = "changed"  # type: ignore[index]


def test_every_request_that_changes_something_has_a_key_of_its_own() -> None:
    """Servers know a request that is sent again by it; one that the user gives is kept."""
    seen: list[httpx.Request] = []
    client = answering(500, {}, seen=seen)
    body = models.CreateSessionRequest(tags=[], user_metadata=None, sdk_version="1")
    for each in (client, client, client.with_headers({"x-idempotency-key": "mine"})):
        create_session.sync_detailed(client=each, body=body)
    healthz.sync_detailed(client=client)
    one, two, mine, read = (request.headers.get("x-idempotency-key") for request in seen)
    assert None not in (one, two)
    assert one != two
    assert (mine, read) == ("mine", None)


def test_number_that_json_lacks_is_refused() -> None:
    """NaN is not sent as something else: the call raises, and nothing leaves."""
    seen: list[httpx.Request] = []
    newer = models.OtherOptimizerParams("newer", extra={"step": float("nan")})
    body = models.OptimStepRequest(model_id="m", seq_id=1, optimizer_params=newer)
    with pytest.raises(InputError, match=r"[Nn]a[Nn]|finite|JSON"):
        optim_step.sync(client=answering(200, {}, seen=seen), body=body)
    assert seen == []


@pytest.mark.parametrize("body", [{"model_id": "m"}, "text", [1]])
def test_body_that_is_no_model_is_refused(body: Any) -> None:
    """A mapping instead of a model is an error that says what is meant, and nothing leaves."""
    seen: list[httpx.Request] = []
    with pytest.raises(InputError, match=r"'body'.*tinsmith_api\.models"):
        optim_step.sync(client=answering(200, {}, seen=seen), body=body)
    assert seen == []


def test_httpx_is_imported_by_the_first_call() -> None:
    """Importing operations, making clients and building requests load no HTTP library, and no numpy."""
    code = (
        "import sys, tinsmith_api; from tinsmith_api import AuthenticatedClient, wait, models;"
        "from tinsmith_api.api.service import healthz;"
        "from tinsmith_api.api.checkpoints import delete_checkpoint;"
        "AuthenticatedClient('http://h', 'k').with_headers({'a': 'b'});"
        "delete_checkpoint.request('r', 'weights', 'a');"
        "print(sorted({'httpx', 'numpy', 'tinsmith', 'ssl'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
