"""The rules of the contract that concern schemas: what the generator would silently get wrong, and style."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from contract_document import Json, operations, resolve, walk
from contract_overlay import narrow
from contract_validation import for_validation
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator


def names_of_values(source: str) -> frozenset[str]:
    """Return the public names of the classes that a source defines, and `self` and `cls`."""
    found = {"self", "cls"}
    for node in ast.parse(source).body:
        for member in node.body if isinstance(node, ast.ClassDef) else ():
            match member:
                case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(name)
    return frozenset(name for name in found if not name.startswith("_"))


MODEL = Path(__file__).parents[2] / "openapi" / "runtime" / "model.py"
FORBIDDEN_NAMES = names_of_values(MODEL.read_text(encoding="utf-8"))
"""Names that the generated values use themselves, beside those that begin with an underscore."""

SCALAR_UNIONS = {"SamplingParams/properties/stop", "LossFnConfig/additionalProperties"}
"""The only fields that take several kinds of plain values."""

OPEN_REQUESTS = {
    "JsonMetadata",
    "OtherOptimizerParams",
    "GenericEvent/properties/event_data",
    "CustomLossNode/properties/kwargs",
}
"""Requests that let unknown fields pass, because the protocol says so."""

UNLIMITED_NUMBERS = {
    "LoraConfig/properties/seed",
    "SamplingParams/properties/seed",
    "DimuonParams/properties/grad_clip_norm",
}
"""Numbers in requests that may have any value."""

UNCHECKED_LIMITS = (
    "multipleOf",
    "uniqueItems",
    "contains",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "patternProperties",
    "dependentRequired",
    "dependentSchemas",
    "if",
)
"""Keywords that limit a value, and that no client checks before it sends."""

BIG_NAMES = {
    "tokens",
    "logprobs",
    "prompt_logprobs",
    "topk_prompt_logprobs",
    "topk_sampled_logprobs",
    "sparse_crow_indices",
    "sparse_col_indices",
}
"""Arrays that may hold a million entries."""


BARE_ITEMS = (
    {"type": "integer"},
    {"type": "number"},
    {"type": ["number", "null"]},
    {
        "type": ["array", "null"],
        "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    },
)
"""What may stand in a big array: all of it is kept as it was read."""

POLL = "FutureAnswer"
"""The one union without a tag: who asks knows what was asked for."""

_ONE_OF_GROUPS = re.compile(r"/oneOf/\d+$")


def schemas(document: Json) -> dict[str, Json]:
    """Return the component schemas."""
    found: dict[str, Json] = document.get("components", {}).get("schemas", {})
    return found


def kinds(schema: Json) -> list[str]:
    """Return the types of a schema, null left out."""
    kind = schema.get("type", [])
    return [k for k in ([kind] if isinstance(kind, str) else kind) if k != "null"]


def reachable(document: Json, roots: list[Json]) -> set[str]:
    """Return the names of the component schemas that the roots lead to."""
    seen: set[str] = set()
    todo = list(roots)
    while todo:
        for _, node in walk(todo.pop()):
            reference = node.get("$ref", "")
            name = reference.rsplit("/", 1)[-1]
            if reference.startswith("#/components/schemas/") and name not in seen:
                seen.add(name)
                todo.append(schemas(document)[name])
            elif reference and not reference.startswith("#/components/schemas/"):
                todo.append(resolve(document, node))
    return seen


def side(document: Json, answer: bool) -> set[str]:
    """Return the schemas of all answers, results of promises included, or of all requests."""
    roots: list[Json] = []
    for op in operations(document):
        if answer:
            roots.append(op.node["responses"])
            result = op.node.get("x-tinker-result")
            roots += [{"$ref": f"#/components/schemas/{result}"}] if result in schemas(document) else []
        else:
            roots += [op.node.get("requestBody", {}), op.node.get("parameters", [])]
    return reachable(document, roots)


def everywhere(document: Json, names: set[str] | None = None) -> Iterator[tuple[str, Json]]:
    """Yield every schema node of the components with its place; what stands under `not` describes nothing."""
    for name, schema in schemas(document).items():
        if names is None or name in names:
            yield from (found for found in walk(schema, name) if "not" not in found[0].split("/"))


def fields(document: Json, names: set[str] | None = None) -> Iterator[tuple[str, str, Json]]:
    """Yield every field: place, name, schema."""
    for where, node in everywhere(document, names):
        if isinstance(node.get("properties"), dict) and not _ONE_OF_GROUPS.search(where):
            for name, schema in node["properties"].items():
                yield f"{where}/properties/{name}", name, schema


def unions_are_tagged(document: Json) -> Iterator[str]:
    """Check that a union of objects names its tag, and that its members require it."""
    for where, node in everywhere(document):
        if len(kinds(node)) > 1 and where not in SCALAR_UNIONS:
            yield f"{where}: several types, and not on the list of scalar unions"
    document = narrow(document)
    for where, node, members in _unions(document):
        if where in SCALAR_UNIONS:
            objects = [m for m in members if "$ref" in m or kinds(m) == ["object"]]
            yield from (f"{where}: a scalar union holds objects" for _ in objects)
        elif "discriminator" not in node:
            yield f"{where}: a union without a discriminator"
        else:
            tag = node["discriminator"]["propertyName"]
            for member in members:
                if tag not in resolve(document, member).get("required", []):
                    yield f"{where}: {member.get('$ref')} does not require the tag {tag!r}"


def tags_decide(document: Json) -> Iterator[str]:
    """Check that a union's tag leads to its members: each a reference, and its constant mapped to it."""
    document = narrow(document)
    for where, node, members in _unions(document):
        if "discriminator" not in node:
            continue
        tag, mapping = node["discriminator"]["propertyName"], node["discriminator"].get("mapping", {})
        for member in members:
            told = resolve(document, member).get("properties", {}).get(tag, {})
            constant = told.get("const")
            rest = member is members[-1] and told.get("not") == {"enum": list(mapping)}
            if "$ref" not in member:
                yield f"{where}: a member is not a reference"
            elif constant is None and not rest:
                yield f"{where}: {member['$ref']} does not have the tag {tag!r} as a constant"
            elif not rest and mapping.get(constant) != member["$ref"]:
                yield f"{where}: the mapping of {constant!r} is not {member['$ref']}"


