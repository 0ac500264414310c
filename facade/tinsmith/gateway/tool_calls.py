"""Calls of functions in what a model wrote, for the families whose format is known; otherwise it stays text.

Owns the formats. A format is recognised by the chat template, which shows the model how to call.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from tinsmith.gateway.decoding import HeldBack

if TYPE_CHECKING:
    from collections.abc import Sequence

Found = tuple[Any, Any]
"""Name and arguments of a call as they were found."""


@attrs.frozen
class ToolCall:
    """A function that the model wants to be called."""

    name: str
    """Name of the function."""
    arguments: str
    """Its arguments, a JSON object as text."""
    id: str = attrs.field(factory=lambda: f"call_{secrets.token_hex(12)}")
    """By which the result of the call names it."""

    @classmethod
    def of(cls, found: Found) -> ToolCall | None:
        """Take what was found; None where the name is no text or the arguments are no object."""
        name, arguments = found
        arguments = _json(arguments) if isinstance(arguments, str) else arguments
        if not (isinstance(name, str) and name and isinstance(arguments, dict)):
            return None
        return cls(name, orjson.dumps(arguments).decode())

    @property
    def document(self) -> dict[str, Any]:
        """The call as answers have it."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.id, "type": "function", "function": function}


@attrs.frozen
class ToolCallFormat:
    """How a family of models writes calls."""

    sign: str
    """What its chat templates contain."""
    opens: tuple[str, ...]
    """Texts with which calls begin."""
    read: Callable[[str, Mapping[str, Any]], Iterator[Found | None]]
    """Yields the calls in a text, and None for what is no call; it gets the parameters of the functions by
    name."""
    at_start: bool = False
    """Whether an answer with calls is nothing but calls."""


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _named(value: Any) -> Found | None:
    """Read `{"name": ..., "arguments": ...}`; some families call these parameters."""
    if not isinstance(value, dict):
        return None
    return value.get("name"), value.get("arguments", value.get("parameters"))


_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?(?:</parameter>|\Z)", re.DOTALL)


def _tagged(text: str, parameters: Mapping[str, Any]) -> Iterator[Found | None]:
    """Read `<tool_call>` with JSON (Hermes, Qwen), or with a function and parameters (Qwen3-Coder)."""
    for call in _TAGGED.finditer(text):
        function = _FUNCTION.fullmatch(call[1])
        if function is None:
            yield _named(_json(call[1]))
        else:
            schema = parameters.get(function[1], {})
            yield (
                function[1],
                {name: _typed(value, schema.get(name)) for name, value in _PARAMETER.findall(function[2])},
            )


def _typed(text: str, schema: Any) -> Any:
    """Read a value that stands there as text, by its schema."""
    if isinstance(schema, dict) and schema.get("type") == "string":
        return text
    value = _json(text)
    return text if value is None and text != "null" else value


def _listed(text: str, parameters: Mapping[str, Any]) -> Iterator[Found | None]:
    """Read `[TOOL_CALLS]` with a JSON list, or `[TOOL_CALLS]name[ARGS]{...}` (Mistral)."""
    for part in text.split("[TOOL_CALLS]")[1:]:
        name, args, rest = part.partition("[ARGS]")
        if args:
            yield name.partition("[CALL_ID]")[0].strip(), rest
        else:
            calls = _json(part)
            yield from [_named(call) for call in calls] if isinstance(calls, list) else [None]


def _bare(text: str, parameters: Mapping[str, Any]) -> Iterator[Found | None]:
    """Read JSON objects with `;` between them that name functions which there are (Llama 3)."""
    for part in text.strip().removeprefix("<|python_tag|>").split("; {"):
        call = _named(_json(part if part.lstrip().startswith("{") else "{" + part))
        yield call if call is not None and call[0] in parameters else None


def _mark(words: str) -> str:
    """Return a special token of DeepSeek, written with a wide bar and a low block."""
    return f"<\uff5c{words}\uff5c>".replace(" ", "\u2581")


_KIMI = re.compile(
    r"<\|tool_call_begin\|>\s*(?:functions\.)?([^\s:<]+)(?::\d+)?\s*"
    r"<\|tool_call_argument_begin\|>(.*?)<\|tool_call_end\|>",
    re.DOTALL,
)
_DEEPSEEK = re.compile(
    rf"{_mark('tool call begin')}(?:function{_mark('tool sep')}([^\n]+)\n```json\n(.*?)\n```"
    rf"|(.+?){_mark('tool sep')}(.*?)){_mark('tool call end')}",
    re.DOTALL,
)


def _kimi(text: str, parameters: Mapping[str, Any]) -> Iterator[Found | None]:
    yield from _KIMI.findall(text)


def _deepseek(text: str, parameters: Mapping[str, Any]) -> Iterator[Found | None]:
    for older, body, name, arguments in _DEEPSEEK.findall(text):
        yield (older, body) if older else (name, arguments)


FORMATS = (
    ToolCallFormat("<|tool_calls_section_begin|>", ("<|tool_calls_section_begin|>",), _kimi),
    ToolCallFormat(_mark("tool calls begin"), (_mark("tool calls begin"),), _deepseek),
    ToolCallFormat("[TOOL_CALLS]", ("[TOOL_CALLS]",), _listed),
    ToolCallFormat("<tool_call>", ("<tool_call>",), _tagged),
    ToolCallFormat('"parameters": ', ("{", "<|python_tag|>"), _bare, at_start=True),
)
"""The formats that are known; the first whose sign is in the template is the model's."""


def format_of(template: str) -> ToolCallFormat | None:
    """Return the format that a chat template shows; None for one that is not known."""
    return next((known for known in FORMATS if known.sign in template), None)


class ToolCallReader:
    """Splits the text of an answer, as it comes, into content and calls."""

    def __init__(self, known: ToolCallFormat | None, tools: Sequence[Mapping[str, Any]]) -> None:
        self._format = known
        self._parameters = dict(_parameters(tool) for tool in tools)
        self._marks = HeldBack(known.opens if known and not known.at_start else ())
        self._start = "" if known and known.at_start else None
        self._calls: str | None = None

    def feed(self, piece: str) -> str:
        """Take a piece of text, and return what is content."""
        if self._calls is not None:
            self._calls += piece
            return ""
        if self._start is not None:
            return self._begin(self._start + piece)
        content = self._marks.feed(piece)
        if self._marks.found is not None:
            self._calls = self._marks.found + self._marks.end()
        return content

    def _begin(self, text: str) -> str:
        """Decide, once enough of the text is there, whether it is nothing but calls."""
        assert self._format is not None
        start = text.lstrip()
        if start.startswith(self._format.opens):
            self._calls, self._start = text, None
            return ""
        if any(mark.startswith(start) for mark in self._format.opens):
            self._start = text
            return ""
        self._start = None
        return text

    def end(self) -> tuple[str, list[ToolCall]]:
        """Return the rest of the content, and the calls; what cannot be read as calls is content."""
        if self._calls is None or self._format is None:
            return (self._start or "") + self._marks.end(), []
        found = list(self._format.read(self._calls, self._parameters))
        calls = [None if one is None else ToolCall.of(one) for one in found]
        whole = [call for call in calls if call is not None]
        if not whole or len(whole) < len(calls):
            return self._calls, []
        return "", whole


def _parameters(tool: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of a function, and the schemas of its parameters by name."""
    function = tool["function"]
    schema = function.get("parameters")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return function["name"], properties if isinstance(properties, dict) else {}
