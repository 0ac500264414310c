"""ModelInput: what the model reads, a list of chunks.

Owns its conveniences; checks nothing against a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

import attrs
from tinsmith_api.model import Model
from tinsmith_api.reading import own_fields, taking

from tinsmith.core.errors import InputError
from tinsmith.core.values.chunks import EncodedTextChunk, ModelInputChunk

_KINDS = frozenset(get_args(ModelInputChunk))
_read = taking("ModelInput", "chunks", list[ModelInputChunk])


def _taken(chunks: Iterable[ModelInputChunk]) -> list[ModelInputChunk]:
    """Take any iterable of chunks: for checkers, a list of one kind is no list of all kinds."""
    if type(chunks) is list and _KINDS.issuperset(map(type, chunks)):  # as `_read` does, sooner
        return chunks.copy()
    taken: list[ModelInputChunk] = _read(chunks)
    return taken


@attrs.frozen(field_transformer=own_fields)
class ModelInput(Model):
    """A sequence of chunks, in the order in which the model reads them."""

    chunks: list[ModelInputChunk] = attrs.field(converter=_taken)
    """The pieces."""

    @classmethod
    def from_ints(cls, tokens: Sequence[int]) -> ModelInput:
        """Make an input of one text chunk."""
        return cls([EncodedTextChunk(tokens)])

    @classmethod
    def empty(cls) -> ModelInput:
        """Make an input without chunks."""
        return cls([])

    def to_ints(self) -> list[int]:
        """Return all token ids; an error if any chunk is not text."""
        tokens: list[int] = []
        for index, chunk in enumerate(self.chunks):
            if not isinstance(chunk, EncodedTextChunk):
                raise InputError(f"chunk {index} is {chunk.type!r}, not text", field="model_input")
            tokens.extend(int(token) for token in chunk.tokens)
        return tokens

    @property
    def length(self) -> int:
        """Positions in the context; an error if an image does not say its expected_tokens."""
        return sum(chunk.length for chunk in self.chunks)

    def append(self, chunk: ModelInputChunk) -> ModelInput:
        """Return a new input with one more chunk."""
        return attrs.evolve(self, chunks=[*self.chunks, chunk])

    def append_int(self, token: int) -> ModelInput:
        """Return a new input with one more chunk of a single token."""
        return self.append(EncodedTextChunk([token]))
