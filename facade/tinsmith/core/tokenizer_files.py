"""What the files of a tokenizer say, and how they are written.

Owns the names of the files and how their contents come together; where the files are is not known here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.errors import InputError, TinkerError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

TOKENIZER, CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
SPECIAL_MAP, ADDED = "special_tokens_map.json", "added_tokens.json"

FILES = (TOKENIZER, CONFIG, TEMPLATE, SPECIAL_MAP, ADDED)
"""What a tokenizer is made of; only the first one must be there."""

TEMPLATES = "additional_chat_templates"
"""Folder of further templates, `NAME.jinja`."""


@attrs.frozen
class Settings:
    """What stands beside `tokenizer.json`."""

    config: dict[str, Any]
    """`tokenizer_config.json`, with what older files add to it."""
    chat_template: str | dict[str, str] | None = None
    """Templates that have files of their own; they come before those in the config."""


def read_settings(files: Mapping[str, bytes], name: str) -> Settings:
    """Read the files beside `tokenizer.json`, by their names; `name` says in errors whose they are.

    `special_tokens_map.json` and `added_tokens.json` are older than `added_tokens_decoder` of the config, and
    count where that is missing.
    """
    config = _json(files, CONFIG, name)
    if "added_tokens_decoder" not in config:
        config |= {
            role: token for role, token in _json(files, SPECIAL_MAP, name).items() if token is not None
        }
        added = _json(files, ADDED, name)
        if added:
            config["added_tokens_decoder"] = _decoder(added, f"{ADDED} of {name}")
    templates = {
        path.removeprefix(f"{TEMPLATES}/").removesuffix(".jinja"): _text(content, path, name)
        for path, content in files.items()
        if path.startswith(f"{TEMPLATES}/")
    }
    if TEMPLATE in files:
        templates["default"] = _text(files[TEMPLATE], TEMPLATE, name)
    if list(templates) == ["default"]:
        return Settings(config, templates["default"])
    return Settings(config, templates or None)


def written(
    tokenizer_json: str, config: Mapping[str, Any], chat_template: str | Mapping[str, str] | None
) -> dict[str, bytes]:
    """Return the files of a tokenizer, as other libraries read them."""
    made = {TOKENIZER: tokenizer_json.encode(), CONFIG: _write(config)}
    named = {"default": chat_template} if isinstance(chat_template, str) else chat_template or {}
    for name, template in named.items():
        if name == "default":
            made[TEMPLATE] = template.encode()
            continue
        if not name or set(name) & set("/\\:\0") or name.startswith("."):
            raise InputError(f"{name!r} cannot be the name of a file", field="chat_template")
        made[f"{TEMPLATES}/{name}.jinja"] = template.encode()
    return made


def write_files(folder: str | os.PathLike[str], files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write the files of a tokenizer, and remove those that another one left in the folder."""
    base = Path(folder)
    try:
        for old in (*(base / name for name in FILES), *(base / TEMPLATES).glob("*.jinja")):
            old.unlink(missing_ok=True)
        for name, content in files.items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as cause:
        raise TinkerError(f"the tokenizer cannot be written to {base}: {cause}") from cause
    return tuple(str(base / name) for name in files)


def _write(config: Mapping[str, Any]) -> bytes:
    return (json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _json(files: Mapping[str, bytes], file: str, name: str) -> dict[str, Any]:
    if file not in files:
        return {}
    try:
        value = json.loads(files[file].removeprefix(b"\xef\xbb\xbf"))
    except ValueError as cause:  # no JSON, or no UTF-8
        raise InputError(f"{file} of {name} is no JSON: {cause}", field="tokenizer") from cause
    if not isinstance(value, dict):
        raise InputError(f"{file} of {name} holds a {type(value).__name__}, not an object", field="tokenizer")
    return value


def _text(content: bytes, file: str, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise InputError(f"{file} of {name} is not UTF-8: {cause}", field="tokenizer") from cause


def _decoder(added: Mapping[str, Any], whose: str) -> dict[str, Any]:
    """Read tokens by their text as tokens by their id."""
    numbers = list(added.values())
    if not all(isinstance(number, int) for number in numbers) or len(set(numbers)) < len(numbers):
        raise InputError(f"{whose} does not give each token an id of its own", field="tokenizer")
    return {str(number): {"content": token} for token, number in added.items()}
