"""The contract for those who have only this server: the document, and a page to read, both without a key.

The page is one piece of HTML: no script, nothing fetched from elsewhere, so that it works without a network.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
import orjson
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tinsmith_local.app.contract import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

DOCUMENT_PATH = "/openapi.json"
PAGE_PATH = "/docs"
OPEN_PATHS = frozenset({DOCUMENT_PATH, PAGE_PATH})
"""What is served without a key: the contract is public, and its readers may have no key yet."""

METHODS = ("get", "put", "post", "patch", "delete")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The page may be styled by itself; it loads and runs nothing."""


def routes() -> list[Route]:
    """Return the two routes."""
    return [Route(DOCUMENT_PATH, _document, methods=["GET"]), Route(PAGE_PATH, _page, methods=["GET"])]


def document_for(base_url: str) -> dict[str, Any]:
    """Return the contract as the document of the server at `base_url`."""
    own = {"url": base_url.rstrip("/"), "description": "This server."}
    return {**_contract(), "servers": [own]}


def page_for(base_url: str) -> str:
    """Return the contract as a page."""
    document = document_for(base_url)
    return _template().render(
        document=document,
        server=document["servers"][0]["url"],
        nouns=[
            {**tag, "operations": list(_operations(document, tag["name"]))}
            for tag in document.get("tags", ())
        ],
        resolve=lambda node: resolve(document, node),
    )


async def _document(request: Request) -> Response:
    """Answer the OpenAPI document; any page may read it, since it holds nothing of anybody."""
    body = orjson.dumps(document_for(str(request.base_url)))
    headers = {"Access-Control-Allow-Origin": "*"}
    return Response(body, headers=headers, media_type="application/json")


async def _page(request: Request) -> Response:
    """Answer the page."""
    return HTMLResponse(page_for(str(request.base_url)), headers={"Content-Security-Policy": POLICY})


@cache
def _contract() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((files("tinsmith_api") / "openapi.json").read_bytes())
    found.pop("x-generated", None)
    return found


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "words": _words,
        "name": lambda reference: reference.rpartition("/")[2],
        "pretty": lambda value: orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(),
    }
    source = (files(__package__ or "") / "reference.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source)


def _operations(document: dict[str, Any], tag: str) -> Iterator[dict[str, Any]]:
    """Yield the operations of a tag, each with its method and path."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if tag in item.get(method, {}).get("tags", ()):
                shared = item.get("parameters", [])
                yield {
                    **item[method],
                    "method": method,
                    "path": path,
                    "parameters": [*shared, *item[method].get("parameters", [])],
                }


def _words(text: str | None) -> Markup:
    """Turn a description into HTML: paragraphs, and code between backticks."""
    paragraphs: list[Markup] = []
    for paragraph in (text or "").strip().split("\n\n"):
        pieces = paragraph.split("`")
        shown = [Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(pieces)]
        paragraphs.append(Markup("<p>{}</p>").format(Markup("").join(shown)))
    return Markup("").join(paragraphs)
