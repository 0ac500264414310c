"""The smallest requests that the contract takes, put together from the document.

Owns no knowledge of an operation: what is required is filled from examples, defaults and types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinsmith.contract.document import Contract, Json, Operation

_BY_TYPE = {"string": "x", "integer": 1, "number": 1.0, "boolean": False, "array": [], "null": None}


def smallest_body(contract: Contract, op: Operation, values: Mapping[str, Json]) -> Json:
    """Return the smallest body of an operation; `values` are what fields of these names get."""
    return smallest(contract, contract.request_schema(op), values)


def smallest(contract: Contract, schema: Json, values: Mapping[str, Json]) -> Json:
    """Return the smallest value of a schema."""
    schema = contract.resolve(schema)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "properties" in schema:
        properties = schema["properties"]
        return {
            name: values[name] if name in values else smallest(contract, properties[name], values)
            for name in _needed(schema)
        }
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return smallest(contract, schema[key][0], values)
    if "then" in schema:  # a reference or null, as validators see it
        return smallest(contract, schema["then"], values)
    kind = schema.get("type", "object")
    return {} if "object" in kind else _BY_TYPE[kind if isinstance(kind, str) else kind[0]]


def _needed(schema: Json) -> list[str]:
    """Name the fields that are required, and the first group of those that exclude each other."""
    groups = [one["required"] for one in schema.get("oneOf", ()) if "required" in one]
    wanted = {*schema.get("required", ()), *(groups[0] if groups else ())}
    return [name for name in schema["properties"] if name in wanted]


def query_of(contract: Contract, op: Operation, values: Mapping[str, Json]) -> dict[str, Json]:
    """Return the query that an operation requires."""
    return {
        each["name"]: values.get(each["name"], smallest(contract, each["schema"], values))
        for each in contract.parameters(op)
        if each["in"] == "query" and each.get("required")
    }


def path_of(contract: Contract, op: Operation, values: Mapping[str, Json]) -> dict[str, str]:
    """Return the parameters of an operation's path."""
    return {
        each["name"]: str(values.get(each["name"], smallest(contract, each["schema"], values)))
        for each in contract.parameters(op)
        if each["in"] == "path"
    }
