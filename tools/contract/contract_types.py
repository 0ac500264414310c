"""What the renderers of the package share: what a schema is in Python, its bounds, how templates are read."""

from __future__ import annotations

from pathlib import Path

import jinja2
from contract_document import Json, reference_name, resolve

TEMPLATES = Path(__file__).parents[2] / "openapi" / "templates"
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
MOMENTS = {"date-time": "datetime.datetime | str", "date": "datetime.date | str"}
FORMATS = frozenset({*MOMENTS, "tinker-path"})
"""Formats that are checked by more than their pattern."""
BOUNDS = {
    "minimum": "minimum",
    "exclusiveMinimum": "above",
    "maximum": "maximum",
    "exclusiveMaximum": "below",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "pattern": "pattern",
    "enum": "choices",
    "x-tinker-shape": "shape",
    "x-tinker-granularity": "granularity",
}
"""Keywords of a schema that bound a value -> the fields of `Bounds`."""


def templates() -> jinja2.Environment:
    """Make the environment of openapi/templates."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Python source, no page
    )


def python_type(document: Json, schema: Json) -> str:
    """Return the type of an argument as a reader would write it."""
    name, shown = reference_name(schema), resolve(document, schema)
    alternatives = None if "properties" in shown else shown.get("anyOf") or shown.get("oneOf")
    if alternatives:
        found = [python_type(document, each) for each in alternatives]
        return " | ".join(dict.fromkeys(sorted(found, key=lambda each: each == "None")))
    kinds = shown.get("type")
    if isinstance(kinds, list):
        parts = [python_type(document, {**shown, "type": kind}) for kind in kinds]
        return " | ".join(dict.fromkeys(sorted(parts, key=lambda part: part == "None")))
    if kinds == "object":
        return _object_type(document, shown, name)
    if kinds == "array":
        return f"Sequence[{python_type(document, shown.get('items', {}))}]"
    if "enum" in shown:
        return f"Literal[{', '.join(map(repr, shown['enum']))}]"
    return MOMENTS.get(shown.get("format", ""), "") or PLAIN.get(kinds, "Any")


def _object_type(document: Json, shown: Json, name: str | None) -> str:
    if shown.get("properties"):
        return f"models.{name}" if name else "Mapping[str, Any]"
    values = shown.get("additionalProperties")
    return f"Mapping[str, {python_type(document, values) if isinstance(values, dict) and values else 'Any'}]"


def bounds(document: Json, schema: Json) -> dict[str, Json]:
    """Return the bounds of a value as the arguments of `Bounds`; empty where any value will do."""
    shown = resolve(document, schema)
    given = [] if "properties" in shown else shown.get("anyOf", [])
    alternatives = [each for each in given if each.get("type") != "null"]
    if len(alternatives) == 1:
        return bounds(document, {**resolve(document, alternatives[0])})
    if alternatives or ("oneOf" in shown and "properties" not in shown):
        return {}
    kinds = [kind for kind in _listed(shown.get("type")) if kind != "null"]
    if len(kinds) != 1 or not kinds[0]:
        return {}
    found: dict[str, Json] = {"kind": shown.get("format") if shown.get("format") in FORMATS else kinds[0]}
    found |= {field: shown[key] for key, field in BOUNDS.items() if key in shown}
    if isinstance(found.get("choices"), list):
        found["choices"] = tuple(found["choices"])
    if found["kind"] == "array" and (inner := bounds(document, shown.get("items", {}))):
        found["items"] = inner
    return found


def range_in_words(document: Json, schema: Json) -> str:
    """Return the bounds of a value as a sentence for its documentation; empty where there are none."""
    found = bounds(document, schema)
    if "min_items" in found or "max_items" in found:
        said = _between(found.get("min_items"), found.get("max_items"))
        said += " entry" if said.endswith(" 1") else " entries"
        return f"{said.capitalize()}."
    if "above" in found or "below" in found:
        low = f"more than {found['above']}" if "above" in found else _between(found.get("minimum"), None)
        high = f"less than {found['below']}" if "below" in found else _between(None, found.get("maximum"))
        said = " and ".join(filter(None, (low, high)))
    else:
        said = _between(found.get("minimum"), found.get("maximum"))
    return said and f"{said[0].upper()}{said[1:]}."


def _between(low: Json, high: Json) -> str:
    """Return a range whose ends belong to it."""
    if low is not None and high is not None:
        return f"from {low} to {high}"
    if low is not None:
        return f"at least {low}"
    return "" if high is None else f"at most {high}"


def _listed(kinds: Json) -> list[Json]:
    return kinds if isinstance(kinds, list) else [kinds]
