"""The tokens that end an answer: those of the tokenizer, and that of the chat template."""

from __future__ import annotations

import pytest
from tinsmith.core.answer_ends import answer_ends, chat_stop, stop_of_chat

from tests.core.test_tokenizer import make

FOR = "{% for m in messages %}{{ m.content }}"


@pytest.mark.parametrize(
    ("template", "ends", "stop"),
    [
        ("", ["</s>"], None),
        (FOR + "{% endfor %}", ["</s>"], None),
        (FOR + "</s>{% endfor %}", ["</s>"], None),
        (FOR + " <early>\n{% endfor %}", ["</s>", "<early>"], ["</s>", "<early>"]),
        (FOR + "\nUser:{% endfor %}", ["</s>"], None),
        ("constant", ["</s>"], None),
        ("{{ raise_exception('no') }}", ["</s>"], None),
    ],
)
def test_what_ends_an_answer(template: str, ends: list[str], stop: list[str] | None) -> None:
    """The end of sequence, and the token that the template shows; a stop rule names both if they differ."""
    tokenizer = make(chat_template=template or None)
    assert [*answer_ends(tokenizer)] == tokenizer.convert_tokens_to_ids(ends)
    given = make(chat_template=None)
    expected = None if stop is None else tokenizer.convert_tokens_to_ids(stop)
    assert chat_stop(tokenizer) == expected
    assert chat_stop(given, template or None) == expected


def test_a_tokenizer_without_an_end() -> None:
    """There is no stop rule, unless the template has an end."""
    tokenizer = make(eos_token=None, chat_template=None)
    assert chat_stop(tokenizer) is None
    assert chat_stop(tokenizer, FOR + "<early>{% endfor %}") == tokenizer.convert_tokens_to_ids(["<early>"])


def test_a_chat_may_end_at_texts_too() -> None:
    """Beside texts, the ends are named by their texts; without any, they are tokens."""
    tokenizer = make(chat_template=FOR + " <early>\n{% endfor %}")
    assert stop_of_chat(tokenizer, []) == chat_stop(tokenizer)
    assert stop_of_chat(tokenizer, ["\n", "</s>"]) == ["\n", "</s>", "<early>"]
