"""`tinsmith data check`: the table, the JSON, exit codes, formats, and models that are folders."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, get_args

import pytest
import tinsmith
from tinsmith.cli.data import MOST_PROBLEMS
from tinsmith.cli.run_options import Cut, TrainedPart
from tinsmith.data import TrainOn, Truncation

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from pathlib import Path

    from tests.cli.conftest import Result

CHAT = {"messages": [{"role": "user", "content": "Tin?"}, {"role": "assistant", "content": "Sn"}]}
TINY = ("--base-url", "local:", "data", "check", "-m", "tinsmith/tiny")


def written(folder: Path, *rows: Any) -> str:
    """Write rows as JSON Lines and return where."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_a_good_file_is_summed_up(cli: Callable[..., Result], tmp_path: Path) -> None:
    """What it holds, how long its texts are, and what of them is trained; nothing is wrong."""
    done = cli(*TINY, written(tmp_path, CHAT, CHAT, {"text": "Tin melts."}))
    assert (done.code, done.err) == (0, "")
    for words in (
        "Records 2 chats, 1 completion",
        "Turns 2 user, 2 assistant",
        "Duplicates 1",
        "Too Long 0 refused (4096 tokens)",
        "Datums 3",
    ):
        assert words in done.words
    assert "problem" not in done.words


def test_a_bad_row_is_a_failure(cli: Callable[..., Result], tmp_path: Path) -> None:
    """The table names place, field and what to do; the document has it too, and the exit code is 1."""
    path = written(tmp_path, CHAT, {"messages": [{"content": "a"}]})
    done = cli(*TINY, path)
    assert done.code == 1
    assert "1 problem Place Field Problem" in done.words
    assert f"{path}:2 messages[0].role is missing" in done.words
    found = cli(*TINY, path, "-f", "json")
    assert found.code == 1
    assert found.json["problems"][0]["where"] == f"{path}:2"
    assert found.json["passed"] is False


def test_many_problems_are_cut_in_the_table(cli: Callable[..., Result], tmp_path: Path) -> None:
    """The document has all of them."""
    path = written(tmp_path, *[{"text": n} for n in range(MOST_PROBLEMS + 5)])
    done = cli(*TINY, path)
    assert (
        f"{MOST_PROBLEMS + 5} problems; the first {MOST_PROBLEMS} are shown, --format json has all"
        in done.out
    )
    assert f"rows.jsonl:{MOST_PROBLEMS}" in done.out
    assert f"rows.jsonl:{MOST_PROBLEMS + 1}" not in done.out
    assert len(cli(*TINY, path, "-f", "json").json["problems"]) == MOST_PROBLEMS + 5


def test_the_settings_are_those_of_the_builder(cli: Callable[..., Result], tmp_path: Path) -> None:
    """What is trained on, the limit, what becomes of longer texts, and the format."""
    path = written(tmp_path, CHAT, {"text": "a"})
    done = cli(*TINY, path, "--train-on", "all", "--max-tokens", "4", "--truncation", "drop", "-f", "json")
    assert (done.code, done.json["too_long"], done.json["datums"]) == (0, 1, 1)
    assert (done.json["train_on"], done.json["max_tokens"], done.json["truncation"]) == ("all", 4, "drop")
    assert "1 dropped (4 tokens)" in cli(*TINY, path, "--max-tokens", "4", "--truncation", "drop").words
    wrong = cli(*TINY, path, "--input-format", "alpaca", "-f", "json")
    assert [each["field"] for each in wrong.json["problems"]] == ["instruction", "instruction"]


def test_a_model_may_be_a_folder(cli: Callable[..., Result], tmp_path: Path) -> None:
    """With the files of its tokenizer; no server is asked, and no limit is known."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        tokenizer = service.create_sampling_client(base_model="tinsmith/tiny").get_tokenizer()
    tokenizer.save_pretrained(tmp_path / "model")
    words = ("--base-url", "https://example.com", "data", "check", "-m", str(tmp_path / "model"))
    done = cli(*words, written(tmp_path, CHAT))
    assert done.code == 0, done.err
    assert "Too Long no limit known" in done.words


def test_a_format_that_is_none_is_a_wrong_option(cli: Callable[..., Result], tmp_path: Path) -> None:
    """It is told once, by its option, with the names that there are; as is a file that is not there."""
    done = cli(*TINY, written(tmp_path, CHAT), "--input-format", "csv")
    assert done.code == 2
    assert done.err.startswith("Error: Invalid input: --input-format: must be one of openai, anthropic,")
    absent = cli(*TINY, str(tmp_path / "none.jsonl"))
    assert (absent.code, absent.out) == (2, "")
    assert "none.jsonl cannot be read: No such file or directory" in absent.err


def test_parquet_without_its_library_names_the_extra(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence, before anything is counted."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "chats.parquet"
    path.write_bytes(b"PAR1")
    done = cli(*TINY, str(path))
    assert (done.code, done.out) == (1, "")
    assert "chats.parquet, a Parquet file, needs the extra tinsmith[parquet]" in " ".join(done.err.split())


@pytest.mark.parametrize(("choices", "known"), [(TrainedPart, TrainOn), (Cut, Truncation)])
def test_the_choices_are_those_of_the_library(choices: type[StrEnum], known: Any) -> None:
    """They stand twice, since help is shown without loading the library."""
    assert {each.value for each in choices} == set(get_args(known))
