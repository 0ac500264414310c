"""Random values of any class of `core.values`, made of the types of its fields."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st
from tinsmith.core import values
from tinsmith_api.limits import Limits
from tinsmith_api.model import Model

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
    "LoraConfig.train_mlp": st.just(True),
    "SamplingParams.max_tokens": st.none() | st.integers(1, 99),
    "SamplingParams.stop": st.none() | NAME | st.lists(NAME, max_size=2) | st.lists(INT64, max_size=2),
    "SamplingParams.temperature": st.floats(0, 2),
    "SamplingParams.top_k": st.just(-1) | st.integers(1, 99),
    "SamplingParams.top_p": st.floats(0.1, 1),
}
"""Fields that do not take every value of their type, for another reason than limits of the contract."""


def within(limits: Limits, hint: Any) -> st.SearchStrategy[Any]:
    """Return values of a field with limits; None where it takes that."""
    kinds = [part for part in get_args(hint) or (hint,) if part is not NoneType]
    found: st.SearchStrategy[Any]
    if limits.min_items is not None or limits.max_items is not None:
        (inner,) = get_args(kinds[0] if get_args(kinds[0]) else hint)
        found = st.lists(of_hint(inner), min_size=limits.min_items or 0, max_size=limits.max_items or 3)
    elif int in kinds:
        least = limits.minimum if limits.above is None else limits.above + 1
        most = limits.maximum if limits.below is None else limits.below - 1
        found = st.integers(*(None if end is None else int(end) for end in (least, most or 2**62)))
    else:
        least = limits.minimum if limits.above is None else limits.above
        most = limits.maximum if limits.below is None else limits.below
        found = st.floats(
            least,
            1e3 if most is None else most,
            exclude_min=limits.above is not None,
            exclude_max=limits.below is not None,
        )
    return st.none() | found if NoneType in get_args(hint) else found


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
    if origin is tuple:
        return st.tuples(*map(of_hint, arguments))
    if origin is not None:  # mappings
        return st.dictionaries(NAME, of_hint(arguments[1]), max_size=2)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return made(hint)


def made(cls: Any) -> st.SearchStrategy[Any]:
    """Return values of a class, each field of which is set now and then."""
    hints = get_type_hints(cls)
    fields = {}
    for field in attrs.fields(cls):
        if (
            field.name == "type"
            and isinstance(field.default, str)
            and get_origin(hints["type"]) is not Literal
        ):
            # A null tag is one that is left out, and what clients send has one tag.
            usual = st.just(field.default)
            fields[field.name] = usual | NAME if issubclass(cls, Model) else usual
        elif field.name != "extra":
            ranged = RANGES.get(f"{cls.__name__}.{field.name}")
            if isinstance(field.validator, Limits):
                ranged = within(field.validator, hints[field.name])
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
    values.SamplePiece,
    values.PromptAltTokens,
    values.SampleResponse,
}
"""Values with an encoder and a decoder of their own; the others go by the types of their fields."""

ANSWERS = [each for each in classes() if issubclass(each, Model) and each not in BY_HAND]
"""What servers answer beside the results of batches and samples."""

SENT = [each for each in classes() if each not in BY_HAND and each not in ANSWERS]
"""What only clients send, and what users set in it."""
