"""Settings, the environment, keys and models of the user."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, cast

import pytest
from tinsmith.core.addresses import (
    DEFAULT_BASE_URL,
    is_local,
    local_path,
)
from tinsmith.core.config import (
    ClientConfig,
    RetryConfig,
    Secret,
    Timeouts,
    cache_dir,
    gateway_key,
    models_of_user,
    set_variables,
    telemetry_wanted,
)
from tinsmith.core.errors import InputError, TinkerError

KEY = "tml-CANARY"
ENV = {
    "TINKER_API_KEY": KEY,
    "TINKER_BASE_URL": "http://127.0.0.1:8000/x",
    "TINKER_TAGS": "b, a,,b",
    "TINKER_LOG": "debug",
    "TINKER_PROJECT_ID": "p1",
    "TINKER_TELEMETRY": "Yes",
    "CLOUDFLARE_ACCESS_CLIENT_ID": "id1",
    "CLOUDFLARE_ACCESS_CLIENT_SECRET": "s1",
}


def test_the_environment_fills_what_is_open() -> None:
    """Every documented name is read; tags are split, trimmed, and kept in order without doubles."""
    config = ClientConfig.from_environment(environ=ENV)
    assert config.api_key == Secret(KEY)
    assert (config.base_url, config.tags, config.log_level) == (
        "http://127.0.0.1:8000/x/",
        ("b", "a"),
        "debug",
    )
    assert (config.project_id, config.telemetry) == ("p1", True)
    assert config.default_headers == {"CF-Access-Client-Id": "id1", "CF-Access-Client-Secret": "s1"}


def test_an_explicit_value_wins() -> None:
    """Also for the key: the environment's never goes out instead."""
    config = ClientConfig.from_environment(
        environ=ENV,
        api_key="tml-mine",
        base_url="https://h/p",
        tags=["x"],
        project_id="p2",
        default_headers={"CF-Access-Client-Id": "id2"},
        telemetry=False,
        log_level="info",
        optim_after="results",
    )
    assert config.api_key is not None
    assert config.api_key.reveal() == "tml-mine"
    assert (config.base_url, config.tags, config.project_id) == ("https://h/p/", ("x",), "p2")
    assert config.default_headers["CF-Access-Client-Id"] == "id2"
    assert (config.telemetry, config.log_level, config.optim_after) == (False, "info", "results")


