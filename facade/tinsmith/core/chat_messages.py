"""What a chat template may see of a conversation: plain dicts, lists, texts and numbers.

Owns the shapes in which programs hold messages, and those of the OpenAI API. It renders nothing. Plain data
also keeps a template, which is somebody else's program, away from the methods of the caller's objects.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from tinsmith.core.errors import InputError

Message = dict[str, Any]
"""One turn: `role`, `content`, and whatever else the template reads."""

REASONING = ("reasoning_content", "thinking", "reasoning")
"""Names under which programs keep what an assistant thought; templates read the first two."""


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
    for place, one in enumerate(given):
        fields = _fields(one)
        if fields is None:
            hint = "; give its JSON schema" if callable(one) else ""
            raise InputError(f"holds a {type(one).__name__} at {place}, not a mapping{hint}", field=field)
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
    for place, turn in enumerate(turns):
        fields = _fields(turn)
        if fields is None:
            raise InputError(
                f"message {place}{where} is a {type(turn).__name__}, not a mapping with 'role' and 'content'",
                field="messages",
            )
        made.append(_normalised(_plain_fields(fields)))
    return made


def _normalised(message: Message) -> Message:
    """Bring the shapes of the OpenAI API to what templates read.

    A field that is null is left out: templates print the word None, or fail. What the assistant thought gets
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
