"""What calling a tokenizer returns: ids, masks and offsets by name.

Owns padding, the turn into tensors, and the tidying of decoded text.
"""

from __future__ import annotations

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


def plain_ids(token_ids: Any) -> list[int]:
    """Return a list of ints from an int, a list, an array or a tensor."""
    if hasattr(token_ids, "tolist"):
        token_ids = token_ids.tolist()
    if isinstance(token_ids, int):
        return [token_ids]
    return [int(number) for number in cast("Iterable[int]", token_ids)]


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
