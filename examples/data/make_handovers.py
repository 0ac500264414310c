"""Write the demo's instruction set: sentences about one thing changing hands, and who gave what to whom.

Owns the word lists and the sentence frames. Must not know how an answer is checked or trained on (see
`instruct.py`). The same bytes come out on every machine: only `Random.random()` is drawn from, whose sequence
Python promises to keep. No name and no thing of a held-out item occurs in any training item.

Run it from anywhere: `python examples/data/make_handovers.py`; `--check` compares instead of writing.
"""

# ruff: noqa: SIM905 -- a list of words is read more easily as a text

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
FOLDER = Path(__file__).parent
TRAIN_ITEMS = 1200
HELD_OUT_ITEMS = 40

TRAIN_NAMES = """
    Ada Adam Alan Alice Anna Ben Bill Bob Carl Chris Clara Dan David Diana Dora Ed Ella Emma Eric Eva
    Frank Fred George Grace Greg Hannah Harry Helen Henry Ian Ida Jack James Jane Jim Joan John Julia
    Karl Kate Ken Laura Leo Lily Linda Louis Lucy Luke Mark Martin Mary Max Mike Nancy Neil Nora Oliver
    Oscar Paul
""".split()
HELD_OUT_NAMES = """
    Amy Arthur Betty Brian Carol Charlie Daniel Edith Felix Gary Iris Jenny Joe Kevin Liam Maria Nick
    Olivia Peter Rachel Ralph Rosa Ruth Sam Sarah Simon Sophie Steve Tina Tom Victor Walter
""".split()
TRAIN_THINGS = """
    apple bag ball basket bell bike blanket boat book bottle bowl box bread broom brush bucket cake
    camera candle cap card carpet chair cheese clock coat coin comb cup desk doll drum fan flag flute
    fork glove guitar hammer hat helmet horse jacket jar key knife ladder lamp letter map medal mirror
    mug needle newspaper painting pan pear pen phone
""".split()
HELD_OUT_THINGS = """
    axe banana belt bench bracelet button carrot compass dress feather goat hen kite lemon necklace
    onion orange piano pillow plate pot radio ring rope rug saddle scarf shirt shovel spoon stamp sword
    table tent ticket towel trumpet vase violin wallet
""".split()

ADJECTIVES = "old new small big red blue green heavy broken clean dusty shiny".split()
TIMES = ("today", "yesterday", "again", "at noon", "last night", "on Monday", "after lunch", "in May")
GIVER_FIRST = (
    "{giver} gave {taker} {thing}.",
    "{giver} gave {thing} to {taker}.",
    "{giver} handed {thing} to {taker}.",
    "{giver} sold {taker} {thing}.",
    "{giver} lent {thing} to {taker}.",
    "{giver} sent {taker} {thing}.",
    "{giver} passed {thing} over to {taker}.",
    "{giver} let {taker} have {thing}.",
    "From {giver}, {thing} went to {taker}.",
    "It was {giver} who brought {taker} {thing}.",
)
TAKER_FIRST = (
    "{taker} got {thing} from {giver}.",
    "{taker} was given {thing} by {giver}.",
    "{taker} bought {thing} from {giver}.",
    "{taker} borrowed {thing} from {giver}.",
    "{taker} was sent {thing} by {giver}.",
    "{taker} took {thing} from {giver}.",
    "{taker} received {thing} from {giver}.",
    "{taker} now has {thing} that {giver} sold.",
    "To {taker} went {thing} from {giver}.",
    "It was {taker} who got {thing} from {giver}.",
)


def draw(rng: random.Random, choices: Sequence[T]) -> T:
    """Draw one of the choices."""
    return choices[int(rng.random() * len(choices))]


def noun_phrase(rng: random.Random, thing: str) -> str:
    """Put an article, and half the time an adjective, before the thing."""
    words = [draw(rng, ADJECTIVES), thing] if rng.random() < 0.5 else [thing]
    article = "an" if words[0][0] in "aeiou" else "a"
    return " ".join([draw(rng, (article, "the")), *words])


def item(rng: random.Random, names: Sequence[str], things: Sequence[str], frame: str) -> dict[str, str]:
    """Make one sentence and the answer to it."""
    giver, taker = draw(rng, names), draw(rng, names)
    while taker == giver:
        taker = draw(rng, names)
    thing = draw(rng, things)
    sentence = frame.format(giver=giver, taker=taker, thing=noun_phrase(rng, thing))
    if rng.random() < 0.4:
        sentence = f"{sentence[:-1]} {draw(rng, TIMES)}."
    return {"sentence": sentence, "answer": f"{giver} -> {taker}: {thing}"}


def items(seed: int, count: int, names: Sequence[str], things: Sequence[str]) -> Iterator[dict[str, str]]:
    """Make `count` items with distinct answers; every second sentence names the taker first."""
    rng = random.Random(seed)
    seen: set[str] = set()
    while len(seen) < count:
        made = item(rng, names, things, draw(rng, (GIVER_FIRST, TAKER_FIRST)[len(seen) % 2]))
        if made["answer"] not in seen:
            seen.add(made["answer"])
            yield made


def files() -> dict[str, str]:
    """Return the text of each data file by its name."""
    sets = {
        "train.jsonl": items(1, TRAIN_ITEMS, TRAIN_NAMES, TRAIN_THINGS),
        "held_out.jsonl": items(2, HELD_OUT_ITEMS, HELD_OUT_NAMES, HELD_OUT_THINGS),
    }
    return {name: "".join(json.dumps(made) + "\n" for made in rows) for name, rows in sets.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` say which of them differ."""
    parser = argparse.ArgumentParser(description="Write the demo's training and held-out items.")
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    check = parser.parse_args(arguments).check
    stale = []
    for name, text in files().items():
        path = FOLDER / name
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {path.name}: {text.count(chr(10))} items")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print("differ from what this script writes: " + ", ".join(stale), file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
