"""Says what a person should know of a file before training on it: its size, what is cut, what is wrong."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

import attrs

from tinsmith.core.errors import InputError
from tinsmith.data.datums import DatumBuilder, WeightedTokens
from tinsmith.data.files import read_rows
from tinsmith.data.formats import DataFormat, check_format, record_of
from tinsmith.data.records import Chat, Completion, Preference, Record

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence


@attrs.frozen
class DataProblem:
    """What makes a row unusable."""

    where: str
    """Place of the row: `chats.jsonl:7`."""
    field: str | None
    """The field that is wrong; None where it is the row."""
    problem: str
    """What is wrong with it, and what to do."""


@attrs.frozen(kw_only=True)
class DataSurvey:
    """What a file holds, and what training on it would take."""

    records: dict[str, int]
    """Rows that can be read, by kind: `chats`, `completions`, `preferences`."""
    roles: dict[str, int]
    """Turns of the chats by role."""
    empty_turns: int
    """Turns without a word: neither content nor calls of tools."""
    texts_with_markup: int
    """Texts that hold a special token of the tokenizer, such as `<|im_end|>`: a model reads it as one."""
    duplicates: int
    """Records that are equal to an earlier one."""
    datums: int
    """Datums that the file makes."""
    tokens: int
    """Tokens of these datums."""
    trained_tokens: int
    """Those of them that have weight."""
    median_tokens: int
    """Tokens of a text, before it is cut: half of the texts have no more."""
    p95_tokens: int
    """95 of 100 texts have no more."""
    longest_tokens: int
    """Tokens of the longest text."""
    too_long: int
    """Texts that are cut, dropped or refused."""
    problems: list[DataProblem]
    """Rows that cannot be used."""

    @property
    def passed(self) -> bool:
        """Whether every row can be used."""
        return not self.problems


def survey(
    path: str | os.PathLike[str], builder: DatumBuilder, format: DataFormat | None = None
) -> DataSurvey:
    """Read a file to its end and say what training on it by `builder` would take; a bad row does not end it.

    Raises InputError for a file that cannot be read, and for a format that is none.

    >>> import pathlib, tempfile, tinsmith
    >>> from tinsmith.data import DatumBuilder, survey
    >>> with tempfile.TemporaryDirectory() as folder, tinsmith.ServiceClient(base_url="local:") as service:
    ...     path = pathlib.Path(folder, "texts.jsonl")
    ...     _ = path.write_text('{"text": "Tin melts."}')
    ...     tokenizer = service.create_sampling_client(base_model="tinsmith/tiny").get_tokenizer()
    ...     found = survey(path, DatumBuilder(tokenizer=tokenizer))
    >>> found.passed, found.records
    (True, {'completions': 1})
    """
    check_format(format)
    tally = _Tally(builder)
    is_empty = True
    for row in read_rows(path):
        is_empty = False
        try:
            tally.take(record_of(row, format))
        except InputError as error:
            problem = error.problem.removeprefix(f"{row.where}: ")
            tally.problems.append(DataProblem(row.where, error.field, problem))
    if is_empty:
        tally.problems.append(DataProblem(str(path), None, "holds no record; write one JSON object a line"))
    return tally.survey()


@attrs.define
class _Tally:
    """Counts records one by one."""

    builder: DatumBuilder
    records: Counter[str] = attrs.field(factory=Counter)
    roles: Counter[str] = attrs.field(factory=Counter)
    empty_turns: int = 0
    marked: int = 0
    seen: set[bytes] = attrs.field(factory=set)
    duplicates: int = 0
    lengths: list[int] = attrs.field(factory=list)
    kept: list[tuple[int, int]] = attrs.field(factory=list)
    problems: list[DataProblem] = attrs.field(factory=list)
    markup: re.Pattern[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        added = self.builder.tokenizer.added_tokens_decoder.values()
        special = [re.escape(str(token)) for token in added if token.special]
        self.markup = re.compile("|".join(special) or "(?!)")

    def take(self, record: Record) -> None:
        """Count a record; InputError if it cannot be used."""
        self._describe(record)
        for text in self._texts(record):
            self.lengths.append(len(text.tokens))
            kept = text.within(self.builder.max_tokens, self.builder.truncation)
            if kept is not None:
                self.kept.append((len(kept.tokens), kept.trained))

    def _texts(self, record: Record) -> list[WeightedTokens]:
        if isinstance(record, Preference):
            return [*self._texts(record.chosen), *self._texts(record.rejected)]
        return self.builder.weighted(record)

    def _describe(self, record: Record) -> None:
        self.records[f"{type(record).__name__.lower()}s"] += 1
        said = repr(attrs.asdict(record, filter=lambda field, _: bool(field.eq)))  # wherever it stands
        digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()
        self.duplicates += digest in self.seen
        self.seen.add(digest)
        for side in (record.chosen, record.rejected) if isinstance(record, Preference) else (record,):
            self.marked += sum(bool(self.markup.search(text)) for text in _written(side))
            for turn in side.messages if isinstance(side, Chat) else ():
                self.roles[turn["role"]] += 1
                self.empty_turns += not ((turn.get("content") or "").strip() or turn.get("tool_calls"))

    def survey(self) -> DataSurvey:
        """Return what was counted."""
        lengths = sorted(self.lengths)
        limit = self.builder.max_tokens
        return DataSurvey(
            records=dict(self.records),
            roles=dict(self.roles),
            empty_turns=self.empty_turns,
            texts_with_markup=self.marked,
            duplicates=self.duplicates,
            datums=len(self.kept),
            tokens=sum(tokens for tokens, _ in self.kept),
            trained_tokens=sum(trained for _, trained in self.kept),
            median_tokens=_at(lengths, 50),
            p95_tokens=_at(lengths, 95),
            longest_tokens=_at(lengths, 100),
            too_long=sum(length > limit for length in lengths) if limit is not None else 0,
            problems=self.problems,
        )


def _written(side: Chat | Completion) -> Iterator[str]:
    if isinstance(side, Completion):
        yield from (side.prompt, side.completion)
        return
    yield from (turn["content"] for turn in side.messages if turn.get("content"))


def _at(ordered: Sequence[int], percent: int) -> int:
    """Return the smallest number that at least this share of all does not exceed; 0 of none."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else 0
