"""Matches recorded traffic with the operations of the contract, and says what does not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from contract_document import Json, Operation, json_body, operations, resolve
from contract_validation import for_validation
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator

CAPTURES = Path(__file__).parents[2] / "tests" / "contract" / "captures"

OUTSIDE = {"GET /api/v1/training_runs/{id}/checkpoints/{ckpt}/download 200"}
"""Traffic that is no part of the API: the signed URL that the archive redirects to."""


class Exchange(NamedTuple):
    """One request and its answer."""

    name: str
    source: str
    method: str
    path: str
    query: dict[str, str]
    status: int
    request_headers: dict[str, str]
    request: Json
    answer_headers: dict[str, str]
    answer: Json


def exchanges(directory: Path = CAPTURES) -> Iterator[Exchange]:
    """Yield all recorded traffic."""
    for file in sorted(directory.glob("*.json")):
        for name, raw in json.loads(file.read_text(encoding="utf-8"))["examples"].items():
            address = urlsplit(raw["path"])
            yield Exchange(
                name=name,
                source=file.stem,
                method=raw["method"],
                path=address.path,
                query={key: values[-1] for key, values in parse_qs(address.query).items()},
                status=raw["status"],
                request_headers=raw["request_headers"],
                request=raw["request"],
                answer_headers=raw["answer_headers"],
                answer=raw["answer"],
            )


def is_path(template: str, path: str) -> bool:
    """Tell whether a path is one of a template's."""
    pattern = "[^/]+".join(map(re.escape, re.split(r"{[^}]*}", template)))
    return re.fullmatch(pattern, path) is not None


class Contract:
    """The contract, ready to judge traffic."""

    def __init__(self, document: Json) -> None:
        self.document = for_validation(document)
        self.operations = {op.id: op for op in operations(self.document)}
        self._by_request_type = {
            op.node["x-tinker-request-type"]: op
            for op in self.operations.values()
            if "x-tinker-request-type" in op.node
        }

    def operation_of(self, exchange: Exchange) -> Operation | None:
        """Find the operation that a request addresses; a path without parameters goes first."""
        for op in sorted(self.operations.values(), key=lambda op: op.path.count("{")):
            for path in (op.path, *op.node.get("x-tinker-path-aliases", [])):
                if op.method.upper() == exchange.method and is_path(path, exchange.path):
                    return op
        return None

    def result_of(self, exchange: Exchange) -> str | None:
        """Return the schema that a polled result must fit: the caller says in a header what it asked for."""
        kind = {k.lower(): v for k, v in exchange.request_headers.items()}.get("x-tinker-request-type")
        if kind is None or exchange.status != 200 or "request_id" in (exchange.answer or {}):
            return None
        result: str = self._by_request_type[kind].node["x-tinker-result"]
        return result

    def answer_holder(self, op: Operation, status: int) -> Json | None:
        """Return what the contract says about a status, by number or by its class."""
        answers = op.node["responses"]
        found = answers.get(str(status)) or answers.get(f"{status // 100}XX")
        return None if found is None else resolve(self.document, found)

    def problems(self, exchange: Exchange) -> list[str]:
        """Say what does not fit; empty when all does."""
        op = self.operation_of(exchange)
        if op is None:
            return [f"{exchange.method} {exchange.path}: no such operation"]
        found = [*self._request(op, exchange), *self._parameters(op, exchange)]
        holder = self.answer_holder(op, exchange.status)
        if holder is None:
            return [*found, f"{op.id}: status {exchange.status} is not documented"]
        schema = json_body(self.document, holder)
        if schema is None and exchange.answer is not None:
            found.append(f"{op.id}: an answer where none is documented")
        elif schema is not None:
            found += self.misfits(schema, exchange.answer, f"{op.id} answer")
        result = self.result_of(exchange)
        if result is not None:
            found += self.misfits(
                {"$ref": f"#/components/schemas/{result}"}, exchange.answer, f"{op.id} result"
            )
        lower = {name.lower() for name in exchange.answer_headers}
        for name, header in holder.get("headers", {}).items():
            if resolve(self.document, header).get("required") and name.lower() not in lower:
                found.append(f"{op.id}: header {name} is missing")
        return found

    def _request(self, op: Operation, exchange: Exchange) -> Iterator[str]:
        body = op.node.get("requestBody")
        schema = json_body(self.document, body) if body else None
        if schema is not None:
            yield from self.misfits(schema, exchange.request, f"{op.id} request")
        elif exchange.request is not None:
            yield f"{op.id}: a request body where none is documented"

    def _parameters(self, op: Operation, exchange: Exchange) -> Iterator[str]:
        given = {
            "query": exchange.query,
            "header": {k.lower(): v for k, v in exchange.request_headers.items()},
        }
        declared = [resolve(self.document, raw) for raw in op.node.get("parameters", [])]
        for parameter in declared:
            place, name = parameter["in"], parameter["name"]
            value = given.get(place, {}).get(name.lower() if place == "header" else name)
            if place == "path" or value is None:
                continue
            schema = resolve(self.document, parameter["schema"])
            typed = int(value) if schema.get("type") == "integer" else value
            yield from self.misfits(schema, typed, f"{op.id} {place} {name}")
        known = {parameter["name"] for parameter in declared if parameter["in"] == "query"}
        yield from (
            f"{op.id}: query {name} is not documented" for name in exchange.query if name not in known
        )

    def misfits(self, schema: Json, value: Json, where: str) -> Iterator[str]:
        """Yield what in a value breaks a schema of the contract."""
        check = Draft202012Validator({**schema, "components": self.document["components"]})
        for problem in check.iter_errors(value):
            place = "/".join(map(str, problem.absolute_path))
            yield f"{where} {place}: {problem.message}"
