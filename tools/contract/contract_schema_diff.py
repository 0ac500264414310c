"""Compares two schemas and says which changes break a client. Knows nothing of operations and prints nothing.

What breaks depends on the direction: a request may only be taken more widely than before, an answer only be
given more narrowly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from contract_document import Json, reference_name, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

Direction = Literal["request", "answer"]

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
SHAPE = ("pattern", "format", "contentEncoding", "multipleOf", "uniqueItems")


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

    def compare(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
        """Yield what changed between two schemas that stand in the same place."""
        yield from self._types(old, new, where, direction)
        old, new = _without_null(old), _without_null(new)
        names = reference_name(old), reference_name(new)
        if names[0] and names[1]:
            key = (names[0], names[1], direction)
            if key in self._seen:
                return
            self._seen.add(key)
            where = names[1]
        old, new = resolve(self._old, old), resolve(self._new, new)
        yield from _values(old, new, where, direction)
        yield from _limits(old, new, where, direction)
        yield from self._fields(old, new, where, direction)
        yield from self._inner(old, new, where, direction)
        yield from self._members(old, new, where, direction)
        yield from self._variants(old, new, where, direction)

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
        if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
            yield from self.compare(old["items"], new["items"], f"{where}[]", direction)
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
            before = {self._label(self._old, m): m for m in old.get(keyword, [])}
            after = {self._label(self._new, m): m for m in new.get(keyword, [])}
            gone, come = before.keys() - after.keys(), after.keys() - before.keys()
            # Alternatives that are types by themselves have been compared as types.
            for label in sorted(gone - _PLAIN):
                yield Change(True, "removed", where, f"alternative {label} removed")
            for label in sorted(come - _PLAIN):
                breaks = direction == "answer" and bool(before)
                yield Change(breaks, "added", where, f"alternative {label} added")
            for label in (name for name in before if name in after):
                yield from self.compare(before[label], after[label], where, direction)

    def _variants(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[Change]:
        """Compare what an open answer may turn out to be."""
        before, after = old.get("x-tinker-variants", []), new.get("x-tinker-variants", [])
        for name in (n for n in before if n not in after):
            yield Change(True, "removed", where, f"variant {name} removed")
        for name in after:
            reference = {"$ref": f"#/components/schemas/{name}"}
            if name in before:
                yield from self.compare(reference, reference, where, direction)
            else:
                yield Change(False, "added", where, f"variant {name} added")

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
    for key in (*LOWER, *UPPER, *SHAPE):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        tighter = before is None or (after is not None and key in LOWER and after > before)
        tighter = tighter or (after is not None and key in UPPER and after < before)
        tighter = tighter or (after is not None and key in SHAPE)
        yield Change(direction == "request" and tighter, "changed", where, f"{key} {before} became {after}")
    groups, groups_now = old.get("x-tinker-exactly-one", []), new.get("x-tinker-exactly-one", [])
    if groups != groups_now:
        tighter = bool(groups_now) and (not groups or any(group not in groups_now for group in groups))
        yield Change(direction == "request" and tighter, "changed", where, "groups that exclude each other")


def _listed(values: object) -> str:
    items = sorted(map(str, values)) if isinstance(values, list | set) else [str(values)]
    return ", ".join(items) or "any"


def _openness(value: Json) -> str:
    return "typed" if isinstance(value, dict) else "kept" if value else "refused"
