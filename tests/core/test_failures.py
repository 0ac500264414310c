"""What is said of an answer that is a web page: a proxy sends one in place of the server's."""

from __future__ import annotations

import orjson
import pytest
from tinsmith.core.errors import ModelLostError, TinkerError
from tinsmith.core.failures import broken_answer, error_from_status, error_of_redirect, excerpt

PAGES = {
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>": "502 Bad Gateway",
    b"\n<!DOCTYPE html>\n<head><style>p{color:red}</style><!-- <b> --></head>\n<p>Down  for": "Down for",
    b"<HTML><script>let a = '<p>'</script><body>Who&#39;s &lt;there&gt;?<br>Nobody": "Who's <there>?",
    b"<body><p>key tml-CANARY12345</p>": "key ***",
    b"<html><body><img src=x></body></html>": "(a web page without text)",
    b"<html><style>p{": "(a web page without text)",
    b"<html><title>" + b"<script>" * 20_000: "(a web page without text)",
    b"<htmlish>5</htmlish>": "<htmlish>5</htmlish>",
}


@pytest.mark.parametrize(("page", "line"), PAGES.items(), ids=range(len(PAGES)))
def test_a_page_is_its_first_line(page: bytes, line: str) -> None:
    """Tags, styles and scripts are left out; secrets are struck out; what is no page stays as it is."""
    assert excerpt(page) == line


def test_errors_show_no_markup() -> None:
    """A status and an answer that cannot be read say the line of the page."""
    page = next(iter(PAGES))
    assert str(error_from_status(502, page)) == "Error code: 502 - 502 Bad Gateway"
    assert "<" not in str(broken_answer(200, page, "no JSON"))


@pytest.mark.parametrize("where", ["detail", "error", "message", "other"])
def test_a_long_detail_is_bounded(where: str) -> None:
    """An error shows at most 2 kB, says how much there was, and keeps its ids and our own words."""
    body = orjson.dumps({where: "\u4e16" * 500_000})
    error = error_from_status(400, body, retry_after_s=7.0, seq_id=7, model_id="m" * 1000)
    shown = str(error)
    assert len(shown.encode()) <= 2048
    assert "bytes in all" in shown
    assert "wait 7 s" in shown
    assert shown.endswith("m, seq_id=7]")
    lost = str(ModelLostError(f"gone ({error.message}).", checkpoint="tinker://a/weights/b"))
    assert lost.endswith("Restore from tinker://a/weights/b.")


def test_what_steers_a_terminal_is_escaped() -> None:
    """Of a server's text, of an id, and of any other error; our own line ends stay."""
    hostile = "a\r\n\x1b[2J\x00\u202eb\u2028\ud800c"
    body = {"detail": hostile}
    shown = str(error_from_status(400, body, request_id="x\x1b]0;y\x07\nz"))
    assert shown == (
        "Error code: 400 - a\\r\\n\\x1b[2J\\x00\\u202eb\\u2028\\ud800c [request=x\\x1b]0;y\\x07\\nz]"
    )
    assert str(TinkerError(f"one\ntwo {hostile}")).startswith("one\ntwo a\\r\n\\x1b")
    assert str(TinkerError("\u4e16\u754c \u00e9")) == "\u4e16\u754c \u00e9"


def test_a_redirect_says_where_the_server_points() -> None:
    """Without what may be a permission, without a user, and bounded."""
    where = "https://user:CANARY@new.example/\x1b[api?sig=CANARY" + "x" * 5000
    shown = str(error_of_redirect(307, "https://old.example/", where, applied="no"))
    assert "https://old.example/ points to https://new.example/\\x1b[api," in shown
    assert "CANARY" not in shown
    assert "TINKER_BASE_URL" in shown
    assert len(str(error_of_redirect(307, "https://old.example/", "/" + "x" * 5000))) < 600
