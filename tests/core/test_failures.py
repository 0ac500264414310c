"""What is said of an answer that is a web page: a proxy sends one in place of the server's."""

from __future__ import annotations

import pytest
from tinsmith.core.failures import broken_answer, error_from_status, excerpt

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
