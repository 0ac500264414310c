"""The tutorial's chats: reproducible, no question twice, and none that the tutorial asks."""

from __future__ import annotations

import json

from data import make_pirates


def test_the_file_is_what_the_script_writes() -> None:
    """The checked-in chats are reproduced byte for byte."""
    assert make_pirates.FILE.read_bytes() == make_pirates.text().encode()
    assert make_pirates.main(["--check"]) == 0


def test_every_question_is_asked_once_and_the_tutorials_are_new() -> None:
    """300 chats of two messages; the capitals that the tutorial asks for are not among them."""
    chats = [json.loads(line)["messages"] for line in make_pirates.text().splitlines()]
    asked = [user["content"] for user, _ in chats]
    assert len(set(asked)) == len(chats) == make_pirates.CHATS
    assert all(answer["role"] == "assistant" and answer["content"] for _, answer in chats)
    assert not any(country in question for question in asked for country in ("Chile", "Norway"))
