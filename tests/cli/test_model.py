"""`tinsmith model`: the list of a server, and fetching with a stand-in for pip."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tinsmith_local.models.fetch import SMOLLM2, cached_path, find_cached

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result, Server

OFFERED = {
    "supported_models": [
        {"model_name": "Big/One", "max_context_length": 32768, "trainable": True, "sampleable": False},
        {"model_name": "small/two"},
    ]
}


def test_list(cli: Callable[..., Result], server: Server) -> None:
    """Columns, unknown facts, and JSON with the fields of the API."""
    server.answers["GET", "/get_server_capabilities"] = (200, OFFERED)
    words = cli("model", "list").words
    assert "2 models Model Max Context Trainable Sampleable" in words
    assert "Big/One 32768 Yes No" in words
    assert "small/two N/A N/A N/A" in words
    models = cli("model", "list", "-f", "json").json["models"]
    assert models[0] == OFFERED["supported_models"][0]
    assert models[1]["max_context_length"] is None


def test_list_of_a_part(cli: Callable[..., Result], server: Server) -> None:
    """The argument picks names by a part of them, in any case; none is no error."""
    server.answers["GET", "/get_server_capabilities"] = (200, OFFERED)
    assert [m["model_name"] for m in cli("-f", "json", "model", "list", "big").json["models"]] == ["Big/One"]
    nothing = cli("model", "list", "absent")
    assert (nothing.code, nothing.words) == (0, "No models found")


def test_list_of_a_server_that_gives_ids(cli: Callable[..., Result], server: Server) -> None:
    """Hatchery names its models by `model_id`: that is shown, and searched."""
    models = [{"model_id": "org/three", "max_context_length": 8}, {"tokenizer_id": "t"}]
    server.answers["GET", "/get_server_capabilities"] = (200, {"supported_models": models})
    words = cli("model", "list").words
    assert "org/three 8 N/A N/A" in words
    assert "N/A N/A N/A N/A" in words
    assert "1 model" in cli("model", "list", "THREE").words


def test_list_of_the_embedded_service(cli: Callable[..., Result]) -> None:
    """`local:` needs no key and lists the tiny models."""
    assert "tinsmith/tiny 4096 Yes Yes" in cli("--base-url", "local:", "model", "list").words


def test_fetch_what_is_here(cli: Callable[..., Result]) -> None:
    """A model in the cache is found again without asking anybody."""
    if find_cached(SMOLLM2) is None:
        pytest.skip("SmolLM2 is not in the cache: run `tinsmith model fetch smollm2`")
    result = cli("model", "fetch", "smollm2", "-f", "json")
    assert result.code == 0
    assert result.json["name"] == SMOLLM2.name
    assert result.json["path"].endswith(SMOLLM2.file_name)
    assert SMOLLM2.name in cli("model", "fetch", "smollm2").words


def test_fetch_tells_size_and_share(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A download says beforehand how much comes, and then how far it is."""

    def fetch(name: str, *, progress: Callable[[str, int, int], None], force: bool) -> Path:
        for done in range(0, 101, 5):
            progress("extract", done << 20, 100 << 20)
        return tmp_path / name

    monkeypatch.setattr("tinsmith_local.models.fetch.fetch", fetch)
    done = cli("model", "fetch", "smollm2")
    assert "Fetching smollm2 (93.8 MB) unless it is in the cache" in done.err
    told = [line for line in done.err.splitlines() if line.startswith("extract")]
    assert told == [f"extract: {percent} % of 100.0 MB" for percent in (0, 25, 50, 75, 100)]
    assert "Size 93.8 MB" in done.words


def test_fetch_fails(cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index the reason of pip stands on stderr, nothing on stdout."""
    monkeypatch.setenv("TINSMITH_CACHE", str(tmp_path))
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    result = cli("model", "fetch", "smollm2")
    assert (result.code, result.out) == (1, "")
    assert "No matching distribution found" in result.err


def test_fetch_an_unknown_model(cli: Callable[..., Result]) -> None:
    """The message lists what can be fetched."""
    result = cli("model", "fetch", "gpt-9")
    assert result.code == 2
    assert "smollm2" in result.err


def test_list_says_what_is_rounded(
    cli: Callable[..., Result], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded service's smollm2 is Q4_1, which is said on stderr; another server's may be anything."""
    monkeypatch.setenv("TINSMITH_CACHE", str(tmp_path))
    where = cached_path(SMOLLM2)
    where.parent.mkdir(parents=True)
    with where.open("wb") as file:
        file.truncate(SMOLLM2.member_bytes)
    listed = cli("--base-url", "local:", "model", "list")
    assert f"{SMOLLM2.name} 8192 Yes Yes" in listed.words
    assert f"{SMOLLM2.name} is here in Q4_1: an adapter trained on it" in " ".join(listed.err.split())
    assert "Q4_1" not in cli("--base-url", "local:", "model", "list", "tiny").err
    server.answers["GET", "/get_server_capabilities"] = (
        200,
        {"supported_models": [{"model_name": SMOLLM2.name}]},
    )
    assert "Q4_1" not in cli("model", "list").err
