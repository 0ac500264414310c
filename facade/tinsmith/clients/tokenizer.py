"""Find the tokenizer of a model: from the server, a folder, the hub's cache on this machine, or the hub.

It owns where the files are and which count as absent; `core.tokenization` makes a tokenizer of their bytes.
"""

from __future__ import annotations

import threading
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from tinsmith.core.errors import (
    APIResponseValidationError,
    APIStatusError,
    InputError,
    MissingExtraError,
    TinkerError,
)
from tinsmith.core.tokenization import Tokenizer
from tinsmith.core.tokenizer_files import (
    CONFIG,
    FILES,
    TEMPLATES,
    TOKENIZER,
    TokenizerId,
    read_settings,
    tokenizer_id,
)
from tinsmith.io.http import operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.io.connection import Connection

T = TypeVar("T")
Backend = Literal["tokenizers", "transformers"]
"""What builds the tokenizer: our own class over the `tokenizers` library, or transformers."""

_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")

_cache: dict[tuple[str, str | None, Backend], Any] = {}
_guard = threading.Lock()


@overload
def load_tokenizer(
    name: str, *, revision: str | None = None, backend: Literal["tokenizers"] = "tokenizers"
) -> Tokenizer: ...
@overload
def load_tokenizer(name: str, *, revision: str | None = None, backend: Backend) -> Any: ...
def load_tokenizer(name: str, *, revision: str | None = None, backend: Backend = "tokenizers") -> Any:
    """Load the tokenizer of a folder or of a hub repository; with the same arguments, it is loaded only once.

    `name` is a folder that holds `tokenizer.json`, or a repository such as `org/model`, whose files come from
    the hub's cache on this machine, and from the hub where the cache lacks them. `revision` is a branch, tag
    or commit of a repository (None: its main branch). `backend="transformers"` has transformers build it.
    Raises `InputError` for a name that is neither and for a folder without `tokenizer.json`,
    `MissingExtraError` for a repository without the extra `hub`, and `TinkerError` for files that can be
    neither read nor fetched.

    >>> import tempfile, tinsmith
    >>> with tempfile.TemporaryDirectory() as folder, tinsmith.ServiceClient(base_url="local:") as service:
    ...     sampler = service.create_sampling_client(base_model="tinsmith/tiny")
    ...     saved = sampler.get_tokenizer().save_pretrained(folder)
    ...     tokenizer = tinsmith.load_tokenizer(folder)
    >>> tokenizer.decode(tokenizer.encode("one two"))
    'one two'
    """
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
            if connection.config.local:
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
    request = operations.request("get_tokenizer", query={"base_model": model_name})
    payload = await operations.perform(connection.sender, request)
    found = payload if isinstance(payload, dict) else {}
    if not isinstance(found.get("tokenizer_json"), str):  # a server that answers whatever it does not know
        raise InputError("the server's answer holds no tokenizer", field="base_model")
    return Tokenizer.from_bytes(
        found["tokenizer_json"].encode(),
        config={
            **(found.get("tokenizer_config") or {}),
            **{name: found[name] for name in _SPECIAL if found.get(name) is not None},
        },
        chat_template=found.get("chat_template"),
        name=str(found.get("base_model") or model_name),
        now=datetime.now,
    )


def _load(chosen: TokenizerId) -> Tokenizer:
    folder = Path(chosen.name).expanduser()
    if folder.is_dir():
        places = {name: folder / name for name in FILES} | _templates(folder)
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


def hub_files(chosen: TokenizerId) -> dict[str, Path]:
    """Return where the tokenizer's files are, by name; fetch what the cache does not know of.

    A file is absent when the hub says so, now or earlier. A cache that knows a part of the files is completed
    at its own commit. TinkerError where the hub cannot say; with HF_HUB_OFFLINE=1 a cache that has both
    `tokenizer.json` and `tokenizer_config.json` is taken as whole.
    """
    known = _cached(chosen)
    held = {name: path for name, path in known.items() if path is not None}
    missing = [name for name in FILES if name not in known]
    if missing and not (_is_offline() and held.keys() >= {TOKENIZER, CONFIG}):
        return held | _from_hub(chosen, missing, held)
    return held | (_templates(held[TOKENIZER].parent) if TOKENIZER in held else {})


def _templates(folder: Path) -> dict[str, Path]:
    """Return the further chat templates of a tokenizer's folder, by name."""
    return {f"{TEMPLATES}/{path.name}": path for path in sorted((folder / TEMPLATES).glob("*.jinja"))}


def _cached(chosen: TokenizerId) -> dict[str, Path | None]:
    """Look into the cache: a path, None for what the hub does not have; what nobody asked for is left out."""
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError as cause:
        raise MissingExtraError(f"the tokenizer {chosen.name!r} from the hub", "hub") from cause
    known: dict[str, Path | None] = {}
    for name in FILES:
        try:
            cached = try_to_load_from_cache(chosen.name, name, revision=chosen.revision)
        except HFValidationError as cause:
            raise InputError(
                f"{chosen.name!r} is neither a folder here nor the name of a repository: {cause}",
                field="tokenizer",
            ) from cause
        if cached is not None:
            known[name] = Path(cached) if isinstance(cached, str) else None
    return known


def _is_offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _from_hub(chosen: TokenizerId, missing: list[str], held: dict[str, Path]) -> dict[str, Path]:
    """Ask the hub for files, and for the folder of further templates."""
    from huggingface_hub import HfApi, hf_hub_download

    commit = next((path.parent.name for path in held.values()), chosen.revision)

    def download(name: str) -> Path:
        return Path(hf_hub_download(chosen.name, name, revision=commit))

    def listed() -> list[str]:
        tree = HfApi().list_repo_tree(chosen.name, TEMPLATES, revision=commit)
        return [entry.path for entry in tree if entry.path.endswith(".jinja")]

    fetched = {name: _ask_hub(chosen, held, name, partial(download, name)) for name in missing}
    for name in _ask_hub(chosen, held, TEMPLATES, listed) or ():
        fetched[name] = _ask_hub(chosen, held, name, partial(download, name))
    return {name: path for name, path in fetched.items() if path is not None}


def _ask_hub(chosen: TokenizerId, held: dict[str, Path], what: str, call: Callable[[], T]) -> T | None:
    """Return what the hub has; None only if it says that it has no such thing."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return call()
    except Exception as cause:
        if isinstance(cause, EntryNotFoundError) and not isinstance(cause, LocalEntryNotFoundError):
            return None  # the other says that the cache has none, where the hub was not reached
        raise _hub_refusal(chosen, held, what, cause) from cause


def _hub_refusal(chosen: TokenizerId, held: dict[str, Path], what: str, cause: Exception) -> TinkerError:
    reason = f"{type(cause).__name__}, HF_HUB_OFFLINE is set" if _is_offline() else type(cause).__name__
    if held:
        there = ", ".join(held)
        return TinkerError(
            f"the hub's cache has a part of the tokenizer {chosen.name!r} ({there}), and the hub could not be"
            f" asked for {what} ({reason}). Try again with a network; with HF_HUB_OFFLINE=1 a cache is taken"
            f" as whole that has {TOKENIZER} and {CONFIG}"
        )
    return TinkerError(
        f"the tokenizer {chosen.name!r} is neither a directory here, nor in the hub's cache, nor could it be"
        f" had from the hub ({reason}); pass a local directory to load_tokenizer"
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
