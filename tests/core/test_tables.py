"""What notebooks show of values: tables that are escaped, short, and without what is secret."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith import types
from tinsmith_api.tables import MAX_ROWS, MAX_TEXT, facts_table, value_table

from tests.core.made_values import ANSWERS, SENT, made
from tests.core.wire_values import DATUM

HOSTILE = (
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "\" onmouseover='alert(1)",
    "&lt;b&gt;",
    "$x^2$",
    "half a pair \udc80",
    "ends in a slash \\",
)

CANARY = "canary-9f31"


class Read(HTMLParser):
    """Reads the tags and the texts of a table, as a browser does."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(table)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that opens."""
        self.tags.add(tag)
        self.attributes.update(attrs)
        self.open.append(tag)
        if tag in ("td", "th", "caption"):
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        """Note a tag that closes, which must be the last one that opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text; between cells there is none."""
        self.texts[-1] += data


def assert_is_a_table(table: str) -> Read:
    """Read a table, which has only tags and attributes of tables; return what was read."""
    read = Read(table)
    assert read.open == []
    assert read.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    styles = {"text-align:left", "text-align:right", "text-align:left;white-space:nowrap"}
    assert {value for name, value in read.attributes if name == "style"} <= styles
    assert {name for name, _ in read.attributes} <= {"class", "style"}
    table.encode()
    return read


@settings(max_examples=300)
@given(st.one_of(*map(made, [*ANSWERS, *SENT]), DATUM))
def test_any_value_is_a_table(value: Any) -> None:
    """Whatever stands in the fields of a value, its table is one."""
    assert_is_a_table(value_table(value))


@given(st.dictionaries(st.text(), st.text() | st.binary() | st.floats() | st.lists(st.text())))
def test_any_facts_are_a_table(facts: dict[str, object]) -> None:
    """Names, texts and lists of them are shown as texts, half a surrogate pair as its number."""
    read = assert_is_a_table(facts_table("facts", facts))
    assert len(read.texts) == 1 + 2 * min(len(facts), MAX_ROWS)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_shown(text: str) -> None:
    """A text from a server, in whatever place: no tag, no attribute, no formula of it comes into being."""
    checkpoint = types.Checkpoint(text, text, None, text, user_metadata={text: text})
    page = types.CheckpointsListResponse([checkpoint])
    seen = text.encode("utf-8", "backslashreplace").decode()
    for table in (value_table(checkpoint), value_table(page), facts_table(text, {text: text})):
        assert seen in assert_is_a_table(table).texts
        assert 'class="tex2jax_ignore mathjax_ignore"' in table


def test_what_no_repr_shows_is_in_no_table() -> None:
    """Tokens, signed URLs, and what a newer server added stay out, in lists and nested values too."""
    archive = types.CheckpointArchiveUrlResponse(CANARY, datetime(2026, 1, 1, tzinfo=UTC))
    load = types.LoadWeightsRequest("tinker://a/weights/b", False, weights_access_token=CANARY)
    newer = types.OptimStepResponse({"loss": 1.0}, extra={"token": CANARY})
    nested = facts_table("all", {"one": archive, "some": [archive, load], "by name": {"it": load}})
    for table in (*map(value_table, (archive, load, newer)), nested):
        assert_is_a_table(table)
        assert CANARY not in table


def test_metrics_come_before_the_outputs_of_many_datums() -> None:
    """The numbers of a batch, then the first rows of the outputs, with how many there are."""
    tensor = types.TensorData(np.arange(9, dtype=np.float32), "float32")
    output = types.ForwardBackwardOutput("ArrayRecord", [{"logprobs": tensor}] * 50, {"loss:sum": 1234.5678})
    texts = assert_is_a_table(value_table(output)).texts
    assert texts[:3] == ["ForwardBackwardOutput", "loss_fn_output_type", "ArrayRecord"]
    assert texts[3:6] == ["ForwardBackwardOutput.metrics", "loss:sum", "1234.57"]
    assert texts[6] == f"ForwardBackwardOutput.loss_fn_outputs: the first {MAX_ROWS} of 50"
    assert texts[7:11] == ["", "logprobs", "0", repr(tensor)]
    assert len(texts) == 9 + 2 * MAX_ROWS


def test_sequences_are_rows_and_what_none_of_them_has_is_no_column() -> None:
    """Long lists of tokens show their first items, and how many there are."""
    long = types.SampledSequence("length", list(range(100)), [-0.123456789] * 100)
    short = types.SampledSequence("stop", [1], [-1.5])
    texts = assert_is_a_table(value_table(types.SampleResponse([long, short]))).texts
    rows = texts[texts.index("SampleResponse.sequences") + 1 :]
    assert rows[:4] == ["", "stop_reason", "tokens", "logprobs"]
    assert rows[4:8] == [
        "0",
        "length",
        "[0, 1, 2, 3, 4, 5, ...] (100 items)",
        "[-0.123457, -0.123457, -0.123457, -0.123457, -0.123457, -0.123457, ...] (100 items)",
    ]
    assert rows[8:] == ["1", "stop", "[1]", "[-1.5]"]


def test_an_input_of_a_million_tokens_is_a_short_table() -> None:
    """Neither a list, an array, nor a text makes a table long."""
    long = types.ModelInput.from_ints(list(range(1_000_000)))
    numbers: Any = np.arange(1_000_000)
    array = types.ModelInput.from_ints(numbers)
    for table in map(value_table, (long, array)):
        assert "[0, 1, 2, 3, 4, 5, ...] (1000000 items)" in assert_is_a_table(table).texts
        assert len(table) < 2000
    datum = types.Datum(model_input=long, loss_fn_inputs={"weights": np.ones(1_000_000, np.float32)})
    assert len(value_table(datum)) < 2000
    table = facts_table("texts", {"one": "x" * 1_000_000, "some": ["x" * 1_000_000] * 9})
    assert "x" * (MAX_TEXT - 1) + "…" in assert_is_a_table(table).texts
    assert len(table) < 2000


def test_a_tensor_shows_its_line() -> None:
    """The repr of a tensor says its first numbers, type and shape, and a notebook shows it."""
    assert types.TensorData([1.0], "float32")._repr_html_ is None
