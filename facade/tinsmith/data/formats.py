"""Converts rows to records: those of OpenAI, Anthropic, ShareGPT and Alpaca, and plain pairs of texts.

A format is recognised by the names of its fields. Owns what each of them means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from tinsmith.core.errors import InputError
from tinsmith.data.files import RawRecord, located, read_rows
from tinsmith.data.records import (
    Chat,
    Completion,
    Message,
    Preference,
    Record,
    check_choice,
    read_list,
    read_mapping,
    read_text,
)

if TYPE_CHECKING:
    import os

DataFormat = Literal["openai", "anthropic", "sharegpt", "alpaca", "completion", "text", "preference"]
"""Name of a format; docs/data.md shows a row of each."""

Fields = Mapping[str, Any]

_TRANSCRIPT = re.compile(r"\n\n(Human|Assistant): ?")
"""The turns of a conversation written as one text."""

_SHAREGPT_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "function_call": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
    "function_response": "tool",
}


def read_records(path: str | os.PathLike[str], format: DataFormat | None = None) -> Iterator[Record]:
    """Yield the records of a file of JSON Lines, of a JSON array, or of Parquet.

    `format` names the format of all rows; None recognises that of each by its fields. Raises InputError,
    which names file, line and field, for the first row that cannot be read.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "pairs.jsonl")
    ...     _ = path.write_text('{"prompt": "Tin is ", "completion": "Sn"}')
    ...     [record.completion for record in read_records(path)]
    ['Sn']
    """
    check_format(format)
    for row in read_rows(path):
        yield record_of(row, format)


def record_of(row: RawRecord | Fields, format: DataFormat | None = None) -> Record:
    """Convert a row of a file, or the fields of one; InputError names place and field of what is wrong."""
    check_format(format)
    if not isinstance(row, RawRecord):
        return _CONVERTERS[format or recognised(row)](row, "")
    fields = row.fields()
    try:
        return _CONVERTERS[format or recognised(fields)](fields, row.where)
    except InputError as error:
        raise located(error, row.where) from error


def check_format(format: DataFormat | None) -> None:
    """Refuse the name of a format that is none."""
    if format is not None:
        check_choice("format", format, _CONVERTERS)


def recognised(fields: Fields) -> DataFormat:
    """Tell the format of a row by its fields; InputError where it is none of them."""
    names = fields.keys()
    if "conversations" in names:
        return "sharegpt"
    if "messages" in names:
        return "anthropic" if _is_anthropic(fields) else "openai"
    if names >= {"preferred_output", "non_preferred_output"}:
        return "openai"
    if names >= {"chosen", "rejected"}:
        return "anthropic" if _is_transcript(fields["chosen"]) else "preference"
    if names >= {"prompt", "completion"}:
        return "anthropic" if _is_transcript(fields["prompt"]) else "completion"
    if names >= {"instruction", "output"}:
        return "alpaca"
    if "text" in names:
        return "text"
    raise InputError(
        f"has the fields {', '.join(map(repr, names)) or 'of nothing'}, which no known format has; give"
        " 'messages', or 'prompt' and 'completion', or 'text', or 'chosen' and 'rejected', or name the format"
    )


def _openai(fields: Fields, where: str) -> Record:
    if "messages" not in fields:
        return _openai_preference(fields, where)
    tools = _tools(fields.get("tools"), "tools") or _functions(fields.get("functions"))
    return Chat(_messages(fields["messages"], "messages"), tools, where)


def _openai_preference(fields: Fields, where: str) -> Record:
    asked = read_mapping(_required(fields, "input"), "input")
    prompt = _messages(_required(asked, "messages", "input."), "input.messages")
    tools = _tools(asked.get("tools"), "input.tools")
    chosen, rejected = (
        _answered(prompt, _messages(_required(fields, name), name), tools, where)
        for name in ("preferred_output", "non_preferred_output")
    )
    return Preference(chosen, rejected, where)


def _messages(value: Any, field: str) -> list[Message]:
    return [_message(turn, f"{field}[{place}]") for place, turn in enumerate(read_list(value, field))]


def _message(value: Any, field: str) -> Message:
    """Check a turn in the shape of the OpenAI API, and bring its older forms to today's."""
    message = dict(read_mapping(value, field))
    role = _required(message, "role", f"{field}.")
    if not isinstance(role, str) or not role:
        raise InputError("must be a text, such as 'user' or 'assistant'", field=f"{field}.role")
    message["role"] = {"developer": "system", "function": "tool"}.get(role, role)
    if (call := message.pop("function_call", None)) is not None:
        message["tool_calls"] = [{"type": "function", "function": call}]
    if calls := message.get("tool_calls"):
        for place, call in enumerate(read_list(calls, f"{field}.tool_calls")):
            _check_call(call, f"{field}.tool_calls[{place}]")
    if message.get("content") is not None:
        message["content"] = read_text(message["content"], f"{field}.content")
    elif not (message.get("tool_calls") or message.get("reasoning_content")):
        raise InputError("is missing; give a text, which may be empty", field=f"{field}.content")
    if not isinstance(message.get("weight", 1), (int, float)):
        raise InputError("must be a number: 0 leaves the turn out of the loss", field=f"{field}.weight")
    return message


