"""Prompts as tokens: the four forms of a completion's prompt, and messages through the chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.tokenization import Tokenizer
from tinsmith.gateway.refusals import GatewayRefusal
from tinsmith.gateway.wishes import token_ids

if TYPE_CHECKING:
    from tinsmith.gateway.fields import Fields

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
"""Role of a message -> the one that chat templates know."""


@attrs.frozen
class Prompt:
    """What is continued."""

    tokens: list[int]
    """Its tokens, at least one."""
    text: str
    """Its text, which `echo` repeats."""


def read_prompts(value: Any) -> list[str | list[int]]:
    """Read `prompt`: a text, a list of texts, token ids, or a list of lists of token ids."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value:
        if all(isinstance(one, str) for one in value):
            return value
        if all(isinstance(one, list) for one in value):
            return [token_ids(one, "prompt") for one in value]
        return [token_ids(value, "prompt")]
    raise GatewayRefusal(
        "prompt: must be a text, a list of texts, token ids or a list of lists of token ids, and not empty",
        param="prompt",
        code="invalid_type",
    )


def encode_prompt(tokenizer: Tokenizer, given: str | list[int], *, add_special_tokens: bool) -> Prompt:
    """Return a prompt with its tokens; one without tokens is refused."""
    if isinstance(given, str):
        prompt = Prompt(tokenizer.encode(given, add_special_tokens=add_special_tokens), given)
    else:
        prompt = Prompt(given, tokenizer.decode(given, skip_special_tokens=True))
    if not prompt.tokens:
        raise GatewayRefusal("prompt: is empty", param="prompt", code="invalid_value")
    return prompt


@attrs.frozen
class Conversation:
    """Messages, and what a chat template gets beside them."""

    messages: list[dict[str, Any]]
    """The messages, their roles as templates know them."""
    tools: list[dict[str, Any]] | None
    """Functions that the model may call; None for none."""
    switches: dict[str, Any]
    """Further names that the template reads, such as `enable_thinking`."""

    def render(self, tokenizer: Tokenizer, *, add_generation_prompt: bool = True) -> list[int]:
        """Return the tokens of the prompt."""
        if tokenizer.chat_template is None:
            raise GatewayRefusal("this model has no chat template: use /v1/completions", param="messages")
        tokens: list[int] = tokenizer.apply_chat_template(
            self.messages,
            tools=self.tools,
            add_generation_prompt=add_generation_prompt,
            **self.switches,
        )
        if not tokens:
            raise GatewayRefusal("messages: the chat template makes no text of them", param="messages")
        return tokens


_OURS = frozenset(Tokenizer.apply_chat_template.__annotations__) | {"self", "conversation", "names"}
"""Arguments of rendering, which are no switches of a template."""


def read_conversation(fields: Fields) -> Conversation:
    """Read messages, tools, and what is meant for the template."""
    given = fields.objects("messages")
    if not given:
        raise fields.refuse("messages", "must hold at least one message", "missing_required_parameter")
    switches = dict(fields.nested("chat_template_kwargs").rest())
    for name in _OURS.intersection(switches):
        raise fields.refuse(f"chat_template_kwargs.{name}", "is given by the request itself")
    effort = fields.text("reasoning_effort")
    if effort is not None:
        switches["reasoning_effort"] = effort
    return Conversation(
        [_message(message, f"messages[{at}]") for at, message in enumerate(given)], _tools(fields), switches
    )


def _tools(fields: Fields) -> list[dict[str, Any]] | None:
    """Read the functions that may be called; that one must be called cannot be promised."""
    tools = fields.objects("tools") or []
    for at, tool in enumerate(tools):
        function = tool.get("function")
        if tool.get("type") != "function" or not isinstance(function, dict):
            raise fields.refuse(f"tools[{at}]", "must be of type function, with its `function`")
        if not (isinstance(function.get("name"), str) and function["name"]):
            raise fields.refuse(f"tools[{at}].function.name", "is required", "missing_required_parameter")
    choice = fields.take("tool_choice")
    if choice not in (None, "auto", "none"):
        raise fields.refuse("tool_choice", "is supported as auto and none", "unsupported_parameter")
    return tools if tools and choice != "none" else None


def _message(message: dict[str, Any], where: str) -> dict[str, Any]:
    """Check one message, and return it as templates read it."""
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise _wrong(f"{where}.role", f"must be one of {', '.join(ROLES)}")
    made = {**message, "role": ROLES[role], "content": _content(message.get("content"), f"{where}.content")}
    calls = message.get("tool_calls")
    if calls is not None:
        if not isinstance(calls, list) or not all(_is_call(call) for call in calls):
            raise _wrong(f"{where}.tool_calls", "must hold calls with a function's name and its arguments")
    elif made["content"] is None:
        if role != "assistant":
            raise _wrong(f"{where}.content", "is required")
        made["content"] = ""
    return made


def _is_call(call: Any) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(function, dict)
        and isinstance(function.get("name"), str)
        and isinstance(function.get("arguments", ""), (str, dict))
    )


def _content(content: Any, where: str) -> str | None:
    """Return the text of a message; the texts of several parts are joined."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise _wrong(where, "must be a text or a list of parts")
    texts = []
    for at, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind != "text" or not isinstance(part.get("text"), str):
            raise _wrong(f"{where}[{at}]", "must be a part of type text: other kinds are not supported")
        texts.append(part["text"])
    return "".join(texts)


def _wrong(param: str, problem: str) -> GatewayRefusal:
    return GatewayRefusal(f"{param}: {problem}", param=param, code="invalid_value")
