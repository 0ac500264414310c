"""The key leaves by one door: canaries are searched for in reprs, logs, errors, pickles and telemetry."""

from __future__ import annotations

import io
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import ModelInput, SamplingParams, ServiceClient, TinkerError, testing
from tinsmith.core.config import ClientConfig
from tinsmith.io.http.messages import Answer, secrets_in
from tinsmith.testing.ledger_service import reply
from tinsmith_api.operations import SECRET_FIELDS

from tests.io.bench import ADAM, WAIT_S, datum

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.io.http.messages import Seen

KEY = "tml-canary-4b1d"
PROMPT_TOKENS = [48611, 48612, 48613]
PROMPT = "48611"
PROMPT_INPUT = ModelInput.from_ints(PROMPT_TOKENS)


@pytest.fixture
def log() -> Any:
    """Collect every record of every logger, at the lowest level."""
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield sink
    root.removeHandler(handler)
    root.setLevel(before)


def everything_about(client: ServiceClient) -> str:
    """Return the reprs of all that a user can hold, three levels deep."""
    seen: list[str] = []

    def look(value: object, depth: int) -> None:
        seen.append(repr(value))
        seen.append(str(value))
        seen.append(str(getattr(value, "_repr_html_", str)()))
        if depth:
            for inner in vars(value).values() if hasattr(value, "__dict__") else ():
                look(inner, depth - 1)

    for value in (client, client.config, client.holder):
        look(value, 1)
    return "\n".join(seen)


def test_canaries_in_a_run_with_faults(service: testing.LedgerService, log: io.StringIO) -> None:
    """A run with faults at p = 0.3, telemetry and logs at the lowest level shows neither key nor prompt."""
    errors: list[TinkerError] = []
    client = ServiceClient(**service.settings(api_key=KEY, telemetry=True))
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    with testing.faults(0.3, seed=3):
        for _ in range(30):
            futures: list[Any] = [
                trainer.forward_backward([datum(*PROMPT_TOKENS)], "cross_entropy"),
                trainer.optim_step(ADAM),
                sampler.sample(PROMPT_INPUT, 1, SamplingParams(max_tokens=1)),
            ]
            errors += [e for f in futures if isinstance(e := f.exception(WAIT_S), TinkerError)]
    echo = reply({"detail": f"bad key {KEY}"}, 401)
    service.rules.append(lambda *_: echo)
    calls: list[Callable[[], object]] = [
        lambda: trainer.forward_backward([datum(*PROMPT_TOKENS)], "cross_entropy").result(WAIT_S),
        lambda: sampler.sample(PROMPT_INPUT, 1, SamplingParams(max_tokens=1)).result(WAIT_S),
        client.get_server_capabilities,
    ]
    for call in calls:
        with pytest.raises(TinkerError) as caught:
            call()
        errors.append(caught.value)
    shown = everything_about(client) + repr(trainer.__dict__) + repr(sampler.__dict__)
    shown += "".join(str(each._repr_html_()) for each in (client, trainer, sampler, *futures))
    client.close()
    for where, text in {
        "logs": log.getvalue(),
        "reprs": shown,
        "errors": "\n".join(_told(error) for error in errors),
        "pickle": str(pickle.dumps(sampler)),
    }.items():
        assert KEY not in text, where
        assert PROMPT not in text, where
    sent = [seen for seen in service.seen if seen.path.endswith("telemetry")]
    assert sent
    assert not any(KEY.encode() in seen.body or PROMPT.encode() in seen.body for seen in sent)


def test_key_that_a_server_echoes_is_struck_out(service: testing.LedgerService) -> None:
    """A broken body that echoes the key is shown without it."""
    page = f"<html>X-API-Key: {KEY}</html>".encode()
    service.rules.append(lambda *_: Answer(200, {}, page))
    client = ServiceClient(**service.settings(api_key=KEY, max_retries=0))
    with pytest.raises(TinkerError) as caught:
        client.get_server_capabilities()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("way", ["load_state", "create from state", "copy_weights", "raw load", "raw copy"])
def test_token_of_weights_that_a_server_quotes(service: testing.LedgerService, way: str) -> None:
    """A server that repeats the body which it refuses puts the token of somebody's weights into no error."""
    path, canary = "tinker://a/weights/b", "weights-canary-81f3"

    def quoting(asked: str, seen: Seen, body: dict[str, Any]) -> Answer | None:
        if asked not in ("load_weights", "copy_weights"):
            return reply({}) if asked == "client/config" else None
        header = seen.headers.get("x-tinker-weights-access-token")
        return reply({"detail": [{"loc": ["body"], "msg": "no", "input": body, "header": header}]}, 422)

    service.rules.append(quoting)
    client = ServiceClient(**service.settings())
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    calls: dict[str, Callable[[], object]] = {
        "load_state": lambda: trainer.load_state(path, weights_access_token=canary).result(WAIT_S),
        "create from state": lambda: client.create_training_client_from_state(
            path, weights_access_token=canary
        ).result(),
        "copy_weights": lambda: client.copy_weights(path, weights_access_token=canary).result(WAIT_S),
        "raw load": lambda: client.raw.load_weights(
            model_id=trainer.model_id, path=path, optimizer=False, weights_access_token=canary
        ).result(WAIT_S),
        "raw copy": lambda: client.raw.copy_weights(
            source_path=path, destination_project_id="p", weights_access_token=canary
        ).result(WAIT_S),
    }
    with pytest.raises(TinkerError) as caught:
        calls[way]()
    error = caught.value
    assert canary not in f"{error} {error!r} {vars(error)} {pickle.dumps(error)!r}"


