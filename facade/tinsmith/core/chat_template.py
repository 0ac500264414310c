"""Renders chat templates: jinja2 in a sandbox, with the names that published templates expect.

Owns the sandbox, and what a template may see of a conversation: plain dicts, lists, texts and numbers, which
keep a template, somebody else's program, away from the methods of the caller's objects. Knows nothing of
token ids. The clock that some templates ask for is an argument.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, cast

import attrs
from jinja2 import TemplateError, meta, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.filters import do_items
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from jinja2 import Template
    from jinja2.parser import Parser

_OPEN, _CLOSE = "_generation_open", "_generation_close"
"""Names of the marks around the assistant's words; undefined, so that they print nothing, without `spans`."""

_ARGUMENTS = {"messages", "tools", "documents", "add_generation_prompt", "strftime_now", _OPEN, _CLOSE}
"""Names that every template gets, whatever the caller passes."""


_THINKING = {"enable_thinking", "thinking", "thinking_budget", "reasoning_effort"}
"""Switches that programs pass for whatever model: a template that does not think has nothing to switch."""


@attrs.frozen
class Rendered:
    """A conversation as text."""

    text: str
    """What the template made."""
    spans: list[tuple[int, int]] = attrs.field(factory=list)
    """Ranges of the assistant's words in it, in characters; empty unless requested."""


