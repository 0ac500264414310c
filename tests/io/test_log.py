"""The log: silent by default, on stderr when asked for, and told what the server deprecates."""

from __future__ import annotations

import gc
import logging
import re
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import APIConnectionError, InputError, SamplingParams, ServiceClient, testing
from tinsmith.core.config import RetryConfig
from tinsmith.io.events import log_to_stderr
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum, trainer_on
from tests.io.test_samples import PROMPT, Cap

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """Put the package's logger back as it was."""
    logger = logging.getLogger("tinsmith")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:], logger.level = handlers, level


def test_nothing_is_configured_at_import() -> None:
    """The package's logger has a NullHandler and no level of its own."""
    logger = logging.getLogger("tinsmith")
    assert logger.level == logging.NOTSET
    assert all(isinstance(handler, logging.NullHandler) for handler in logger.handlers)


def test_log_level_turns_it_on_once(quiet_again: None, capsys: pytest.CaptureFixture[str]) -> None:
    """A level shows records on stderr, once each, however often it is asked for."""
    log_to_stderr("info")
    log_to_stderr("debug")
    logging.getLogger("tinsmith").debug("hello")
    assert capsys.readouterr().err.count("hello") == 1
    with pytest.raises(InputError):
        log_to_stderr("loud")


def test_deprecation_is_logged_once(service: testing.LedgerService, caplog: pytest.LogCaptureFixture) -> None:
    """What the server says of an operation that will go away is a WARNING, once."""
    note = {"x-deprecation-note": "use\x1b the other one"}
    capable = reply({"supported_models": []}, headers=note)
    service.rules.append(lambda name, *_: capable if name == "get_server_capabilities" else None)
    client = ServiceClient(**service.settings())
    for _ in range(3):
        client.get_server_capabilities()
    assert [message for message in caplog.messages if "other one" in message] == [
        "the server says of get_server_capabilities: use  the other one"
    ]


def test_debug_log_shows_each_attempt(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """An attempt is two lines, what went out and what came back; a re-send has the same number and key."""
    refusals = [reply({"detail": "later"}, 503)]
    service.rules.append(lambda name, *_: refusals.pop() if name == "asample" and refusals else None)
    client = ServiceClient(**service.settings())
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    caplog.set_level(logging.DEBUG, "tinsmith")
    sampler.sample(PROMPT, 1, SamplingParams(max_tokens=1)).result(WAIT_S)
    told = [re.sub(r"#\d+ |[\d.]+ s$|\d+ bytes|promise=\S+", "", line) for line in caplog.messages]
    told = [line for line in told if "asample" in line]
    key = told[0].rpartition("…")[2]
    assert len(key) == 6
    assert told == [
        f"-> asample seq_id=0: POST, , attempt 1, idempotency key …{key}",
        "<- asample seq_id=0: 503,  in ",
        "asample seq_id=0: status 503, applied=unknown; again in ",
        f"-> asample seq_id=0: POST, , attempt 2, idempotency key …{key}",
        "<- asample seq_id=0: 200,  in ",
        "asample seq_id=0: accepted, ",
    ]


def test_debug_log_says_why_nothing_is_sent_again(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """A sample that must not arrive twice loses its answer: the log names the settings that decide."""
    service.plan = testing.AtPosition({0: testing.FaultKind.RESET_AFTER}, paths=["api/v1/asample"])
    client = ServiceClient(**service.settings(server_deduplicates=False))
    sampler = client.create_sampling_client(base_model="tinsmith/tiny").result()
    caplog.set_level(logging.DEBUG, "tinsmith")
    with pytest.raises(APIConnectionError):
        sampler.sample(PROMPT, 1, SamplingParams(max_tokens=1)).result(WAIT_S)
    assert [line for line in caplog.messages if "not sent again" in line] == [
        "asample seq_id=0: connection reset, applied=unknown; not sent again: the server may have applied it,"
        " and must not get it twice (server_deduplicates, on_unknown)"
    ]


def test_debug_log_says_what_the_server_is_taken_for(
    service: testing.LedgerService, caplog: pytest.LogCaptureFixture
) -> None:
    """At first by what the user said, and then by each answer that shows more."""
    caplog.set_level(logging.DEBUG, "tinsmith")
    service.rules.append(
        lambda name, *_: reply({"session_id": "session_faa92868"}) if name == "create_session" else None
    )
    client = ServiceClient(**service.settings(server_deduplicates=None))
    client.create_sampling_client(base_model="tinsmith/tiny").result(WAIT_S)
    assert [line for line in caplog.messages if "server profile" in line] == [
        "server profile unknown: a submission of unknown outcome is sent again",
        "server profile skyrl: a submission of unknown outcome is not sent again",
    ]


def test_kept_future_keeps_no_data(service: testing.LedgerService) -> None:
    """Whoever keeps a future keeps its result, and not the batch that it was computed from."""
    trainer = trainer_on(service)
    data = [datum(1, 2, 3)]
    alive = weakref.ref(data[0].loss_fn_inputs["weights"])
    future = trainer.forward_backward(data, "cross_entropy")
    step = trainer.optim_step(ADAM)
    step.result(WAIT_S)
    future.result(WAIT_S)
    del data
    trainer.optim_step(ADAM).result(WAIT_S)
    gc.collect()
    assert alive() is None
    assert future.result(0).loss_fn_outputs


def test_sampler_with_limits_of_its_own(service: testing.LedgerService) -> None:
    """`retry_config` of one sampler bounds it alone."""
    cap = Cap(service, 1000)
    service.dialect = testing.ServerDialect(ready_after_polls=1)
    client = ServiceClient(**service.settings())
    narrow = client.create_sampling_client(
        base_model="tinsmith/tiny", retry_config=RetryConfig(max_connections=2)
    ).result()
    futures: list[Any] = [narrow.sample(PROMPT, 1, SamplingParams(max_tokens=1)) for _ in range(20)]
    for future in futures:
        future.result(WAIT_S)
    assert cap.peak <= 2
