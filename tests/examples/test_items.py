"""The demo's items: where lines end, which bytes are a text, and what the errors name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import instruct
import pytest
from tinsmith import InputError

if TYPE_CHECKING:
    from pathlib import Path

ODD = "a\u2028b\u2029c\u0085d"


def items(path: Path, content: bytes) -> list[instruct.Item]:
    """Write a file and read it."""
    path.write_bytes(content)
    return instruct.read_items(path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_lines_end_at_newlines_alone(tmp_path: Path, mark: bytes, end: bytes) -> None:
    """Separators that other readers cut at stay inside a text, and blank lines count for nothing."""
    record = json.dumps({"sentence": ODD, "answer": "é"}, ensure_ascii=False)
    read = items(tmp_path / "x.jsonl", mark + end.join([record.encode(), b"", b"  ", record.encode(), b""]))
    assert [item.answer for item in read] == ["é", "é"]
    assert read[0].sentence == ODD
    assert items(tmp_path / "x.jsonl", mark) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"sentence": ', "no JSON"),
        (b"[1]", "a list where an object belongs"),
        (b'{"sentence": "\xff", "answer": "b"}', "not UTF-8 at byte 15"),
        (b'{"sentence": "a"}', "needs the texts 'sentence' and 'answer'"),
        (b'{"sentence": "a", "answer": 3}', "needs the texts"),
        (b'{"sentence": "a", "answer": "b", "else": "c"}', "nothing else"),
    ],
)
def test_the_line_is_named(tmp_path: Path, line: bytes, problem: str) -> None:
    """File and line, as an editor opens them; blank lines are counted."""
    path = tmp_path / "x.jsonl"
    with pytest.raises(InputError, match=f"{re.escape(str(path))}:3.*{problem}"):
        items(path, b'{"sentence": "a", "answer": "b"}\n\n' + line + b"\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(InputError, match=r"none\.jsonl cannot be read: No such file"):
        instruct.read_items(tmp_path / "none.jsonl")