class _Generation(Extension):
    """Lets `{% generation %}` blocks through: they mark the assistant's words, and print what they hold."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        marks = [nodes.Output([nodes.Name(name, "load")], lineno=line) for name in (_OPEN, _CLOSE)]
        return nodes.Scope([marks[0], *body, marks[1]], lineno=line)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Write JSON without the HTML escapes of jinja2's own filter, which models were not trained on."""
    return json.dumps(
        value.value if isinstance(value, JsonText) else value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    return do_items(value.value if isinstance(value, JsonText) else value)


@lru_cache(maxsize=64)
def _compile(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.filters["items"] = _items
    environment.globals["raise_exception"] = _raise
    return environment.from_string(template)


@lru_cache(maxsize=64)
def _names(template: str) -> frozenset[str]:
    """Return the names that a template reads and does not set."""
    return frozenset(meta.find_undeclared_variables(_compile(template).environment.parse(template)))


def choose_template(
    given: str | None, own: str | Mapping[str, str] | None, *, tools: bool, name: str = "this tokenizer"
) -> str:
    """Choose between a template given by the caller (or its name) and the tokenizer's own ones."""
    if isinstance(own, str):
        return given or own
    named = own or {}
    if given is not None:
        return named.get(given, given)
    choice = "tool_use" if tools and "tool_use" in named else "default"
    if choice in named:
        return named[choice]
    if named:
        raise InputError(
            f"{name} has no default chat template; pass chat_template=, one of {sorted(named)}",
            field="chat_template",
        )
    raise InputError(f"{name} has no chat template; pass chat_template=", field="chat_template")


def check_names(template: str, names: Iterable[str], arguments: Iterable[str]) -> None:
    """Refuse a name that is neither one of the arguments of the call nor read by the template."""
    read = _names(template)
    for name in names:
        if (name in read and name not in _ARGUMENTS) or name in _THINKING:
            continue
        known = (*arguments, *sorted(read - _ARGUMENTS))
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"is no argument, and this chat template does not read it{hint}", field=name)


def render_all(template: str, given: Any, **arguments: Any) -> tuple[list[Rendered], bool]:
    """Render the conversation or the conversations in what was given; say also whether there were several."""
    turns, many = conversations(given)
    if "role" in template:
        _check_roles(turns)
    return [_render(template, one, **arguments) for one in turns], many


def marks_generation(template: str) -> bool:
    """Say whether a template marks the assistant's words."""
    return _OPEN in _names(template)


def _check_roles(turns: Sequence[Sequence[Message]]) -> None:
    for conversation in turns:
        for position, message in enumerate(conversation):
            if not isinstance(message.get("role"), str):
                what = "is a record: pass its 'messages'" if "messages" in message else "has no text 'role'"
                raise InputError(f"message {position} {what}", field="messages")


def _render(
    template: str,
    messages: list[Message],
    *,
    tools: Any = None,
    documents: Any = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool | str = False,
    spans: bool = False,
    now: Callable[[], datetime] | None = None,
    names: Mapping[str, Any] | None = None,
) -> Rendered:
    """Render one conversation; `names` is what the template may read besides.

    What the template refuses is an InputError with the template's words.
    """
    mark = _mark(messages)
    if continue_final_message:
        field = "content" if continue_final_message is True else continue_final_message
        _mark_end(messages, add_generation_prompt, field, mark)

    def strftime_now(pattern: str) -> str:
        if now is None:
            raise TemplateError("the template asks for the date, and no clock was given: pass now=")
        return now().strftime(pattern)

    seen = {
        "messages": messages,
        "tools": plain_mappings(tools, "tools"),
        "documents": plain_mappings(documents, "documents"),
        "add_generation_prompt": add_generation_prompt,
        "strftime_now": strftime_now,
        **cast("dict[str, Any]", plain(names or {})),
    }
    text = _print(template, seen)
    if continue_final_message:
        text = _cut_at_mark(text, mark)
    if not spans:
        return Rendered(text)
    marked = _print(template, {**seen, _OPEN: f"{mark}<", _CLOSE: f"{mark}>"})
    return Rendered(text, _spans(marked, mark, text))


def _print(template: str, seen: Mapping[str, Any]) -> str:
    try:
        return _compile(template).render(seen)
    except Exception as cause:  # the template is a program of somebody else
        raise InputError(f"the chat template refuses: {cause}", field="messages") from cause


def _mark(messages: Sequence[Message]) -> str:
    """Choose a text that occurs in no message."""
    held = json.dumps(messages, ensure_ascii=False)
    mark = "\ue000mark\ue000"
    while mark in held:
        mark += "\ue000"
    return mark


def _mark_end(messages: list[Message], add_generation_prompt: bool, field: str, mark: str) -> None:
    """Put a mark behind the last message's text, to cut the rendered text there.

    A blank stands behind the mark: a template that trims the text trims the blank, and shows that it does.
    """
    if add_generation_prompt:
        raise InputError("excludes add_generation_prompt", field="continue_final_message")
    last = messages[-1] if messages else {}
    value = last.get(field)
    if isinstance(value, list):
        texts = [block for block in value if isinstance(block, dict) and isinstance(block.get("text"), str)]
        if texts:
            texts[-1]["text"] += f"{mark} "
            return
    if not isinstance(value, str):
        what = "text" if field == "content" else f"a text {field!r}"
        raise InputError(f"needs a last message with {what}", field="continue_final_message")
    for name in REASONING if field in REASONING else (field,):
        if last.get(name) == value:
            last[name] = f"{value}{mark} "


def _cut_at_mark(text: str, mark: str) -> str:
    head, found, tail = text.rpartition(mark)
    if not found:
        raise InputError("the template drops the last message's text", field="continue_final_message")
    return head if tail.startswith(" ") else head.rstrip()


def _spans(marked: str, mark: str, text: str) -> list[tuple[int, int]]:
    """Return the ranges between the marks; the text without marks must be `text`."""
    first, *rest = re.split(f"{mark}([<>])", marked)
    kinds, pieces = rest[::2], rest[1::2]
    if first + "".join(pieces) != text or kinds.count("<") != kinds.count(">"):
        raise InputError(
            "the template edits what its generation blocks hold: nobody can tell the assistant's words",
            field="return_assistant_tokens_mask",
        )
    at, starts, spans = len(first), list[int](), list[tuple[int, int]]()
    for kind, piece in zip(kinds, pieces, strict=True):
        if kind == "<":
            starts.append(at)
        else:
            spans.append((starts.pop(), at))
        at += len(piece)
    return spans


Message = dict[str, Any]
"""One turn: `role`, `content`, and whatever else the template reads."""

REASONING = ("reasoning_content", "thinking", "reasoning")
"""Fields in which programs keep the assistant's reasoning; templates read the first two."""


class JsonText(str):
    """The arguments of a tool call as the OpenAI API has them: JSON in a text.

    Templates differ: some print a text as it is, some write `arguments | tojson`, some go through
    `arguments | items`. This is a text that `tojson` writes as the object in it, and that has its items.
    """

    value: dict[str, Any]
    """What the text says."""

    @classmethod
    def read(cls, text: str) -> str:
        """Return such a text if it holds a JSON object, else the text itself."""
        try:
            value = json.loads(text)
        except ValueError:
            return text
        if not isinstance(value, dict):
            return text
        made = cls(text)
        made.value = value
        return made

    def items(self) -> list[tuple[str, Any]]:
        """Return the members of the object."""
        return list(self.value.items())

    def __getitem__(self, name: Any) -> Any:
        return self.value[name] if isinstance(name, str) else super().__getitem__(name)

    def keys(self) -> list[str]:
        """Return the names of the members."""
        return list(self.value)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member."""
        return self.value.get(name, default)


def conversations(given: Any) -> tuple[list[list[Message]], bool]:
    """Return the conversations in what the caller gave, as plain data, and whether there were several.

    A conversation is an iterable of messages, or an object with `messages`; several are an iterable of those.
    """
    turns = _listed(given)
    many = bool(turns) and all(_is_conversation(one) for one in turns)
    if not many:
        return [_conversation(turns, "")], False
    return [_conversation(_listed(one), f" of conversation {n}") for n, one in enumerate(turns)], True


def plain(value: Any) -> Any:
    """Return a value as dicts, lists, texts and numbers; what is none of these is named, `<Image>`."""
    if value is None or type(value) in (str, int, float, bool, JsonText):
        return value
    if isinstance(value, str):  # an enum, whose str() is its name
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if (fields := _fields(value)) is not None:
        return _plain_fields(fields)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "tolist") and (getattr(value, "ndim", 1) == 0 or str(value.dtype) == "object"):
        return plain(value.tolist())  # a number of numpy, or messages as pandas reads them from Parquet
    return f"<{type(value).__name__}>"


def _plain_fields(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {_key(name): plain(value) for name, value in fields.items()}


def _key(name: Any) -> str | int:
    key = plain(name)
    return key if isinstance(key, (str, int)) else str(name)


def plain_mappings(given: Any, field: str) -> list[dict[str, Any]] | None:
    """Return tools or documents as plain data; each must be a mapping."""
    if given is None:
        return None
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"is a {type(given).__name__}, not a list of mappings", field=field)
    made = []
    for position, one in enumerate(given):
        fields = _fields(one)
        if fields is None:
            hint = "; give its JSON schema" if callable(one) else ""
            raise InputError(f"holds a {type(one).__name__} at {position}, not a mapping{hint}", field=field)
        made.append(_plain_fields(fields))
    return made


def _fields(value: Any) -> Mapping[Any, Any] | None:
    """Read what has named fields: a mapping, or an object of dataclasses, attrs or pydantic."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if attrs.has(type(value)):
        return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    dump = getattr(value, "model_dump", None)
    dumped = dump() if callable(dump) else None
    return dumped if isinstance(dumped, Mapping) else None


def _listed(given: Any) -> list[Any]:
    """Return what was given as a list of messages or of conversations."""
    if isinstance(given, Mapping):
        what = "a record: pass its 'messages'" if "messages" in given else "one message: pass a list of them"
        raise InputError(f"is {what}", field="messages")
    given = getattr(given, "messages", given)
    if hasattr(given, "tolist"):  # an array of objects
        given = given.tolist()
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable) or _is_pydantic(given):
        raise InputError(f"is a {type(given).__name__}, not a list of messages", field="messages")
    return list(given)


