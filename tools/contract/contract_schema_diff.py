"""Compares two schemas and says which changes break a client. Knows nothing of operations and prints nothing.

What breaks depends on the direction: a request may only be taken more widely than before, an answer only be
given more narrowly.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple

from contract_document import Json, exclusive_groups, operations, reference_name, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

Direction = Literal["request", "answer"]

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
SHAPE = ("pattern", "format", "contentEncoding", "multipleOf", "uniqueItems")
NARROW_NUMBERS = ("int32", "float")
WIDE_NUMBERS = ("int64", "double", None)
"""Formats of numbers: only between the narrow and the wide ones does a reader or a writer notice a change."""
MARKS_IN_WORDS = {
    "x-tinker-since",
    "x-tinker-known-values",
}
"""Extensions that say nothing about the wire, and those that are compared by what they mean."""


class Change(NamedTuple):
    """One difference."""

    breaking: bool
    kind: Literal["added", "removed", "changed"]
    where: str
    what: str


class SchemaDiff:
    """Compares the schemas of two documents, each pair of components once for each direction."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, Direction]] = set()
        ids = {op.id for op in operations(old)}
        # The answer to a poll is one of all results: that of a new promise reaches only who asked for it.
        self._fresh = {op.node.get("x-tinker-result") for op in operations(new) if op.id not in ids}
        self.renamed: dict[str, str] = {}
        """Schemas that stand under another name in the place of the old one, as far as compared."""

    def compare(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
        """Yield what changed between two schemas that stand in the same place."""
        yield from self._types(old, new, where, direction)
        yield from _marks(old, new, where)
        place = old, new
        old, new = _without_marks(_without_null(old)), _without_marks(_without_null(new))
        names = reference_name(old), reference_name(new)
        if names[0] and names[1]:
            key = (names[0], names[1], direction)
            if key in self._seen:
                return
            self._seen.add(key)
            where = names[1]
            if names[0] != names[1] and self._is_renamed(names[0], names[1]):
                self.renamed[names[0]] = names[1]
        old, new = resolve(self._old, old), resolve(self._new, new)
        yield from _values(old, new, where, direction)
        yield from _limits(old, new, where, direction)
        yield from _shapes(old, new, where, direction)
        if old is not place[0] and new is not place[1]:
            yield from _marks(old, new, where)
        yield from self._fields(old, new, where, direction)
        yield from self._inner(old, new, where, direction)
        yield from self._members(old, new, where, direction)
        yield from _tags(old, new, where, direction)

    def _is_renamed(self, before: str, after: str) -> bool:
        """Say whether a name went and another came, instead of two schemas that both stay."""
        return before not in _schemas(self._new) and after not in _schemas(self._old)

    def _types(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
        before, after = self._all_types(self._old, old), self._all_types(self._new, new)
        if before == after:
            return
        narrow, wide = (before, after) if direction == "request" else (after, before)
        fits = not wide or all(kind in wide or (kind == "integer" and "number" in wide) for kind in narrow)
        fits = fits and bool(narrow or not wide)
        yield Change(not fits, "changed", where, f"type {_listed(before)} became {_listed(after)}")

    def _all_types(self, document: Json, schema: Json) -> set[str]:
        """Return what JSON types a schema allows, its alternatives included; empty means any."""
        schema = resolve(document, schema)
        kind = schema.get("type")
        if kind is not None:
            return {kind} if isinstance(kind, str) else set(kind)
        members = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf") or []
        found = [self._all_types(document, member) for member in members]
        return set().union(*found) if found and all(found) else set()

    def _fields(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed_after = set(old.get("required", [])), set(new.get("required", []))
        asked = direction == "request"
        for name in before:
            if name not in after:
                yield Change(True, "removed", f"{where}.{name}", f"field of the {direction} removed")
        for name in after:
            place, needed = f"{where}.{name}", name in needed_after
            if name not in before:
                word = "required field" if needed else "optional field"
                yield Change(asked and needed, "added", place, f"{word} of the {direction} added")
                continue
            if needed != (name in needed_before):
                breaks = needed if asked else not needed
                word = "required" if needed else "optional"
                yield Change(breaks, "changed", place, f"field of the {direction} became {word}")
            yield from self.compare(before[name], after[name], place, direction)

    def _inner(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
        inside = [schema.get("items") for schema in (old, new)]
        if isinstance(inside[0], dict) and isinstance(inside[1], dict):
            yield from self.compare(inside[0], inside[1], f"{where}[]", direction)
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self.compare(before, after, f"{where}{{}}", direction)
        elif before != after:
            breaks = direction == "request" and after is not True
            yield Change(
                breaks, "changed", where, f"unknown fields: {_openness(before)} became {_openness(after)}"
            )

    def _members(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
        for keyword in ("oneOf", "anyOf", "allOf"):
            before = {self._label(self._old, m): m for m in _alternatives(old, keyword)}
            after = {self._label(self._new, m): m for m in _alternatives(new, keyword)}
            pairs = self._pairs(list(before), list(after))
            # Alternatives that are types by themselves have been compared as types.
            for label in sorted(before.keys() - pairs.keys() - _PLAIN):
                yield Change(True, "removed", where, f"alternative {label} removed")
            for label in sorted(after.keys() - set(pairs.values()) - _PLAIN):
                breaks = direction == "answer" and bool(before) and label not in self._fresh
                yield Change(breaks, "added", where, f"alternative {label} added")
            for had, has in pairs.items():
                yield from self.compare(before[had], after[has], where, direction)

    def _pairs(self, before: list[str], after: list[str]) -> dict[str, str]:
        """Say which alternative of the old document is which of the new one, a renamed schema included."""
        pairs = {name: name for name in before if name in after}
        for had in (n for n in before if n not in pairs):
            same = (n for n in after if n not in pairs.values() and self.is_same_under_a_new_name(had, n))
            if (found := next(same, None)) is not None:
                pairs[had] = found
        return pairs

    def is_same_under_a_new_name(self, before: str, after: str) -> bool:
        """Say whether a schema that went and one that came differ in their name alone."""
        if not self._is_renamed(before, after):
            return False
        had, has = (
            _schemas(document).get(name) for document, name in ((self._old, before), (self._new, after))
        )
        return had is not None and _words_off(had) == _words_off(has)

    def _label(self, document: Json, member: Json) -> str:
        name = reference_name(member)
        if name:
            return name
        kind = member.get("type", "any")
        inner = resolve(document, member.get("items", {})).get("type", "any")
        return f"array of {inner}" if kind == "array" else str(kind)


def _without_null(schema: Json) -> Json:
    """Return the one alternative to null, if there is just one; null itself is compared as a type."""
    for keyword in ("anyOf", "oneOf"):
        members = [m for m in schema.get(keyword, []) if m.get("type") != "null"]
        if len(members) == 1:
            return members[0]
    return schema


def _without_marks(schema: Json) -> Json:
    """Return a reference without what is said beside it, which has been compared where it stands."""
    if "$ref" not in schema or not any(_is_mark(key) for key in schema):
        return schema
    return {key: value for key, value in schema.items() if not _is_mark(key)}


def _is_mark(key: str) -> bool:
    return key in ("default", "deprecated", "readOnly", "writeOnly") or key.startswith("x-")


def _schemas(document: Json) -> dict[str, Json]:
    found: dict[str, Json] = document.get("components", {}).get("schemas", {})
    return found


def _words_off(node: Json) -> Json:
    """Return a schema without its texts and examples."""
    if isinstance(node, dict):
        words = ("description", "examples", "example", "title")
        fields = {name: _words_off(field) for name, field in node.get("properties", {}).items()}
        kept = {k: _words_off(v) for k, v in node.items() if k not in words and k != "properties"}
        return {**kept, "properties": fields}
    return [_words_off(value) for value in node] if isinstance(node, list) else node


_PLAIN = {"null", "string", "integer", "number", "boolean", "object", "any"}


def _values(old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
    """Compare closed sets of values. Fewer values break either side's callers; more break who reads them."""
    before, after = _closed(old), _closed(new)
    if before is not None and after is not None:
        gone, come = [v for v in before if v not in after], [v for v in after if v not in before]
        if gone:
            yield Change(True, "removed", where, f"values {_listed(gone)} removed")
        if come:
            yield Change(direction == "answer", "added", where, f"values {_listed(come)} added")
    elif before is None and after is not None:
        yield Change(direction == "request", "changed", where, f"values are now limited to {_listed(after)}")
    elif before is not None:
        yield Change(direction == "answer", "changed", where, "values are no longer limited")
    known, known_now = old.get("x-tinker-known-values", []), new.get("x-tinker-known-values", [])
    for word, values in (("no longer known", known), ("newly known", known_now)):
        other = known_now if values is known else known
        fresh = [v for v in values if v not in other]
        if fresh:
            yield Change(False, "changed", where, f"values {word}: {_listed(fresh)}")


def _closed(schema: Json) -> list[Json] | None:
    if "const" in schema:
        return [schema["const"]]
    found: list[Json] | None = schema.get("enum")
    return found


def _limits(old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
    sizes = (old.get("minItems"), old.get("maxItems")), (new.get("minItems"), new.get("maxItems"))
    if direction == "answer" and sizes[0] != sizes[1] and None not in sizes[0] and sizes[0][0] == sizes[0][1]:
        yield Change(True, "changed", where, f"length {sizes[0][0]} became {sizes[1][0]} to {sizes[1][1]}")
        return
    for key in (*LOWER, *UPPER):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        tighter = before is None or (after is not None and key in LOWER and after > before)
        tighter = tighter or (after is not None and key in UPPER and after < before)
        yield Change(direction == "request" and tighter, "changed", where, f"{key} {before} became {after}")
    groups, groups_now = exclusive_groups(old), exclusive_groups(new)
    if groups != groups_now:
        tighter = bool(groups_now) and (not groups or any(group not in groups_now for group in groups))
        yield Change(direction == "request" and tighter, "changed", where, "groups that exclude each other")


def _shapes(old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
    """Compare what a text or number must look like: requests may lose a rule, answers no format."""
    for key in SHAPE:
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        first, last = (before, after) if direction == "answer" else (after, before)
        if key == "format" and {before, after} <= {*NARROW_NUMBERS, *WIDE_NUMBERS}:
            breaks = first in NARROW_NUMBERS and last in WIDE_NUMBERS
        else:
            breaks = first is not None and (direction == "request" or key in ("format", "contentEncoding"))
        yield Change(breaks, "changed", where, f"{key} {before} became {after}")


def _tags(old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
    """Compare by which field and which of its values the members of a union are told apart."""
    before, after = old.get("discriminator", {}), new.get("discriminator", {})
    if not before or not after:
        if before or after:
            word = "no longer told apart by" if before else "now told apart by"
            tag = (before or after).get("propertyName")
            yield Change(bool(before), "changed", where, f"members are {word} {tag}")
        return
    if before.get("propertyName") != after.get("propertyName"):
        words = f"discriminator {before.get('propertyName')} became {after.get('propertyName')}"
        yield Change(True, "changed", where, words)
    values, values_now = before.get("mapping", {}), after.get("mapping", {})
    for value in (v for v in values if v not in values_now):
        yield Change(True, "removed", where, f"discriminator value {value} removed")
    for value in (v for v in values_now if v not in values):
        yield Change(direction == "answer", "added", where, f"discriminator value {value} added")


def _marks(old: Json, new: Json, where: str) -> Iterator[Change]:
    """Compare defaults, deprecation and extensions. Another unit means another number."""
    keys = dict.fromkeys(key for schema in (old, new) for key in schema if _is_mark(key))
    for key in (k for k in keys if k not in MARKS_IN_WORDS and old.get(k) != new.get(k)):
        breaks = key == "x-unit" and key in old and key in new
        yield Change(breaks, "changed", where, f"{key} {shown(old.get(key))} became {shown(new.get(key))}")


def shown(value: object) -> str:
    """Return a value as the report shows it: on one line, and no longer than that."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _alternatives(schema: Json, keyword: str) -> list[Json]:
    """Return what a schema may be instead; what an object says in `oneOf` are groups of its fields."""
    return [] if "properties" in schema else schema.get(keyword, [])


def _listed(values: object) -> str:
    items = sorted(map(str, values)) if isinstance(values, list | set) else [str(values)]
    return ", ".join(items) or "any"


def _openness(value: Json) -> str:
    return "typed" if isinstance(value, dict) else "kept" if value else "refused"
