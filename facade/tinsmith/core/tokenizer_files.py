"""What the files of a tokenizer say and how they are written: settings, special tokens, added tokens.

Owns the names of the files, how their contents come together, and which tokenizer belongs to which model;
where the files are is not known here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import attrs

from tinsmith.core.errors import InputError, TinkerError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import tokenizers

TOKENIZER, CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
SPECIAL_MAP, ADDED = "special_tokens_map.json", "added_tokens.json"

FILES = (TOKENIZER, CONFIG, TEMPLATE, SPECIAL_MAP, ADDED)
"""What a tokenizer is made of; only the first one must be there."""

TEMPLATES = "additional_chat_templates"
"""Folder of further templates, `NAME.jinja`."""


@attrs.frozen
class Settings:
    """What the files beside `tokenizer.json` say."""

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


def _content(token: Any) -> str | None:
    """Read a token that is given as text, or as an object with its content."""
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None


@attrs.define
class SpecialTokens:
    """Tokens by role; settable, since training code sets `pad_token`."""

    NAMES: ClassVar[tuple[str, ...]] = (
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
    )
    by_role: dict[str, str] = attrs.field(factory=dict)
    """Role, e.g. `eos_token`, to token."""
    additional: list[str] = attrs.field(factory=list)
    """Special tokens without a role."""

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> SpecialTokens:
        """Read the fields of `tokenizer_config.json`; a model may name roles of its own, `image_token`."""
        own = {name: token for name, token in config.items() if name.endswith("_token")}
        additional = []
        for field in ("additional_special_tokens", "extra_special_tokens"):
            extra = config.get(field) or []
            if isinstance(extra, dict):
                own |= extra
            else:
                additional += [token for one in extra if (token := _content(one)) is not None]
        given = {**{name: config.get(name) for name in cls.NAMES}, **own}
        roles = {name: token for name, one in given.items() if (token := _content(one)) is not None}
        return cls(roles, list(dict.fromkeys(additional)))

    def mapping(self) -> dict[str, Any]:
        """Return what templates and users see."""
        extra = {"additional_special_tokens": list(self.additional)} if self.additional else {}
        return {**self.by_role, **extra}

    def all(self) -> list[str]:
        """Return every special token, once."""
        return list(dict.fromkeys([*self.by_role.values(), *self.additional]))


class HasSpecialTokens(Protocol):
    """What the attributes below need of a tokenizer."""

    special: SpecialTokens
    backend: tokenizers.Tokenizer


class Role:
    """Attribute for the token of a role, e.g. `eos_token`; settable."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._role = name

    def __get__(self, tokenizer: HasSpecialTokens | None, owner: type) -> str | None:
        return None if tokenizer is None else tokenizer.special.by_role.get(self._role)

    def __set__(self, tokenizer: HasSpecialTokens, token: str | None) -> None:
        if token is None:
            tokenizer.special.by_role.pop(self._role, None)
            return
        if tokenizer.backend.token_to_id(token) is None:
            raise InputError(f"{token!r} is not in the vocabulary", field=self._role)
        tokenizer.special.by_role[self._role] = token