def test_an_empty_environment_means_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosted service, no tags, no telemetry."""
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    config = ClientConfig.from_environment()
    assert (config.base_url, config.tags, config.telemetry, config.log_level) == (
        DEFAULT_BASE_URL,
        (),
        False,
        None,
    )
    assert not config.local


@pytest.mark.parametrize(
    ("env", "asked", "on"),
    [
        ({}, None, False),
        ({"TINKER_TELEMETRY": "1"}, None, True),
        ({"TINKER_TELEMETRY": "0"}, None, False),
        ({"TINKER_TELEMETRY": "1"}, False, False),
        ({}, True, True),
        ({"DO_NOT_TRACK": "1", "TINKER_TELEMETRY": "1"}, True, False),
        ({"DO_NOT_TRACK": "0"}, True, True),
    ],
)
def test_telemetry_is_off_unless_asked_for(env: dict[str, str], asked: bool | None, on: bool) -> None:
    """DO_NOT_TRACK wins over everything."""
    config = ClientConfig.from_environment(environ={**env, "TINKER_API_KEY": KEY}, telemetry=asked)
    assert config.telemetry is on


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_names_what_to_do(key: str | None) -> None:
    """The error names the argument, the variable, and the way without a key."""
    with pytest.raises(TinkerError, match=r"api_key=.*TINKER_API_KEY.*local:"):
        ClientConfig.from_environment(environ={}, api_key=key)


def test_settings_without_the_environment_say_how_to_read_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """To set the variable helps nobody who calls the constructor, which reads none."""
    monkeypatch.setenv("TINKER_API_KEY", KEY)
    with pytest.raises(TinkerError, match=r"is set, but only ClientConfig\.from_environment\(\) reads it"):
        ClientConfig(retry=RetryConfig())


@pytest.mark.parametrize("key", ["tml-a", " tml-a\t", "tml-a\r\n"])
def test_white_space_around_a_key_is_stripped(key: str) -> None:
    """Files and shells leave it; however the key is given, no header would carry it."""
    assert ClientConfig.from_environment(environ={}, api_key=key).api_key == Secret("tml-a")
    assert ClientConfig.from_environment(environ={"TINKER_API_KEY": key}).api_key == Secret("tml-a")
    assert ClientConfig(api_key=Secret(key)).api_key == Secret("tml-a")


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_an_empty_key_counts_as_absent(key: str) -> None:
    """The command stands in for it, as for one that is not set."""
    environ = {"TINKER_API_KEY": key, "TINKER_CREDENTIAL_CMD": "print-key"}
    config = ClientConfig.from_environment(environ=environ)
    assert (config.api_key, config.credential_command) == (None, "print-key")


def test_a_key_in_two_pieces_names_where_it_comes_from() -> None:
    """A blank inside is refused with the argument and the variable, and not shown."""
    with pytest.raises(InputError, match=r"api_key= or TINKER_API_KEY .*blank") as caught:
        ClientConfig.from_environment(environ={"TINKER_API_KEY": "tml-CANARY b"})
    assert "CANARY" not in str(caught.value)


def test_access_headers_are_stripped_and_named() -> None:
    """White space around them goes; the error for what cannot be a header names its variable."""
    environ = {"TINKER_API_KEY": KEY, "CLOUDFLARE_ACCESS_CLIENT_SECRET": " CANARY-s\n"}
    config = ClientConfig.from_environment(environ=environ)
    assert config.default_headers == {"CF-Access-Client-Secret": "CANARY-s"}
    with pytest.raises(InputError, match="CLOUDFLARE_ACCESS_CLIENT_SECRET") as caught:
        ClientConfig.from_environment(environ={**environ, "CLOUDFLARE_ACCESS_CLIENT_SECRET": "CANARY\ns"})
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("field", ["base_url", "api_key"])
def test_addresses_and_keys_are_text(field: str) -> None:
    """Anything else is named at once."""
    with pytest.raises(InputError, match=f"{field}.*must be text, not int"):
        ClientConfig.from_environment(environ={}, **cast("Any", {"api_key": KEY, field: 5}))


@pytest.mark.parametrize("key", [KEY, "eyJhbGciOi.J9.x"])
def test_keys_of_this_service_pass(key: str) -> None:
    """A `tml-` key and a JWT."""
    assert ClientConfig.from_environment(environ={}, api_key=key).api_key == Secret(key)


def test_a_foreign_key_needs_a_word() -> None:
    """Other keys belong to other services, unless the user says otherwise; the key itself is not shown."""
    with pytest.raises(TinkerError, match="require_key_prefix=False") as caught:
        ClientConfig.from_environment(environ={}, api_key="sk-CANARY")
    assert "CANARY" not in str(caught.value)
    config = ClientConfig.from_environment(environ={}, api_key="sk-CANARY", require_key_prefix=False)
    assert config.api_key is not None


@pytest.mark.parametrize(("value", "let_through"), [("1", True), ("Yes", True), ("0", False), ("", False)])
def test_self_hosted_servers_by_the_environment(value: str, let_through: bool) -> None:
    """Other keys, and http to another machine, are let through by two variables; an argument wins."""
    environ = {"TINSMITH_ANY_KEY": value, "TINSMITH_INSECURE": value}
    url, key = "http://gpu.internal", "sk-mine"
    if let_through:
        config = ClientConfig.from_environment(environ=environ, base_url=url, api_key=key)
        assert (config.require_key_prefix, config.insecure) == (False, True)
    with pytest.raises(InputError, match="in the clear"):
        ClientConfig.from_environment(
            environ=environ, base_url=url, api_key=key, insecure=False if let_through else None
        )
    with pytest.raises(TinkerError, match="tml-"):
        ClientConfig.from_environment(
            environ=environ, api_key=key, require_key_prefix=True if let_through else None
        )


@pytest.mark.parametrize("key", ["tml-a\nX-Evil: 1", "tml-\0", "tml-é"])
def test_a_key_that_would_be_two_headers_is_refused(key: str) -> None:
    """No header injection through the key."""
    with pytest.raises(InputError, match="X-API-Key") as caught:
        ClientConfig.from_environment(environ={}, api_key=key)
    assert "Evil" not in str(caught.value)


def test_the_embedded_service_needs_no_key() -> None:
    """And does not keep one it does not need."""
    config = ClientConfig.from_environment(environ=ENV, base_url="local:")
    assert (config.local, config.api_key, config.base_url) == (True, None, "local:")
    assert (local_path("local:"), local_path("local:/d")) == (None, "/d")
    assert local_path("local:/") is None
    assert is_local("local:x")
    assert not is_local("https://local:1/")


def test_a_secret_never_shows_itself() -> None:
    """repr, str, format and a config around it; a pickle is refused."""
    secret = Secret(KEY)
    config = ClientConfig(api_key=secret, default_headers={"x-token": "CANARY"})
    shown = f"{secret} {secret!r} {secret:>10} {config} {config!r} {[secret]}"
    assert "CANARY" not in shown
    with pytest.raises(TypeError, match="TINKER_API_KEY"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        pickle.dumps(config)
    assert secret == Secret(KEY)
    assert secret != Secret("tml-other")
    assert secret != KEY
    assert len({secret, Secret(KEY)}) == 1
    assert Secret.of(secret) is secret
    assert Secret.of(None) is None


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: RetryConfig(max_connections=0), "max_connections"),
        (lambda: RetryConfig(max_connections=-1), "max_connections"),
        (lambda: RetryConfig(progress_timeout=0), "progress_timeout"),
        (lambda: RetryConfig(jitter_factor=1.5), "jitter_factor"),
        (lambda: Timeouts(connect_s=0), "connect_s"),
    ],
)
def test_limits_below_zero_are_refused(make: Any, field: str) -> None:
    """A bound of nothing would hang or fail everything."""
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.field == field


def test_one_number_bounds_every_phase() -> None:
    """The official `timeout=` argument."""
    assert Timeouts.of(None) == Timeouts()
    assert (Timeouts.of(7.0).connect_s, Timeouts.of(7.0).total_s) == (7.0, 180.0)
    assert Timeouts.of(600.0).total_s == 600.0
    assert RetryConfig(max_connections=None).max_connections is None


def test_variables_that_are_set_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the question; an empty one counts as absent."""
    monkeypatch.setenv("B", "2")
    monkeypatch.setenv("A", "1")
    monkeypatch.setenv("C", "")
    assert list(set_variables("A", "X_NOT_SET", "B", "C").items()) == [("A", "1"), ("B", "2")]


