"""Says what a release of the official client has that the contract or the facade lacks, or has otherwise.

Usage: upstream_diff.py LISTING... [--json FILE]. Listings are what upstream_listing.py wrote. Differences
that upstream_reasons.toml explains are shown last; exit 1 on any other, and on a reason of nothing.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from contract_document import Json, Operation, json_body, load, operations, reference_name, resolve
from upstream_listing import message_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

Facts = Any
REASONS = Path(__file__).with_name("upstream_reasons.toml")
FACADE = Path(__file__).parents[2] / "facade" / "tinsmith"


class Ours(NamedTuple):
    """What is held against a listing."""

    document: Json
    messages: dict[str, dict[str, str]]
    """Fields of our protobuf messages, each with number and type."""
    signatures: dict[str, list[str]]
    """Parameters of the methods of the public classes, by the official names."""
    environment: set[str]


class Difference(NamedTuple):
    """One thing that the official client has otherwise."""

    where: str
    """Its kind and its place, which the reasons go by."""
    official: str
    here: str


class Reason(NamedTuple):
    """Why some differences are meant to be."""

    where: tuple[str, ...]
    """Patterns of places, `*` for any text."""
    versions: tuple[str, ...]
    """The releases that have them; empty for any."""
    text: str

    def explains(self, difference: Difference, version: str) -> bool:
        """Say whether a difference of a release is meant."""
        return self._concerns(version) and any(fnmatchcase(difference.where, each) for each in self.where)

    def unused(self, found: list[Difference], version: str) -> list[str]:
        """Return the patterns that nothing of this release fits, where the release is named."""
        if version not in self.versions:
            return []
        return [each for each in self.where if not any(fnmatchcase(d.where, each) for d in found)]

    def _concerns(self, version: str) -> bool:
        return not self.versions or version in self.versions


def compare(listing: Facts, ours: Ours, stands_for: dict[str, str]) -> list[Difference]:
    """Return every difference, in the order of the listing."""
    return [
        *_routes(listing["routes"], ours.document, stands_for),
        *_models(listing["models"], ours.document, stands_for),
        *_values(listing["values"], ours.document),
        *_messages(listing["messages"], ours.messages, stands_for),
        *_signatures(listing["signatures"], ours.signatures),
        *(
            Difference(f"environment {name}", "reads it", "does not")
            for name in listing["environment"]
            if name not in ours.environment
        ),
    ]


def _routes(routes: Facts, document: Json, stands_for: dict[str, str]) -> Iterator[Difference]:
    known = {line: op for op in operations(document) for line in _lines(op)}
    for line, facts in routes.items():
        op = known.get(line)
        if op is None:
            yield Difference(f"route {line}", "sends there", "no such operation")
            continue
        given = [resolve(document, raw) for raw in [*op.shared_parameters, *op.node.get("parameters", [])]]
        names = {parameter["name"] for parameter in given if parameter["in"] == "query"}
        for name in (n for n in facts["query"] if n not in names):
            yield Difference(f"query {line} {name}", "sends it", "no such parameter")
        for side, mine in (("request", _request(op, document)), ("answer", _answer(op, document))):
            if side in facts and stands_for.get(facts[side], facts[side]) != mine:
                yield Difference(f"{side} {line}", facts[side], mine or "no schema of its own")


def _request(op: Operation, document: Json) -> str | None:
    return reference_name(json_body(document, op.node.get("requestBody", {})))


def _answer(op: Operation, document: Json) -> str | None:
    """Return the schema of a success: where it redirects, there is none."""
    found = (answer for status, answer in op.node.get("responses", {}).items() if str(status)[0] == "2")
    return reference_name(json_body(document, next(found, {})))


def _lines(op: Operation) -> Iterator[str]:
    """Yield method and path with bare braces, of an operation and its shorter forms."""
    for path in [op.path, *op.node.get("x-tinker-path-aliases", [])]:
        yield f"{op.method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"
        # Official clients put kind and name of a checkpoint into one variable.
        together = path.replace("{checkpoint_kind}/{checkpoint_name}", "{}")
        yield f"{op.method.upper()} {re.sub(r'{[^}]*}', '{}', together)}"


def _models(models: Facts, document: Json, stands_for: dict[str, str]) -> Iterator[Difference]:
    schemas = document["components"]["schemas"]
    by_id = {op.id: op for op in operations(document)}
    for name, fields in models.items():
        ours = stands_for.get(name, name)
        if ours in by_id:
            yield from _query_of(name, fields, by_id[ours], document)
        elif ours not in schemas:
            yield Difference(f"model {name}", f"{len(fields)} fields", "no such schema")
        else:
            yield from _fields(name, fields, resolve(document, schemas[ours]), document)


def _query_of(name: str, fields: Facts, op: Operation, document: Json) -> Iterator[Difference]:
    given = [resolve(document, raw) for raw in [*op.shared_parameters, *op.node.get("parameters", [])]]
    names = {parameter["name"] for parameter in given}
    for field in (f for f in fields if f not in names):
        yield Difference(f"field {name}.{field}", "has it", f"no parameter of {op.id}")


def _fields(name: str, fields: Facts, schema: Json, document: Json) -> Iterator[Difference]:
    known, required = schema.get("properties", {}), schema.get("required", [])
    for field, facts in fields.items():
        if field not in known:
            yield Difference(f"field {name}.{field}", " or ".join(facts["kinds"]), "no such field")
            continue
        yield from _field(f"{name}.{field}", facts, known[field], document, field in required)
    for field in (f for f in required if f not in fields and not _default(known[f], document)[0]):
        yield Difference(f"required {name}.{field}", "has no such field", "required")


def _field(place: str, facts: Facts, schema: Json, document: Json, needed: bool) -> Iterator[Difference]:
    allowed = _kinds(schema, document)
    wider = allowed | ({"integer"} if "number" in allowed else set())
    if allowed and "any" not in facts["kinds"] and not set(facts["kinds"]) <= wider:
        yield Difference(f"type {place}", " or ".join(facts["kinds"]), " or ".join(sorted(allowed)))
    has_default, default = _default(schema, document)
    always_sent = len(facts.get("values", [])) == 1 and "default" in facts  # the tag of a union
    if facts["required"] != needed and not (needed and (has_default or always_sent)):
        words = {True: "required", False: "optional"}
        yield Difference(f"required {place}", words[facts["required"]], words[needed])
    if "default" in facts and has_default and default != facts["default"]:
        yield Difference(f"default {place}", str(facts["default"]), str(default))
    closed = _closed(schema, document)
    is_tag = "const" in resolve(document, schema) and set(closed or []) <= set(facts.get("values", []))
    for value in (
        v for v in facts.get("values", []) if closed is not None and not is_tag and v not in closed
    ):
        yield Difference(f"value {place} {value}", "has it", ", ".join(closed or []))


def _kinds(schema: Json, document: Json) -> set[str]:
    """Return the JSON types that a schema allows; empty means any."""
    schema = resolve(document, schema)
    kind = schema.get("type")
    if kind is not None:
        return {kind} if isinstance(kind, str) else set(kind)
    members = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or []
    found = [_kinds(member, document) for member in members]
    return set().union(*found) if found and all(found) else set()


def _default(schema: Json, document: Json) -> tuple[bool, Json]:
    """Return whether absence means something, and what."""
    whole = resolve(document, schema)
    for key in ("default", "const", "x-tinker-known-default"):
        if key in whole:
            return True, whole[key]
    return False, None


def _closed(schema: Json, document: Json) -> list[str] | None:
    """Return the values that a schema names, closed or known; None where it names none."""
    whole = resolve(document, schema)
    if "const" in whole:
        return [str(whole["const"])]
    for key in ("enum", "x-tinker-known-values"):
        if key in whole:
            return [str(value) for value in whole[key]]
    for member in [*whole.get("anyOf", []), *whole.get("oneOf", [])]:
        found = _closed(member, document)
        if found is not None:
            return found
    return None


def _values(sets: dict[str, list[Any]], document: Json) -> Iterator[Difference]:
    schemas = document["components"]["schemas"]
    for name, members in sets.items():
        if name not in schemas:
            continue  # its members are seen at the fields that have it
        known = _closed(schemas[name], document)
        for value in (str(v) for v in members if known is None or str(v) not in known):
            yield Difference(f"value {name} {value}", "has it", ", ".join(known or []) or "no values")


def _messages(
    official: Facts, ours: dict[str, dict[str, str]], stands_for: dict[str, str]
) -> Iterator[Difference]:
    """Compare messages by the numbers and types of their fields; the wire knows no names."""
    for name, fields in official.items():
        known = ours.get(stands_for.get(f"message {name}", name))
        if known is None:
            yield Difference(f"message {name}", f"{len(fields)} fields", "no such message")
            continue
        by_number = {text.split()[0]: text for text in known.values()}
        for field, text in fields.items():
            *before, kind = text.split()
            mine = by_number.get(before[0], "no such field")
            if mine != " ".join([*before, stands_for.get(f"message {kind}", kind)]):
                yield Difference(f"message {name}.{field}", text, mine)


def _signatures(official: dict[str, list[str]], ours: dict[str, list[str]]) -> Iterator[Difference]:
    for method, parameters in official.items():
        if method not in ours:
            yield Difference(f"method {method}", f"({', '.join(parameters)})", "no such method")
            continue
        known = [name.lstrip("*") for name in ours[method]]
        for name in (n.lstrip("*") for n in parameters if n.lstrip("*") not in known):
            yield Difference(f"argument {method}({name})", "takes it", f"({', '.join(known)})")
        placed = [name for name in parameters if name in known]
        here = [name for name in ours[method] if not name.startswith("*")]
        if placed != here[: len(placed)]:
            yield Difference(f"order {method}", ", ".join(placed), ", ".join(here))


def ours() -> Ours:
    """Inspect the contract, its messages and the facade."""
    from tinsmith_api.wire import tinker_wire_pb2

    found: dict[str, dict[str, str]] = {}
    for message in tinker_wire_pb2.DESCRIPTOR.message_types_by_name.values():
        found |= message_fields(message)
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(FACADE.rglob("*.py")))
    return Ours(load(), found, _facade(), set(re.findall(r"\"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\"", text)))


def _facade() -> dict[str, list[str]]:
    """Return the signatures of the public classes, as a program for the official client sees them."""
    import importlib

    import tinsmith.compat

    tinsmith.compat.install()
    home = importlib.import_module("tinker.lib.public_interfaces")
    found = {}
    for owner in home.__all__:
        value = getattr(home, owner)
        for name, member in inspect.getmembers(value) if inspect.isclass(value) else []:
            if callable(member) and (name == "__init__" or not name.startswith("_")):
                found[f"{owner}.{name}"] = _parameters(member)
    return found


def _parameters(function: Any) -> list[str]:
    try:
        found = inspect.signature(function).parameters.values()
        named = [p for p in found if p.name not in ("self", "cls") and p.kind is not p.VAR_KEYWORD]
        return [f"*{p.name}" if p.kind is p.KEYWORD_ONLY else p.name for p in named]
    except ValueError:
        return []


def reasons(path: Path = REASONS) -> tuple[list[Reason], dict[str, str]]:
    """Read what is meant to differ, and which of our names stands for which official one."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = []
    for row in found.get("difference", []):
        if not row["reason"].strip():
            raise ValueError(f"{path}: {row['where']} has no reason")
        rows.append(Reason(tuple(row["where"]), tuple(row.get("versions", ())), row["reason"]))
    return [*rows, *_told_to_users()], found.get("stands_for", {})