def test_config_does_not_pickle_its_key() -> None:
    """Pickling a configuration refuses rather than leaks."""
    config = ClientConfig.from_environment(base_url="http://127.0.0.1:1/", api_key=KEY)
    with pytest.raises(TypeError):
        pickle.dumps(config)
    assert KEY not in repr(config)


@pytest.mark.parametrize("bad", ["tml-a\r\nX-Evil: 1", "tml-a\0", "tml-ä"])
def test_key_that_would_start_a_header_is_refused(bad: str) -> None:
    """A key with a line break is refused before any I/O, and not shown."""
    with pytest.raises(TinkerError) as caught:
        ServiceClient(base_url="http://127.0.0.1:1/", api_key=bad)
    assert bad not in str(caught.value)


def test_telemetry_is_off_by_default(service: testing.LedgerService) -> None:
    """Without being asked for, nothing is sent; a client says so by having none."""
    client = ServiceClient(**service.settings())
    assert client.get_telemetry() is None
    client.create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).result(WAIT_S)
    client.close()
    assert not any("telemetry" in seen.path for seen in service.seen)


def test_telemetry_tells_classes_and_numbers_alone(service: testing.LedgerService) -> None:
    """What is sent has the form of the wire, and of texts their type alone."""
    client = ServiceClient(**service.settings(telemetry=True))
    client.create_lora_training_client("tinsmith/tiny").result()
    telemetry = client.get_telemetry()
    assert telemetry is not None
    assert telemetry.log("step", {"loss": 0.5, "text": "private", "count": 3})
    telemetry.log_exception(ValueError("private"))
    client.close()
    bodies = [seen.json() for seen in service.seen if seen.path.endswith("telemetry")]
    events = [event for body in bodies for event in body["events"]]
    assert [event["event"] for event in events] == [
        "SESSION_START",
        "GENERIC_EVENT",
        "UNHANDLED_EXCEPTION",
        "SESSION_END",
    ]
    assert [event["event_session_index"] for event in events] == [0, 1, 2, 3]
    assert events[1]["event_data"] == {"loss": 0.5, "text": "str", "count": 3}
    assert (events[2]["error_type"], events[2]["error_message"]) == ("ValueError", "ValueError")
    assert "traceback" not in events[2]
    assert bodies[0]["session_id"] == "session-1"
    assert "private" not in str(bodies)


def test_telemetry_that_cannot_be_sent_harms_nobody(service: testing.LedgerService) -> None:
    """A server that refuses telemetry delays nothing, and the batch is dropped."""

    def refuse(operation: str, _seen: Seen, _body: dict[str, Any]) -> Answer | None:
        return reply({}, 500) if operation == "telemetry" else None

    service.rules.append(refuse)
    client = ServiceClient(**service.settings(telemetry=True))
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    assert trainer.optim_step(ADAM).result(WAIT_S)
    client.close()
    assert sum(seen.path.endswith("telemetry") for seen in service.seen) <= 3


def _told(error: TinkerError) -> str:
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return text + repr(error) + str(error) + str(pickle.dumps(error))


def test_telemetry_drops_what_has_no_form_in_json(service: testing.LedgerService) -> None:
    """Numbers and names that JSON cannot hold do not keep a client from closing."""
    client = ServiceClient(**service.settings(telemetry=True))
    client.create_lora_training_client("tinsmith/tiny").result()
    telemetry = client.get_telemetry()
    assert telemetry is not None
    telemetry.log("odd", {"large": 10**30, "\ud800": 1, "n": 2})
    telemetry.log("half \ud800")
    client.close()
    with pytest.raises(TinkerError):
        client.get_server_capabilities()
    assert any("session" in seen.path for seen in service.seen)


def test_the_secret_fields_of_a_body_are_those_that_the_contract_marks() -> None:
    """There is no list by hand: what is marked is struck from then on."""
    assert {"weights_access_token", "jwt"} <= SECRET_FIELDS
    said = {name: f"secret of {name}" for name in [*SECRET_FIELDS, "path"]}
    assert set(secrets_in(said)) == {f"secret of {name}" for name in SECRET_FIELDS}
