"""The demo's task: read a sentence about a thing that changes hands, answer `giver -> taker: thing`.

Owns the prompt, the rule that checks an answer, and the way from items to datums. Must not train or sample.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tinsmith import InputError, data, types

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
    for row in data.read_rows(path):
        record = row.fields()
        if record.keys() != {"sentence", "answer"} or not all(isinstance(v, str) for v in record.values()):
            raise InputError(f"{row.where} needs the texts 'sentence' and 'answer' and nothing else")
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


def asked(item: Item) -> list[dict[str, str]]:
    """Write the messages that an answer follows: the instruction and the sentence."""
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": item.sentence}]


def prompt(tokenizer: Tokenizer, item: Item) -> types.ModelInput:
    """Build the prompt of an item: its messages, and the turn handed to the assistant."""
    return types.ModelInput.from_ints(tokenizer.apply_chat_template(asked(item), add_generation_prompt=True))


def datum(tokenizer: Tokenizer, item: Item) -> types.Datum:
    """Build the training example of an item; only the tokens of the answer carry weight."""
    answer = {"role": "assistant", "content": item.answer}
    return data.datum_from_messages(tokenizer, [*asked(item), answer])


def pair(item: Item) -> data.Preference:
    """Build a preference pair: the right answer, and the one with the names the wrong way round."""
    giver, taker, thing = re.findall(r"\w+", item.answer)
    answers = {"chosen": item.answer, "rejected": f"{taker} -> {giver}: {thing}"}
    said = {name: [{"role": "assistant", "content": answer}] for name, answer in answers.items()}
    record = data.record_of({"prompt": asked(item), **said})
    assert isinstance(record, data.Preference)
    return record
