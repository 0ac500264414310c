"""Says in words what a schema allows, for the reference page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from contract_document import Json, exclusive_groups, operations, reference_name, resolve, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "exclusiveMinimum": "> {}",
    "exclusiveMaximum": "< {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "maxLength": "at most {} characters",
    "pattern": "matching `{}`",
    "format": "{}",
    "contentEncoding": "{}",
    "x-unit": "in {}",
}
"""What narrows a type, in words."""


class Words:
    """Describes the schemas of one contract. Those that several places use are shared and only named."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._schemas = document["components"]["schemas"]
        self.shared = self._shared()

    def _shared(self) -> list[str]:
        """Return the objects that more than one place uses, and those that are parts of others."""
        used: Counter[str] = Counter()
        inner: set[str] = set()
        for op in operations(self._document):
            for _, node in walk({k: v for k, v in op.node.items() if k != "parameters"}):
                used[reference_name(node) or ""] += "$ref" in node and "/schemas/" in node["$ref"]
            used[op.node.get("x-tinker-result", "")] += 1
        for schema in self._schemas.values():
            inner |= {name for _, node in walk(schema) if "$ref" in node and (name := reference_name(node))}
        inner.add("ErrorBody")
        names = (n for n in self._schemas if used[n] > 1 or n in inner)
        return [name for name in names if self._is_object(self._schemas[name])]

    def _is_object(self, schema: Json) -> bool:
        return schema.get("type") == "object" or bool({"oneOf", "anyOf"} & set(schema))

    def shape(self, reference: Json) -> dict[str, Any]:
        """Describe what a body is: its fields, or just its name when it is shared."""
        name = reference_name(reference) or ""
        schema = resolve(self._document, reference)
        return {
            "name": name,
            "inline": name not in self.shared,
            "description": schema["description"].strip(),
            "rows": self.rows(schema),
            "rules": self._rules(schema),
        }

    def _rules(self, schema: Json) -> list[str]:
        rules = []
        groups = exclusive_groups(schema)
        if groups:
            choices = "; ".join(" with ".join(f"`{name}`" for name in group) for group in groups)
            rules.append(f"Exactly one of: {choices}.")
        if "discriminator" in schema:
            tag, mapping = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
            kinds = ", ".join(
                f"`{value}`: {self._link(ref.rsplit('/', 1)[-1])}" for value, ref in mapping.items()
            )
            rules.append(f"By `{tag}`: {kinds}.")
        elif "properties" not in schema and (members := schema.get("oneOf") or schema.get("anyOf")):
            names = (reference_name(member) or "" for member in members)
            rules.append(f"One of {', '.join(map(self._link, names))}.")
        if isinstance(schema.get("additionalProperties"), dict):
            rules.append(f"Any name: {self.type_of(schema['additionalProperties'])}.")
        return rules

    def rows(self, schema: Json) -> list[dict[str, str]]:
        """Describe the fields of an object, one row each."""
        required = set(schema.get("required", []))
        return [
            self._row(name, field, name in required) for name, field in schema.get("properties", {}).items()
        ]

    def _row(self, name: str, field: Json, required: bool) -> dict[str, str]:
        shown = f"**`{name}`**" if required else f"`{name}`"
        return {"name": shown, "type": _cell(self.type_of(field)), "meaning": _cell(self._meaning(field))}

    def _meaning(self, field: Json) -> str:
        notes = [field["description"].strip()]
        if field.get("x-tinker-tag-optional"):
            notes.append("Old clients leave it out.")
        if field.get("x-tinker-secret"):
            notes.append("Secret.")
        if "x-tinker-since" in field:
            notes.append(f"Since {field['x-tinker-since']}.")
        return " ".join(notes)

    def parameters(self, raw: Iterable[Json]) -> list[dict[str, str]]:
        """Describe parameters, one row each."""
        rows = []
        for parameter in (resolve(self._document, node) for node in raw):
            name = f"`{parameter['name']}`"
            shown = f"**{name}**" if parameter.get("required") else name
            kind = f"{parameter['in']}: {self.type_of(parameter['schema'])}"
            rows.append(
                {"name": shown, "type": _cell(kind), "meaning": _cell(parameter["description"].strip())}
            )
        return rows

    def headers(self, raw: dict[str, Json]) -> list[dict[str, str]]:
        """Describe the headers of an answer, one row each."""
        rows = []
        for name, node in raw.items():
            header = resolve(self._document, node)
            shown = f"**`{name}`**" if header.get("required") else f"`{name}`"
            kind = self.type_of(header["schema"])
            rows.append({"name": shown, "type": _cell(kind), "meaning": _cell(header["description"].strip())})
        return rows

    def type_of(self, schema: Json) -> str:
        """Say what a value may be: its type, limits, unit, values, and whether null is one."""
        name = reference_name(schema)
        target = resolve(self._document, {"$ref": f"#/components/schemas/{name}"}) if name else schema
        if name and self._is_object(target):
            text = self._link(name)
        else:
            text = self._plain({**target, **{k: v for k, v in schema.items() if k.startswith("x-")}})
        nullable = any(m.get("type") == "null" for m in schema.get("anyOf", []))
        nullable = nullable or "null" in (schema.get("type") or [])
        return f"{text}, or null" if nullable else text

    def _plain(self, schema: Json) -> str:
        if "const" in schema:
            return f'`"{schema["const"]}"`'
        kinds = schema.get("type", [])
        names = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
        names += [self.type_of(m) for m in schema.get("anyOf", []) if m.get("type") != "null"]
        text = " or ".join(names) or "anything"
        if names == ["array"]:
            inner = self.type_of(schema.get("items", {}))
            text = f"array of ({inner})" if "," in inner else f"array of {inner}"
        parts = [text]
        for key, words in LIMITS.items():
            if key in schema:
                parts.append(words.format("seconds" if schema[key] == "s" else schema[key]))
        if "enum" in schema:
            parts.append("one of " + ", ".join(f"`{value}`" for value in schema["enum"]))
        if "x-tinker-known-values" in schema:
            parts.append("known " + ", ".join(f"`{value}`" for value in schema["x-tinker-known-values"]))
        return ", ".join(parts)

    def _link(self, name: str) -> str:
        return f"[{name}](#{name.lower()})" if name in self.shared else f"`{name}`"


def _cell(text: str) -> str:
    """Make a text fit into one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