def _told_to_users() -> Iterator[Reason]:
    """Yield the differences of the facade that docs/migration.md tells of: they are not explained twice."""
    from upstream_differences import SECTIONS

    for _, rows in SECTIONS:
        for row in rows:
            places = [place for each in row.covers.split() for place in _places(each)]
            if places:
                yield Reason(tuple(places), (), f"docs/migration.md: {row.official}")


def _places(covered: str) -> list[str]:
    """Say what a name of that table means here: `Class`, `Class.method` or `Class.method(argument)`."""
    if not re.fullmatch(r"[A-Z*]\w*(\.\w+(\(.*\))?)?", covered):
        return []
    if "(" in covered:
        return [f"argument {covered}"]
    return [f"method {covered}"] if "." in covered else [f"method {covered}.*"]


def judge(
    listing: Facts, found: list[Difference], rows: list[Reason]
) -> tuple[list[tuple[Difference, str]], list[str]]:
    """Return each difference with its reason, empty where there is none, and the reasons of nothing."""
    version = listing["version"]
    told = [(d, next((row.text for row in rows if row.explains(d, version)), "")) for d in found]
    stale = [each for row in rows for each in row.unused(found, version)]
    return told, stale


def table(told: list[tuple[Difference, str]]) -> str:
    """Put differences into a table, those without a reason first."""
    rows = [
        ("" if reason else "NEW", d.where, d.official, d.here, reason)
        for d, reason in sorted(told, key=lambda pair: bool(pair[1]))
    ]
    widths = [min(max((len(row[n]) for row in rows), default=0), 60) for n in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows
    )


def main(arguments: list[str]) -> int:
    """Compare listings, each with what is ours."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("listings", nargs="+", type=Path)
    parser.add_argument("--json", type=Path, help="write the differences there too")
    asked = parser.parse_args(arguments)
    (rows, stands_for), here = reasons(), ours()
    facts: list[Facts] = []
    failed = False
    for path in asked.listings:
        listing = json.loads(path.read_text(encoding="utf-8"))
        version = listing["version"]
        told, stale = judge(listing, compare(listing, here, stands_for), rows)
        print(table(told))
        for each in stale:
            print(f"{REASONS.name}: {each} explains nothing in {version}")
        new = sum(not reason for _, reason in told)
        print(f"{version}: {len(told)} differences, {new} without a reason; {len(stale)} stale reasons")
        facts += [{"version": version, **d._asdict(), "reason": reason} for d, reason in told]
        failed = failed or bool(new or stale)
    if asked.json:
        asked.json.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
