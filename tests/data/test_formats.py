"""Rows of published formats become records; what is wrong with a row is told by its field."""

from __future__ import annotations

import contextlib
import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith import InputError
from tinsmith.data import Chat, Completion, DataFormat, Preference, record_of

USER = {"role": "user", "content": "Weather in Ulm?"}
ANSWER = {"role": "assistant", "content": "Sunny."}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Ulm"}}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "21"}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
AS_JSON = {**CALL, "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}

ROWS: dict[str, tuple[DataFormat, dict[str, Any], Any]] = {
    "chat": ("openai", {"messages": [USER, ANSWER], "id": 7}, Chat([USER, ANSWER])),
    "tools": (
        "openai",
        {"messages": [USER, CALLING, RESULT, ANSWER], "tools": [TOOL]},
        Chat([USER, CALLING, RESULT, ANSWER], [TOOL]),
    ),
    "tools as text": (
        "openai",
        {"messages": [USER, {**CALLING, "content": None}], "tools": json.dumps([TOOL])},
        Chat([USER, {**CALLING, "content": None}], [TOOL]),
    ),
    "parts and developer": (
        "openai",
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": t} for t in "ab"]}, ANSWER]},
        Chat([{"role": "system", "content": "ab"}, ANSWER]),
    ),
    "functions of old": (
        "openai",
        {
            "messages": [
                USER,
                {"role": "assistant", "content": None, "function_call": AS_JSON["function"]},
                {"role": "function", "name": "weather", "content": "21"},
            ],
            "functions": [TOOL["function"]],
        },
        Chat(
            [
                USER,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"type": "function", "function": AS_JSON["function"]}],
                },
                {"role": "tool", "name": "weather", "content": "21"},
            ],
            [TOOL],
        ),
    ),
    "preferred output": (
        "openai",
        {
            "input": {"messages": [USER, ANSWER, USER], "tools": [TOOL]},
            "preferred_output": [ANSWER],
            "non_preferred_output": [CALLING],
        },
        Preference(
            Chat([USER, {**ANSWER, "weight": 0}, USER, ANSWER], [TOOL]),
            Chat([USER, {**ANSWER, "weight": 0}, USER, CALLING], [TOOL]),
        ),
    ),
    "blocks": (
        "anthropic",
        {
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Ask.", "signature": "x"},
                        {"type": "text", "text": "A moment."},
                        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Ulm"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "c1",
                            "content": [{"type": "text", "text": "21"}],
                        },
                        {"type": "text", "text": "And?"},
                    ],
                },
                ANSWER,
            ],
            "tools": [{"name": "weather", "input_schema": {"type": "object"}}],
        },
        Chat(
            [
                {"role": "system", "content": "Be brief."},
                USER,
                {
                    "role": "assistant",
                    "reasoning_content": "Ask.",
                    "content": "A moment.",
                    "tool_calls": [CALL],
                },
                RESULT,
                {"role": "user", "content": "And?"},
                ANSWER,
            ],
            [TOOL],
        ),
    ),
    "results alone": (
        "anthropic",
        {
            "messages": [
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "21"}]}
            ]
        },
        Chat([RESULT]),
    ),
    "transcript": (
        "anthropic",
        {"prompt": "\n\nHuman: Weather in Ulm?\n\nAssistant:", "completion": " Sunny."},
        Chat([USER, ANSWER]),
    ),
    "two transcripts": (
        "anthropic",
        {
            "chosen": "\n\nHuman: Weather in Ulm?\n\nAssistant: Sunny.",
            "rejected": "\n\nHuman: Weather in Ulm?\n\nAssistant: No.",
        },
        Preference(Chat([USER, ANSWER]), Chat([USER, {"role": "assistant", "content": "No."}])),
    ),
    "sharegpt": (
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "Weather in Ulm?"},
                {"from": "function_call", "value": json.dumps(CALL["function"])},
                {"from": "observation", "value": "21"},
                {"from": "gpt", "value": "Sunny."},
            ],
            "system": "Be brief.",
            "tools": "[]",
        },
        Chat(
            [
                {"role": "system", "content": "Be brief."},
                USER,
                {"role": "assistant", "tool_calls": [{"type": "function", "function": CALL["function"]}]},
                {"role": "tool", "content": "21"},
                ANSWER,
            ]
        ),
    ),
    "sharegpt with roles": ("sharegpt", {"conversations": [USER, ANSWER]}, Chat([USER, ANSWER])),
    "alpaca": (
        "alpaca",
        {"instruction": "Weather", "input": "in Ulm?", "output": "Sunny.", "history": [["Hi", "Hello"]]},
        Chat(
            [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello"},
                {"role": "user", "content": "Weather\n\nin Ulm?"},
                ANSWER,
            ]
        ),
    ),
    "alpaca without input": (
        "alpaca",
        {"instruction": "Weather in Ulm?", "input": "", "output": "Sunny.", "system": "Be brief."},
        Chat([{"role": "system", "content": "Be brief."}, USER, ANSWER]),
    ),
    "completion": ("completion", {"prompt": "Tin is ", "completion": "Sn"}, Completion("Tin is ", "Sn")),
    "completion of turns": (
        "completion",
        {"prompt": [USER, ANSWER, USER], "completion": [ANSWER]},
        Chat([USER, {**ANSWER, "weight": 0}, USER, ANSWER]),
    ),
    "text": ("text", {"text": "Tin melts."}, Completion("", "Tin melts.")),
    "texts compared": (
        "preference",
        {"prompt": "Tin is ", "chosen": "Sn", "rejected": "Pb"},
        Preference(Completion("Tin is ", "Sn"), Completion("Tin is ", "Pb")),
    ),
    "chats compared": (
        "preference",
        {"prompt": "Weather in Ulm?", "chosen": [USER, ANSWER], "rejected": [USER, CALLING]},
        Preference(Chat([USER, ANSWER]), Chat([USER, CALLING])),
    ),
    "answers compared": (
        "preference",
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [CALLING]},
        Preference(Chat([USER, ANSWER]), Chat([USER, CALLING])),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_becomes_a_record(name: str) -> None:
    """By its fields, and by the name of its format; the row is left as it was."""
    format, fields, record = ROWS[name]
    before = json.dumps(fields)
    assert record_of(fields, format) == record
    if name != "results alone":  # its fields would do for another format too
        assert record_of(fields) == record
    assert json.dumps(fields) == before


