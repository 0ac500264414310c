"""What calling a tokenizer returns: ids, masks and offsets by name.

Owns padding, the turn into tensors, and the tidying of decoded text.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal, cast

from tinsmith.core.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable


class TokenBatch(dict[str, Any]):
    """A dict whose entries are attributes too: `batch.input_ids`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


LARGEST_ID = 2**32 - 1
"""The largest token id that the library takes."""


def check_text(text: object, field: str) -> None:
    """Refuse what is no text, and text that has no bytes in UTF-8."""
    if not isinstance(text, str):
        raise InputError(f"is a {type(text).__name__}, not a text", field=field)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"holds half of a surrogate pair at character {error.start}, which is no text", field=field
        ) from None


def plain_ids(token_ids: Any) -> list[int]:
    """Return a list of ints from an int, a list, an array or a tensor."""
    if hasattr(token_ids, "tolist"):
        token_ids = token_ids.tolist()
    if isinstance(token_ids, int):
        token_ids = [token_ids]
    if isinstance(token_ids, str) or not hasattr(token_ids, "__iter__"):
        raise InputError(f"is a {type(token_ids).__name__}, not token ids", field="token_ids")
    try:
        numbers = [operator.index(number) for number in cast("Iterable[Any]", token_ids)]
    except TypeError as error:
        raise InputError(f"holds what is no whole number: {error}", field="token_ids") from None
    for place, number in enumerate(numbers):
        if not 0 <= number <= LARGEST_ID:
            raise InputError(f"holds {number} at {place}, which is no token id", field="token_ids")
    return numbers


_TIGHTEN = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def tighten(text: str) -> str:
    """Remove the spaces that word-level tokenizers leave before punctuation and English contractions."""
    for spaced, tight in _TIGHTEN:
        text = text.replace(spaced, tight)
    return text


_FILL = {"attention_mask": 0, "offset_mapping": (0, 0)}


def pad(
    batch: dict[str, list[Any]], pad_id: int | None, side: Literal["left", "right"], width: int | None
) -> None:
    """Bring every row to the same length, in place."""
    if pad_id is None:
        raise InputError("the tokenizer has no pad token; set pad_token first", field="padding")
    width = width or max((len(ids) for ids in batch["input_ids"]), default=0)
    for name, rows in batch.items():
        fill = _FILL.get(name, pad_id)
        for index, row in enumerate(rows):
            missing = [fill] * (width - len(row))
            rows[index] = row + missing if side == "right" else missing + row


def to_tensors(batch: dict[str, list[Any]], kind: Literal["np", "pt"]) -> TokenBatch:
    """Stack rows of equal length into arrays or torch tensors."""
    import numpy as np

    if len({len(row) for row in batch["input_ids"]}) > 1:
        raise InputError("rows differ in length; pass padding=True", field="return_tensors")
    arrays = {name: np.array(rows, dtype=np.int64) for name, rows in batch.items()}
    if kind == "np":
        return TokenBatch(arrays)
    if kind != "pt":
        raise InputError(f"must be 'np' or 'pt', not {kind!r}", field="return_tensors")
    try:
        import torch
    except ImportError as cause:
        raise MissingExtraError("return_tensors='pt'", "torch") from cause
    return TokenBatch({name: torch.from_numpy(array) for name, array in arrays.items()})
