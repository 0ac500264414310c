"""The contract offered by the service itself: the document for tools, the page for people."""

import html
import json
import re
from collections.abc import Callable
from importlib.resources import files

import pytest
from openapi_spec_validator import validate

from tests.embedded.app.caller import Caller

Open = Callable[..., Caller]


@pytest.fixture
def locked(open_caller: Open) -> Caller:
    """A service with a key, for one host."""
    return open_caller(token="tml-right", allowed_hosts=("127.0.0.1",))


def test_the_document_needs_no_key_and_names_this_server(locked: Caller) -> None:
    """It is the contract, valid OpenAPI, with the address under which it was asked for."""
    answer = locked.get("/openapi.json")
    document = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert [server["url"] for server in document.pop("servers")] == ["http://127.0.0.1"]
    contract = json.loads((files("tinsmith_api") / "openapi.json").read_text(encoding="utf-8"))
    assert document == {key: contract[key] for key in contract if key not in ("servers", "x-generated")}
    validate({**document, "servers": [{"url": "http://127.0.0.1"}]})


def test_the_page_needs_no_key_and_shows_all(locked: Caller) -> None:
    """Each operation and each value of the document has its place, and every link leads to one."""
    answer = locked.get("/docs")
    document = locked.get("/openapi.json").json()
    places = set(re.findall(r'id="([^"]+)"', answer.text))
    operations = {op["operationId"] for item in document["paths"].values() for op in item.values()}
    assert answer.status_code == 200
    assert operations | {f"schema-{name}" for name in document["components"]["schemas"]} <= places
    links = set(re.findall(r'href="#([^"]+)"', answer.text))
    assert operations <= links <= places
    assert "http://127.0.0.1" in answer.text
    example = document["components"]["schemas"]["UntypedAPIFuture"]["examples"][0]["request_id"]
    assert f'"request_id": "{example}"' in html.unescape(answer.text)


def test_the_page_needs_no_network(locked: Caller) -> None:
    """No script, and no address but the names of links; a browser is told to load nothing."""
    answer = locked.get("/docs")
    assert not re.findall(r"<(?:script|link|img|iframe)|@import|url\(", answer.text)
    assert {href[0] for href in re.findall(r'(?:href|src)="([^"]+)"', answer.text)} <= {"#", "/"}
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_what_the_contract_says_is_text_on_the_page(monkeypatch: pytest.MonkeyPatch, locked: Caller) -> None:
    """Words of the document never become tags of the page."""
    from tinsmith_local.app import reference

    document = reference.document_for("http://127.0.0.1")
    planted = {**document, "info": {**document["info"], "description": "<script>`</code><b>`"}}
    monkeypatch.setattr(reference, "_contract", lambda: planted)
    page = locked.get("/docs").text
    assert "<script>" not in page
    assert "&lt;script&gt;<code>&lt;/code&gt;&lt;b&gt;</code>" in page


def test_a_contract_without_words_has_a_page(monkeypatch: pytest.MonkeyPatch, locked: Caller) -> None:
    """Descriptions are optional in OpenAPI, and so they are here."""
    from tinsmith_local.app import reference

    operation = {"operationId": "x", "tags": ["a"], "responses": {"200": {"description": "ok"}}}
    bare = {
        "info": {"title": "T", "version": "1"},
        "tags": [{"name": "a"}],
        "paths": {"/x": {"get": operation}},
        "components": {"schemas": {"S": {"type": "string"}}, "securitySchemes": {}},
    }
    monkeypatch.setattr(reference, "_contract", lambda: bare)
    page = locked.get("/docs")
    assert page.status_code == 200
    assert {'id="x"', 'id="schema-S"'} <= set(re.findall(r'id="[^"]+"', page.text))


def test_only_these_two_are_open(locked: Caller) -> None:
    """Paths beside them want the key, and another host is refused here too."""
    assert [locked.get(path).status_code for path in ("/docs/", "/docsx", "/openapi.json.bak", "/")] == [
        401
    ] * 4
    assert locked.get("/docs", host="evil.example").status_code == 403
