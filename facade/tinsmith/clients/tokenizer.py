"""Find the tokenizer of a model: from the server, a local directory, the hub's local cache, or the hub.

It owns where the files are; `core.tokenizer` builds a tokenizer from their bytes.
"""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import orjson

from tinsmith.core.errors import APIStatusError, InputError, MissingExtraError, TinkerError
from tinsmith.core.tokenizer import Tokenizer
from tinsmith.core.tokenizer_id import TokenizerId, tokenizer_id
from tinsmith.io import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tinsmith.io.link import Link

Backend = Literal["tokenizers", "transformers"]
"""Who builds the tokenizer: our own class over the `tokenizers` library, or transformers."""

FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
"""What a tokenizer is made of; only the first one must be there."""

_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")

_cache: dict[tuple[str, str | None, Backend], Any] = {}
_guard = threading.Lock()


@overload
def load_tokenizer(name: str, *, revision: str | None = None) -> Tokenizer: ...
@overload
def load_tokenizer(
    name: str, *, revision: str | None = None, backend: Literal["tokenizers"]
) -> Tokenizer: ...
@overload
def load_tokenizer(name: str, *, revision: str | None = None, backend: Backend) -> Any: ...
def load_tokenizer(name: str, *, revision: str | None = None, backend: Backend = "tokenizers") -> Any:
    """Load the tokenizer of a local directory or of a hub repository; loaded once a process."""
    key = (name, revision, backend)
    with _guard:
        if key not in _cache:
            chosen = TokenizerId(name, revision)
            _cache[key] = _with_transformers(chosen) if backend == "transformers" else _load(chosen)
        return _cache[key]


class TokenizerShelf:
    """The tokenizers of one client's model, each fetched once."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._kept: dict[Backend, Any] = {}

    def get(self, name: Callable[[], Coroutine[Any, Any, tuple[str, str | None]]], backend: Backend) -> Any:
        """Return the tokenizer; `name` finds the model's name and the tokenizer that the server told."""
        if backend not in self._kept:
            self._kept[backend] = self._link.run(self._fetch(name, backend)).result()
        return self._kept[backend]

    async def _fetch(
        self, name: Callable[[], Coroutine[Any, Any, tuple[str, str | None]]], backend: Backend
    ) -> Any:
        return await _tokenizer_of(self._link, *await name(), backend)


async def _tokenizer_of(link: Link, model_name: str, told: str | None, backend: Backend) -> Any:
    """Get the tokenizer of a model: the server's own where it has one, else by the rules of names."""
    if backend == "tokenizers":
        try:
            return await _from_server(link, model_name)
        except (APIStatusError, InputError):
            if link.transport.is_local:
                raise
    return await link.runtime.in_worker(_chosen, tokenizer_id(model_name, told), backend)


def _chosen(chosen: TokenizerId, backend: Backend) -> Any:
    if chosen.trust_remote_code and backend == "tokenizers":
        raise InputError(
            f"the tokenizer of {chosen.name} is code in its repository; with transformers installed, use"
            " get_tokenizer(backend='transformers')",
            field="base_model",
        )
    return load_tokenizer(chosen.name, revision=chosen.revision, backend=backend)


async def _from_server(link: Link, model_name: str) -> Tokenizer:
    """Ask our own extension route, which the embedded service has and others do not."""
    asked = operations.request("get_tokenizer", query={"base_model": model_name})
    payload = await operations.perform(link.caller, asked)
    config = {name: payload[name] for name in _SPECIAL if payload.get(name) is not None}
    return Tokenizer.from_bytes(
        payload["tokenizer_json"].encode(),
        config=config,
        chat_template=payload.get("chat_template"),
        name=model_name,
    )


def _load(chosen: TokenizerId) -> Tokenizer:
    folder = Path(chosen.name)
    if folder.is_dir():
        return _build(chosen.name, {name: folder / name for name in FILES if (folder / name).is_file()})
    found = _from_hub(chosen)
    return _build(chosen.name, found)


def _build(name: str, found: dict[str, Path]) -> Tokenizer:
    if "tokenizer.json" not in found:
        raise InputError(f"{name} has no tokenizer.json", field="tokenizer")
    config: dict[str, Any] = {}
    if "tokenizer_config.json" in found:
        try:
            config = orjson.loads(found["tokenizer_config.json"].read_bytes())
        except orjson.JSONDecodeError as cause:
            raise InputError(
                f"{found['tokenizer_config.json']} is no JSON: {cause}", field="tokenizer"
            ) from cause
    template = found["chat_template.jinja"].read_text() if "chat_template.jinja" in found else None
    return Tokenizer.from_bytes(
        found["tokenizer.json"].read_bytes(), config=config, chat_template=template, name=name
    )


def _from_hub(chosen: TokenizerId) -> dict[str, Path]:
    """Take the files from the hub's cache on this machine, and from the hub only if they are not there."""
    try:
        from huggingface_hub import hf_hub_download, try_to_load_from_cache
    except ImportError as cause:
        raise MissingExtraError(f"the tokenizer {chosen.name!r} from the hub", "hub") from cause
    found: dict[str, Path] = {}
    for name in FILES:
        cached = try_to_load_from_cache(chosen.name, name, revision=chosen.revision)
        if isinstance(cached, str):
            found[name] = Path(cached)
    if "tokenizer.json" in found:
        return found
    try:
        for name in FILES:
            found[name] = Path(hf_hub_download(chosen.name, name, revision=chosen.revision))
    except Exception as cause:
        if "tokenizer.json" in found:
            return found
        raise TinkerError(
            f"the tokenizer {chosen.name!r} is neither a directory here, nor in the hub's cache, nor could it"
            f" be had from the hub ({type(cause).__name__}); pass a local directory to load_tokenizer"
        ) from cause
    return found


def _with_transformers(chosen: TokenizerId) -> Any:
    try:
        transformers = import_module("transformers")
    except ImportError as cause:
        raise TinkerError("backend='transformers' needs transformers: pip install transformers") from cause
    return transformers.AutoTokenizer.from_pretrained(
        chosen.name, revision=chosen.revision, trust_remote_code=chosen.trust_remote_code, use_fast=True
    )
