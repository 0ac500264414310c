"""What conversations may be, what is refused and how, and which names a template takes."""

from __future__ import annotations

import enum
import pickle
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pytest
from tinsmith.core import chat_template
from tinsmith.core.chat_template import JsonText
from tinsmith.core.errors import InputError
from tinsmith.core.tokenization import Tokenizer

from tests.core.rendering import render
from tests.core.test_tokenizer import make, tokenizer_json

PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
USER = {"role": "user", "content": "hi"}


class Kind(str, enum.Enum):  # noqa: UP042  # programs keep roles like this: str() of it is its name
    """A role of a program."""

    USER = "user"


class Count(enum.IntEnum):
    """A number with a name."""

    TWO = 2


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (USER, "is one message: pass a list"),
        ({"messages": [USER]}, "is a record: pass its 'messages'"),
        ([{"messages": [USER]}], "message 0 is a record: pass its 'messages'"),
        ("hello", "is a str, not a list"),
        (b"hello", "is a bytes, not a list"),
        (None, "is a NoneType, not a list"),
        (3, "is a int, not a list"),
        (["hello"], "message 0 is a str"),
        ([USER, None], "message 1 is a NoneType"),
        ([USER, [USER]], "message 1 is a list"),
        ([[USER], [USER, 3]], "message 1 of conversation 1 is a int"),
        ([{"content": "x"}], "message 0 has no text 'role'"),
        ([{"role": None, "content": "x"}], "message 0 has no text 'role'"),
        ([[USER], [{"role": 3}]], "message 0 has no text 'role'"),
        ([dict], "message 0 is a type"),
    ],
)
def test_what_is_no_conversation_is_refused_in_words(given: Any, problem: str) -> None:
    """The place is named, and what to pass instead; never a bare KeyError or TypeError."""
    with pytest.raises(InputError, match=problem):
        make().apply_chat_template(given, chat_template=PLAIN, tokenize=False)


def test_an_object_that_can_be_dumped_is_no_list() -> None:
    """A pydantic object can be iterated, and is one message."""

    class Dumped:
        def model_dump(self) -> Any:
            return {"role": "user"}

        def __iter__(self) -> Any:
            return iter([("role", "user")])

    with pytest.raises(InputError, match="is a Dumped, not a list"):
        render(PLAIN, cast("Any", Dumped()))
    assert render(PLAIN, cast("Any", [Dumped()])) == "[user]"


def test_templates_that_know_no_roles_take_what_they_read() -> None:
    """Other names for the same are the template's own affair."""
    text = "{% for m in messages %}{{ m['from'] }}: {{ m.value }}{% endfor %}"
    assert render(text, [{"from": "human", "value": "hi"}]) == "human: hi"


def test_a_template_sees_plain_data_alone() -> None:
    """Enums and numbers of numpy become what they stand for; other objects are named."""
    seen = {
        Kind.USER: Kind.USER,
        1: np.float64(0.5),
        "flag": np.bool_(False),
        "whole": np.int64(7),
        "truth": Count.TWO,
        "pixels": np.zeros((2, 2)),
        "pair": (1, np.array([{"a": 1}], dtype=object)),
        "kind": dict,
        2.5: None,
    }
    assert chat_template.plain(seen) == {
        "user": "user",
        1: 0.5,
        "flag": False,
        "whole": 7,
        "truth": 2,
        "pixels": "<ndarray>",
        "pair": [1, [{"a": 1}]],
        "kind": "<type>",
        "2.5": None,
    }
    assert type(chat_template.plain(Kind.USER)) is str


def test_json_text_is_a_text_and_an_object() -> None:
    """It prints as it came; its members can be had in each way that templates use."""
    text = '{"b":  1, "a": "x"}'
    made = cast("JsonText", JsonText.read(text))
    assert made == text
    assert made.items() == [("b", 1), ("a", "x")]
    assert made.keys() == ["b", "a"]
    assert (made["a"], made[0], made.get("c", 3)) == ("x", "{", 3)
    for other in ("no json", "[1]", "3", ""):
        assert type(JsonText.read(other)) is str


@pytest.mark.parametrize("calls", [None, "odd", ["odd"], [{"function": "odd"}], [{"arguments": 3}], []])
def test_calls_of_another_shape_are_left_to_the_template(calls: Any) -> None:
    """Only what is known is changed."""
    turns = [{"role": "assistant", "tool_calls": calls}]
    shown = render("{{ messages[0].tool_calls | default('none') | tojson }}", turns)
    assert shown == render("{{ calls | tojson }}", [], calls="none" if calls is None else calls)


