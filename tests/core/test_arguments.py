"""Arguments of calls that are no values: what is taken, as what, and what is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tinsmith import InputError
from tinsmith.core import arguments, checks
from tinsmith_api.models import AdamOptimizerConfig, OtherOptimizerConfig

TAKEN: list[tuple[Any, Any]] = [
    (lambda: checks.count(np.int64(5), "n", 1), 5),
    (lambda: checks.count(0, "n"), 0),
    (lambda: arguments.labels(None), None),
    (lambda: arguments.labels({"a": "b"}), {"a": "b"}),
    (lambda: checks.loss_settings(None), None),
    (
        lambda: checks.loss_settings({"a": np.float32(0.5), "b": np.int64(2), "c": "text"}),
        {"a": 0.5, "b": 2, "c": "text"},
    ),
]


@pytest.mark.parametrize(("call", "wanted"), TAKEN)
def test_what_is_taken_becomes_plain(call: Any, wanted: Any) -> None:
    """Scalars of numpy become Python's own, so that nothing behind has to know them."""
    given = call()
    assert given == wanted
    assert type(given) is type(wanted)
    if isinstance(given, dict):
        assert [type(value) for value in given.values()] == [type(value) for value in wanted.values()]


REFUSED: list[tuple[Any, str, str]] = [
    (lambda: checks.count(0, "n", 1), "n", ">= 1, not 0"),
    (lambda: checks.count(True, "n"), "n", "whole number"),
    (lambda: checks.count(1.0, "n"), "n", "whole number"),
    (lambda: checks.count("1", "n"), "n", "whole number"),
    (lambda: arguments.labels(7), "user_metadata", "mapping of names to texts, not int"),  # type: ignore[arg-type]
    (lambda: arguments.labels("ab"), "user_metadata", "mapping"),  # type: ignore[arg-type]
    (lambda: checks.loss_settings({"a": True}), "loss_fn_config.a", "finite number or text"),
    (lambda: checks.loss_settings({"a": float("nan")}), "loss_fn_config.a", "finite number or text"),
    (lambda: checks.loss_settings({"a": None}), "loss_fn_config.a", "finite number or text"),
]


@pytest.mark.parametrize(("call", "field", "words"), REFUSED)
def test_what_is_refused_is_named(call: Any, field: str, words: str) -> None:
    """The error names the argument and says what it takes."""
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field
    assert words in str(caught.value)


def test_an_optimizer_keeps_every_field_of_a_mapping() -> None:
    """A mapping becomes the config of another optimizer; a config and None stay what they are."""
    config = arguments.optimizer_config({"type": "lion", "beta": 0.9})
    assert config == OtherOptimizerConfig("lion")
    assert config is not None
    assert config.extra == {"beta": 0.9}
    adam = AdamOptimizerConfig()
    assert arguments.optimizer_config(adam) is adam
    assert arguments.optimizer_config(None) is None
