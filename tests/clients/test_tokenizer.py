"""Where `get_tokenizer` looks: at the server first, then at a directory or the hub by the model's name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tinsmith import ServiceClient, TinkerError, testing
from tinsmith.clients import tokenizer as loader
from tinsmith.core.tokenization import Tokenizer
from tinsmith.io.http.messages import Answer
from tinsmith_local.models.tiny import tiny_tokenizer_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.core.tokenizer_files import TokenizerId

ROUTE = "x-tinsmith/tokenizers"
TINY = tiny_tokenizer_json().decode()


@pytest.fixture
def service() -> Iterator[testing.LedgerService]:
    """Run a service in memory."""
    with testing.frozen_clock():
        yield testing.LedgerService()


def _mute_hub(monkeypatch: pytest.MonkeyPatch, found: Tokenizer | None) -> list[str]:
    """Stand in for the directory, the hub's cache and the hub; return the names that were asked of them."""
    asked: list[str] = []

    def load(chosen: TokenizerId, _: object) -> Tokenizer:
        asked.append(chosen.name)
        if found is None:
            raise TinkerError("not there")
        return found

    monkeypatch.setattr(loader, "_chosen", load)
    return asked


def test_server_that_has_one_is_not_doubted(
    service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokenizer comes from a server that has the route, and the hub is not asked."""
    asked = _mute_hub(monkeypatch, None)
    payload = {"base_model": "tinsmith/tiny", "tokenizer_json": TINY, "eos_token": "<|im_end|>"}
    service.rules.append(lambda operation, *_: testing.reply(payload) if operation == ROUTE else None)
    client = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny", rank=1)
    assert client.get_tokenizer().encode("tin") == [116, 105, 110]
    assert asked == []


def test_before_anything_is_made(service: testing.LedgerService) -> None:
    """The service gives the tokenizer of a model by name, in both forms; it has the full name of an alias."""
    payload = {"base_model": "tinsmith/tiny", "tokenizer_json": TINY}
    service.rules.append(lambda operation, *_: testing.reply(payload) if operation == ROUTE else None)
    client = ServiceClient(**service.settings())
    for found in (client.get_tokenizer("tiny"), asyncio.run(client.get_tokenizer_async("tiny"))):
        assert (found.name_or_path, found.encode("tin")) == ("tinsmith/tiny", [116, 105, 110])
    assert all(ROUTE in seen.path for seen in service.seen)


def test_server_without_one(service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not know the route is asked once; then the rules of names decide."""
    other = Tokenizer.from_bytes(TINY.encode(), config={}, chat_template=None, name="from the hub")
    asked = _mute_hub(monkeypatch, other)
    client = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny", rank=1)
    assert client.get_tokenizer() is client.get_tokenizer() is other
    assert asked == ["tinsmith/tiny"]
    assert sum(ROUTE in seen.path for seen in service.seen) == 1


def test_neither_has_one(service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both have none the error is that of the last place looked at."""
    _mute_hub(monkeypatch, None)
    client = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny", rank=1)
    with pytest.raises(TinkerError, match="not there"):
        client.get_tokenizer()


@pytest.mark.parametrize("answer", [{"hello": 1}, [1], {"tokenizer_json": 3}, None])
def test_a_server_that_answers_anything(
    service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    """An answer without a tokenizer is a server without one."""
    other = Tokenizer.from_bytes(TINY.encode(), name="from the hub")
    _mute_hub(monkeypatch, other)
    service.rules.append(lambda operation, *_: testing.reply(answer) if operation == ROUTE else None)
    client = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny", rank=1)
    assert client.get_tokenizer() is other


def test_a_page_in_place_of_an_answer(
    service: testing.LedgerService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that shows a page for what it does not know has none either."""
    other = Tokenizer.from_bytes(TINY.encode(), name="from the hub")
    _mute_hub(monkeypatch, other)
    page = Answer(200, {"content-type": "text/html"}, b"<html></html>")
    service.rules.append(lambda operation, *_: page if operation == ROUTE else None)
    client = ServiceClient(**service.settings()).create_lora_training_client("tinsmith/tiny", rank=1)
    assert client.get_tokenizer() is other


def test_the_embedded_service_tells_the_whole_config() -> None:
    """The model's limit and its other fields come with the tokenizer."""
    with ServiceClient(base_url="local:") as service:
        made = service.create_sampling_client(base_model="tinsmith/tiny").get_tokenizer()
    assert (made.model_max_length, made.pad_token) == (4096, "<|pad|>")
    assert made.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False).startswith(
        "<|im_start|>"
    )
