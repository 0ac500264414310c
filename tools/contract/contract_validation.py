"""What the contract's extensions mean to a validator: turns them into plain JSON Schema.

codegen.sh ships the outcome as contract.json, which the embedded service checks requests against.
"""

from __future__ import annotations

from contract_document import Json, resolve, walk
from contract_overlay import narrow

WIDTHS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
"""Formats of integers and what fits: validators take no notice of formats of numbers."""


def for_validation(document: Json) -> dict[str, Json]:
    """Return the contract as a validator should see it, without the binary form.

    Tags that old clients leave out are no longer required, a tagged union is decided by its tag (so that an
    error is found inside the right member), and the width of an integer bounds it.
    """
    relaxed: dict[str, Json] = narrow(document)
    schemas = relaxed["components"]["schemas"]
    for schema in schemas.values():
        if "discriminator" in schema:
            _decide_by_tag(relaxed, schema)
    for schema in schemas.values():
        for _, node in walk(schema):
            _spell_out(node)
    return relaxed


def _decide_by_tag(document: Json, union: Json) -> None:
    """Replace `oneOf` by a chain of if-then on the tag, or on a telling key where the tag may be missing."""
    tag = union["discriminator"]["propertyName"]
    members = [resolve(document, member) for member in union["oneOf"]]
    conditions: list[Json] = []
    for member in members:
        told = {key: value for key, value in member["properties"][tag].items() if key in ("const", "not")}
        has_tag: Json = {"properties": {tag: told}, "required": [tag]}
        others = {key for other in members if other is not member for key in other.get("required", [])}
        telling = [key for key in member.get("required", []) if key not in others and key != tag]
        if member["properties"][tag].get("x-tinker-tag-optional") and telling:
            without = {"required": telling[:1], "not": {"required": [tag]}}
            conditions.append({"type": "object", "anyOf": [has_tag, without]})
        else:
            conditions.append({"type": "object", **has_tag})
    chain = [{"if": c, "then": ref} for c, ref in zip(conditions, union["oneOf"], strict=True)]
    union["allOf"] = [*chain, {"anyOf": conditions}]
    del union["oneOf"], union["discriminator"]


def _spell_out(node: Json) -> None:
    """Apply the extensions of one schema."""
    properties = node.get("properties")
    if isinstance(properties, dict) and "required" in node:
        optional = {
            k for k, v in properties.items() if isinstance(v, dict) and v.get("x-tinker-tag-optional")
        }
        node["required"] = [name for name in node["required"] if name not in optional]
    if node.get("format") in WIDTHS and not {"const", "enum"} & set(node):
        lowest, highest = WIDTHS[node["format"]]
        if "exclusiveMinimum" not in node:
            node.setdefault("minimum", lowest)
        if "exclusiveMaximum" not in node:
            node.setdefault("maximum", highest)
    members = node.get("anyOf", [])
    if len(members) == 2 and "$ref" in members[0] and members[1] == {"type": "null"}:
        # The same, but an error is found inside the reference.
        del node["anyOf"]
        node["if"], node["then"] = {"not": {"type": "null"}}, members[0]
