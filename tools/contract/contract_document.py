"""Reads the contract and walks it. Judges nothing and prints nothing."""

from __future__ import annotations

import difflib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any
"""A piece of the document: what YAML or JSON can hold."""

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
CONTRACT = Path(__file__).parents[2] / "openapi" / "tinker.yaml"
WIRE = CONTRACT.with_name("tinker_wire.proto")
PROTOBUF = "application/x-protobuf"
EVENTS = "text/event-stream"
DEEPEST = 100
"""How many levels a document may have. What walks it calls itself for each level; our contract has 13."""


class Operation(NamedTuple):
    """One operation and where it stands."""

    id: str
    method: str
    path: str
    node: dict[str, Json]
    shared_parameters: list[Json]


def load(path: Path = CONTRACT) -> dict[str, Json]:
    """Read a contract, YAML or JSON. ValueError for what is none, or is nested too deeply."""
    text = path.read_text(encoding="utf-8")
    too_deep = ValueError(f"nested more than {DEEPEST} levels deep")
    try:
        if text.lstrip().startswith("{"):
            document = json.loads(text)
        elif _yaml_depth(text) <= DEEPEST:
            document = yaml.load(text, Loader=yaml.CSafeLoader)
        else:
            raise too_deep
    except RecursionError:
        raise too_deep from None
    if _is_deep(document):
        raise too_deep
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise ValueError("not an OpenAPI document")
    return document


def _yaml_depth(text: str) -> int:
    """Return how deeply a YAML text is nested, up to one level too many: the loader crashes on deep ones."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEEPEST:
                break
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return deepest


def _is_deep(document: Json) -> bool:
    """Tell whether a document has too many levels; one that holds itself, by a YAML alias, has."""
    parts = [document]
    for _ in range(DEEPEST + 1):
        level = {id(part): part for part in parts if isinstance(part, (dict, list))}.values()
        if not level:
            return False
        parts = [part for node in level for part in (node.values() if isinstance(node, dict) else node)]
    return True


def operations(document: Json) -> Iterator[Operation]:
    """Yield every operation in the order of the document."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                node = item[method]
                yield Operation(node.get("operationId", ""), method, path, node, item.get("parameters", []))


def resolve(document: Json, node: Json) -> Json:
    """Follow `$ref` until there is none. Keywords beside a reference win over the target's.

    KeyError for a reference that leads nowhere, or back to itself.
    """
    seen = set()
    while isinstance(node, dict) and "$ref" in node:
        if node["$ref"] in seen:
            raise KeyError(node["$ref"])
        seen.add(node["$ref"])
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        beside = {key: value for key, value in node.items() if key != "$ref"}
        node = {**target, **beside} if beside else target
    return node


def dangling_references(document: Json) -> Iterator[str]:
    """Say of every `$ref` that leads nowhere where it stands, and what it may have meant."""
    known = [
        f"#/components/{kind}/{name}"
        for kind, parts in document.get("components", {}).items()
        for name in parts
    ]
    for where, node in _everything(document):
        target = node.get("$ref")
        if not isinstance(target, str):
            continue
        if not target.startswith("#/"):
            yield f"{where}: $ref {target!r} leads out of the document; bundle it into one file first"
            continue
        try:
            resolve(document, {"$ref": target})
        except (KeyError, TypeError):
            near = difflib.get_close_matches(target, known, 1)
            hint = f"; is it {near[0]}?" if near else ""
            yield f"{where}: $ref {target!r} names nothing{hint}"


def _everything(node: Json, where: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every object of a document with its place; examples are data."""
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            if key not in ("example", "examples", "default", "const", "enum"):
                yield from _everything(value, f"{where}.{key}" if where else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _everything(value, f"{where}[{index}]")


def reference_name(node: Json) -> str | None:
    """Return the component that a node refers to, itself or as the one alternative to null."""
    if not isinstance(node, dict):
        return None
    if "$ref" in node:
        return str(node["$ref"]).rsplit("/", 1)[-1]
    alternatives: list[Json] = node.get("anyOf") or node.get("oneOf") or []
    members = [member for member in alternatives if member.get("type") != "null"]
    return reference_name(members[0]) if len(members) == 1 else None


def walk(node: Json, where: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every object of a schema with its place, itself first. Examples are data, not schemas."""
    if isinstance(node, dict):
        yield where, node
        for key, value in node.items():
            if key == "properties":
                for name, schema in value.items():
                    yield from walk(schema, f"{where}/properties/{name}")
            elif key not in ("examples", "example", "default", "const", "enum") and not key.startswith("x-"):
                yield from walk(value, f"{where}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from walk(value, f"{where}/{index}")


def protobuf_forms(op: Operation) -> list[str]:
    """Return which of an operation's request and result may be binary."""
    forms = ["request"] if PROTOBUF in op.node.get("requestBody", {}).get("content", {}) else []
    return [*forms, "result"] if op.node.get("x-tinker-result") in wire_messages() else forms


@cache
def wire_messages() -> frozenset[str]:
    """Return the names of the messages of the binary form."""
    return frozenset(re.findall(r"^message (\w+)", WIRE.read_text("utf-8"), re.MULTILINE))


def json_body(document: Json, holder: Json) -> Json:
    """Return the JSON schema of a request body or an answer, None where it has none."""
    content = resolve(document, holder).get("content", {})
    return content.get("application/json", {}).get("schema")


def event_schemas(document: Json, answer: Json) -> dict[str, Json]:
    """Return the schemas of the events that an answer streams, by the names of the events."""
    content = resolve(document, answer).get("content", {})
    found: dict[str, Json] = content.get(EVENTS, {}).get("x-tinsmith-events", {})
    return found


def example_of(document: Json, schema: Json) -> Json:
    """Put an example together from the examples of the fields."""
    schema = resolve(document, schema)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    for union in ("oneOf", "anyOf"):
        if union in schema and "properties" not in schema:
            return example_of(document, schema[union][0])
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [example_of(document, schema["items"])]
    if kind == "object":
        chosen = _given_fields(schema)
        return {
            key: example_of(document, value)
            for key, value in schema.get("properties", {}).items()
            if key in chosen
        }
    return None


def exclusive_groups(schema: Json) -> list[list[str]]:
    """Return the groups of fields of which exactly one is given: an object says so with `oneOf`."""
    if "properties" not in schema:
        return []
    return [list(one["required"]) for one in schema.get("oneOf", []) if "required" in one]


def _given_fields(schema: Json) -> list[str]:
    """Leave out the fields that exclude each other, but for the first group."""
    groups = exclusive_groups(schema)
    excluded = {field for group in groups[1:] for field in group} - set(groups[0] if groups else [])
    return [field for field in schema.get("properties", {}) if field not in excluded]