def _check_call(value: Any, field: str) -> None:
    function = read_mapping(
        _required(read_mapping(value, field), "function", f"{field}."), f"{field}.function"
    )
    if not isinstance(function.get("name"), str):
        raise InputError("must be a text, the name of the tool", field=f"{field}.function.name")
    if not isinstance(function.get("arguments"), (str, Mapping)):
        raise InputError("must be an object, or a text of one", field=f"{field}.function.arguments")


def _tools(value: Any, field: str) -> list[dict[str, Any]] | None:
    """Return the descriptions of tools; a text is JSON, as files with one type a column hold them."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except ValueError as cause:
            raise InputError(f"is a text that is no JSON: {cause}", field=field) from cause
    if not value:
        return None
    return [dict(read_mapping(tool, f"{field}[{n}]")) for n, tool in enumerate(read_list(value, field))]


def _functions(value: Any) -> list[dict[str, Any]] | None:
    found = _tools(value, "functions")
    return found and [{"type": "function", "function": function} for function in found]


def _is_transcript(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("\n\nHuman:")


def _is_anthropic(fields: Fields) -> bool:
    """Say whether a row has what only requests to the Anthropic API have."""
    tools = fields.get("tools")
    if "system" in fields or any("input_schema" in tool for tool in _mappings(tools)):
        return True
    kinds = ("tool_use", "tool_result", "thinking")
    contents = (turn.get("content") for turn in _mappings(fields["messages"]))
    return any(block.get("type") in kinds for content in contents for block in _mappings(content))


def _mappings(value: Any) -> list[Fields]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _anthropic(fields: Fields, where: str) -> Record:
    if "messages" not in fields:
        return _transcripts(fields, where)
    turns = read_list(fields["messages"], "messages")
    messages = _system(fields)
    for place, turn in enumerate(turns):
        messages += _of_blocks(turn, f"messages[{place}]")
    tools = _tools(fields.get("tools"), "tools")
    return Chat(messages, tools and [_tool(tool, f"tools[{n}]") for n, tool in enumerate(tools)], where)


def _of_blocks(value: Any, field: str) -> list[Message]:
    """Convert a turn; each result of a tool is a message of its own, in front of what the user says."""
    turn = read_mapping(value, field)
    content = _required(turn, "content", f"{field}.")
    if isinstance(content, str):
        return [_message(turn, field)]
    message: Message = {"role": _required(turn, "role", f"{field}.")}
    results: list[Message] = []
    for place, block in enumerate(read_list(content, f"{field}.content")):
        _take_block(
            read_mapping(block, f"{field}.content[{place}]"), message, results, f"{field}.content[{place}]"
        )
    if len(message) > 1 or not results:
        results.append(_message({"content": "", **message}, field))
    return results


def _take_block(block: Fields, message: Message, results: list[Message], field: str) -> None:
    match block.get("type"):
        case "text":
            message["content"] = message.get("content", "") + read_text(block.get("text"), f"{field}.text")
        case "thinking":
            message["reasoning_content"] = read_text(block.get("thinking"), f"{field}.thinking")
        case "tool_use":
            function = {"name": block.get("name"), "arguments": block.get("input")}
            call = {"id": block.get("id"), "type": "function", "function": function}
            message.setdefault("tool_calls", []).append(call)
        case "tool_result":
            said = read_text(block.get("content", ""), f"{field}.content")
            results.append({"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": said})
        case kind:
            raise InputError(
                f"is a block of kind {kind!r}, which cannot be trained on; remove it", field=field
            )


def _tool(tool: Fields, field: str) -> dict[str, Any]:
    function = {name: tool[name] for name in ("name", "description") if name in tool}
    return {
        "type": "function",
        "function": {**function, "parameters": _required(tool, "input_schema", f"{field}.")},
    }


def _transcripts(fields: Fields, where: str) -> Record:
    if "completion" in fields:
        prompt = read_text(_required(fields, "prompt"), "prompt")
        said = (
            prompt.removesuffix("\n\nAssistant:")
            + "\n\nAssistant: "
            + read_text(fields["completion"], "completion")
        )
        return Chat(_turns(said, "prompt"), None, where)
    chosen, rejected = (_turns(_required(fields, name), name) for name in ("chosen", "rejected"))
    return _compared(chosen, rejected, None, where)


def _turns(value: Any, field: str) -> list[Message]:
    start, *rest = _TRANSCRIPT.split(read_text(value, field))
    if start.strip() or not rest:
        raise InputError("must begin with '\\n\\nHuman:'", field=field)
    roles = {"Human": "user", "Assistant": "assistant"}
    return [
        {"role": roles[name], "content": text.strip()}
        for name, text in zip(rest[::2], rest[1::2], strict=True)
    ]


def _sharegpt(fields: Fields, where: str) -> Record:
    turns = read_list(_required(fields, "conversations"), "conversations")
    messages = _system(fields)
    for place, value in enumerate(turns):
        field = f"conversations[{place}]"
        turn = read_mapping(value, field)
        messages.append(_message(turn, field) if "role" in turn else _sharegpt_turn(turn, field))
    return Chat(messages, _tools(fields.get("tools"), "tools"), where)


def _sharegpt_turn(turn: Fields, field: str) -> Message:
    speaker = _required(turn, "from", f"{field}.")
    if not isinstance(speaker, str) or speaker not in _SHAREGPT_ROLES:
        known = ", ".join(_SHAREGPT_ROLES)
        raise InputError(f"must be one of {known}, not {speaker!r}", field=f"{field}.from")
    said = read_text(_required(turn, "value", f"{field}."), f"{field}.value")
    if speaker != "function_call":
        return {"role": _SHAREGPT_ROLES[speaker], "content": said}
    try:
        call = json.loads(said)
    except ValueError as cause:
        raise InputError(f"must be the JSON of a call: {cause}", field=f"{field}.value") from cause
    return _message({"role": "assistant", "tool_calls": [{"type": "function", "function": call}]}, field)


def _alpaca(fields: Fields, where: str) -> Record:
    said = {name: read_text(_required(fields, name), name) for name in ("instruction", "output")}
    more = read_text(fields.get("input") or "", "input")
    messages = _system(fields)
    for place, pair in enumerate(read_list(fields["history"], "history") if fields.get("history") else ()):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise InputError("must be two texts: a question and its answer", field=f"history[{place}]")
        messages += _exchange(*(read_text(text, f"history[{place}]") for text in pair))
    asked = "\n\n".join(part for part in (said["instruction"], more) if part)
    return Chat(messages + _exchange(asked, said["output"]), None, where)


def _system(fields: Fields) -> list[Message]:
    """Return the system message that stands beside the turns, if there is one."""
    given = fields.get("system")
    return [{"role": "system", "content": read_text(given, "system")}] if given else []


def _exchange(question: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _completion(fields: Fields, where: str) -> Record:
    prompt, completion = _required(fields, "prompt"), _required(fields, "completion")
    if isinstance(prompt, str) and isinstance(completion, str):
        return Completion(prompt, completion, where)
    tools = _tools(fields.get("tools"), "tools")
    return _answered(_messages(prompt, "prompt"), _messages(completion, "completion"), tools, where)


def _text(fields: Fields, where: str) -> Record:
    return Completion("", read_text(_required(fields, "text"), "text"), where)


def _preference(fields: Fields, where: str) -> Record:
    chosen, rejected = _required(fields, "chosen"), _required(fields, "rejected")
    prompt = fields.get("prompt")
    if isinstance(chosen, str) and isinstance(rejected, str):
        asked = read_text(prompt or "", "prompt")
        return Preference(Completion(asked, chosen, where), Completion(asked, rejected, where), where)
    tools = _tools(fields.get("tools"), "tools")
    asked_turns = _messages(prompt, "prompt") if isinstance(prompt, list) else []
    better, worse = (asked_turns + _messages(fields[name], name) for name in ("chosen", "rejected"))
    return _compared(better, worse, tools, where)


def _compared(
    chosen: list[Message], rejected: list[Message], tools: list[dict[str, Any]] | None, where: str
) -> Preference:
    """Make a pair of two conversations: what both begin with is the question."""
    shared = next(
        (n for n, (one, other) in enumerate(zip(chosen, rejected, strict=False)) if one != other),
        min(len(chosen), len(rejected)),
    )
    if shared in (len(chosen), len(rejected)):
        raise InputError("has no turn that 'chosen' has not, or the other way round", field="rejected")
    better, worse = (_answered(turns[:shared], turns[shared:], tools, where) for turns in (chosen, rejected))
    return Preference(better, worse, where)


def _answered(
    prompt: Sequence[Message], answer: Sequence[Message], tools: list[dict[str, Any]] | None, where: str
) -> Chat:
    """Make a conversation of which only the answer has weight."""
    asked = [{**turn, "weight": 0} if turn["role"] == "assistant" else turn for turn in prompt]
    return Chat([*asked, *answer], tools, where)


def _required(fields: Fields, name: str, inside: str = "") -> Any:
    if fields.get(name) is None:
        raise InputError(
            f"is missing; the row has {', '.join(map(repr, fields)) or 'none'}", field=f"{inside}{name}"
        )
    return fields[name]


_CONVERTERS: dict[str, Callable[[Fields, str], Record]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "completion": _completion,
    "text": _text,
    "preference": _preference,
}
"""Format -> what makes a record of a row."""
