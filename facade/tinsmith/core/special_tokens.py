"""Special tokens by role, and tokens that a tokenizer's config adds.

Owns their reading from config fields, and the attributes by which a tokenizer shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import attrs

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import tokenizers


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
        told = {**{name: config.get(name) for name in cls.NAMES}, **own}
        roles = {name: token for name, one in told.items() if (token := _content(one)) is not None}
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
    told = {_content(fields): fields for fields in config.values() if isinstance(fields, dict)}
    backend.add_special_tokens(
        [
            _added(token, told.get(token, {"normalized": False}), special=True)
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
