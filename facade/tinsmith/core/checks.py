"""Finds bad batches, prompts and images before they are sent.

Owns the checks that need no server; each error names the datum and the field. Decodes no pixels: sizes of
images are read from their headers.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from itertools import pairwise
from operator import index as index_of
from typing import TYPE_CHECKING, Any, cast

from tinsmith_api.numbers import finite_number, whole_number
from tinsmith_api.ownership import is_array

from tinsmith.core.chunking import count_chunk
from tinsmith.core.config import ChunkLimits
from tinsmith.core.errors import InputError
from tinsmith.core.inputs import ImageFormat, sniff_format
from tinsmith.core.values.datum import LIST_DTYPES, Datum, PromptProvenanceSpan, SampledProvenanceSpan
from tinsmith.core.values.model_input import (
    EncodedTextChunk,
    ImageAssetPointerChunk,
    ImageChunk,
    ModelInput,
    UnknownChunk,
)
from tinsmith.core.values.tensor import TensorData

if TYPE_CHECKING:
    from collections.abc import Sequence

PER_TOKEN = ("target_tokens", "weights", "logprobs", "advantages", "sequence_ratio_mask")
"""Inputs with one entry, or one row, a position of the model input."""

REQUIRED_INPUTS: dict[str, tuple[str, ...]] = {
    "cross_entropy": ("target_tokens",),
    **dict.fromkeys(
        ("importance_sampling", "ppo", "cispo", "dro", "gspo", "stable_reinforce"),
        ("target_tokens", "logprobs", "advantages"),
    ),
}
"""Inputs that each loss needs."""


def count(value: Any, field: str, least: int = 0) -> int:
    """Return a whole number that is at least `least`."""
    try:
        number = whole_number(value, field)
    except InputError:
        number = least - 1
    if number < least:
        raise InputError(f"must be a whole number >= {least}, not {value!r}", field=field)
    return number


def loss_settings(settings: Mapping[str, Any] | None) -> dict[str, float | str] | None:
    """Return the settings of a loss: numbers and texts by name."""
    if settings is None:
        return None
    if not isinstance(settings, Mapping):
        kind = type(settings).__name__
        raise InputError(
            f"must be a mapping of names to numbers or texts, not a {kind}", field="loss_fn_config"
        )
    for name in settings:
        if not isinstance(name, str):
            raise InputError(
                f"the name {name!r} is a {type(name).__name__}, not a text", field="loss_fn_config"
            )
    return {
        name: value if isinstance(value, str) else _setting(f"loss_fn_config.{name}", value)
        for name, value in settings.items()
    }


def _setting(field: str, value: Any) -> float:
    try:
        return finite_number(value, field)
    except InputError:
        raise InputError(f"must be a finite number or text, not {value!r:.100}", field=field) from None


def check_loss(loss_fn: str, loss_fn_config: Mapping[str, float | str] | None) -> None:
    """Refuse a loss without a name, and settings that are no numbers; servers decide which losses exist."""
    if not isinstance(loss_fn, str) or not loss_fn:
        raise InputError(f"must be the name of a loss, not {loss_fn!r:.100}", field="loss_fn")
    loss_settings(loss_fn_config)


def check_batch(
    data: Sequence[Datum],
    loss_fn: str,
    loss_fn_config: Mapping[str, float | str] | None = None,
) -> None:
    """Check all that forward and forward_backward send."""
    check_loss(loss_fn, loss_fn_config)
    if not (hasattr(data, "__len__") and hasattr(data, "__getitem__")):
        raise InputError(f"must be a list of Datums, not a {type(data).__name__}", field="data")
    if len(data) == 0:
        raise InputError("No data provided", field="data")
    for index, datum in enumerate(data):
        check_datum(index, datum, loss_fn)


def check_datum(index: int, datum: Datum, loss_fn: str = "") -> None:
    """Check one datum: inputs present, dtypes, lengths, numbers, token ids."""
    if not isinstance(datum, Datum):
        raise InputError(f"is a {type(datum).__name__}, not a Datum", datum=index)
    if not isinstance(datum.model_input, ModelInput):
        kind = type(datum.model_input).__name__
        raise InputError(f"is a {kind}, not a ModelInput", datum=index, field="model_input")
    for name in REQUIRED_INPUTS.get(loss_fn, ()):
        if name not in datum.loss_fn_inputs:
            raise InputError(f"is missing; {loss_fn} needs it", datum=index, field=name)
    for chunk in datum.model_input.chunks:
        if isinstance(chunk, EncodedTextChunk):
            check_tokens(chunk, index, "model_input")
    if datum.model_input_spans is not None:
        _check_spans(index, "model_input_spans", datum.model_input_spans)
    if datum.loss_fn_input_spans is not None:
        _check_spans(index, "loss_fn_input_spans", datum.loss_fn_input_spans)
    try:
        length = known_length(datum.model_input)
    except InputError as cause:
        raise InputError(cause.message.partition(": ")[2], datum=index, field=cause.field) from cause
    for name, tensor in datum.loss_fn_inputs.items():
        check_tensor(index, name, tensor)
        check_numbers(index, name, tensor)
        rows = tensor.shape[0] if tensor.shape else len(tensor)
        if name in PER_TOKEN and length is not None and rows != length:
            raise InputError(f"has length {rows}, but model_input has {length}", datum=index, field=name)


def _check_spans(index: int, field: str, spans: object) -> None:
    kinds = (PromptProvenanceSpan, SampledProvenanceSpan)
    if not isinstance(spans, (list, tuple)) or not all(isinstance(span, kinds) for span in spans):
        problem = "is a list of PromptProvenanceSpan and SampledProvenanceSpan, and of nothing else"
        raise InputError(problem, datum=index, field=field)


def known_length(model_input: ModelInput) -> int | None:
    """Return the length, or None where an image or an unknown chunk leaves it open."""
    total = 0
    for chunk in model_input.chunks:
        if isinstance(chunk, EncodedTextChunk):
            total += len(chunk.tokens)
        elif isinstance(chunk, UnknownChunk) or getattr(chunk, "expected_tokens", 0) is None:
            return None
        else:
            total += chunk.length
    return total


def check_tensor(index: int, name: str, tensor: TensorData) -> None:
    """Check dtype and shape against what the API documents for the name."""
    wanted = LIST_DTYPES.get(name)
    if wanted is not None and tensor.dtype != wanted:
        raise InputError(f"must be {wanted}, not {tensor.dtype}", datum=index, field=name)
    if tensor.is_sparse:
        check_sparse_indices(index, name, tensor)
    elif tensor.shape is not None:
        elements = math.prod(tensor.shape)
        if any(n < 0 for n in tensor.shape) or elements != len(tensor):
            raise InputError(f"has {len(tensor)} numbers, but shape {tensor.shape}", datum=index, field=name)


def check_sparse_indices(index: int | None, name: str | None, tensor: TensorData) -> None:
    """Check the row and column indices of a sparse tensor."""
    assert tensor.shape is not None
    starts, columns = list(tensor.sparse_crow_indices), list(tensor.sparse_col_indices)
    problem = ""
    if any(not _is_whole(number) for number in (*starts, *columns)):
        problem = "indices are whole numbers"
    elif len(starts) != tensor.shape[0] + 1 or starts[0] != 0 or starts[-1] != len(tensor):
        problem = f"crow indices go from 0 to {len(tensor)} in {tensor.shape[0]} steps"
    elif any(here > there for here, there in pairwise(starts)):
        problem = "crow indices do not fall"
    elif len(columns) != len(tensor) or any(not 0 <= column < tensor.shape[1] for column in columns):
        problem = f"each number has a col index below {tensor.shape[1]}"
    if problem:
        raise InputError(f"is no sparse tensor: {problem}", datum=index, field=name)


def check_numbers(index: int | None, name: str, tensor: TensorData) -> None:
    """Refuse NaN, infinities, and what is no number of the stated dtype."""
    if is_array(tensor.raw):
        if not tensor.is_finite():
            _refuse_first_bad(index, name, tensor.raw.tolist())
        return
    try:
        total: Any = sum(cast("list[float]", tensor.raw))
        right = _is_whole(total) or (tensor.dtype == "float32" and math.isfinite(total))
    except (TypeError, OverflowError):
        right = False
    if not right:
        _refuse_first_bad(index, name, tensor.raw, whole=tensor.dtype == "int64")


def _is_whole(value: Any) -> bool:
    """Say whether a value is a whole number of any library."""
    try:
        index_of(value)
    except TypeError:
        return False
    return True


def _refuse_first_bad(index: int | None, name: str, numbers: Sequence[Any], *, whole: bool = False) -> None:
    """Find the first bad number and name it; a sum that merely overflows has none."""
    for position, value in enumerate(numbers):
        if _is_whole(value):
            continue
        try:
            finite = math.isfinite(value)
        except TypeError:
            problem = f"is {value!r}, not a number"
        else:
            if finite and not whole:
                continue
            problem = f"is {value}, but int64 holds whole numbers" if finite else f"is {value}"
        raise InputError(f"element {position} {problem}", datum=index, field=name)


def check_tokens(chunk: EncodedTextChunk, datum: int | None, field: str) -> None:
    """Refuse token ids that are no whole numbers >= 0."""
    tokens: Any = chunk.tokens
    if is_array(tokens):
        import numpy as np

        kind = tokens.dtype.kind
        bad = kind not in "iu" or tokens.ndim != 1
        bad = bad or (kind == "i" and len(tokens) > 0 and bool(np.minimum.reduce(tokens) < 0))
    else:
        try:
            bad = not _is_whole(sum(tokens)) or (len(tokens) > 0 and bool(min(tokens) < 0))
        except TypeError:
            bad = True
    if bad:
        raise InputError("token ids are a flat sequence of whole numbers >= 0", datum=datum, field=field)


def check_prompt(prompt: ModelInput, num_samples: int = 1, topk_prompt_logprobs: int = 0) -> None:
    """Check what sample sends, apart from its SamplingParams, which check themselves."""
    if not isinstance(prompt, ModelInput):
        raise InputError(f"is a {type(prompt).__name__}, not a ModelInput", field="prompt")
    if not prompt.chunks:
        raise InputError("is empty", field="prompt")
    count(num_samples, "num_samples", 1)
    count(topk_prompt_logprobs, "topk_prompt_logprobs")


def sample_options(
    topk_sample_logprobs: int,
    target_prompt_logprobs: TensorData | None,
    prompt_alt_tokens_k: int,
    prompt_logprobs_last_n: int | None,
) -> dict[str, object]:
    """Return the options of a sample that older servers do not know, without those that are not used."""
    if target_prompt_logprobs is not None:
        if not isinstance(target_prompt_logprobs, TensorData) or target_prompt_logprobs.dtype != "int64":
            raise InputError("must be TensorData of token ids, int64", field="target_prompt_logprobs")
        check_numbers(None, "target_prompt_logprobs", target_prompt_logprobs)
    options: dict[str, object] = {
        "topk_sample_logprobs": count(topk_sample_logprobs, "topk_sample_logprobs") or None,
        "target_prompt_logprobs": target_prompt_logprobs,
        "prompt_alt_tokens_k": count(prompt_alt_tokens_k, "prompt_alt_tokens_k") or None,
        "prompt_logprobs_last_n": None
        if prompt_logprobs_last_n is None
        else count(prompt_logprobs_last_n, "prompt_logprobs_last_n"),
    }
    return {name: value for name, value in options.items() if value is not None}


TILE_PX = 28
"""Side in pixels of the square that takes one position in common vision models."""

BODY_BYTES = 64 * 1024 * 1024
"""Request bodies above this size are refused by servers."""

_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


def image_size(data: bytes, format: ImageFormat) -> tuple[int, int]:
    """Return (width, height) in pixels from the header of a PNG or JPEG."""
    if sniff_format(data) != format:
        raise InputError(f"the image is not {format}", field="format")
    size = _png_size(data) if format == "png" else _jpeg_size(data)
    if size is None or 0 in size:
        raise InputError(f"the {format} header is damaged", field="data")
    return size


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header, which holds height before width."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _FRAME_HEADERS:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def estimate_image_tokens(data: bytes, format: ImageFormat, *, tile_px: int = TILE_PX) -> int:
    r"""Estimate how many positions an image takes: one for each square of `tile_px` pixels, begun ones too.

    Models resize large images first, so for those the number is too high. The server checks `expected_tokens`
    against its own count; where its model is another, pass the side of that model's squares.

    >>> from tinsmith.core.values import ImageChunk
    >>> data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (56).to_bytes(4, "big") + (29).to_bytes(4, "big")
    >>> estimate_image_tokens(data, "png")
    4
    """
    if tile_px <= 0:
        raise InputError(f"must be above 0, not {tile_px}", field="tile_px")
    width, height = image_size(data, format)
    return -(-width // tile_px) * -(-height // tile_px)


def validate_model_input(model_input: ModelInput, *, limits: ChunkLimits | None = None) -> list[str]:
    """Warn of what a server may refuse or what has no known length; return the warnings' texts.

    Named are images without expected_tokens, chunks of unknown kinds, and inputs too large to share a request
    with others, or for any request.
    """
    problems = []
    for index, chunk in enumerate(model_input.chunks):
        if isinstance(chunk, UnknownChunk):
            problems.append(f"chunk {index} is of an unknown kind, {chunk.type!r}; it is sent as it is")
        elif isinstance(chunk, (ImageChunk, ImageAssetPointerChunk)) and chunk.expected_tokens is None:
            problems.append(f"chunk {index} is an image without expected_tokens: its length is unknown")
    limits = limits or ChunkLimits()
    items = sum(count_chunk(chunk) for chunk in model_input.chunks)
    size = sum(len(chunk.data) * 4 // 3 for chunk in model_input.chunks if isinstance(chunk, ImageChunk))
    if size > BODY_BYTES:
        problems.append(f"its images take {size} bytes as base64; servers refuse bodies above {BODY_BYTES}")
    elif limits.max_items is not None and items > limits.max_items:
        problems.append(
            f"it counts {items}, and a request holds {limits.max_items}: it is sent alone, and may be refused"
        )
    for problem in problems:
        warnings.warn(problem, UserWarning, stacklevel=2)
    return problems