class RoleId:
    """Attribute for the id of a role's token, e.g. `eos_token_id`; settable."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._role = name.removesuffix("_id")

    def __get__(self, tokenizer: HasSpecialTokens | None, owner: type) -> int | None:
        token = None if tokenizer is None else tokenizer.special.by_role.get(self._role)
        if tokenizer is None or token is None:
            return None
        return tokenizer.backend.token_to_id(token)

    def __set__(self, tokenizer: HasSpecialTokens, number: int | None) -> None:
        token = None if number is None else tokenizer.backend.id_to_token(number)
        if number is not None and token is None:
            raise InputError(f"{number} is not in the vocabulary", field=f"{self._role}_id")
        setattr(tokenizer, self._role, token)


_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")
"""What a config says of an added token, beside whether it is special."""


def read_added_tokens(
    backend: tokenizers.Tokenizer, config: Mapping[str, Any], special: SpecialTokens
) -> None:
    """Give the tokenizer the added tokens of the config, in the order of their ids; then the special ones.

    A token that the tokenizer has already keeps its id and takes the config's flags. What either of them
    calls special is special.
    """
    listed = config.get("added_tokens_decoder") or {}
    if not isinstance(listed, dict):
        raise InputError(f"is a {type(listed).__name__}, not an object", field="added_tokens_decoder")
    wanted = set(special.all())
    tokens = []
    for number, fields in sorted(listed.items(), key=lambda item: _number(item[0])):
        content = _content(fields)
        if content is None or not isinstance(fields, dict):
            raise InputError(f"tells no content of token {number}", field="added_tokens_decoder")
        tokens.append(_added(content, fields, special=content in wanted or bool(fields.get("special"))))
    backend.add_tokens(tokens)
    already = {token.content for token in backend.get_added_tokens_decoder().values() if token.special}
    described = {_content(fields): fields for fields in config.values() if isinstance(fields, dict)}
    backend.add_special_tokens(
        [
            _added(token, described.get(token, {"normalized": False}), special=True)
            for token in special.all()
            if token not in already
        ]
    )


def _added(content: str, fields: Mapping[str, Any], *, special: bool) -> tokenizers.AddedToken:
    from tokenizers import AddedToken

    flags = {name: bool(fields[name]) for name in _FLAGS if name in fields}
    return AddedToken(content, special=special, **flags)


def _number(text: Any) -> int:
    try:
        return int(text)
    except (TypeError, ValueError) as cause:
        raise InputError(f"has {text!r} for a token id", field="added_tokens_decoder") from cause


LLAMA3_TOKENIZER = "thinkingmachineslabinc/meta-llama-3-instruct-tokenizer"
"""Ungated copy of the Llama 3 tokenizer, for every model named `meta-llama/Llama-3...`."""

PINNED = {
    "moonshotai/Kimi-K2-Thinking": "612681931a8c906ddb349f8ad0f582cb552189cd",
    "moonshotai/Kimi-K2.5": "4d01dfe0332d63057c186e0b262165819efb6611",
    "moonshotai/Kimi-K2.6": "b5aabbfb20227ed42becbf5541dbffd213942c58",
    "moonshotai/Kimi-K3": "f831ab66814297da540d832a5235f8e904f29d06",
}
"""Repositories whose tokenizer is code, at the revision that the official client 0.38 pins."""

NOT_PUBLISHED = ("thinkingmachines/", "TML/")
"""Owners whose models have a tokenizer in no repository."""

TEXT_ONLY = "-Text-Only"
"""Ending of a model's name that changes what it reads and not its tokenizer."""


@attrs.frozen
class TokenizerId:
    """Where a tokenizer is found on the hub."""

    name: str
    """Repository."""
    revision: str | None = None
    """Commit; None is the newest."""
    trust_remote_code: bool = False
    """Whether the tokenizer is code of the repository (only the transformers backend can run it)."""


def tokenizer_id(model_name: str, named: str | None = None) -> TokenizerId:
    """Choose the tokenizer of a model: `named`, which the server names, else by the model's name.

    What follows the first colon says how a model is served, `name:peft:131072`, and does not count. A name
    with two slashes is a variant, `owner/model/variant`: the first two parts count. InputError where no
    repository has the tokenizer.
    """
    name = named or _by_name(model_name.partition(":")[0])
    if name.startswith(NOT_PUBLISHED):
        raise InputError(
            f"the tokenizer of {name} is in no repository: models of Thinking Machines come with a renderer,"
            " in the package tml-renderers, that makes token ids from messages",
            field="base_model",
        )
    name = name.removesuffix(TEXT_ONLY)
    revision = PINNED.get(name)
    return TokenizerId(name, revision, trust_remote_code=revision is not None)


def _by_name(model_name: str) -> str:
    if model_name.startswith("meta-llama/Llama-3"):
        return LLAMA3_TOKENIZER
    return model_name.rpartition("/")[0] if model_name.count("/") == 2 else model_name