def _unions(document: Json) -> Iterator[tuple[str, Json, list[Json]]]:
    """Yield what may be one of several things, null left out."""
    for where, node in everywhere(document):
        if "properties" in node or where == POLL:
            continue
        for keyword in ("oneOf", "anyOf"):
            members = [m for m in node.get(keyword, []) if m.get("type") != "null"]
            objects = [m for m in members if "object" in kinds(resolve(document, m))]
            if len(members) > 1 and not (len(objects) == 1 and len(members) == 2):  # JSON tells a pair apart
                yield where, node, members


def open_unions(document: Json) -> set[str]:
    """Return the places of the tags that may be constants in an answer: their union takes any other tag too.

    The last member of such a union says of its tag only which constants it leaves to the others.
    """
    found = set()
    document = narrow(document)
    for _, node in everywhere(document):
        if "discriminator" not in node or "oneOf" not in node:
            continue
        tag = node["discriminator"]["propertyName"]
        rest = resolve(document, node["oneOf"][-1])["properties"][tag]
        if "not" in rest:
            found |= {f"{member['$ref'].rpartition('/')[2]}/properties/{tag}" for member in node["oneOf"]}
    return found


def groups_are_exclusive(document: Json) -> Iterator[str]:
    """Check that fields that exclude each other are optional, and that a null does not count as given."""
    for where, node in everywhere(document):
        for group in node.get("oneOf", []) if "properties" in node else []:
            names = group.get("required", [])
            if group != {
                "required": names,
                "properties": {name: {"not": {"type": "null"}} for name in names},
            }:
                yield f"{where}: a group must require its fields, and each not to be null"
            for name in names:
                if name not in node["properties"] or name in node.get("required", []):
                    yield f"{where}: {name!r} excludes others and is no optional field"


def names_are_free(document: Json) -> Iterator[str]:
    """Check that no field has a name that the generated values use themselves, or that begins with `_`."""
    for where, name, _ in fields(document):
        if name in FORBIDDEN_NAMES or name.startswith("_"):
            yield f"{where}: a name that the generated values use themselves"


def required_fields_exist(document: Json) -> Iterator[str]:
    """Check that what is required is described."""
    for where, node in everywhere(document):
        for name in node.get("required", []) if isinstance(node.get("required"), list) else []:
            if name not in node.get("properties", {}):
                yield f"{where}: {name!r} is required and not described"


def answers_hold_no_enum(document: Json) -> Iterator[str]:
    """Check that no answer has a closed set of values: an unknown one must not kill its parse."""
    free = open_unions(document)
    for where, node in everywhere(document, side(document, answer=True)):
        if ("enum" in node or "const" in node) and where.removesuffix("/not") not in free:
            yield f"{where}: an answer with a closed set of values"


def defaults_are_constants(document: Json) -> Iterator[str]:
    """Check that only a tag has a default, since a default freezes what the server may change."""
    for where, node in everywhere(document):
        if "default" in node and ("const" not in node or node["default"] != node["const"]):
            yield f"{where}: a default"
        if "const" in node and node.get("default") != node["const"]:
            yield f"{where}: a constant without itself as default"


def constants_are_text(document: Json) -> Iterator[str]:
    """Check that a constant is a text: of another one that is optional the generator writes broken code."""
    for where, node in everywhere(document):
        if "const" in node and (node.get("type") != "string" or not isinstance(node["const"], str)):
            yield f"{where}: a constant that is no text"


