"""Server-sent events: split anywhere, every end of a line, comments, and no event without an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core import event_stream
from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.event_stream import EventParser, ServerEvent


def parsed(*pieces: bytes) -> list[tuple[str, str]]:
    """Feed pieces; the names and data of the events."""
    parser = EventParser()
    return [(event.name, event.data) for piece in pieces for event in parser.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [("message", "a")]),
        (b"data:a\n\n", [("message", "a")]),
        (b"data:  a\n\n", [("message", " a")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [("message", "a"), ("message", "b")]),
        (b"data: a\r\rdata: b\r\r.", [("message", "a"), ("message", "b")]),
        (b"data: a\ndata: b\n\n", [("message", "a\nb")]),
        (b"data\ndata\n\n", [("message", "\n")]),
        (b"event: error\ndata: a\n\ndata: b\n\n", [("error", "a"), ("message", "b")]),
        (b": nothing\n\n:\n\ndata: a\n\n", [("message", "a")]),
        (b"event: error\n\ndata: a\n\n", [("message", "a")]),
        (b"id: 7\nretry: 5\nunknown: x\ndata: a\n\n", [("message", "a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("message", "a")]),
        (b"data: a\n\ndata: cut off\n", [("message", "a")]),
        (b"data: \xe2\x82\xac\n\n", [("message", "€")]),
        (b"data: \xff\n\n", [("message", "\N{REPLACEMENT CHARACTER}")]),
        (b"data: a\x0b\x0c\xc2\x85b\n\n", [("message", "a\x0b\x0c\x85b")]),
        (b"", []),
    ],
)
def test_streams_of_the_standard(stream: bytes, events: list[tuple[str, str]]) -> None:
    """What the standard says of fields, comments, ends of lines and the end of the stream."""
    assert parsed(stream) == events


BYTES = st.lists(
    st.sampled_from(
        [b"data", b"event", b"id", b":", b" ", b"\r", b"\n", b"\r\n", b"x", b"\xe2\x82\xac", b"\xef"]
    )
).map(b"".join)


@given(BYTES, st.data())
def test_it_does_not_matter_where_the_bytes_are_split(stream: bytes, data: st.DataObject) -> None:
    """Any pieces give the events of the whole."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    bounds = zip([0, *cuts], [*cuts, len(stream)], strict=True)
    assert parsed(*(stream[start:end] for start, end in bounds)) == parsed(stream)


TEXT = st.text().filter(lambda text: "\r" not in text)


@given(st.lists(st.tuples(st.sampled_from(["", "error"]), TEXT)), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_is_read(events: list[tuple[str, str]], end: str) -> None:
    """Events with any text come out as they went in, with each end of a line."""
    written = ""
    for name, text in events:
        written += f"event: {name}{end}" if name else ""
        written += "".join(f"data: {line}{end}" for line in text.split("\n")) + end
    stream = (written + ":").encode("utf-8", "surrogatepass")
    expected = [
        (name or "message", text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
        for name, text in events
    ]
    assert parsed(stream) == expected


@pytest.mark.parametrize("endless", [b"data: ", b"data: 12345\n", b":"])
def test_an_event_without_an_end_is_refused(endless: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a line nor an event may grow for ever."""
    monkeypatch.setattr(event_stream, "MAX_EVENT_BYTES", 100)
    with pytest.raises(APIResponseValidationError, match="larger than 100 bytes"):
        parsed(endless, *([b"data: 1234567890\n" if endless.endswith(b"\n") else b"1234567890"] * 12))


def test_many_small_events_are_no_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is that of one event."""
    monkeypatch.setattr(event_stream, "MAX_EVENT_BYTES", 100)
    assert parsed(*[b"data: 1234567890\n\n"] * 50) == [("message", "1234567890")] * 50


def test_data_stay_out_of_the_repr() -> None:
    """What a model says is in no log."""
    assert "secret" not in repr(ServerEvent("message", "secret"))
