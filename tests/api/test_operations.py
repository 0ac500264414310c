"""Every operation in all four forms, over a real socket, against the served service."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_origin

import attrs
import pytest
import tinsmith_api
from contract_document import operations, resolve
from tinsmith_api import AuthenticatedClient, models
from tinsmith_api.client import IDEMPOTENCY_KEY
from tinsmith_api.errors import UnexpectedStatus
from tinsmith_api.exchange import Response
from tinsmith_api.operations import OPERATIONS

from tests.api.world import FORMS, arguments, module_of, things

if TYPE_CHECKING:
    from contract_document import Operation

REFUSED = {
    "delete_api_key": (403, "the only key"),
    "create_custom_loss": (400, "not compiled here"),
    "save_weights_external": (400, "encryption is not offered"),
    "unpublish_checkpoint": (409, "is private already"),
}
"""What the service does not do with the example of an operation: the status, and what it says."""


async def _asynchronous(client: AuthenticatedClient, call: Any, given: dict[str, Any]) -> Any:
    async with client:
        return await call(client=client, **given)


def test_client_names_headers_as_the_contract_does(document: Any) -> None:
    """The header of the key and the one that tells repetitions are those of the contract."""
    scheme = document["components"]["securitySchemes"]["apiKey"]
    assert attrs.fields(AuthenticatedClient).auth_header_name.default == scheme["name"]
    assert IDEMPOTENCY_KEY in document["x-tinker-common-headers"]


def test_readme_names_every_operation() -> None:
    """The package's README lists each operation, and marks those that give a promise."""
    text = (Path(tinsmith_api.__file__).parent / "README.md").read_text(encoding="utf-8")
    for op in OPERATIONS.values():
        assert re.search(
            rf"\*\*{op.tag}\*\*:.*\b{op.id}{re.escape(' (p)') if op.result else '(?! .p)'}", text
        ), op


def called(client: AuthenticatedClient, operation: str, form: str, given: dict[str, Any]) -> Any:
    """Call one form of an operation; a form for tasks in a loop of its own."""
    call = getattr(module_of(operation), form)
    if form.startswith("asyncio"):
        return asyncio.run(_asynchronous(client, call, given))
    return call(client=client, **given)


def plain(name: str) -> type:
    """Return the class of a model; an open object without fields is a dict."""
    model: type = getattr(models, name)
    return get_origin(model) or model


def answer_type(document: Any, op: Operation, status: int) -> type:
    """Return the type that the contract gives the body of an answer, NoneType where it has none."""
    answers = op.node["responses"]
    documented = answers.get(str(status)) or answers.get(f"{status // 100}XX")
    schema = resolve(document, documented).get("content", {}).get("application/json", {}).get("schema")
    return plain(schema["$ref"].rsplit("/", 1)[-1]) if schema else NoneType


def problem_of(document: Any, op: Operation, form: str, found: Any) -> str | None:
    """Say what is wrong with what a form gave; None where it is as the contract says."""
    module, name = module_of(op.id), OPERATIONS[op.id].response
    if isinstance(found, UnexpectedStatus):
        wanted = answer_type(document, op, found.status_code)
        fits = not form.endswith("detailed") and type(found.parsed) is wanted
    elif form.endswith("detailed"):
        fits = type(found) is Response and type(found.parsed) is answer_type(document, op, found.status_code)
        if module.ENDPOINT.redirects:
            fits = fits and found.headers["LOCATION"].startswith("http")
    else:
        fits = type(found) is (plain(name) if name else NoneType)
    return None if fits else f"{op.id}: {found!r}"


@pytest.mark.parametrize("form", FORMS)
def test_every_operation(form: str, client: AuthenticatedClient, document: Any) -> None:
    """Of each operation an example is sent, and what comes back is what the contract says of its status.

    All are carried out but those of `REFUSED`, so the examples reach the work.
    """
    wrong: list[str | None] = []
    refused: dict[str, tuple[int, str]] = {}
    for op in operations(document):
        given = arguments(document, op, things(client))
        try:
            found = called(client, op.id, form, given)
        except UnexpectedStatus as error:
            found = error
        wrong.append(problem_of(document, op, form, found))
        if getattr(found, "status_code", 200) >= 400:
            refused[op.id] = found.status_code, found.parsed.detail
    assert [each for each in wrong if each] == []
    assert len(wrong) == len(OPERATIONS)
    assert refused.keys() == REFUSED.keys(), refused
    for name, (status, words) in REFUSED.items():
        assert refused[name][0] == status
        assert words in refused[name][1]
