"""Renders chat templates: jinja2 in a sandbox, with the names that published templates expect.

Owns the sandbox; knows nothing of token ids. The clock that some templates ask for is an argument.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tinsmith.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from jinja2 import Template
    from jinja2.parser import Parser

Message = dict[str, Any]
"""One turn: `role`, `content`, and whatever else the template reads."""

_CONTINUE = "\ue000continue\ue000"


class _Generation(Extension):
    """Lets `{% generation %}` blocks through: they mark the assistant's words, and print what they hold."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


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
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


@lru_cache(maxsize=64)
def _compile(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    return environment.from_string(template)


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
    if choice not in named:
        raise InputError(f"{name} has no chat template; pass chat_template=", field="chat_template")
    return named[choice]


def render(
    template: str,
    messages: Sequence[Message],
    *,
    tools: Sequence[Mapping[str, Any]] | None = None,
    documents: Sequence[Mapping[str, Any]] | None = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool = False,
    now: Callable[[], datetime] | None = None,
    **names: Any,  # what the template may read besides: special tokens, and the caller's own switches
) -> str:
    """Render a conversation. What the template refuses is an InputError with the template's words."""
    if continue_final_message:
        messages = _mark_end(messages, add_generation_prompt)

    def strftime_now(pattern: str) -> str:
        if now is None:
            raise TemplateError("the template asks for the date, and no clock was given")
        return now().strftime(pattern)

    try:
        text = _compile(template).render(
            messages=messages,
            tools=tools,
            documents=documents,
            add_generation_prompt=add_generation_prompt,
            strftime_now=strftime_now,
            **names,
        )
    except (TemplateError, TypeError) as cause:
        raise InputError(f"the chat template refuses: {cause}", field="messages") from cause
    return _cut_at_mark(text) if continue_final_message else text


def _mark_end(messages: Sequence[Message], add_generation_prompt: bool) -> list[Message]:
    """Put a mark behind the last message's text, to cut the rendered text there."""
    if add_generation_prompt:
        raise InputError("excludes add_generation_prompt", field="continue_final_message")
    last = messages[-1] if messages else {}
    if not isinstance(last.get("content"), str):
        raise InputError("needs a last message with text", field="continue_final_message")
    return [*messages[:-1], {**last, "content": last["content"] + _CONTINUE}]


def _cut_at_mark(text: str) -> str:
    head, mark, _ = text.rpartition(_CONTINUE)
    if not mark:
        raise InputError("the template drops the last message's text", field="continue_final_message")
    return head
