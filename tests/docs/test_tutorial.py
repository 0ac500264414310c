"""The tutorial (docs/tutorial.md): its commands work one after the other, on the small model."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from tinsmith.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
ELSEWHERE = ("tinsmith model fetch", "tinsmith train --resume", "tinsmith gateway")
"""Commands that need a network, a run that was stopped, or another shell; tests/cli has them."""


def commands() -> list[list[str]]:
    """Return the words of each command that is run here."""
    page = PAGE.read_text(encoding="utf-8").replace("\\\n", "")
    lines = re.findall(r"^\$ (tinsmith .*)$", page, re.MULTILINE)
    kept = [line for line in lines if not line.startswith(ELSEWHERE)]
    return [re.sub(r"smollm2(?!-)", "tinsmith/tiny", line).replace("'", "").split()[1:] for line in kept]


def test_the_walk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each command ends well, and the folders that the page names are there."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TINKER_API_KEY", "TINKER_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    chats = [
        [{"role": "user", "content": f"What is {number}?"}, {"role": "assistant", "content": "Arr!"}]
        for number in range(30)
    ]
    Path("chats.jsonl").write_text("".join(f"{json.dumps({'messages': chat})}\n" for chat in chats))
    walked = commands()
    assert [words[0] for words in walked] == ["data", "train", "eval", "chat", "export", "export"]
    for words in walked:
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 0, f"{words}: {capfd.readouterr().err}"
    assert Path("pirate-peft", "adapter_model.safetensors").is_file()
