"""The demo's task: read a sentence about a thing that changes hands, answer `giver -> taker: thing`.

Owns the prompt, the rule that checks an answer, and the way from items to datums. Must not train or sample.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import jsonl
import numpy as np
from tinsmith import InputError, types

if TYPE_CHECKING:
    from tinsmith import Tokenizer

INSTRUCTION = "Write: giver -> taker: thing"
CARD = re.compile(r"(?P<giver>\w+) -> (?P<taker>\w+): (?P<thing>\w+)")
Verdict = Literal["right", "roles swapped", "wrong word", "not a card"]


@dataclass(frozen=True)
class Item:
    """One sentence and its only right answer."""

    sentence: str
    answer: str


def load(name: Literal["train", "held_out"]) -> list[Item]:
    """Read the items of one data file."""
    return read_items(Path(__file__).parent / "data" / f"{name}.jsonl")


def read_items(path: Path) -> list[Item]:
    """Read items, JSON Lines with the texts `sentence` and `answer`; other fields are refused."""
    items = []
    for where, record in jsonl.read(path):
        if record.keys() != {"sentence", "answer"} or not all(isinstance(v, str) for v in record.values()):
            raise InputError(f"{where} needs the texts 'sentence' and 'answer' and nothing else")
        items.append(Item(**record))
    return items


def shuffled(items: list[Item]) -> list[Item]:
    """Give every item the answer of another one: the same texts, and nothing left to learn but the format."""
    order = list(range(len(items)))
    random.Random(0).shuffle(order)
    partner = dict(zip(order, order[1:] + order[:1], strict=True))
    return [replace(item, answer=items[partner[index]].answer) for index, item in enumerate(items)]


def judge(item: Item, text: str) -> Verdict:
    """Check an answer by the rule: exactly one card, the right three words, the right way round."""
    card = CARD.fullmatch(text.strip())
    if card is None:
        return "not a card"
    if card[0] == item.answer:
        return "right"
    swapped = f"{card['taker']} -> {card['giver']}: {card['thing']}"
    return "roles swapped" if swapped == item.answer else "wrong word"


def prompt(tokenizer: Tokenizer, item: Item) -> types.ModelInput:
    """Build the prompt of an item: the instruction, the sentence, and the turn handed to the assistant."""
    messages = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": item.sentence}]
    return types.ModelInput.from_ints(tokenizer.apply_chat_template(messages, add_generation_prompt=True))


def datum(tokenizer: Tokenizer, item: Item) -> types.Datum:
    """Build the training example of an item; only the tokens of the answer carry weight."""
    asked = prompt(tokenizer, item).to_ints()
    answer = tokenizer.encode(f"{item.answer}{tokenizer.eos_token}", add_special_tokens=False)
    tokens = asked + answer
    weights = np.zeros(len(tokens) - 1, np.float32)
    weights[len(asked) - 1 :] = 1.0
    return types.Datum(
        model_input=types.ModelInput.from_ints(tokens[:-1]),
        loss_fn_inputs={"target_tokens": np.asarray(tokens[1:], np.int64), "weights": weights},
    )
