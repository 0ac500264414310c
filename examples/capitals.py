"""The task of two examples, name a capital and stop: questions and reward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith import types

if TYPE_CHECKING:
    from tinsmith import Tokenizer

MAX_TOKENS = 16
"""Longest answer; one that has not ended by then runs on."""
TRAIN = {
    "Argentina": "Buenos Aires",
    "Austria": "Vienna",
    "Canada": "Ottawa",
    "Chile": "Santiago",
    "China": "Beijing",
    "Cuba": "Havana",
    "Denmark": "Copenhagen",
    "Egypt": "Cairo",
    "England": "London",
    "Finland": "Helsinki",
    "France": "Paris",
    "Germany": "Berlin",
    "Greece": "Athens",
    "Hungary": "Budapest",
    "India": "Delhi",
    "Italy": "Rome",
    "Japan": "Tokyo",
    "Kenya": "Nairobi",
    "Norway": "Oslo",
    "Russia": "Moscow",
    "Scotland": "Edinburgh",
    "Sweden": "Stockholm",
    "Thailand": "Bangkok",
    "Vietnam": "Hanoi",
}
HELD_OUT = {
    "Iceland": "Reykjavik",
    "Iran": "Tehran",
    "Ireland": "Dublin",
    "Peru": "Lima",
    "Poland": "Warsaw",
    "Portugal": "Lisbon",
    "Spain": "Madrid",
    "Turkey": "Ankara",
}


def reward(city: str, text: str, *, stopped: bool) -> float:
    """Judge an answer: 0 when it runs on, 0.2 when it ends, 1 when it ends and names the city."""
    if not stopped:
        return 0.0
    return 1.0 if city in text else 0.2


def messages(country: str) -> list[dict[str, str]]:
    """Ask for the capital of a country."""
    question = f"What is the capital of {country}?"
    return [{"role": "system", "content": "Answer."}, {"role": "user", "content": question}]


def prompt(tokenizer: Tokenizer, country: str) -> types.ModelInput:
    """Ask for the capital of a country, as the model's chat template wants it."""
    return types.ModelInput.from_ints(
        tokenizer.apply_chat_template(messages(country), add_generation_prompt=True)
    )
