"""The files of a tokenizer in a repository of the hub: from the cache on this machine, else from the hub.

It owns what counts as there and as absent; it reads no file's meaning.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tinsmith.core.errors import InputError, MissingExtraError, TinkerError
from tinsmith.core.tokenizer_files import CONFIG, FILES, TEMPLATES, TOKENIZER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.core.tokenizer_id import TokenizerId


T = TypeVar("T")


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
        return held | _fetch(chosen, missing, held)
    folder = held[TOKENIZER].parent / TEMPLATES if TOKENIZER in held else None
    return held | {
        f"{TEMPLATES}/{path.name}": path for path in sorted(folder.glob("*.jinja") if folder else ())
    }


def _cached(chosen: TokenizerId) -> dict[str, Path | None]:
    """Look into the cache: a path, None for what the hub said it does not have, nothing for the unknown."""
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


def _fetch(chosen: TokenizerId, missing: list[str], held: dict[str, Path]) -> dict[str, Path]:
    """Ask the hub for files, and for the folder of further templates."""
    from huggingface_hub import HfApi, hf_hub_download

    commit = next((path.parent.name for path in held.values()), chosen.revision)

    def download(name: str) -> Path:
        return Path(hf_hub_download(chosen.name, name, revision=commit))

    def listed() -> list[str]:
        tree = HfApi().list_repo_tree(chosen.name, TEMPLATES, revision=commit)
        return [entry.path for entry in tree if entry.path.endswith(".jinja")]

    fetched = {name: _ask(chosen, held, name, partial(download, name)) for name in missing}
    for name in _ask(chosen, held, TEMPLATES, listed) or ():
        fetched[name] = _ask(chosen, held, name, partial(download, name))
    return {name: path for name, path in fetched.items() if path is not None}


def _ask(chosen: TokenizerId, held: dict[str, Path], what: str, call: Callable[[], T]) -> T | None:
    """Return what the hub has; None only if it says that it has no such thing."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return call()
    except Exception as cause:
        if isinstance(cause, EntryNotFoundError) and not isinstance(cause, LocalEntryNotFoundError):
            return None  # the other is the cache's word, where the hub gave none
        raise _refusal(chosen, held, what, cause) from cause


def _refusal(chosen: TokenizerId, held: dict[str, Path], what: str, cause: Exception) -> TinkerError:
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
