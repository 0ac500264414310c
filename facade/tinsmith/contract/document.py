"""The contract, ready to judge traffic: operations, what they answer, and what a value breaks of a schema.

Owns nothing about servers, and sends nothing. It reads the document as validators see it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from tinsmith.core.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any
"""What JSON can hold."""

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")

LONGEST_VALUE = 120
"""Characters of a value that are quoted in a complaint."""


@attrs.frozen(eq=False)
class Operation:
    """One operation of the contract."""

    id: str
    """Its operation id."""
    method: str
    """HTTP method in capitals."""
    path: str
    """Path below the server's root, parameters in braces."""
    aliases: tuple[str, ...]
    """Shorter paths that some servers have instead."""
    result: str | None
    """The schema of the result that its promise leads to; None when it is no promise."""
    request_type: str | None
    """The name by which polls call it; None when it is no promise."""
    node: Mapping[str, Json] = attrs.field(repr=False)
    """What the document says of it."""

    @property
    def needs_key(self) -> bool:
        """Whether it requires a key; the health check does not."""
        return self.node.get("security") != []

    @property
    def changes_checkpoint(self) -> bool:
        """Whether it deletes a checkpoint, or changes what is set of it."""
        return "{checkpoint_kind}" in self.path and not self.is_read

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing on the server: a GET, or what the contract marks as a read."""
        return self.method == "GET" or self.node.get("x-tinker-read") is True

    @property
    def takes_body(self) -> bool:
        """Whether requests have a body."""
        return "requestBody" in self.node


@attrs.frozen
class Misfit:
    """One place where a value breaks a schema."""

    place: str
    """Where, as a path of keys and positions; empty for the whole value."""
    value: str
    """The value there, shortened."""
    rule: str
    """What the schema asks."""

    def __str__(self) -> str:
        """Say all three in one line."""
        return f"{self.place or 'the whole'}: {self.rule}" + (f", not {self.value}" if self.value else "")


class Contract:
    """The contract, ready to judge traffic."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        require_validator()
        self.document = document
        self.operations = {op.id: op for op in _operations(document)}
        """By operation id, in the order of the document."""
        self._compiled: dict[bytes, Any] = {}
        # A path without parameters goes first: sessions/search is no session of the name `search`.
        in_turn = sorted(self.operations.values(), key=lambda op: op.path.count("{"))
        self._in_turn = [(_pattern(path), op) for op in in_turn for path in (op.path, *op.aliases)]
        self.by_request_type = {op.request_type: op for op in in_turn if op.request_type}
        """The promise operations, by the name by which polls call them."""

    @cached_property
    def in_order(self) -> frozenset[str]:
        """Return the promises that share the numbers of a model: those with a `model_id` and a `seq_id`."""
        return frozenset(
            op.id
            for op in self.operations.values()
            if op.result is not None and {"model_id", "seq_id"} <= self.names_of(op)
        )

    @cached_property
    def checkpoint_kinds(self) -> tuple[str, ...]:
        """Return the kinds of checkpoints, as paths name them."""
        parameters = (each for op in self.operations.values() for each in self.parameters(op))
        schema: Json = next((each["schema"] for each in parameters if each["name"] == "checkpoint_kind"), {})
        return tuple(self.resolve(schema).get("enum", ()))

    @cached_property
    def saves(self) -> Mapping[str, str]:
        """Return the operations that save a checkpoint, with its kind.

        The examples tell: there the path of the result is the kind and the name that the request gives.
        """
        found: dict[str, str] = {}
        for op in map(self.operations.__getitem__, self.in_order):
            name = self._example(self.request_schema(op)).get("path")
            path = self._example(self.named(str(op.result))).get("path", "")
            kind = next((one for one in self.checkpoint_kinds if path.endswith(f"/{one}/{name}")), None)
            if kind is not None:
                found[op.id] = kind
        return found

    @cached_property
    def secret_fields(self) -> frozenset[str]:
        """Return the fields that are marked as secret."""
        return frozenset(
            name
            for schema in self.document["components"]["schemas"].values()
            for name, node in schema.get("properties", {}).items()
            if any(
                self.resolve(part).get("x-tinker-secret") is True
                for part in (node, *node.get("anyOf", ()), node.get("then", {}))  # `then`: unless it is null
            )
        )

    def _example(self, schema: Json) -> Mapping[str, Json]:
        """Return the first example of a message; empty where there is none."""
        found = self.resolve(schema or {}).get("examples")
        return found[0] if found and isinstance(found[0], Mapping) else {}

    def operation_of(self, method: str, path: str) -> Operation | None:
        """Find the operation that a request addresses."""
        for pattern, op in self._in_turn:
            if op.method == method and pattern.fullmatch(path):
                return op
        return None

    def resolve(self, node: Json) -> Json:
        """Follow references; keywords beside one win over its target's."""
        while isinstance(node, dict) and "$ref" in node:
            target: Json = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**target, **beside} if beside else target
        return node

    def documented(self, op: Operation, status: int) -> Mapping[str, Json] | None:
        """Return what the contract says of a status, by its number or its class.

        Servers choose among the successes: a 2xx that is not named is taken for the one that is.
        """
        answers: Mapping[str, Json] = op.node["responses"]
        found = answers.get(str(status)) or answers.get(f"{status // 100}XX")
        if found is None and status // 100 == 2:
            found = next((answers[each] for each in answers if each[0] == "2"), None)
        found = found or answers.get("default")
        return None if found is None else self.resolve(found)

    def schema_of(self, holder: Mapping[str, Json]) -> Json:
        """Return the JSON schema of a body, None where it has none."""
        content = self.resolve(holder).get("content", {})
        return content.get("application/json", {}).get("schema")

    def events_of(self, holder: Mapping[str, Json]) -> Mapping[str, Json]:
        """Return the schemas of the events that an answer streams, by the names of the events."""
        content = self.resolve(holder).get("content", {})
        found: Mapping[str, Json] = content.get("text/event-stream", {}).get("x-tinsmith-events", {})
        return found

    def request_schema(self, op: Operation) -> Json:
        """Return the JSON schema of an operation's body, None where it takes none."""
        return self.schema_of(op.node["requestBody"]) if op.takes_body else None

    def parameters(self, op: Operation) -> list[Mapping[str, Json]]:
        """Return the parameters of an operation, references followed."""
        return [self.resolve(raw) for raw in op.node.get("parameters", ())]

    def fields_of(self, op: Operation) -> Mapping[str, Json]:
        """Return the schemas of the fields of an operation's body."""
        fields: Mapping[str, Json] = self.resolve(self.request_schema(op) or {}).get("properties", {})
        return fields

    def names_of(self, op: Operation) -> set[str]:
        """Return the names of an operation's parameters and of the fields of its body."""
        return {*self.fields_of(op), *(each["name"] for each in self.parameters(op))}

    def misfits(self, schema: Json, value: Json) -> Iterator[Misfit]:
        """Yield what in a value breaks a schema of the contract."""
        key = orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)
        if key not in self._compiled:
            self._compiled[key] = _compile(schema, self.document)
        for problem in self._compiled[key].iter_errors(value):
            yield _misfit(problem)

    def named(self, schema: str) -> Json:
        """Return a reference to a schema of the contract."""
        return {"$ref": f"#/components/schemas/{schema}"}