@pytest.mark.parametrize(
    ("tools", "problem"),
    [
        ("tool", "is a str, not a list of mappings"),
        ({"type": "function"}, "is a dict, not a list"),
        (3, "is a int"),
        (["tool"], "holds a str at 0"),
        ([len], "at 0, not a mapping; give its JSON schema"),
    ],
)
@pytest.mark.parametrize("field", ["tools", "documents"])
def test_tools_and_documents_are_mappings(field: str, tools: Any, problem: str) -> None:
    """Their field is named."""
    with pytest.raises(InputError, match=f"'{field}'.*{problem}"):
        make().apply_chat_template([USER], chat_template=PLAIN, tokenize=False, **{field: tools})


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("add_generation_promt", "did you mean 'add_generation_prompt'"),
        ("sanitize_control_tokens", "does not read it$"),
        ("messages", "does not read it"),
        ("custm", "did you mean 'custom'"),
    ],
)
def test_names_that_nobody_reads_are_refused(name: str, problem: str) -> None:
    """By name, with the nearest that is read."""
    text = PLAIN + "{{ custom }}"
    with pytest.raises(InputError, match=f"'{name}'.*{problem}"):
        make().apply_chat_template([USER], chat_template=text, tokenize=False, **cast("Any", {name: True}))


def test_names_that_the_template_reads_are_taken() -> None:
    """And switches of thinking, which programs pass for whatever model."""
    text = PLAIN + "{{ custom }}"
    for names in ({"custom": "!"}, {"custom": "!", "enable_thinking": False}):
        told = make().apply_chat_template([USER], chat_template=text, tokenize=False, **cast("Any", names))
        assert told == "[user]hi!"


@pytest.mark.parametrize(
    "error", ["messages[0].nothing.nothing", "{}['x'].y.z", "1 / 0", "{}.update({'a': 1})"]
)
def test_whatever_a_template_does_is_an_input_error(error: str) -> None:
    """It is a program of somebody else."""
    with pytest.raises(InputError, match="refuses"):
        render("{{ " + error + " }}", [USER])


def test_a_mark_in_a_message_is_no_mark() -> None:
    """What ends a continued message is found even if the message holds the same characters."""
    turns = [{"role": "a", "content": "x\ue000mark\ue000 y"}]
    text = render(PLAIN + "tail", turns, continue_final_message=True)
    assert text == "[a]x\ue000mark\ue000 y"


def test_other_fields_can_be_continued() -> None:
    """By their name; one that is not there is named."""
    text = "{% for m in messages %}{{ m.role }}({{ m.draft }}){% endfor %}"
    turns = [{"role": "a", "draft": "so "}]
    assert render(text, turns, continue_final_message="draft") == "a(so "
    with pytest.raises(InputError, match="last message with text"):
        render(text, turns, continue_final_message=True)
    with pytest.raises(InputError, match="a text 'other'"):
        render(text, turns, continue_final_message="other")


def test_masks_need_marks_and_ids() -> None:
    """A template that marks nobody's words gives zeros and a warning; text has no mask."""
    with pytest.warns(UserWarning, match="the mask is all zeros"):
        batch = make().apply_chat_template(
            [USER], chat_template=PLAIN, return_dict=True, return_assistant_tokens_mask=True
        )
    assert batch["assistant_masks"] == [0] * len(batch["input_ids"])
    for wrong in (
        {},
        {"return_dict": True, "tokenize": False},
        {"return_dict": True, "continue_final_message": True},
    ):
        with pytest.raises(InputError, match="needs return_dict=True"):
            make().apply_chat_template([USER], return_assistant_tokens_mask=True, **cast("Any", wrong))


@pytest.mark.parametrize(
    "template",
    [
        "{% set x %}{% generation %}ab{% endgeneration %}{% endset %}{{ x[2:] }}",
        "{% set x %}{% generation %} ab {% endgeneration %}{% endset %}{{ x | trim }}",
    ],
)
def test_a_template_that_edits_its_marked_words_has_no_mask(template: str) -> None:
    """Better none than one that is beside the words."""
    with pytest.raises(InputError, match="edits what its generation blocks hold"):
        make().apply_chat_template(
            [USER], chat_template=template, return_dict=True, return_assistant_tokens_mask=True
        )


def still() -> datetime:
    """Return one time."""
    return datetime(2026, 2, 3, tzinfo=UTC)


def test_a_clock_is_pickled_with_its_tokenizer() -> None:
    """Templates with a date work in worker processes too."""
    copy = pickle.loads(pickle.dumps(Tokenizer.from_bytes(tokenizer_json(), now=still)))
    assert copy.apply_chat_template([], chat_template="{{ strftime_now('%Y') }}", tokenize=False) == "2026"


def test_templates_without_a_default_are_named() -> None:
    """The choice is the caller's."""
    tokenizer = make(chat_template=[{"name": "rag", "template": "R"}])
    with pytest.raises(InputError, match=r"no default chat template.*\['rag'\]"):
        tokenizer.apply_chat_template([USER])
    assert tokenizer.get_chat_template("rag") == "R"
    for field in (3, [{"name": "x"}], [{"template": "x"}], ["x"], {"a": "b"}):
        with pytest.raises(InputError, match="neither a text nor a list of named texts"):
            make(chat_template=field)
