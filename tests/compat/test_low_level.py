"""The names below the public clients that the stand-in makes itself, without the stand-in installed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tinsmith import APIConnectionError, BadRequestError, InputError, RateLimitError, types
from tinsmith.compat import low_level


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings of the machine away."""
    for name in ("TINKER_API_KEY", "TINKER_BASE_URL", "TINKER_CREDENTIAL_CMD"):
        monkeypatch.delenv(name, raising=False)


def test_key_is_looked_up_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the environment is told; a command counts as a key and is not run."""
    assert (low_level.get_tinker_token(), low_level.tinker_has_credentials()) == (None, False)
    monkeypatch.setenv("TINKER_API_KEY", "tml-mine")
    assert (low_level.get_tinker_token(), low_level.tinker_has_credentials()) == ("tml-mine", True)
    monkeypatch.setenv("TINKER_API_KEY", "of-another-service")
    assert (low_level.get_tinker_token(), low_level.tinker_has_credentials()) == (None, False)


def test_access_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers is accessible; one that is not there is an error of ours."""
    monkeypatch.setenv("TINKER_BASE_URL", "local:")
    low_level.raise_if_tinker_not_accessible()
    monkeypatch.setenv("TINKER_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TINKER_API_KEY", "tml-mine")
    with pytest.raises(APIConnectionError):
        low_level.raise_if_tinker_not_accessible()


def test_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument wins over the environment, which wins over the hosted server."""
    assert low_level.resolve_base_url().startswith("https://")
    monkeypatch.setenv("TINKER_BASE_URL", "http://127.0.0.1:9/")
    assert low_level.resolve_base_url() == "http://127.0.0.1:9"
    assert low_level.resolve_base_url("http://127.0.0.1:8") == "http://127.0.0.1:8"


def test_values_as_json() -> None:
    """A value is dumped as it is sent: with its defaults, without what is absent."""
    params = types.SamplingParams(max_tokens=3, stop=["x"])
    dumped = low_level.model_dump(params, exclude_none=True, mode="json")
    assert (dumped["max_tokens"], dumped["stop"], "seed" in dumped) == (3, ["x"], False)
    assert json.loads(low_level.model_json(params, indent=2)) == low_level.model_dump(params)
    assert low_level.model_copy(params, deep=True) is params


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        (BadRequestError("no", status_code=400), True),
        (RateLimitError("later", status_code=429), False),
        (InputError("wrong"), True),
        (RuntimeError("ours"), False),
    ],
)
def test_fault_of_the_user(error: Exception, whose: bool) -> None:
    """What was sent is at fault, or the server and the way."""
    assert low_level.is_user_error(error) is whose


def test_capture_exceptions_leaves_functions_alone() -> None:
    """The decorator of the official telemetry is taken with and without arguments."""

    def function() -> int:
        return 1

    assert low_level.capture_exceptions(function) is function
    assert low_level.capture_exceptions(fatal=True, severity="ERROR")(function) is function


def test_unknown_raw_calls_are_told_what_there_is() -> None:
    """A method that the raw client has not names those that it has."""

    async def ask() -> Any:
        async with low_level.AsyncTinker(base_url="local:") as client:
            assert "unload" in dir(client.models)
            with pytest.raises(AttributeError, match=r"no 'erase' here, but copy_weights, create.*raw"):
                _ = client.models.erase
            return await low_level.AsyncServiceResource(client).health_check()

    assert asyncio.run(ask()).status == "ok"


def test_absent_arguments_are_false() -> None:
    """`NOT_GIVEN` is no argument, and says its name; a bare observer does not listen."""
    assert (bool(low_level.NOT_GIVEN), repr(low_level.NOT_GIVEN)) == (False, "NOT_GIVEN")
    with pytest.raises(NotImplementedError):
        low_level.QueueStateObserver().on_queue_state_change("active")
