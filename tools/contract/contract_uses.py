"""Finds the places of the facade that use an operation, a model or a field that a new contract has no more.

The facade names operations by their ids, models by their classes and fields as attributes, keywords or texts:
its syntax trees are walked for those. What a name means is not computed: a field counts where the module also
names its model, or where no other model has a field of that name.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from contract_document import Json, operations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from contract_schema_diff import Change

BY_HAND = ("facade", "embedded", "openapi/runtime")
"""Where the modules are that people write."""


class Gone(NamedTuple):
    """What one document has and the next one has not, each with what became of it."""

    operations: dict[str, str]
    models: dict[str, str]
    fields: dict[str, dict[str, str]]
    """By the name of the field, and of the model that lost it."""
    common: frozenset[str]
    """Names of fields that other models still have."""


def gone(old: Json, new: Json) -> Gone:
    """Say which operations, models and fields of a document a new one no longer has."""
    before, after = ({op.id: op for op in operations(document)} for document in (old, new))
    lines = {(op.method, op.path): op.id for op in after.values()}
    ids = {}
    for name, op in before.items():
        if name not in after:
            fresh = lines.get((op.method, op.path))
            ids[name] = f"is {fresh} now" if fresh else "is gone"
        elif op.node.get("tags") != after[name].node.get("tags"):
            ids[name] = f"moved to {', '.join(after[name].node.get('tags', []))}"
    had, has = (document.get("components", {}).get("schemas", {}) for document in (old, new))
    fields: dict[str, dict[str, str]] = {}
    for model in (name for name in had if name in has):
        known = has[model].get("properties", {})
        for field in (f for f in had[model].get("properties", {}) if f not in known):
            fields.setdefault(field, {})[model] = "is gone"
    common = frozenset(field for schema in has.values() for field in schema.get("properties", {}))
    models = {name: _fate(name, old, new) for name in had if name not in has}
    return Gone(ids, models, fields, common)


def changed(changes: Iterable[Change], document: Json) -> Gone:
    """Say which operations and fields stay and break all the same, each with what happens to it."""
    ids = {op.id for op in operations(document)}
    schemas = document.get("components", {}).get("schemas", {})
    hit: dict[str, str] = {}
    fields: dict[str, dict[str, str]] = {}
    for change in (each for each in changes if each.breaking):
        model, _, field = change.where.partition(".")
        place = change.where.partition(" ")[0].partition("(")[0]
        if field in schemas.get(model, {}).get("properties", {}):
            fields.setdefault(field, {})[model] = f"breaks: {change.what}"
        elif place in ids:
            hit[place] = f"breaks: {change.what}"
    return Gone(hit, {}, fields, frozenset(fields))


def _fate(name: str, old: Json, new: Json) -> str:
    """Say what became of a schema: the new one with its fields, if there is one."""
    had, has = (document["components"]["schemas"] for document in (old, new))
    fields = had[name].get("properties", {}).keys()
    same = (n for n, schema in has.items() if n not in had and schema.get("properties", {}).keys() == fields)
    fresh = next(same, None) if fields else None
    return f"is {fresh} now" if fresh else "is gone"


def facade_uses(lost: Gone, root: Path) -> list[str]:
    """Return the uses of what is gone, each with its file, line and fate, in the order of the files."""
    if not (lost.operations or lost.models or lost.fields):
        return []
    found = []
    for folder in BY_HAND:
        for path in sorted((root / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for line, what in sorted(set(_uses(tree, lost))):
                found.append(f"{path.relative_to(root)}:{line}: {what}")
    return found


def _uses(tree: ast.Module, lost: Gone) -> Iterator[tuple[int, str]]:
    words = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    nodes = [node for node in ast.walk(tree) if id(node) not in words]
    named = {name for node in nodes for name, _ in _names(node)}
    for node in nodes:
        for name, line in _names(node):
            if name in lost.models:
                yield line, f"model {name} {lost.models[name]}"
        for name, line in _operations(node):
            if name in lost.operations:
                yield line, f"operation {name} {lost.operations[name]}"
        for field, line in _fields(node):
            for model, fate in lost.fields.get(field, {}).items():
                if model in named or field not in lost.common:
                    yield line, f"field {model}.{field} {fate}"


def _names(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what may be a model's name."""
    match node:
        case ast.Name(id=name, lineno=line) | ast.Attribute(attr=name, lineno=line):
            yield name, line
        case ast.Constant(value=str(name), lineno=line):
            yield name, line
        case ast.ImportFrom(names=names):
            yield from ((alias.name, alias.lineno) for alias in names)
        case ast.ClassDef(name=name, lineno=line):
            yield name, line


def _operations(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what may be an operation's id: a text, an import from the generated package, a call."""
    match node:
        case ast.Constant(value=str(name), lineno=line):
            yield name, line
        case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "tinsmith_api":
            yield from ((alias.name, alias.lineno) for alias in names)
        case ast.Call(func=ast.Attribute(attr=name), lineno=line):
            yield name.removesuffix("_async"), line


def _fields(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what may be a field: an attribute, a keyword, a text."""
    match node:
        case ast.Attribute(attr=name, lineno=line) | ast.Constant(value=str(name), lineno=line):
            yield name, line
        case ast.keyword(arg=str(name), lineno=line):
            yield name, line