def all_is_described(document: Json) -> Iterator[str]:
    """Check that every schema and field says what it means, and that every field shows an example."""
    yield from (
        f"{name}: no description"
        for name, schema in schemas(document).items()
        if not schema.get("description")
    )
    for where, _, schema in fields(document):
        if not schema.get("description"):
            yield f"{where}: no description"
        shown = resolve(document, schema)
        inner = kinds(shown) == ["object"] or (kinds(shown) == ["array"] and "$ref" in shown.get("items", {}))
        if not inner and "anyOf" in shown and len(shown["anyOf"]) == 2 and "$ref" in shown["anyOf"][0]:
            continue
        if not inner and not shown.get("examples"):
            yield f"{where}: no example"


def null_is_a_type(document: Json) -> Iterator[str]:
    """Check that nullability is written as in OpenAPI 3.1."""
    yield from (f"{where}: nullable" for where, node in everywhere(document) if "nullable" in node)


def openness_fits_the_side(document: Json) -> Iterator[str]:
    """Check that answers keep unknown fields and requests refuse them."""
    answers, requests = side(document, answer=True), side(document, answer=False)
    for names, wanted in ((answers, True), (requests - answers, False)):
        for where, node in everywhere(document, names):
            if kinds(node) != ["object"] or where in OPEN_REQUESTS:
                continue
            is_map = isinstance(node.get("additionalProperties"), dict) and "properties" not in node
            if not is_map and node.get("additionalProperties") is not wanted:
                yield f"{where}: additionalProperties must be {str(wanted).lower()}"


def big_arrays_are_bare(document: Json) -> Iterator[str]:
    """Check that no code runs for each entry of a big array, and that only tagged unions stand in arrays."""
    for where, name, schema in fields(document):
        if kinds(schema) != ["array"]:
            continue
        items = schema.get("items")
        if name in BIG_NAMES and not schema.get("x-tinker-big"):
            yield f"{where}: not marked x-tinker-big"
        if schema.get("x-tinker-big"):
            if items not in BARE_ITEMS:
                yield f"{where}: the entries of a big array are numbers, numbers or null, or lists of pairs"
        elif isinstance(items, dict) and (len(kinds(items)) > 1 or "anyOf" in items or "oneOf" in items):
            yield f"{where}: a union in an array"


def numbers_have_limits(document: Json) -> Iterator[str]:
    """Check that a number in a request says what it may be, and that a quantity says its unit."""
    for where, _, raw in fields(document, side(document, answer=False) - side(document, answer=True)):
        schema = resolve(document, raw)
        limits = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "const"}
        if (
            set(kinds(schema)) & {"integer", "number"}
            and not limits & set(schema)
            and where not in UNLIMITED_NUMBERS
        ):
            yield f"{where}: no limit"
    for where, name, raw in fields(document):
        if re.search(r"(_seconds|_sec|_bytes|_bytes_count|_semaphore_size)$", name):
            target = raw["anyOf"][0] if "anyOf" in raw else raw
            if "x-unit" not in resolve(document, target):
                yield f"{where}: no x-unit"


def limits_are_checked(document: Json) -> Iterator[str]:
    """Check that no request is limited by a keyword that would be dropped in silence."""
    nodes = [*everywhere(document, side(document, answer=False))]
    for op in operations(document):
        nodes += walk(op.node.get("requestBody", {}), op.id)
        for raw in [*op.node.get("parameters", []), *op.shared_parameters]:
            parameter = resolve(document, raw)
            nodes += walk(parameter.get("schema", {}), f"{op.id}({parameter['name']})")
    for where, node in nodes:
        yield from (f"{where}: nobody checks {key}" for key in UNCHECKED_LIMITS if key in node)


def examples_are_valid(document: Json) -> Iterator[str]:
    """Check that each example fits its field, and so does what absence means."""
    ready = for_validation(document)
    for where, node in everywhere(ready):
        if where.endswith("/properties"):
            continue
        shown = node["examples"] if isinstance(node.get("examples"), list) else []
        shown = shown + [node[key] for key in ("x-tinker-known-default",) if key in node]
        if shown:
            check = Draft202012Validator({**node, "components": ready["components"]})
            for example in shown:
                yield from (f"{where}: {e.message}" for e in check.iter_errors(example))


def schemas_are_used(document: Json) -> Iterator[str]:
    """Check that every component belongs to some operation."""
    used = side(document, answer=True) | side(document, answer=False)
    yield from (f"{name}: used by no operation" for name in schemas(document) if name not in used)


def nothing_traps_the_generator(document: Json) -> Iterator[str]:
    """Check that nothing is there that the generator refuses or drops."""
    for where, node in everywhere(document):
        if node.get("items") is False or "$defs" in node or "/$defs/" in str(node.get("$ref", "")):
            yield f"{where}: the generator cannot read this"


def bytes_and_ids_are_text(document: Json) -> Iterator[str]:
    """Check that no format turns a text into bytes or an object."""
    for where, node in everywhere(document):
        if node.get("format") in ("byte", "binary", "uuid"):
            yield f"{where}: format {node['format']}: bytes and ids are plain text here"
