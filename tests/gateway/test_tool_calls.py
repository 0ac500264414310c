"""Calls of functions: each family's format, however the text comes; what is none stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tinsmith.gateway.tool_calls import FORMATS, ToolCallReader, format_of

TEMPLATES = json.loads((Path(__file__).parents[1] / "golden" / "tokenizer_families.json").read_text())[
    "templates"
]
QWEN, LLAMA = format_of(TEMPLATES["qwen3"]), format_of(TEMPLATES["llama3"])
KIMI, DEEPSEEK, MISTRAL = FORMATS[:3]
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            },
        },
    },
    {"type": "function", "function": {"name": "now"}},
]
PARIS = {"city": "Paris", "days": 2}
CALL = json.dumps({"name": "weather", "arguments": PARIS})
WIDE = "<\uff5ctool\u2581{}\uff5c>"
BEGIN, END, SEPARATOR = (WIDE.format(word) for word in ("call\u2581begin", "call\u2581end", "sep"))

READ = [
    ("one", QWEN, f"<tool_call>\n{CALL}\n</tool_call>", "", [("weather", PARIS)]),
    (
        "behind words",
        QWEN,
        f"Let me see.\n<tool_call>{CALL}</tool_call>",
        "Let me see.\n",
        [("weather", PARIS)],
    ),
    (
        "two",
        QWEN,
        f'<tool_call>\n{CALL}\n</tool_call>\n<tool_call>\n{{"name": "now", "arguments": {{}}}}\n</tool_call>',
        "",
        [("weather", PARIS), ("now", {})],
    ),
    ("not closed", QWEN, f"<tool_call>\n{CALL}", "", [("weather", PARIS)]),
    (
        "with parameters",
        QWEN,
        "<tool_call>\n<function=weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n2\n"
        "</parameter>\n</function>\n</tool_call>",
        "",
        [("weather", PARIS)],
    ),
    (
        "llama",
        LLAMA,
        '{"name": "weather", "parameters": {"city": "Paris", "days": 2}}',
        "",
        [("weather", PARIS)],
    ),
    ("llama, marked", LLAMA, '<|python_tag|>{"name": "now", "parameters": {}}', "", [("now", {})]),
    (
        "llama, two",
        LLAMA,
        '{"name": "now", "parameters": {}}; {"name": "now", "parameters": {}}',
        "",
        [("now", {}), ("now", {})],
    ),
    ("mistral", MISTRAL, f"Yes. [TOOL_CALLS] [{CALL}]", "Yes. ", [("weather", PARIS)]),
    (
        "mistral, newer",
        MISTRAL,
        f"[TOOL_CALLS]weather[ARGS]{json.dumps(PARIS)}[TOOL_CALLS]now[CALL_ID]x[ARGS]{{}}",
        "",
        [("weather", PARIS), ("now", {})],
    ),
    (
        "kimi",
        KIMI,
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>"
        f"{json.dumps(PARIS)}<|tool_call_end|><|tool_calls_section_end|>",
        "",
        [("weather", PARIS)],
    ),
    (
        "deepseek",
        DEEPSEEK,
        f"{WIDE.format('calls' + chr(0x2581) + 'begin')}{BEGIN}weather{SEPARATOR}{json.dumps(PARIS)}{END}",
        "",
        [("weather", PARIS)],
    ),
    (
        "deepseek, older",
        DEEPSEEK,
        f"{WIDE.format('calls' + chr(0x2581) + 'begin')}{BEGIN}function{SEPARATOR}weather\n```json\n"
        f"{json.dumps(PARIS)}\n```{END}",
        "",
        [("weather", PARIS)],
    ),
]

TEXT = [
    ("no call", QWEN, "The sun shines < here."),
    ("cut off", QWEN, '<tool_call>\n{"name": "weather", "arg'),
    ("one of two is none", QWEN, f"<tool_call>{CALL}</tool_call><tool_call>oh</tool_call>"),
    ("no object", QWEN, '<tool_call>{"name": "weather", "arguments": 3}</tool_call>'),
    ("no name", QWEN, '<tool_call>{"arguments": {}}</tool_call>'),
    ("JSON that is no call", LLAMA, '{"colour": "red"}'),
    ("a function that is not there", LLAMA, '{"name": "rain", "parameters": {}}'),
    ("words", LLAMA, "  It is {sunny}."),
    ("blanks", LLAMA, "  "),
    ("not even JSON", MISTRAL, "[TOOL_CALLS] oh"),
    ("deep", QWEN, "<tool_call>" + "[" * 5000),
    ("an unknown family", None, f"<tool_call>{CALL}</tool_call>"),
]


def read(known: Any, text: str, step: int) -> tuple[str, list[tuple[str, Any]]]:
    """Read a text in steps of so many letters."""
    reader = ToolCallReader(known, TOOLS)
    content = "".join(reader.feed(text[at : at + step]) for at in range(0, len(text), step))
    rest, calls = reader.end()
    assert len({call.id for call in calls}) == len(calls)
    return content + rest, [(call.name, json.loads(call.arguments)) for call in calls]


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("known", "text", "content", "calls"), [row[1:] for row in READ], ids=[r[0] for r in READ]
)
def test_calls(known: Any, text: str, content: str, calls: Any, step: int) -> None:
    """Name and arguments are found, and the words before them are content."""
    assert read(known, text, step) == (content, calls)


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(("known", "text"), [row[1:] for row in TEXT], ids=[row[0] for row in TEXT])
def test_what_is_no_call_is_text(known: Any, text: str, step: int) -> None:
    """Nothing that a model wrote is lost."""
    assert read(known, text, step) == (text, [])


def test_formats_of_templates() -> None:
    """The template tells the family; one that shows no calls has none."""
    assert QWEN is FORMATS[3]
    assert LLAMA is FORMATS[4]
    assert format_of(TEMPLATES["items"]) is None
