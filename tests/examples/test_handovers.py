"""The demo's data and its rule: reproducible, nothing shared with held-out items, no short cut to a score."""

from __future__ import annotations

import re
from collections import Counter

import instruct
import numpy as np
import pytest
from data import make_handovers
from tinsmith.core.tokenization import Tokenizer
from tinsmith_local.models.tiny import open_tiny

ITEM = instruct.Item("Lily was lent an old kite by Oscar.", "Oscar -> Lily: kite")
ANSWERS: list[tuple[str, instruct.Verdict]] = [
    ("Oscar -> Lily: kite", "right"),
    ("  Oscar -> Lily: kite\n", "right"),
    ("Lily -> Oscar: kite", "roles swapped"),
    ("Oscar -> Lily: lamp", "wrong word"),
    ("Oscar -> Anna: kite", "wrong word"),
    ("Oscar -> Lily: kites", "wrong word"),
    ("oscar -> lily: kite", "wrong word"),
    ("Oscar -> Oscar: kite", "wrong word"),
    ("Oscar -> Lily: old kite", "not a card"),
    ("Oscar -> Lily: kite.", "not a card"),
    ("Oscar -> Lily : kite", "not a card"),
    ("Oscar->Lily: kite", "not a card"),
    ("Oscar  -> Lily: kite", "not a card"),
    ("Oscar -> Lily: kite\nOscar -> Lily: kite", "not a card"),
    ("The answer is Oscar -> Lily: kite", "not a card"),
    (ITEM.sentence, "not a card"),
    ("", "not a card"),
]


def words(items: list[instruct.Item]) -> set[str]:
    """Return the words of all answers."""
    return {word for item in items for word in re.findall(r"\w+", item.answer)}


def test_files_are_what_the_script_writes() -> None:
    """The checked-in data is reproduced byte for byte."""
    for name, text in make_handovers.files().items():
        assert (make_handovers.FOLDER / name).read_bytes() == text.encode()
    assert make_handovers.main(["--check"]) == 0


def test_held_out_items_share_no_word_of_an_answer_with_training() -> None:
    """Neither a name nor a thing of a held-out item occurs anywhere in training."""
    train, held_out = instruct.load("train"), instruct.load("held_out")
    seen = set(re.findall(r"\w+", " ".join(f"{item.sentence} {item.answer}" for item in train)))
    assert len(held_out) == 40
    assert not words(held_out) & seen


@pytest.mark.parametrize("name", ["train", "held_out"])
def test_no_short_cut_scores(name: str) -> None:
    """No constant answer is right twice, and taking the names as they come is right for half of the items."""
    items = instruct.load("train") if name == "train" else instruct.load("held_out")
    assert max(Counter(item.answer for item in items).values()) == 1
    giver_first = 0
    for item in items:
        giver, taker, _ = re.findall(r"\w+", item.answer)
        said = re.findall(r"\w+", item.sentence)
        giver_first += said.index(giver) < said.index(taker)
    assert giver_first == len(items) / 2


@pytest.mark.parametrize(("text", "verdict"), ANSWERS)
def test_rule(text: str, verdict: instruct.Verdict) -> None:
    """The rule accepts the one right answer and tells near misses apart."""
    assert instruct.judge(ITEM, text) == verdict


def test_rule_accepts_every_stored_answer() -> None:
    """Each item's own answer is right, and right for no other held-out item."""
    held_out = instruct.load("held_out")
    for item in [*instruct.load("train"), *held_out]:
        assert instruct.judge(item, item.answer) == "right"
    right = sum(instruct.judge(item, other.answer) == "right" for item in held_out for other in held_out)
    assert right == len(held_out)


def test_shuffling_gives_every_item_the_answer_of_another() -> None:
    """Shuffled targets are the same texts, all of them on the wrong sentence."""
    items = instruct.load("train")
    mixed = instruct.shuffled(items)
    assert [item.sentence for item in mixed] == [item.sentence for item in items]
    assert sorted(item.answer for item in mixed) == sorted(item.answer for item in items)
    assert not any(
        instruct.judge(item, other.answer) == "right" for item, other in zip(items, mixed, strict=True)
    )


def test_datum_weighs_the_answer_alone() -> None:
    """The targets that count spell the answer and the end of the turn; the input ends one token earlier."""
    source = open_tiny()
    tokenizer = Tokenizer.from_bytes(
        source.tokenizer_json or b"", config=source.tokenizer_config, chat_template=source.chat_template
    )
    datum = instruct.datum(tokenizer, ITEM)
    targets = datum.loss_fn_inputs["target_tokens"].to_numpy()
    weights = datum.loss_fn_inputs["weights"].to_numpy()
    assert tokenizer.decode(targets[weights == 1].tolist()) == f"{ITEM.answer}<|im_end|>"
    assert set(np.unique(weights)) == {0.0, 1.0}
    assert datum.model_input.to_ints()[1:] == targets[:-1].tolist()
    prompt = instruct.prompt(tokenizer, ITEM).to_ints()
    assert datum.model_input.to_ints()[: len(prompt)] == prompt
    assert weights.tolist().index(1.0) == len(prompt) - 1