@cache
def shipped() -> Contract:
    """Return the contract that this package was made from."""
    return Contract(orjson.loads((files("tinsmith_api") / "contract.json").read_bytes()))


def require_validator() -> None:
    """Raise MissingExtraError where the library that validates is not installed."""
    if find_spec("jsonschema_rs") is None:
        raise MissingExtraError("judging by the contract", "contract")


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, re.split(r"{[^}]*}", template))))


def shortened(value: Json) -> str:
    """Write a value as JSON, cut where it is long."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _operations(document: Mapping[str, Json]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                shared = item.get("parameters", [])
                node = {**item[method], "parameters": [*shared, *item[method].get("parameters", [])]}
                aliases = tuple(node.get("x-tinker-path-aliases", ()))
                kind = node.get("x-tinker-result"), node.get("x-tinker-request-type")
                yield Operation(node["operationId"], method.upper(), path, aliases, *kind, node)


def _compile(schema: Json, document: Mapping[str, Json]) -> Any:
    import jsonschema_rs

    whole = {**schema, "components": {"schemas": document["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _misfit(problem: Any) -> Misfit:
    """Word one violation, with the field that is missing or too much."""
    import jsonschema_rs

    kinds = jsonschema_rs.ValidationErrorKind
    path, kind = list(problem.instance_path), problem.kind
    if isinstance(kind, kinds.Required):
        return Misfit("/".join(map(str, [*path, kind.property])), "", "is required")
    if isinstance(kind, kinds.AdditionalProperties):
        return Misfit("/".join(map(str, [*path, kind.unexpected[0]])), "", "is not known here")
    value = shortened(problem.instance)
    message = problem.message.replace(str(value), "the value") if len(value) > 20 else problem.message
    return Misfit("/".join(map(str, path)), value, message[:300])
