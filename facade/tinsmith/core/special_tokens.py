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
        """Read the fields of `tokenizer_config.json`."""
        roles = {name: token for name in cls.NAMES if (token := _content(config.get(name))) is not None}
        extra = config.get("additional_special_tokens") or config.get("extra_special_tokens") or []
        listed = [_content(token) for token in (extra.values() if isinstance(extra, dict) else extra)]
        return cls(roles, [token for token in listed if token is not None])

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


def read_added_tokens(
    backend: tokenizers.Tokenizer, config: Mapping[str, Any], special: SpecialTokens
) -> None:
    """Add the tokens that the config names and the tokenizer does not have, in the order of their ids."""
    from tokenizers import AddedToken

    listed = config.get("added_tokens_decoder") or {}
    for _, fields in sorted(listed.items(), key=lambda item: int(item[0])):
        if backend.token_to_id(fields["content"]) is None:
            flags = {
                name: bool(fields[name])
                for name in ("single_word", "lstrip", "rstrip", "normalized", "special")
                if name in fields
            }
            backend.add_tokens([AddedToken(fields["content"], **flags)])
    missing = [token for token in special.all() if backend.token_to_id(token) is None]
    if missing:
        backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in missing])
