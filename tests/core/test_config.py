"""Settings, the environment, keys, URLs, headers, ids and paths."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, cast

import pytest
from tinsmith.core.addresses import (
    DEFAULT_BASE_URL,
    ParsedCheckpointTinkerPath,
    check_base_url,
    check_headers,
    check_resolved,
    checkpoint_id_spellings,
    is_local,
    is_loopback,
    local_path,
    must_resolve_here,
)
from tinsmith.core.config import (
    ClientConfig,
    RetryConfig,
    Secret,
    Timeouts,
    cache_dir,
    models_of_user,
    set_variables,
    telemetry_wanted,
)
from tinsmith.core.errors import InputError, TinkerError
from tinsmith.core.tokenizer_files import TokenizerId, tokenizer_id
from tinsmith_api.paths import check_segment, check_tinker_path

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
        ClientConfig.from_environment(environ={}, **cast(Any, {"api_key": KEY, field: 5}))


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
    ("url", "normal"),
    [
        ("https://h", "https://h/"),
        ("https://h/a/", "https://h/a/"),
        ("http://localhost:1", "http://localhost:1/"),
        ("http://x.localhost", "http://x.localhost/"),
        ("http://[::1]:8/", "http://[::1]:8/"),
        ("http://127.9.9.9", "http://127.9.9.9/"),
        ("local:", "local:"),
        ("local:/a b", "local:/a b"),
    ],
)
def test_good_urls_end_with_a_slash(url: str, normal: str) -> None:
    """Https anywhere, http on this machine, and the embedded service."""
    assert check_base_url(url) == normal


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.org", "insecure=True"),
        ("https://user:pw@h", "user name"),
        ("https://user@h", "user name"),
        ("ftp://h", "https://"),
        ("example.org", "https://"),
        ("https://", "https://"),
        ("https://h\r\nX: 1", "control"),
        ("https://h x", "control"),
        ("https://h:99999", "not a URL"),
        ("https://[", "not a URL"),
        ("https://h?q=1", "query"),
        ("https://h#f", "query"),
        ("http://example.org%23.localhost", "escapes"),
        ("http://example.org%2f.localhost", "escapes"),
        ("http://x%2elocalhost", "escapes"),
        ("http://x.loc\uff41lhost", "in the clear"),
        ("http://x\u3002localhost", "in the clear"),
        ("http://x.%6cocalhost", "escapes"),
        ("http://.localhost", "in the clear"),
        ("local:a\nb", "line breaks"),
        (cast(Any, {"a": "b"}), "must be text"),
    ],
)
def test_bad_urls_are_refused(url: str, problem: str) -> None:
    """Whatever could leak the key, or is no URL."""
    with pytest.raises(InputError, match=problem) as caught:
        check_base_url(url)
    assert caught.value.field == "base_url"


def test_names_below_localhost_must_resolve_here() -> None:
    """They are this machine only if every address is; https and other names are not asked about."""
    assert must_resolve_here("http://A.b.LOCALHOST:8/") == "a.b.localhost"
    assert must_resolve_here("http://x.localhost./") == "x.localhost."
    for url in ("https://x.localhost/", "http://localhost/", "http://127.0.0.1/", "http://h/"):
        assert must_resolve_here(url) is None
    check_resolved("x.localhost", ["127.0.0.1", "::1", "127.9.9.9"])
    for addresses in (["127.0.0.1", "192.0.2.7"], ["fe80::1%eth0"], []):
        with pytest.raises(InputError, match=r"x\.localhost .*resolve"):
            check_resolved("x.localhost", addresses)


def test_http_abroad_needs_a_word() -> None:
    """insecure=True lets it through."""
    assert check_base_url("http://example.org", insecure=True) == "http://example.org/"
    assert not is_loopback("localhost.example.org")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X\r\n", "1"),
        ("", "1"),
        ("X y", "1"),
        ("X", "a\rb"),
        ("X", "a\nb"),
        ("X", "a\0"),
        ("X", "a\x01b"),
        ("X", "a\x7f"),
        ("X", "a "),
        ("X", "\ta"),
        ("X", "é"),
        ("X", cast(Any, 1)),
    ],
)
def test_bad_headers_are_refused(name: str, value: str) -> None:
    """Line breaks and NUL never reach the wire."""
    with pytest.raises(InputError):
        check_headers({name: value})
    check_headers({"X-Good": "a b\tc", "X-Empty": ""})


@pytest.mark.parametrize(
    "bad",
    ["", "a b", "a\nb", "a?b", "a#b", "a%2e", "a\\b", "../x", "a/./b", "a//b", "/a", "a/", cast(Any, 3)],
)
def test_bad_path_segments_are_refused(bad: str) -> None:
    """Ids go into URLs as they are."""
    with pytest.raises(InputError) as caught:
        check_segment(bad, "training_run_id")
    assert caught.value.field == "training_run_id"


def test_good_path_segments_pass() -> None:
    """Colons and inner slashes are part of ids here."""
    assert check_segment("s:train:0", "id") == "s:train:0"
    assert check_segment("weights/0001", "id") == "weights/0001"


@pytest.mark.parametrize(
    ("path", "run", "kind", "checkpoint"),
    [
        ("tinker://s:train:0/weights/1", "s:train:0", "training", "weights/1"),
        ("tinker://r/sampler_weights/a-b", "r", "sampler", "sampler_weights/a-b"),
        ("tinker://r/external_weights/x", "r", "external", "external_weights/x"),
        ("tinker://model/name", "model", "sampler", "name"),
    ],
)
def test_tinker_paths_are_parsed(path: str, run: str, kind: str, checkpoint: str) -> None:
    """Three segments, and the two of some servers."""
    assert ParsedCheckpointTinkerPath.from_tinker_path(path) == ParsedCheckpointTinkerPath(
        path, run, cast(Any, kind), checkpoint
    )


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "weights/1",
        "http://r/weights/1",
        "tinker://",
        "tinker://r",
        "tinker:///weights/",
        "tinker://r/weights/",
        "tinker://r/other/1",
        "tinker://r/weights/1/2",
        "tinker://r/../1",
        "tinker://r/weights/a\nb",
        cast(Any, None),
    ],
)
def test_malformed_tinker_paths_are_refused(bad: str) -> None:
    """One error that shows the path and the form it should have."""
    with pytest.raises(InputError, match="Invalid tinker path"):
        ParsedCheckpointTinkerPath.from_tinker_path(bad)


def test_a_path_can_be_checked_without_its_parts() -> None:
    """Sampler paths of other servers are not to be taken apart."""
    assert check_tinker_path("tinker://a/b/c/d", "model_path") == "tinker://a/b/c/d"
    with pytest.raises(InputError) as caught:
        check_tinker_path("x", "model_path")
    assert caught.value.field == "model_path"


@pytest.mark.parametrize(
    ("given", "has_kinds", "ways"),
    [
        ("weights/a", False, ["weights/a", "a"]),
        ("a", False, ["a", "sampler_weights/a"]),
        ("a", True, ["sampler_weights/a"]),
        ("weights/a", True, ["weights/a"]),
        ("weights", False, ["sampler_weights/weights"]),
    ],
)
def test_the_id_of_a_checkpoint_in_a_url(given: str, has_kinds: bool, ways: list[str]) -> None:
    """As it was given first; a bare name is one of sampler weights, and never one that reads as a kind."""
    assert checkpoint_id_spellings(given, has_kinds=has_kinds) == ways


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


@pytest.mark.parametrize(
    ("model", "told", "expected"),
    [
        ("Qwen/Qwen3-8B", None, TokenizerId("Qwen/Qwen3-8B")),
        ("Qwen/Qwen3-8B", "other/tok", TokenizerId("other/tok")),
        ("a/b/c", None, TokenizerId("a/b")),
        (
            "meta-llama/Llama-3.1-8B",
            None,
            TokenizerId("thinkingmachineslabinc/meta-llama-3-instruct-tokenizer"),
        ),
        ("meta-llama/Llama-3.1-8B", "own/tok", TokenizerId("own/tok")),
        ("meta-llama/Llama-2-7b", None, TokenizerId("meta-llama/Llama-2-7b")),
        (
            "moonshotai/Kimi-K2-Thinking",
            None,
            TokenizerId("moonshotai/Kimi-K2-Thinking", "612681931a8c906ddb349f8ad0f582cb552189cd", True),
        ),
        (
            "moonshotai/Kimi-K2-Thinking/variant",
            None,
            TokenizerId("moonshotai/Kimi-K2-Thinking", "612681931a8c906ddb349f8ad0f582cb552189cd", True),
        ),
        ("tinsmith/tiny", None, TokenizerId("tinsmith/tiny")),
        ("Qwen/Qwen3-8B:peft:131072", None, TokenizerId("Qwen/Qwen3-8B")),
        (
            "meta-llama/Llama-3.2-1B:peft:131072",
            None,
            TokenizerId("thinkingmachineslabinc/meta-llama-3-instruct-tokenizer"),
        ),
        ("a/b/c:d/e", None, TokenizerId("a/b")),
        ("Qwen/Qwen3-8B-Text-Only", None, TokenizerId("Qwen/Qwen3-8B")),
        ("x", "Qwen/Qwen3-8B-Text-Only", TokenizerId("Qwen/Qwen3-8B")),
        *(
            (name, told, TokenizerId(f"moonshotai/{kind}", commit, True))
            for kind, commit in (
                ("Kimi-K2.5", "4d01dfe0332d63057c186e0b262165819efb6611"),
                ("Kimi-K2.6", "b5aabbfb20227ed42becbf5541dbffd213942c58"),
                ("Kimi-K3", "f831ab66814297da540d832a5235f8e904f29d06"),
            )
            for name, told in (
                (f"moonshotai/{kind}", None),
                (f"moonshotai/{kind}:peft:131072", None),
                (f"moonshotai/{kind}-Text-Only", None),
                ("other/name", f"moonshotai/{kind}"),
            )
        ),
    ],
)
def test_the_tokenizer_of_a_model(model: str, told: str | None, expected: TokenizerId) -> None:
    """What the server told, Llama 3, variants, Kimi, and the plain name; never the kind of serving."""
    assert tokenizer_id(model, told) == expected


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("thinkingmachines/Inkling", None),
        ("thinkingmachines/Inkling:peft:131072", None),
        ("x", "thinkingmachines/Inkling"),
        ("TML/Inkling", None),
    ],
)
def test_a_tokenizer_that_no_repository_has(model: str, told: str | None) -> None:
    """The error says what stands in its place."""
    with pytest.raises(InputError, match=r"Inkling is in no repository: .*tml-renderers"):
        tokenizer_id(model, told)


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
