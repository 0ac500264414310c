"""Says what a new contract adds, removes and breaks.

Usage: contract_diff.py OLD NEW. Exits with 1 when something breaks, 0 when nothing does, 2 when a file is no
contract.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from contract_document import Json, Operation, json_body, load, operations, resolve
from contract_schema_diff import Change, SchemaDiff

if TYPE_CHECKING:
    from collections.abc import Iterator


def diff(old: Json, new: Json) -> list[Change]:
    """Return every difference that matters to a client, breaking ones first."""
    schemas = SchemaDiff(old, new)
    before, after = {_key(op): op for op in operations(old)}, {_key(op): op for op in operations(new)}
    found: list[Change] = []
    for key, op in before.items():
        if key not in after:
            found.append(Change(True, "removed", key, f"operation {op.method.upper()} {op.path} removed"))
    for key, op in after.items():
        if key not in before:
            found.append(Change(False, "added", key, f"operation {op.method.upper()} {op.path} added"))
        else:
            found += _operation(schemas, old, new, before[key], op)
    return sorted(dict.fromkeys(found), key=lambda change: not change.breaking)


def _key(op: Operation) -> str:
    return op.id or f"{op.method.upper()} {op.path}"


def _operation(
    schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation
) -> Iterator[Change]:
    where = _key(after)
    if before.method != after.method:
        yield Change(True, "changed", where, f"method {before.method.upper()} became {after.method.upper()}")
    if before.path != after.path:
        yield Change(True, "changed", where, f"path {before.path} became {after.path}")
    if _is_open(old, before) and not _is_open(new, after):
        yield Change(True, "changed", where, "now asks for a key")
    yield from _parameters(schemas, old, new, before, after)
    yield from _body(schemas, old, new, before, after)
    yield from _answers(schemas, old, new, before, after)
    yield from _result(schemas, before, after)


def _is_open(document: Json, op: Operation) -> bool:
    return not op.node.get("security", document.get("security", []))


def _parameters(
    schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation
) -> Iterator[Change]:
    had, has = _parameters_of(old, before), _parameters_of(new, after)
    for key in (k for k in had if k not in has):
        yield Change(True, "removed", _key(after), f"parameter {key} removed")
    for key, parameter in has.items():
        required = bool(parameter.get("required"))
        if key not in had:
            word = "required" if required else "optional"
            yield Change(required, "added", _key(after), f"{word} parameter {key} added")
            continue
        if required and not had[key].get("required"):
            yield Change(True, "changed", _key(after), f"parameter {key} became required")
        yield from schemas.compare(
            had[key]["schema"], parameter["schema"], f"{_key(after)}({key})", "request"
        )


def _parameters_of(document: Json, op: Operation) -> dict[str, Json]:
    given = (resolve(document, raw) for raw in [*op.shared_parameters, *op.node.get("parameters", [])])
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in given}


def _body(schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation) -> Iterator[Change]:
    where = _key(after)
    had = resolve(old, before.node.get("requestBody", {}))
    has = resolve(new, after.node.get("requestBody", {}))
    if had and not has:
        yield Change(True, "removed", where, "request body removed")
    if has and not had:
        yield Change(bool(has.get("required")), "added", where, "request body added")
    for kind in (k for k in had.get("content", {}) if has and k not in has.get("content", {})):
        yield Change(True, "removed", where, f"request as {kind} removed")
    sent, taken = json_body(old, had), json_body(new, has)
    if sent is not None and taken is not None:
        yield from schemas.compare(sent, taken, f"{where} request", "request")


def _answers(
    schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation
) -> Iterator[Change]:
    where, had, has = _key(after), before.node["responses"], after.node["responses"]
    for status in (s for s in had if s not in has):
        yield Change(str(status)[0] in "23", "removed", where, f"answer {status} removed")
    for status, raw in has.items():
        if status not in had:
            yield Change(False, "added", where, f"answer {status} added")
            continue
        gave, gives = json_body(old, had[status]), json_body(new, raw)
        place = f"{where} answer {status}"
        if gave is not None and gives is None:
            yield Change(True, "removed", place, "body removed")
        elif gave is not None:
            yield from schemas.compare(gave, gives, place, "answer")


def _result(schemas: SchemaDiff, before: Operation, after: Operation) -> Iterator[Change]:
    """Compare what a promise turns into."""
    had, has = before.node.get("x-tinker-result"), after.node.get("x-tinker-result")
    if had and not has:
        yield Change(True, "removed", _key(after), f"is no longer a promise of {had}")
    elif has and not had:
        yield Change(True, "changed", _key(after), f"became a promise of {has}")
    elif had and has:
        path = "#/components/schemas/"
        yield from schemas.compare(
            {"$ref": path + had}, {"$ref": path + has}, f"{_key(after)} result", "answer"
        )


def report(changes: list[Change]) -> str:
    """Put the changes into a table, one line each, and a sum below."""
    rows = [("BREAKING" if c.breaking else "", c.kind, c.where, c.what) for c in changes]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows
    ]
    counts = [f"{sum(c.kind == kind for c in changes)} {kind}" for kind in ("added", "removed", "changed")]
    return "\n".join([*lines, f"{', '.join(counts)}; {sum(c.breaking for c in changes)} breaking"])


def main(arguments: list[str]) -> int:
    """Compare two files."""
    if len(arguments) != 2 or not all(arguments):
        print("usage: contract_diff.py OLD NEW", file=sys.stderr)
        return 2
    try:
        old, new = (load(Path(name)) for name in arguments)
    except (OSError, ValueError, yaml.YAMLError) as problem:
        print(f"contract_diff: {problem}", file=sys.stderr)
        return 2
    changes = diff(old, new)
    print(report(changes))
    return 1 if any(change.breaking for change in changes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