def _is_pydantic(value: Any) -> bool:
    """Say whether a value is a pydantic object, which can be iterated and is no list."""
    return callable(getattr(value, "model_dump", None))


def _is_conversation(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or hasattr(value, "tolist") or hasattr(value, "messages")


def _conversation(turns: list[Any], where: str) -> list[Message]:
    made = []
    for at, turn in enumerate(turns):
        fields = _fields(turn)
        if fields is None:
            raise InputError(
                f"message {at}{where} is a {type(turn).__name__}, not a mapping with 'role' and 'content'",
                field="messages",
            )
        made.append(_normalised(_plain_fields(fields)))
    return made


def _normalised(message: Message) -> Message:
    """Bring the shapes of the OpenAI API to what templates read.

    A field that is null is left out: templates print the word None, or fail. The assistant's reasoning gets
    the names that templates read.
    """
    message = {name: value for name, value in message.items() if value is not None}
    thought = next((message[name] for name in REASONING if name in message), None)
    if thought is not None:
        message = {"thinking": thought, **message, "reasoning_content": thought}
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        message["tool_calls"] = [_call(call) for call in calls]
    return message


def _call(call: Any) -> Any:
    """Read the arguments of a tool call, in its `function` or beside its name."""
    if not isinstance(call, dict):
        return call
    if isinstance(call.get("function"), dict):
        return {**call, "function": _call(call["function"])}
    if isinstance(call.get("arguments"), str):
        return {**call, "arguments": JsonText.read(call["arguments"])}
    return call
