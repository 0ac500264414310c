"""Rows of files: JSON Lines, JSON arrays, Parquet, and what is said of a file that is none of them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as arrow
import pytest
from pyarrow import parquet
from tinsmith import InputError, MissingExtraError
from tinsmith.data import read_records, read_rows

if TYPE_CHECKING:
    from pathlib import Path

CHAT = {"messages": [{"role": "user", "content": "Hi\u2028there"}, {"role": "assistant", "content": "Yes"}]}


def written(path: Path, content: bytes) -> Path:
    """Write a file and return where it is."""
    path.write_bytes(content)
    return path


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    """A byte order mark, blank lines, Windows line ends and U+2028 inside a text are no obstacle."""
    line = json.dumps(CHAT, ensure_ascii=False).encode()
    path = written(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + line + b"\r\n\n  \n" + line)
    rows = list(read_rows(path))
    assert [row.where for row in rows] == [f"{path}:1", f"{path}:4"]
    assert [row.fields() for row in rows] == [CHAT, CHAT]


def test_a_file_is_read_as_it_is_used(tmp_path: Path) -> None:
    """The first row comes although a later line is broken: nothing is read ahead."""
    path = written(tmp_path / "a.jsonl", b'{"text": "a"}\n{"text": ')
    rows = read_records(path)
    assert next(rows).where == f"{path}:1"
    with pytest.raises(InputError, match=r"a\.jsonl:2: is no JSON"):
        next(rows)


@pytest.mark.parametrize("start", [b"[", b"\n [", b"\xef\xbb\xbf[\n"], ids=["plain", "blanks", "mark"])
def test_an_array_is_rows_too(tmp_path: Path, start: bytes) -> None:
    """As Alpaca and ShareGPT are published: one JSON array over many lines."""
    path = written(tmp_path / "dump.json", start + b'{"text":\n"a"},\n{"text": "b"}]\n')
    assert [row.where for row in read_rows(path)] == [f"{path}, record 1", f"{path}, record 2"]
    assert [row.fields() for row in read_rows(path)] == [{"text": "a"}, {"text": "b"}]


def test_parquet_is_known_by_its_bytes(tmp_path: Path) -> None:
    """Whatever its name; fields that only other rows have are left out, at every depth."""
    call = {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    rows: list[dict[str, Any]] = [
        CHAT,
        {"messages": [{"role": "assistant", "tool_calls": [call]}], "tools": "[]"},
    ]
    path = tmp_path / "chats.bin"
    parquet.write_table(arrow.Table.from_pylist(rows), path)
    found = list(read_rows(path))
    assert [row.where for row in found] == [f"{path}, record 1", f"{path}, record 2"]
    assert [row.fields() for row in found] == [*rows[:1], {"messages": rows[1]["messages"]}]
    assert [record.messages for record in read_records(path)] == [row["messages"] for row in rows]  # type: ignore[union-attr]


def test_parquet_without_its_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"a\.parquet.*tinsmith\[parquet\]"):
        list(read_rows(written(tmp_path / "a.parquet", b"PAR1")))


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    """The sentence is ours, the reason the library's."""
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        list(read_rows(written(tmp_path / "a.parquet", b"PAR1 and no more")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", r":1: is no JSON: .*; write one JSON object a line"),
        (b'{"text": a}', ":1: is no JSON: .* at character 10; write one"),
        (b'{"text": "a"}\n"b"', r":2: holds a str where an object belongs"),
        (b'{"text": "\xff"}', r":1: is not UTF-8 at byte 11; save the file as UTF-8"),
        (b"[1]", r", record 1: holds a int where an object belongs"),
        (b'[{"text": "a"}', r"a\.jsonl: is no JSON"),
        ('{"text": "a"}'.encode("utf-16"), r":1: is not UTF-8 at byte 1"),
        (b'{"text": 5}', r"field 'text' of .*a\.jsonl:1: must be a text, not a number"),
    ],
)
def test_a_broken_file_is_told_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    """File, line, and what to do."""
    with pytest.raises(InputError, match=said):
        list(read_records(written(tmp_path / "a.jsonl", content)))


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """Absent, or a folder."""
    with pytest.raises(InputError, match=r"none cannot be read: No such file"):
        list(read_rows(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        list(read_rows(tmp_path))
    os.mkfifo(tmp_path / "pipe")  # nobody writes to it: reading would wait for ever
    with pytest.raises(InputError, match=r"pipe is no ordinary file; write what it holds to one"):
        list(read_rows(tmp_path / "pipe"))


def test_a_compressed_file_is_told(tmp_path: Path) -> None:
    """Its bytes are no text, and each line of them would be an error."""
    with pytest.raises(InputError, match=r"a\.jsonl\.gz is compressed; unpack it first"):
        list(read_rows(written(tmp_path / "a.jsonl.gz", gzip.compress(b"{}"))))


def test_the_package_loads_no_library_of_its_own() -> None:
    """Numpy, pyarrow and tokenizers come with their first use; `import tinsmith` does not load it at all."""
    program = "import sys, tinsmith; before = 'tinsmith.data' in sys.modules; import tinsmith.data;"
    program += "print(before, *{'numpy', 'pyarrow', 'tokenizers', 'httpx', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    """Which is for the caller to judge."""
    assert list(read_rows(written(tmp_path / "a.jsonl", b"\n\n"))) == []
