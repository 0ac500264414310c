"""The recorded terminals (docs/recorded-*.svg): whole pictures, and still what the commands say."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from tinsmith.cli import main
from tinsmith.cli.chatting import HELP

from tests.docs.recorded import shown

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = sorted(DOCS.glob("recorded-*.svg"))
LABEL = re.compile(r"^([A-Z][\w -]*?)(?:: | {2,}|$)", re.MULTILINE)
"""What a line of a result or of advice begins with."""


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_a_picture_is_whole(picture: Path) -> None:
    """It has a title, colours for light and for dark pages, and asks no other machine for anything."""
    text = picture.read_text(encoding="utf-8")
    assert re.search(r"<title[^>]*>.{30,}</title>", text)
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    rules = re.compile(r"\.\S+ \{ fill: (#\w{6})")
    assert rules.findall(light)
    assert set(rules.findall(light)).isdisjoint(rules.findall(dark))
    assert re.findall(r"https?://(?!www\.w3\.org/)\S+", text) == []
    assert all(len(line) <= 80 for line in shown(picture))


def test_a_run_says_what_the_picture_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The result and the advice at the end of `train` have the lines of the picture, in its order."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TINKER_API_KEY", "TINKER_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    turns = [{"role": "user", "content": "What is tin?"}, {"role": "assistant", "content": "Arr!"}]
    Path("chats.jsonl").write_text(f"{json.dumps({'messages': turns})}\n" * 8)
    with pytest.raises(SystemExit) as left:
        main(["train", "chats.jsonl", "--model", "tinsmith/tiny", "--steps", "1", "-o", "run"])
    said = capfd.readouterr()
    assert left.value.code == 0, said.err
    screen = "\n".join(shown(DOCS / "recorded-train.svg"))
    ended = screen[screen.index("\nProperty ") :]
    assert LABEL.findall(ended) == LABEL.findall(said.out) + LABEL.findall(said.err)
    assert "Training on the embedded service, whose state is kept in runs/pirate/service." in screen


def test_a_chat_says_what_the_picture_shows(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Commands of the picture exist, and the one that shows how answers are drawn prints its line."""
    screen = shown(DOCS / "recorded-chat.svg")
    typed = [line.removeprefix("> ") for line in screen if line.startswith("> /")]
    assert len(typed) >= 3
    assert all(re.search(rf"^{line.split()[0]}\b", HELP, re.MULTILINE) for line in typed)
    (drawn,) = (line for line in typed if line.startswith("/params"))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{drawn}\n"))
    with pytest.raises(SystemExit):
        main(["--base-url", "local:", "chat", "-m", "tinsmith/tiny", "--temperature", "0"])
    assert capfd.readouterr().err.strip() in screen
