"""Random values of any class of `core.values`, made of the types of its fields."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st
from tinsmith.core import values
from tinsmith.core.values.open import Open

from tests.core.wire_values import DATUM, FLOAT32, INT64, JSON_CHUNK, NAME, dense

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: NAME,
    int: INT64,
    bool: st.booleans(),
    float: FLOAT32,
    datetime: st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    Any: st.none() | st.text(max_size=4) | st.lists(INT64, max_size=2),
    values.Datum: DATUM,
    values.ModelInput: st.lists(JSON_CHUNK, min_size=1, max_size=3).map(values.ModelInput),
    values.TensorData: dense(),
}

RANGES: dict[str, st.SearchStrategy[Any]] = {
    "LoraConfig.rank": st.integers(1, 64),
    "LoraConfig.train_mlp": st.just(True),
    "AdamParams.learning_rate": st.floats(0, 1),
    "AdamParams.beta1": st.floats(0, 0.999),
    "AdamParams.beta2": st.floats(0, 0.999),
    "AdamParams.eps": st.floats(1e-12, 1),
    "AdamParams.weight_decay": st.floats(0, 1),
    "AdamParams.grad_clip_norm": st.floats(0, 1),
    "DimuonOptimizerConfig.version": st.integers(1, 9),
    "DimuonParams.learning_rate": st.floats(0, 1),
    "DimuonParams.grad_clip_norm": st.floats(0, 1),
    "DimuonParams.beta1": st.floats(0, 0.999),
    "SamplingParams.max_tokens": st.none() | st.integers(1, 99),
    "SamplingParams.stop": st.none() | NAME | st.lists(NAME, max_size=2) | st.lists(INT64, max_size=2),
    "SamplingParams.temperature": st.floats(0, 2),
    "SamplingParams.top_k": st.just(-1) | st.integers(1, 99),
    "SamplingParams.top_p": st.floats(0.1, 1),
    "SessionSearchRequest.limit": st.integers(1, 200),
    "UserSearchOwner.owner_urns": st.lists(NAME, min_size=1, max_size=3),
}
"""Fields that do not take every value of their type."""


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    """Return values of a field's type; a type that nobody foresaw is an error."""
    if hint in SCALARS:
        return SCALARS[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*(st.none() if part is NoneType else of_hint(part) for part in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(of_hint(arguments[0]), max_size=2)
    if origin is not None:  # mappings; texts are what all of them may hold
        return st.dictionaries(NAME, NAME, max_size=2)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return made(hint)


def made(cls: Any) -> st.SearchStrategy[Any]:
    """Return values of a class, each field of which is set now and then."""
    hints = get_type_hints(cls)
    fields = {}
    for field in attrs.fields(cls):
        if field.name == "type" and isinstance(field.default, str):
            # A null tag is one that is left out, and what clients send has one tag.
            usual = st.just(field.default)
            fields[field.name] = usual | NAME if issubclass(cls, Open) else usual
        elif field.name != "extra":
            ranged = RANGES.get(f"{cls.__name__}.{field.name}")
            fields[field.name] = of_hint(hints[field.name]) if ranged is None else ranged
    return st.builds(cls, **fields)


def classes() -> list[Any]:
    """Return every attrs class of `core.values`."""
    found = (getattr(values, name) for name in dir(values))
    return sorted(
        {each for each in found if isinstance(each, type) and attrs.has(each)}, key=lambda each: each.__name__
    )


BY_HAND: set[Any] = {
    values.Datum,
    values.ModelInput,
    values.TensorData,
    values.EncodedTextChunk,
    values.ImageChunk,
    values.ImageAssetPointerChunk,
    values.DmelChunk,
    values.UnknownChunk,
    values.PromptProvenanceSpan,
    values.SampledProvenanceSpan,
    values.ForwardBackwardOutput,
    values.SampledSequence,
    values.PromptAltTokens,
    values.SampleResponse,
}
"""Values with an encoder and a decoder of their own; the others go by the types of their fields."""

ANSWERS = [each for each in classes() if issubclass(each, Open) and each not in BY_HAND]
"""What servers answer beside the results of batches and samples."""

SENT = [each for each in classes() if each not in BY_HAND and each not in ANSWERS]
"""What only clients send, and what users set in it."""
