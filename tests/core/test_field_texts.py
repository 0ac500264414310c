"""The texts under the fields of a class, as `help()` shows them."""

from __future__ import annotations

import inspect
from typing import Any

import attrs
import pytest
from tinsmith.core.config import RetryConfig
from tinsmith.core.field_texts import field_texts, show_fields
from tinsmith.core.values.requests import SamplingParams
from tinsmith.core.values.tensor import TensorData
from tinsmith_api.models import LoraConfig


@attrs.frozen
class Sized:
    """A class by hand."""

    seconds: float = attrs.field(alias="size_s")
    """How long it is, in seconds; this text is so long that it takes two lines of the page that `help()`
    writes."""
    bare: int = 0
    _kept: int = 0
    """Nobody sees it."""


def test_texts_of_fields() -> None:
    """Each public field that has a text is there under the name that the constructor takes."""
    assert field_texts(Sized) == {
        "size_s": "How long it is, in seconds; this text is so long that it takes two lines of the page that"
        " `help()` writes."
    }
    assert list(field_texts(TensorData)) == [
        "data",
        "dtype",
        "shape",
        "sparse_crow_indices",
        "sparse_col_indices",
    ]


def test_help_shows_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class says it as the generated ones do, below its own text, in lines that fit."""
    monkeypatch.setattr(Sized, "__module__", "tinsmith.sized")
    monkeypatch.setattr("tinsmith.core.field_texts.field_texts", lambda _: {"size_s": "long " * 30})
    show_fields(Sized)
    show_fields(Sized)
    first, blank, *entry = (inspect.getdoc(Sized) or "").splitlines()
    assert (first, blank, entry[0][:14]) == ("A class by hand.", "", "* `size_s`: lo")
    assert len(entry) == 2
    assert all(len(line) <= 98 for line in entry)


@pytest.mark.parametrize("cls", [SamplingParams, RetryConfig])
def test_classes_by_hand(cls: Any) -> None:
    """Every field of a public class by hand is shown."""
    show_fields(cls)
    shown = inspect.getdoc(cls) or ""
    assert [field.alias for field in attrs.fields(cls) if f"* `{field.alias}`: " not in shown] == []


def test_generated_classes_stay_as_they_are() -> None:
    """A generated class has its texts already."""
    before = LoraConfig.__doc__
    show_fields(LoraConfig)
    assert LoraConfig.__doc__ == before


def test_without_source_there_are_no_texts() -> None:
    """A class whose source is not there, as in a frozen program, keeps its own text."""
    names: dict[str, Any] = {"attrs": attrs, "__name__": "tinsmith.frozen"}
    exec("@attrs.frozen\nclass Bare:\n    '''Alone.'''\n    size: int = 0\n    '''Its size.'''\n", names)
    show_fields(names["Bare"])
    assert names["Bare"].__doc__ == "Alone."
