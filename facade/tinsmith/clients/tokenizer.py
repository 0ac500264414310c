"""Find the tokenizer of a model: from the server, a local directory, the hub's local cache, or the hub.

It owns where the files are; `core.tokenizer` builds a tokenizer from their bytes.
"""

from __future__ import annotations

import threading
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from tinsmith.clients.tokenizer_hub import hub_files
from tinsmith.core.errors import APIResponseValidationError, APIStatusError, InputError, TinkerError
from tinsmith.core.tokenizer import Tokenizer
from tinsmith.core.tokenizer_files import FILES, TEMPLATES, TOKENIZER, read_settings
from tinsmith.core.tokenizer_id import TokenizerId, tokenizer_id
from tinsmith.io.http import operations

if TYPE_CHECKING:
    from tinsmith.io.connection import Connection

Backend = Literal["tokenizers", "transformers"]
"""Who builds the tokenizer: our own class over the `tokenizers` library, or transformers."""

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


async def tokenizer_of(
    connection: Connection, model_name: str, tokenizer_name: str | None, backend: Backend
) -> Any:
    """Get the tokenizer of a model: the server's own where it has one, else by the rules of names."""
    if backend == "tokenizers":
        try:
            return await _from_server(connection, model_name)
        except (APIStatusError, APIResponseValidationError, InputError):
            if connection.transport.is_local:
                raise
    return await connection.runtime.in_worker(_chosen, tokenizer_id(model_name, tokenizer_name), backend)


def _chosen(chosen: TokenizerId, backend: Backend) -> Any:
    if chosen.trust_remote_code and backend == "tokenizers":
        raise InputError(
            f"the tokenizer of {chosen.name} is code in its repository; with transformers installed, use"
            " get_tokenizer(backend='transformers')",
            field="base_model",
        )
    return load_tokenizer(chosen.name, revision=chosen.revision, backend=backend)


async def _from_server(connection: Connection, model_name: str) -> Tokenizer:
    """Ask our own extension route, which the embedded service has and others do not."""
    asked = operations.request("get_tokenizer", query={"base_model": model_name})
    payload = await operations.perform(connection.sender, asked)
    told = payload if isinstance(payload, dict) else {}
    if not isinstance(told.get("tokenizer_json"), str):  # a server that answers whatever it does not know
        raise InputError("the server's answer holds no tokenizer", field="base_model")
    return Tokenizer.from_bytes(
        told["tokenizer_json"].encode(),
        config={
            **(told.get("tokenizer_config") or {}),
            **{name: told[name] for name in _SPECIAL if told.get(name) is not None},
        },
        chat_template=told.get("chat_template"),
        name=model_name,
        now=datetime.now,
    )


def _load(chosen: TokenizerId) -> Tokenizer:
    folder = Path(chosen.name).expanduser()
    if folder.is_dir():
        places = {name: folder / name for name in FILES}
        places |= {f"{TEMPLATES}/{path.name}": path for path in sorted((folder / TEMPLATES).glob("*.jinja"))}
    elif folder.exists():
        raise InputError(f"{folder} is a file; pass the folder that holds it", field="tokenizer")
    elif chosen.name.startswith(("/", "~", ".")) or "\\" in chosen.name or chosen.name.count("/") > 1:
        raise InputError(f"there is no folder {folder}", field="tokenizer")
    else:
        places = hub_files(chosen)
    return _build(chosen.name, _read(places))


def _read(places: dict[str, Path]) -> dict[str, bytes]:
    """Read the files; only one that is not there counts as absent, not one that cannot be read."""
    files = {}
    for name, path in places.items():
        try:
            files[name] = path.read_bytes()
        except OSError as cause:
            if isinstance(cause, FileNotFoundError) and not path.is_symlink():
                continue
            raise TinkerError(f"{path} cannot be read: {cause.strerror}") from cause
    return files


def _build(name: str, files: dict[str, bytes]) -> Tokenizer:
    if TOKENIZER not in files:
        raise InputError(f"{name} has no tokenizer.json", field="tokenizer")
    settings = read_settings(files, name)
    return Tokenizer.from_bytes(
        files[TOKENIZER],
        config=settings.config,
        chat_template=settings.chat_template,
        name=name,
        now=datetime.now,
    )


def _with_transformers(chosen: TokenizerId) -> Any:
    try:
        transformers = import_module("transformers")
    except ImportError as cause:
        raise TinkerError("backend='transformers' needs transformers: pip install transformers") from cause
    try:
        return transformers.AutoTokenizer.from_pretrained(
            chosen.name,
            revision=chosen.revision,
            trust_remote_code=chosen.trust_remote_code,
            use_fast=True,
        )
    except Exception as cause:  # its errors are of many kinds, and none says that it is a tokenizer's
        raise TinkerError(f"transformers cannot load the tokenizer {chosen.name!r}: {cause}") from cause
