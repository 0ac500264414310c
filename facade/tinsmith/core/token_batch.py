"""What calling a tokenizer returns: ids, masks and offsets by name.

Owns padding, the turn into tensors, and the tidying of decoded text.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast, get_args

import attrs

from tinsmith.core.errors import InputError, MissingExtraError


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
    for position, number in enumerate(numbers):
        if not 0 <= number <= LARGEST_ID:
            raise InputError(f"holds {number} at {position}, which is no token id", field="token_ids")
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


NO_LIMIT = int(1e30)
"""What `model_max_length` is where nobody says: the value that training code compares with."""

LARGEST_LIMIT = 10**20
"""A limit above this is none."""

Side = Literal["left", "right"]
_PaddingName = Literal["longest", "max_length", "do_not_pad"]
_TruncationName = Literal["longest_first", "only_first", "only_second", "do_not_truncate"]
Padding = bool | _PaddingName
Truncation = bool | _TruncationName | None
Tensors = Literal["np", "pt"]

_FILL: dict[str, Any] = {
    "attention_mask": 0,
    "token_type_ids": 0,
    "special_tokens_mask": 1,
    "assistant_masks": 0,
    "offset_mapping": (0, 0),
}
"""What fills up each field; `input_ids` get the pad token, and other fields are left alone."""


@attrs.frozen
class Shape:
    """How long the rows of a batch become."""

    padding: Padding = False
    """Whether rows are filled up, and to which length."""
    truncation: Truncation = None
    """Whether rows are cut at `max_length`; None cuts where a length is given and nothing is padded."""
    max_length: int | None = None
    """Tokens; None is the model's own limit."""
    pad_to_multiple_of: int | None = None
    """The length of a padded row is a multiple of this."""
    padding_side: Side = "right"
    """Where rows are filled up."""

    @classmethod
    def check(cls, padding_side: str | None, own: Side, **given: Any) -> Shape:
        """Build one from arguments of a caller; InputError names what makes no sense."""
        allowed = {
            "padding": (True, False, *get_args(_PaddingName)),
            "truncation": (None, True, False, *get_args(_TruncationName)),
        }
        for name, values in allowed.items():
            if name in given and given[name] not in values:
                raise InputError(f"must be one of {values}, not {given[name]!r}", field=name)
        side = padding_side if padding_side is not None else own
        if side not in ("left", "right"):
            raise InputError(f"must be 'left' or 'right', not {side!r}", field="padding_side")
        for name, least in (("max_length", 0), ("pad_to_multiple_of", 1)):
            number = given.get(name)
            if number is not None and (not isinstance(number, int) or number < least):
                raise InputError(f"must be a whole number >= {least}, not {number!r}", field=name)
        return cls(padding_side=cast("Side", side), **given)

    def cut_at(self, model_max_length: float) -> int | None:
        """Return the length at which rows are cut; None leaves them as they are."""
        wanted = self.truncation
        if wanted is None:
            wanted = self.max_length is not None and self.padding is False
        if wanted is False or wanted == "do_not_truncate":
            return None
        return self._limit(model_max_length)

    def fill(self, batch: dict[str, list[Any]], pad_id: int | None, model_max_length: float) -> None:
        """Bring every row to the same length, in place."""
        if self.padding is False or self.padding == "do_not_pad":
            return
        width: int | None = max((len(ids) for ids in batch["input_ids"]), default=0)
        if self.padding == "max_length":
            width = self._limit(model_max_length)
            if width is None:
                return
        if pad_id is None:
            raise InputError("the tokenizer has no pad token; set pad_token first", field="padding")
        step = self.pad_to_multiple_of or 1
        width = -(-cast("int", width) // step) * step
        for name, rows in batch.items():
            fill = pad_id if name == "input_ids" else _FILL.get(name)
            if fill is None:
                continue
            for index, row in enumerate(rows):
                missing = [fill] * (width - len(row))
                rows[index] = [*row, *missing] if self.padding_side == "right" else [*missing, *row]

    def _limit(self, model_max_length: float) -> int | None:
        if self.max_length is not None:
            return self.max_length
        return None if model_max_length > LARGEST_LIMIT else int(model_max_length)


def rows_of(encoded: Any) -> tuple[dict[str, list[Any]], bool]:
    """Read what `pad` is given: fields of one text or of many, or a list of those. Say whether it was one."""
    if not isinstance(encoded, Mapping):
        examples = list(encoded) if isinstance(encoded, Iterable) and not isinstance(encoded, str) else []
        if not all(isinstance(one, Mapping) and one.keys() == examples[0].keys() for one in examples):
            examples = []
        if not examples:
            raise InputError("needs encoded texts, with the same fields each", field="encoded_inputs")
        encoded = {name: [one[name] for one in examples] for name in examples[0]}
    if "input_ids" not in encoded:
        raise InputError(f"has no 'input_ids' among {list(encoded)}", field="encoded_inputs")
    fields = {name: _plain_rows(value) for name, value in encoded.items()}
    ids = fields["input_ids"]
    single = bool(ids) and not isinstance(ids[0], list)
    if single:
        fields = {name: [value] for name, value in fields.items()}
    uneven = [name for name, rows in fields.items() if len(rows) != len(fields["input_ids"])]
    if uneven:
        raise InputError(f"{uneven[0]!r} has another number of rows than 'input_ids'", field="encoded_inputs")
    return fields, single


def _plain_rows(value: Any) -> list[Any]:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InputError(f"holds a {type(value).__name__} where rows belong", field="encoded_inputs")
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in value]
    return [list(row) if isinstance(row, tuple) else row for row in rows]


def mask_of(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return 1 for each token that holds a character of a span, else 0."""
    return [int(any(start < end and at < stop for start, stop in spans)) for at, end in offsets]


def to_tensors(batch: dict[str, list[Any]], kind: Tensors) -> TokenBatch:
    """Stack rows of equal length into arrays or torch tensors."""
    import numpy as np

    if kind not in ("np", "pt"):
        raise InputError(f"must be 'np' or 'pt', not {kind!r}", field="return_tensors")
    for name, rows in batch.items():
        if len({len(row) if isinstance(row, list) else -1 for row in rows}) > 1:
            what = "pass padding=True" if name == "input_ids" else f"field {name!r} is not padded"
            raise InputError(f"rows differ in length; {what}", field="return_tensors")
    try:
        arrays = {name: np.array(rows, dtype=np.int64) for name, rows in batch.items()}
    except (TypeError, ValueError, OverflowError) as cause:
        raise InputError(f"a field holds what is no whole number: {cause}", field="return_tensors") from cause
    if kind == "np":
        return TokenBatch(arrays)
    try:
        import torch
    except ImportError as cause:
        raise MissingExtraError("return_tensors='pt'", "torch") from cause
    return TokenBatch({name: torch.from_numpy(array) for name, array in arrays.items()})
