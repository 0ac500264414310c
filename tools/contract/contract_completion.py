"""Gives a document what the generated package and its pages are made of: a noun and words for everything."""

from __future__ import annotations

import copy
import re

from contract_document import Json, Operation, json_body, operations, resolve
from contract_schema_rules import everywhere, fields


def completed(document: Json) -> Json:
    """Return a copy in which every operation has a tag, and what has no description has its name as one.

    An object that stands in an answer itself becomes a schema with a name, since a class needs one.
    """
    whole = copy.deepcopy(document)
    whole.setdefault("components", {}).setdefault("schemas", {})
    for op in operations(whole):
        if not op.node.get("tags"):
            op.node["tags"] = ["default"]
        for key in ("summary", "description"):
            op.node[key] = op.node.get(key) or op.node.get("summary") or _words(op.id)
        for parameter in (
            resolve(whole, raw) for raw in [*op.node.get("parameters", []), *op.shared_parameters]
        ):
            _describe(parameter, parameter["name"])
        _name_answers(whole, op)
        body = json_body(whole, op.node.get("requestBody", {}))
        if body is not None and "$ref" not in body:
            _describe(body, op.id)
    for place, node in everywhere(whole):
        if "/" not in place:
            _describe(node, place)
    for _, name, node in fields(whole):
        if "$ref" not in node:
            _describe(node, name)
    _declare_tags(whole)
    return whole


def _name_answers(document: Json, op: Operation) -> None:
    for status, answer in op.node.get("responses", {}).items():
        content = answer.get("content", {}).get("application/json", {})
        if content.get("schema", {}).get("type") == "object":
            name = f"{op.id.title().replace('_', '')}{status.title()}Response"
            content["schema"].pop("title", None)  # it would be the name of the class
            document["components"]["schemas"][name] = content["schema"]
            content["schema"] = {"$ref": f"#/components/schemas/{name}"}


def _describe(node: Json, name: str) -> None:
    if not node.get("description"):
        node["description"] = _words(name)


def _declare_tags(document: Json) -> None:
    declared = {tag["name"]: tag for tag in document.get("tags", [])}
    for op in operations(document):
        declared.setdefault(op.node["tags"][0], {"name": op.node["tags"][0]})
    for name, tag in declared.items():
        if not tag.get("description"):
            tag["description"] = f"Operations of {name}."
    document["tags"] = list(declared.values())


def _words(name: str) -> str:
    apart = re.sub(r"_|(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return f"{apart.capitalize()}."
