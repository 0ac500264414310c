"""What a survey says of a file: counts, lengths, what is cut, duplicates, rows that cannot be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith import InputError
from tinsmith.data import DataProblem, DatumBuilder, Truncation, survey
from tinsmith.data.survey import _at

from tests.data.test_datums import BYTES, COUNTING, turns

if TYPE_CHECKING:
    from pathlib import Path

CHAT = {"messages": turns("Tin?", "Sn")}
CALL = {"function": {"name": "f", "arguments": {}}}
ROWS: list[Any] = [
    CHAT,
    {"messages": [*turns("Tin?"), {"role": "assistant", "content": ""}]},
    {"messages": [*turns("Tin?"), {"role": "assistant", "content": "", "tool_calls": [CALL]}]},
    {"text": "What is <|im_end|>?"},
    CHAT,
    {"prompt": "Tin is ", "chosen": "Sn", "rejected": "Pb"},
]


def written(folder: Path, rows: list[Any]) -> Path:
    """Write rows as JSON Lines."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_everything_is_counted(tmp_path: Path) -> None:
    """Records, turns, empty turns, markup, duplicates, and the tokens of each text."""
    found = survey(written(tmp_path, ROWS), DatumBuilder(tokenizer=BYTES))
    assert found.passed
    assert found.records == {"chats": 4, "completions": 1, "preferences": 1}
    assert found.roles == {"user": 4, "assistant": 4}
    assert (found.empty_turns, found.texts_with_markup, found.duplicates) == (1, 1, 1)
    texts = [
        *["<|im_start|>user\nTin?<|im_end|>\n<|im_start|>assistant\nSn<|im_end|>"] * 2,
        *["<|im_start|>user\nTin?<|im_end|>\n<|im_start|>assistant\n<|im_end|>"] * 2,
        "What is <|im_end|>?<|im_end|>",
        *["Tin is Sn<|im_end|>"] * 2,
    ]
    lengths = sorted(len(BYTES.encode(text)) for text in texts)
    assert (found.datums, found.tokens) == (len(texts), sum(lengths))
    assert (found.median_tokens, found.p95_tokens, found.longest_tokens) == (
        lengths[3],
        lengths[6],
        lengths[6],
    )
    answers = ["Sn<|im_end|>"] * 4 + ["<|im_end|>"] * 2 + ["hat is <|im_end|>?<|im_end|>"]
    assert found.trained_tokens == sum(len(BYTES.encode(text)) for text in answers)
    assert found.too_long == 0


@pytest.mark.parametrize(
    ("truncation", "datums", "problems"), [("error", 2, 2), ("drop", 2, 0), ("left", 4, 0), ("right", 2, 2)]
)
def test_long_texts_are_told(tmp_path: Path, truncation: Truncation, datums: int, problems: int) -> None:
    """Refused, dropped or cut, as the builder does it; a cut that leaves nothing is a problem too."""
    rows = [{"text": "abc"}, {"text": "abcd"}, {"prompt": "abcdefg", "completion": "h"}]
    rows.append({"prompt": "abcdefgh", "completion": "h"})
    builder = DatumBuilder(tokenizer=BYTES, max_tokens=6, truncation=truncation)
    found = survey(written(tmp_path, rows), builder)
    assert (found.datums, len(found.problems), found.too_long) == (datums, problems, 2)
    assert found.longest_tokens == 10


def test_a_bad_row_does_not_end_a_survey(tmp_path: Path) -> None:
    """Each has its place, its field and what is wrong: of the line, the format, the template."""
    rows = [CHAT, 5, {"messages": [{"content": "a"}]}, {"messages": turns("Tin?")}, CHAT]
    path = written(tmp_path, rows)
    found = survey(path, DatumBuilder(tokenizer=BYTES))
    assert [(each.where, each.field) for each in found.problems] == [
        (f"{path}:2", None),
        (f"{path}:3", "messages[0].role"),
        (f"{path}:4", "messages"),
    ]
    assert found.datums == 2
    assert found.problems[0].problem.startswith("holds a int where an object belongs")
    unfaithful = survey(path, DatumBuilder(tokenizer=BYTES, chat_template=COUNTING))
    assert [each.field for each in unfaithful.problems if each.field] == [
        "messages[1]",
        "messages[0].role",
        "messages",
        "messages[1]",
    ]


def test_a_file_without_a_record_is_a_problem(tmp_path: Path) -> None:
    """A file that cannot be opened is an error."""
    path = written(tmp_path, [])
    found = survey(path, DatumBuilder(tokenizer=BYTES))
    assert found.problems == [DataProblem(str(path), None, "holds no record; write one JSON object a line")]
    assert (found.passed, found.median_tokens, found.longest_tokens) == (False, 0, 0)
    with pytest.raises(InputError, match="field 'format': must be one of openai"):
        survey(path, DatumBuilder(tokenizer=BYTES), cast("Any", "csv"))
    with pytest.raises(InputError, match="cannot be read"):
        survey(tmp_path / "none", DatumBuilder(tokenizer=BYTES))


@given(st.lists(st.integers(0, 99), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_that_fits(lengths: list[int], percent: int) -> None:
    """At least that share of the numbers is no larger, and no smaller number has that."""
    at = _at(sorted(lengths), percent)
    assert sum(n <= at for n in lengths) * 100 >= percent * len(lengths)
    assert sum(n < at for n in lengths) * 100 < percent * len(lengths)