WRONG: list[tuple[dict[str, Any], DataFormat | None, str]] = [
    ({}, None, "has the fields of nothing"),
    ({"question": "a"}, None, r"has the fields 'question', which no known format has; give 'messages'"),
    ({"text": "a"}, cast("DataFormat", "csv"), "field 'format': must be one of openai"),
    ({"text": "a"}, "alpaca", r"field 'instruction': is missing; the row has 'text'"),
    ({"messages": []}, None, "field 'messages': is empty"),
    ({"messages": "hi"}, None, "field 'messages': must be a list, not a text"),
    ({"messages": ["hi"]}, None, r"field 'messages\[0\]': must be an object, not a text"),
    ({"messages": [{"content": "a"}]}, None, r"field 'messages\[0\].role': is missing"),
    ({"messages": [{"role": 5, "content": "a"}]}, None, r"field 'messages\[0\].role': must be a text"),
    ({"messages": [{"role": "user"}]}, None, r"field 'messages\[0\].content': is missing"),
    (
        {"messages": [{"role": "user", "content": 5}]},
        None,
        r"'messages\[0\].content': must be a text, not a num",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        None,
        r"field 'messages\[0\].content\[0\]': is a part of kind 'image_url'",
    ),
    ({"messages": [{**ANSWER, "weight": "no"}]}, None, r"field 'messages\[0\].weight': must be a number"),
    (
        {"messages": [{**ANSWER, "tool_calls": [{"name": "f"}]}]},
        None,
        r"field 'messages\[0\].tool_calls\[0\].function': is missing",
    ),
    (
        {"messages": [{**ANSWER, "tool_calls": [{"function": {}}]}]},
        None,
        r"tool_calls\[0\].function.name': must be a text",
    ),
    (
        {"messages": [{**ANSWER, "tool_calls": [{"function": {"name": "f", "arguments": 5}}]}]},
        None,
        r"tool_calls\[0\].function.arguments': must be an object",
    ),
    ({"messages": [USER], "tools": "nope"}, None, "field 'tools': is a text that is no JSON"),
    ({"messages": [USER], "tools": [5]}, None, r"field 'tools\[0\]': must be an object"),
    (
        {"messages": [{"role": "user", "content": [{"type": "image"}, {"type": "tool_result"}]}]},
        None,
        r"field 'messages\[0\].content\[0\]': is a block of kind 'image'",
    ),
    (
        {"messages": [USER], "tools": [{"name": "f"}]},
        "anthropic",
        r"field 'tools\[0\].input_schema': is missing",
    ),
    ({"chosen": "\n\nHuman: a", "rejected": "b"}, None, r"field 'rejected': must begin with"),
    (
        {"conversations": [{"from": "cat", "value": "m"}]},
        None,
        r"'conversations\[0\].from': must be one of human",
    ),
    (
        {"conversations": [{"from": "function_call", "value": "f()"}]},
        None,
        r"field 'conversations\[0\].value': must be the JSON of a call",
    ),
    (
        {"instruction": "a", "output": "b", "history": ["c"]},
        None,
        r"field 'history\[0\]': must be two texts",
    ),
    ({"chosen": [USER, ANSWER], "rejected": [USER, ANSWER]}, None, "field 'rejected': has no turn that"),
]


@pytest.mark.parametrize(("fields", "format", "said"), WRONG)
def test_a_wrong_row_is_told_by_its_field(
    fields: dict[str, Any], format: DataFormat | None, said: str
) -> None:
    """With what it must be."""
    with pytest.raises(InputError, match=said):
        record_of(fields, format)


NAMES = sorted(
    {name for _, fields, _ in ROWS.values() for name in (*fields, "role", "content", "from", "value")}
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "user", "assistant", "human", "tool_use"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NAMES, "type", "tool_calls", "function"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=5))
def test_any_row_is_a_record_or_an_input_error(fields: dict[str, Any]) -> None:
    """Whatever JSON holds: there is no third outcome."""
    with contextlib.suppress(InputError):
        assert isinstance(record_of(fields), Chat | Completion | Preference)
