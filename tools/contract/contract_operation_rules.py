"""The rules of the contract that concern operations."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from contract_document import (
    EVENTS,
    PROTOBUF,
    Json,
    Operation,
    event_schemas,
    json_body,
    operations,
    protobuf_forms,
    reference_name,
    resolve,
    wire_messages,
)
from contract_overlay import narrow
from contract_resources import public_names
from contract_schema_rules import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

NESTED_MESSAGES = frozenset({"Datum", "PromptAltTokens", "SampledSequence"})
"""Messages that stand inside of others, under the names of their schemas."""

PROMISE = "#/components/schemas/UntypedAPIFuture"

NO_RESULTS = frozenset({"TryAgainResponse", "RequestFailedResponse", "CompleteMetadataResponse"})
"""What retrieve_future answers where it has no result."""


PLACES = ("tinker_path", "checkpoint_id")
"""What may stand for the parameters of a path."""

METHOD_WORDS = frozenset(
    ["name", "rename", "require", "omit", "fixed", "words", "body", "place", "by", "raw"]
)
"""What `x-tinker-method` says."""


def success(op: Operation) -> tuple[str, Json]:
    """Return the status and the answer of success."""
    return next((s, a) for s, a in op.node["responses"].items() if str(s)[0] in "23")


def ids_are_snake_case(document: Json) -> Iterator[str]:
    """Check that ids are snake_case, as the names of modules are."""
    for op in operations(document):
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", op.id):
            yield f"{op.method} {op.path}: {op.id!r} is not snake_case"


def ids_are_unique(document: Json) -> Iterator[str]:
    """Check that every operation has an id of its own."""
    counted = Counter(op.id for op in operations(document))
    for op in operations(document):
        if not op.id:
            yield f"{op.method} {op.path}: no operationId"
        elif counted[op.id] > 1:
            yield f"{op.method} {op.path}: the id {op.id!r} is taken"


def tags_are_declared(document: Json) -> Iterator[str]:
    """Check that every operation has one noun, and that every noun is described."""
    nouns = {tag["name"] for tag in document.get("tags", []) if tag.get("description")}
    for op in operations(document):
        if len(op.node.get("tags", [])) != 1 or op.node["tags"][0] not in nouns:
            yield f"{op.id}: needs exactly one tag that is declared with a description"


def operations_are_described(document: Json) -> Iterator[str]:
    """Check that every operation, parameter, header and answer says what it means."""
    for op in operations(document):
        for key in ("summary", "description"):
            if not op.node.get(key):
                yield f"{op.id}: no {key}"
        for raw in [*op.node.get("parameters", []), *op.shared_parameters]:
            parameter = resolve(document, raw)
            shown = resolve(document, parameter["schema"])
            if not parameter.get("description") or not shown.get("examples"):
                yield f"{op.id}: parameter {parameter['name']} needs a description and an example"
        for status, raw in op.node["responses"].items():
            answer = resolve(document, raw)
            if not answer.get("description"):
                yield f"{op.id}: answer {status} has no description"
            for name, header in answer.get("headers", {}).items():
                if not resolve(document, header).get("description"):
                    yield f"{op.id}: header {name} has no description"


def json_first(document: Json) -> Iterator[str]:
    """Check that requests and answers are JSON, and nothing beside it but the binary form, or a stream."""
    for op in operations(document):
        for name, holder in [("request", op.node.get("requestBody", {})), *op.node["responses"].items()]:
            content = resolve(document, holder).get("content", {})
            if event_schemas(document, holder):
                content = {} if list(content) == [EVENTS] else content
            if content and list(content) not in (["application/json"], ["application/json", PROTOBUF]):
                yield f"{op.id}: {name} is {', '.join(content)}"


def path_parameters_match(document: Json) -> Iterator[str]:
    """Check that what stands in braces is a required parameter, and the other way round."""
    for op in operations(document):
        named = set(re.findall(r"{([^}]*)}", op.path))
        given = [resolve(document, p) for p in [*op.node.get("parameters", []), *op.shared_parameters]]
        declared = {p["name"] for p in given if p["in"] == "path" and p.get("required")}
        if named != declared:
            yield f"{op.id}: the path names {sorted(named)}, the parameters {sorted(declared)}"


def promises_name_their_result(document: Json) -> Iterator[str]:
    """Check that a promise says what it turns into, and that nothing else does."""
    for op in operations(document):
        _, answer = success(op)
        schema = resolve(document, answer).get("content", {}).get("application/json", {}).get("schema", {})
        is_promise = schema.get("$ref") == PROMISE
        result, name = op.node.get("x-tinker-result"), op.node.get("x-tinker-request-type")
        if is_promise and (result not in schemas(document) or not name):
            yield f"{op.id}: a promise without a known x-tinker-result and an x-tinker-request-type"
        if not is_promise and (result or name):
            yield f"{op.id}: no promise, and yet it names a result"


def methods_name_what_is_there(document: Json) -> Iterator[str]:
    """Check that `x-tinker-method` and `x-tinker-page` name fields that exist, and each method once."""
    taken: set[str] = set()
    for op in operations(document):
        body = json_body(document, op.node.get("requestBody", {}))
        fields = resolve(document, body).get("properties", {}) if body else {}
        marks = op.node.get("x-tinker-method", {})
        for mark in marks if isinstance(marks, list) else [marks]:
            named = {name for key in ("rename", "require", "omit", "fixed") for name in mark.get(key, ())}
            if mark.keys() - METHOD_WORDS or mark.get("place", "tinker_path") not in PLACES:
                words = ", ".join(sorted(METHOD_WORDS))
                yield f"{op.id}: x-tinker-method has only {words}; places are {PLACES}"
            missing = sorted(named - fields.keys())
            if missing or ("body" in mark and body is None):
                yield f"{op.id}: x-tinker-method names {missing}, which its body has not"
        for name in public_names(op):
            if name in taken:
                yield f"{op.id}: the method {name!r} is taken"
            taken.add(name)
        page = op.node.get("x-tinker-page")
        if page is not None:
            answer = resolve(document, json_body(document, success(op)[1])) or {}
            rows = resolve(document, answer.get("properties", {}).get(page.get("items"), {}))
            if rows.get("type") != "array":
                yield f"{op.id}: x-tinker-page names {page.get('items')!r}, which is no list of its answer"


def protobuf_forms_exist(document: Json) -> Iterator[str]:
    """Check that what has a second form has its message."""
    for op, part, name in _second_forms(document):
        if name not in wire_messages():
            yield f"{op.id}: its {part} has no message in tinker_wire.proto"


def messages_are_used(document: Json) -> Iterator[str]:
    """Check that each message that stands for a schema of the contract is some operation's second form."""
    used = {name for _, _, name in _second_forms(document)}
    for name in sorted((wire_messages() & set(schemas(document))) - used - NESTED_MESSAGES):
        yield f"{name}: has a message in tinker_wire.proto, and no operation takes or answers it"


