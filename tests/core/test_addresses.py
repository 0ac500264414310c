"""Base URLs, headers, ids, checkpoint paths, and names of folders."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.addresses import (
    AdapterFolder,
    ParsedCheckpointTinkerPath,
    check_base_url,
    check_headers,
    check_resolved,
    checkpoint_id_spellings,
    folder_name,
    is_loopback,
    must_resolve_here,
)
from tinsmith.core.errors import InputError
from tinsmith_api.paths import check_segment, check_tinker_path

DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tinker://run/weights/0001", "run_weights_0001"),
        ("tinker://3f2a:train:0/sampler_weights/last", "3f2a_train_0_sampler_weights_last"),
        ("tinker://run/weights/what?", "run_weights_what_"),
        ("tinker://run/weights/a.", "run_weights_a_"),
        ("tinker://run/weights/a . ", "run_weights_a___"),
        ("tinker://.run/a", "_.run_a"),
        ("tinker://con", "_con"),
        ("tinker://COM1.txt", "_COM1.txt"),
        ("tinker://console/a", "console_a"),
        ("tinker://run/weights/\ud800", "run_weights__"),
    ],
)
def test_folder_name(path: str, name: str) -> None:
    """What some system refuses is replaced, and the rest stays as it is."""
    assert folder_name(path) == name


@given(st.text(max_size=300))
def test_folder_name_fits_every_system(text: str) -> None:
    """Whatever a server calls a checkpoint, its folder has a name that Windows, macOS and Linux take."""
    name = folder_name(f"tinker://r{text}")
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)
    assert name == name.rstrip(" .")
    assert name.split(".")[0].strip().lower() not in DEVICES
    assert len(name.encode()) <= 200


def test_long_names_stay_apart() -> None:
    """Two long paths that begin alike get two folders."""
    one, two = (folder_name(f"tinker://run/weights/{'x' * 300}{end}") for end in "ab")
    assert one != two


@given(st.text(min_size=1), st.none() | st.text(min_size=1))
def test_adapter_folders_come_back(directory: str, base_model: str | None) -> None:
    """A directory and its base model travel as a path of the API, whatever their names."""
    folder = AdapterFolder(directory, base_model)
    assert AdapterFolder.from_tinker_path(check_tinker_path(folder.tinker_path)) == folder


@pytest.mark.parametrize(
    "path",
    [
        "tinker://run/weights/adapter",
        "tinker://file-YQ/weights/one",
        "tinker://file-YQ/sampler_weights/adapter",
        "tinker://file-Y!/weights/adapter",
        "tinker://file-YQ/weights/on-Y",
    ],
)
def test_other_paths_are_no_adapter_folders(path: str) -> None:
    """Checkpoints of runs, and what is not written so, are left alone."""
    assert AdapterFolder.from_tinker_path(path) is None


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
        (cast("Any", {"a": "b"}), "must be text"),
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
        ("X", cast("Any", 1)),
    ],
)
def test_bad_headers_are_refused(name: str, value: str) -> None:
    """Line breaks and NUL never reach the wire."""
    with pytest.raises(InputError):
        check_headers({name: value})
    check_headers({"X-Good": "a b\tc", "X-Empty": ""})


@pytest.mark.parametrize(
    "bad",
    ["", "a b", "a\nb", "a?b", "a#b", "a%2e", "a\\b", "../x", "a/./b", "a//b", "/a", "a/", cast("Any", 3)],
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
        path, run, cast("Any", kind), checkpoint
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
        cast("Any", None),
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