def test_caches_stand_where_the_platform_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """An explicit place wins, then XDG, then the platform's own."""
    home = Path.home()
    assert cache_dir({"TINSMITH_CACHE": "/c"}) == Path("/c")
    assert cache_dir({"XDG_CACHE_HOME": "/x"}) == Path("/x/tinsmith")
    for platform, env, place in (
        ("linux", {}, home / ".cache" / "tinsmith"),
        ("darwin", {}, home / "Library" / "Caches" / "tinsmith"),
        ("win32", {}, home / "AppData" / "Local" / "tinsmith" / "Cache"),
        ("win32", {"LOCALAPPDATA": "/l"}, Path("/l/tinsmith/Cache")),
    ):
        monkeypatch.setattr("sys.platform", platform)
        assert cache_dir(env) == place
    monkeypatch.setenv("TINSMITH_CACHE", "/from-env")
    assert cache_dir() == Path("/from-env")


def test_a_command_stands_in_for_the_key() -> None:
    """TINKER_CREDENTIAL_CMD is kept for later, and neither shown nor needed where there is a key."""
    environ = {"TINKER_CREDENTIAL_CMD": "print-the-key --canary", "TINKER_BASE_URL": "http://127.0.0.1:1/"}
    config = ClientConfig.from_environment(environ=environ)
    assert (config.api_key, config.credential_command) == (None, "print-the-key --canary")
    assert "canary" not in repr(config)
    assert ClientConfig.from_environment(environ={**environ, "TINKER_API_KEY": "tml-x"}).api_key == Secret(
        "tml-x"
    )


def test_models_of_the_user() -> None:
    """TINSMITH_MODELS is read for `local:` alone, and an argument wins name by name."""
    env = {"TINSMITH_MODELS": os.pathsep.join(("a=/m/a", " ", "b=/m/b=2", ""))}
    assert models_of_user(env) == {"a": "/m/a", "b": "/m/b=2"}
    config = ClientConfig.from_environment(environ=env, base_url="local:", models={"b": Path("/x")})
    assert config.models == {"a": "/m/a", "b": str(Path("/x"))}
    elsewhere = ClientConfig.from_environment(environ={**env, "TINKER_API_KEY": KEY})
    assert elsewhere.models == {}
    home = ClientConfig(base_url="local:", models={"m": "~/m"}).models["m"]
    assert home == str(Path.home() / "m")


def test_the_key_of_a_gateway() -> None:
    """It comes from the environment, trimmed; what no header can carry is refused and not shown."""
    assert gateway_key({}) is None
    assert gateway_key({"TINSMITH_GATEWAY_KEY": " sk-mine "}) == "sk-mine"
    with pytest.raises(InputError, match="TINSMITH_GATEWAY_KEY") as caught:
        gateway_key({"TINSMITH_GATEWAY_KEY": "two words"})
    assert "two words" not in str(caught.value)


@pytest.mark.parametrize("text", ["a", "=/m", "a="])
def test_models_of_the_user_that_are_none(text: str) -> None:
    """An entry that is no NAME=PATH is named with its variable."""
    with pytest.raises(InputError, match=f"'{text}' in TINSMITH_MODELS is not NAME=PATH"):
        ClientConfig.from_environment(environ={"TINSMITH_MODELS": text}, base_url="local:")


@pytest.mark.parametrize("given", ["a=/m", ["a"], {"a": 3}, {"": "/m"}, {"a": ""}, {3: "/m"}])
def test_models_that_are_no_mapping(given: Any) -> None:
    """What is no mapping of names to paths is refused by field."""
    with pytest.raises(InputError, match="models"):
        ClientConfig(base_url="local:", models=given)


def test_models_for_another_server() -> None:
    """They can be offered by `local:` alone."""
    with pytest.raises(InputError, match="serve --model NAME=PATH"):
        ClientConfig(api_key=Secret(KEY), models={"a": "/m"})


@pytest.mark.parametrize(("word", "sent"), [("1", False), ("0", True)])
def test_do_not_track_wins_over_telemetry_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, word: str, sent: bool
) -> None:
    """DO_NOT_TRACK=1 stops telemetry that an argument asks for; nothing starts what nobody asked for."""
    monkeypatch.setenv("DO_NOT_TRACK", word)
    assert telemetry_wanted(True) is sent
    assert telemetry_wanted(False) is False