def _second_forms(document: Json) -> Iterator[tuple[Operation, str, str | None]]:
    """Yield each operation that has a second form with its side and the name of the schema there."""
    for op in operations(document):
        content = op.node.get("requestBody", {}).get("content", {}).get("application/json", {})
        request = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        names = {"request": request, "result": op.node.get("x-tinker-result")}
        for part in protobuf_forms(op):
            yield op, part, names[part]


def polls_name_every_result(document: Json) -> Iterator[str]:
    """Check that the answer of retrieve_future may be each result, and to the generator any object."""
    results = {op.node["x-tinker-result"] for op in operations(document) if "x-tinker-result" in op.node}
    for op in operations(document):
        if op.id != "retrieve_future":
            continue
        content = success(op)[1]["content"]
        answer = resolve(document, content["application/json"]["schema"])
        named = {reference_name(member) for member in answer.get("anyOf", [])}
        for name in sorted((results | NO_RESULTS) ^ named, key=str):
            yield f"retrieve_future: {name} is a result and no answer, or the other way round"
        if PROTOBUF not in content:
            yield "retrieve_future: no binary form"
        narrowed = narrow(document)
        seen = resolve(narrowed, content["application/json"]["schema"])
        if {"properties", "oneOf", "anyOf"} & set(seen) or not seen.get("additionalProperties"):
            yield "retrieve_future: overlay.yaml must leave an open object to the generator"


def promises_link_to_their_poll(document: Json) -> Iterator[str]:
    """Check that the answer of every promise says how its result is asked for."""
    for op in operations(document):
        if "x-tinker-result" in op.node:
            links = success(op)[1].get("links", {}).values()
            targets = {resolve(document, link).get("operationId") for link in links}
            if targets != {"retrieve_future"}:
                yield f"{op.id}: no link to retrieve_future"


def errors_are_documented(document: Json) -> Iterator[str]:
    """Check that every operation says how it can fail, with a body that can be read."""
    for op in operations(document):
        open_to_all = op.node.get("security") == []
        wanted = {"429", "5XX"} | (set() if open_to_all else {"401", "403", "404"})
        wanted |= {"400", "413", "415", "422"} if "requestBody" in op.node else set()
        missing = wanted - {str(status) for status in op.node["responses"]}
        if missing:
            yield f"{op.id}: does not document {', '.join(sorted(missing))}"
        for status, raw in op.node["responses"].items():
            if str(status)[0] in "45" and not resolve(document, raw).get("content"):
                yield f"{op.id}: {status} has no body"


def redirects_say_where(document: Json) -> Iterator[str]:
    """Check that a success that redirects documents Location."""
    for op in operations(document):
        status, answer = success(op)
        if status.startswith("3") and "Location" not in answer.get("headers", {}):
            yield f"{op.id}: {status} without Location"


def version_is_semantic(document: Json) -> Iterator[str]:
    """Check that the document has a version of its own, and says which release of the API it describes."""
    for name, told in (
        ("info.version", document["info"]["version"]),
        ("x-tinker-api", document.get("x-tinker-api")),
    ):
        if not re.fullmatch(r"\d+\.\d+\.\d+", str(told)):
            yield f"{name}: {told!r} is not MAJOR.MINOR.PATCH"


def key_is_a_header(document: Json) -> Iterator[str]:
    """Check that the key travels in X-API-Key."""
    schemes = document["components"].get("securitySchemes", {})
    names = {(s.get("type"), s.get("in"), s.get("name")) for s in schemes.values()}
    if ("apiKey", "header", "X-API-Key") not in names or not document.get("security"):
        yield "the document does not ask for X-API-Key"
