"""Says what a new contract adds, removes and breaks.

Usage: contract_diff.py OLD NEW. Exits with 1 when something breaks, 0 when nothing does, 2 when a file is no
contract. Says too when `info.version` is not raised as the changes ask for.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from contract_document import Json, Operation, event_schemas, load, operations, resolve
from contract_schema_diff import Change, SchemaDiff, shown

if TYPE_CHECKING:
    from collections.abc import Iterator


OPERATION_WORDS = {"x-tinker-since"}
"""Extensions of operations that say nothing about the wire."""


def diff(old: Json, new: Json) -> list[Change]:
    """Return every difference that matters to a client, breaking ones first."""
    schemas = SchemaDiff(old, new)
    found: list[Change] = [*_document(old, new)]
    pairs = _pairs(old, new)
    for before, after in pairs:
        if after is None:
            found.append(Change(True, "removed", _key(before), f"operation {_line(before)} removed"))
        else:
            found += _operation(schemas, old, new, before, after)
    known = {_key(after) for _, after in pairs if after is not None}
    for key, op in _named(new).items():
        if key not in known:
            found.append(Change(False, "added", key, f"operation {_line(op)} added"))
    found += _components(schemas, old, new)
    return sorted(dict.fromkeys(found), key=lambda change: not change.breaking)


def _key(op: Operation) -> str:
    return op.id or _line(op)


def _line(op: Operation) -> str:
    return f"{op.method.upper()} {op.path}"


def _named(document: Json) -> dict[str, Operation]:
    return {_key(op): op for op in operations(document)}


def _pairs(old: Json, new: Json) -> list[tuple[Operation, Operation | None]]:
    """Say which operation of the old document is which of the new one: by id, or else by method and path."""
    before, after = _named(old), _named(new)
    by_line = {_line(op): op for key, op in after.items() if key not in before}
    return [(op, after.get(key) or by_line.get(_line(op))) for key, op in before.items()]


def _document(old: Json, new: Json) -> Iterator[Change]:
    """Compare what stands above the operations: version, servers, how a key is given."""
    for key in ("version", "x-tinker-api"):
        before, after = (document.get("info", {}).get(key, document.get(key)) for document in (old, new))
        if before != after:
            yield Change(False, "changed", f"info.{key}", f"{shown(before)} became {shown(after)}")
    before, after = _servers(old), _servers(new)
    for url in (u for u in before if u not in after):
        yield Change(False, "removed", "servers", f"server {url} removed")
    for url in (u for u in after if u not in before):
        yield Change(False, "added", "servers", f"server {url} added")
    for url in (u for u in before if u in after and before[u] != after[u]):
        yield Change(False, "changed", "servers", f"variables of {url} changed")
    had, has = (document.get("components", {}).get("securitySchemes", {}) for document in (old, new))
    for name in (n for n in had if n in has and _scheme(had[n]) != _scheme(has[n])):
        yield Change(True, "changed", f"security {name}", f"{_scheme(had[name])} became {_scheme(has[name])}")


def _servers(document: Json) -> dict[str, Json]:
    def values(variable: Json) -> Json:
        return variable.get("default"), variable.get("enum")

    return {
        server["url"]: {name: values(variable) for name, variable in server.get("variables", {}).items()}
        for server in document.get("servers", [])
    }


def _components(schemas: SchemaDiff, old: Json, new: Json) -> Iterator[Change]:
    """Name the schemas that went or have another name, since each is a class of the generated package."""
    before, after = (document.get("components", {}).get("schemas", {}) for document in (old, new))
    come = [name for name in after if name not in before]
    for name in (n for n in before if n not in after):
        known = schemas.renamed.get(name)
        same = (n for n in come if schemas.is_same_under_a_new_name(name, n))
        fresh = known or next(same, None)
        if fresh is not None:
            yield Change(False, "changed", name, f"schema renamed to {fresh}")
        else:
            yield Change(False, "removed", name, "schema removed")


def _operation(
    schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation
) -> Iterator[Change]:
    where = _key(after)
    if before.id != after.id:
        yield Change(
            True, "changed", where, f"operation id {before.id or 'none'} became {after.id or 'none'}"
        )
    if before.method != after.method:
        yield Change(True, "changed", where, f"method {before.method.upper()} became {after.method.upper()}")
    if before.path != after.path:
        yield Change(True, "changed", where, f"path {before.path} became {after.path}")
    tags, tags_now = (", ".join(op.node.get("tags", [])) or "none" for op in (before, after))
    if tags != tags_now:
        yield Change(False, "changed", where, f"tag {tags} became {tags_now}, so that its module moves")
    yield from _security(old, new, before, after)
    yield from _parameters(schemas, old, new, before, after)
    yield from _body(schemas, old, new, before, after)
    yield from _answers(schemas, old, new, before, after)
    yield from _result(schemas, before, after)
    for key in dict.fromkeys([*before.node, *after.node]):
        marked = key == "deprecated" or (key.startswith("x-") and key not in OPERATION_WORDS)
        had, has = before.node.get(key), after.node.get(key)
        if marked and had != has and key != "x-tinker-result":
            yield Change(False, "changed", where, f"{key} {shown(had)} became {shown(has)}")


def _security(old: Json, new: Json, before: Operation, after: Operation) -> Iterator[Change]:
    """Compare the ways to be let in: who knew one before must still be let in by it."""
    had, has = _ways_in(old, before), _ways_in(new, after)
    if had == has or _names_of_ways(old, before) == _names_of_ways(new, after):
        return
    where = _key(after)
    if not _asks(had):
        yield Change(True, "changed", where, f"now asks for a key: {_listed_ways(has)}")
    elif not _asks(has):
        yield Change(False, "changed", where, "no longer asks for a key")
    else:
        fits = all(any(way <= known for way in has) for known in had)
        words = f"security {_listed_ways(had)} became {_listed_ways(has)}"
        yield Change(not fits, "changed", where, words)


def _asks(ways: set[frozenset[str]]) -> bool:
    return bool(ways) and frozenset() not in ways


def _names_of_ways(document: Json, op: Operation) -> list[list[str]]:
    return sorted(sorted(way) for way in op.node.get("security", document.get("security", [])))


def _ways_in(document: Json, op: Operation) -> set[frozenset[str]]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    ways = op.node.get("security", document.get("security", []))
    return {frozenset(_scheme(schemes[name]) if name in schemes else name for name in way) for way in ways}


def _listed_ways(ways: set[frozenset[str]]) -> str:
    return " or ".join(sorted(" with ".join(sorted(way)) or "nothing" for way in ways)) or "nothing"


def _scheme(scheme: Json) -> str:
    """Describe how a key is given."""
    if scheme.get("type") == "apiKey":
        return f"{scheme.get('in')} {scheme.get('name')}"
    return " ".join(filter(None, [scheme.get("type"), scheme.get("scheme"), scheme.get("openIdConnectUrl")]))


def _parameters(
    schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation
) -> Iterator[Change]:
    where, had, has = _key(after), _parameters_of(old, before), _parameters_of(new, after)
    for key in (k for k in had if k not in has):
        yield Change(True, "removed", where, f"parameter {key} removed")
    for key, parameter in has.items():
        required = bool(parameter.get("required"))
        if key not in had:
            word = "required" if required else "optional"
            yield Change(required, "added", where, f"{word} parameter {key} added")
            continue
        if required != bool(had[key].get("required")):
            word = "required" if required else "optional"
            yield Change(required, "changed", where, f"parameter {key} became {word}")
        if bool(parameter.get("deprecated")) != bool(had[key].get("deprecated")):
            word = "deprecated" if parameter.get("deprecated") else "no longer deprecated"
            yield Change(False, "changed", where, f"parameter {key} is {word}")
        sent, taken = had[key].get("schema", {}), parameter.get("schema", {})
        yield from schemas.compare(sent, taken, f"{where}({key})", "request")


def _parameters_of(document: Json, op: Operation) -> dict[str, Json]:
    """Return the parameters by place and name; names of headers have no case."""
    found = {}
    for raw in [*op.shared_parameters, *op.node.get("parameters", [])]:
        parameter = resolve(document, raw)
        name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
        found[f"{parameter['in']} {name}"] = parameter
    return found


def _body(schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation) -> Iterator[Change]:
    where = _key(after)
    had = resolve(old, before.node.get("requestBody", {}))
    has = resolve(new, after.node.get("requestBody", {}))
    if had and not has:
        yield Change(True, "removed", where, "request body removed")
    if has and not had:
        yield Change(bool(has.get("required")), "added", where, "request body added")
    if had and has:
        if bool(had.get("required")) != bool(has.get("required")):
            word = "required" if has.get("required") else "optional"
            yield Change(word == "required", "changed", where, f"request body became {word}")
        yield from _media_types(had, has, where, "request")
        for kind, sent, taken in _shared_media(had, has):
            yield from schemas.compare(sent, taken, _place(f"{where} request", kind), "request")


def _media_types(had: Json, has: Json, where: str, side: str) -> Iterator[Change]:
    before, after = had.get("content", {}), has.get("content", {})
    for kind in (k for k in before if k not in after):
        yield Change(True, "removed", where, f"{side} as {kind} removed")
    for kind in (k for k in after if before and k not in before):
        yield Change(False, "added", where, f"{side} as {kind} added")


def _shared_media(had: Json, has: Json) -> Iterator[tuple[str, Json, Json]]:
    before, after = had.get("content", {}), has.get("content", {})
    for kind in (k for k in before if k in after):
        yield kind, before[kind].get("schema", {}), after[kind].get("schema", {})


def _place(where: str, kind: str) -> str:
    return where if kind == "application/json" else f"{where} ({kind})"


def _answers(
    schemas: SchemaDiff, old: Json, new: Json, before: Operation, after: Operation
) -> Iterator[Change]:
    where = _key(after)
    had, has = ({str(s): raw for s, raw in op.node["responses"].items()} for op in (before, after))
    pairs = _status_pairs(list(had), list(has))
    for status in (s for s in had if s not in pairs):
        yield Change(status[0] in "23", "removed", where, f"answer {status} removed")
    for status in (s for s in has if s not in pairs.values()):
        yield Change(False, "added", where, f"answer {status} added")
    for first, last in pairs.items():
        is_success = last[0] in "23"
        if first != last:
            wider = is_success and last.endswith("XX")
            yield Change(wider, "changed", where, f"answer {first} became {last}")
        gave, gives = resolve(old, had[first]), resolve(new, has[last])
        place = f"{where} answer {last}"
        yield from _headers(schemas, (old, gave), (new, gives), place, is_success)
        for word, these, those in (("removed", gave, gives), ("added", gives, gave)):
            for name in (n for n in these.get("links", {}) if n not in those.get("links", {})):
                yield Change(False, "changed", place, f"link {name} {word}")
        if gave.get("content") and not gives.get("content"):
            yield Change(True, "removed", place, "body removed")
            continue
        yield from _media_types(gave, gives, place, "answer")
        for kind, given, now in _shared_media(gave, gives):
            yield from schemas.compare(given, now, _place(place, kind), "answer")
        events, now_events = event_schemas(old, gave), event_schemas(new, gives)
        for name in (n for n in events if n not in now_events):
            yield Change(True, "removed", place, f"event {name} removed")
        for name in (n for n in events if n in now_events):
            yield from schemas.compare(events[name], now_events[name], f"{place} (event {name})", "answer")


def _status_pairs(before: list[str], after: list[str]) -> dict[str, str]:
    """Say which answer took the place of which: the same status, or the range that holds it."""
    pairs = {status: status for status in before if status in after}
    for status in (s for s in before if s not in pairs):
        free = [s for s in after if s not in pairs.values() and s not in before and s[0] == status[0]]
        near = [s for s in free if "XX" in (s[1:], status[1:])]
        if near:
            pairs[status] = near[0]
    return pairs


def _headers(
    schemas: SchemaDiff, old: tuple[Json, Json], new: tuple[Json, Json], where: str, is_success: bool
) -> Iterator[Change]:
    """Compare the headers of an answer: who reads one of a success wants it to stay."""
    before, after = (
        {name.lower(): resolve(document, raw) for name, raw in answer.get("headers", {}).items()}
        for document, answer in (old, new)
    )
    for name in (n for n in before if n not in after):
        yield Change(is_success, "removed", where, f"header {name} removed")
    for name in (n for n in after if n not in before):
        yield Change(False, "added", where, f"header {name} added")
    for name in (n for n in before if n in after):
        needed, needed_now = (bool(side[name].get("required")) for side in (before, after))
        if needed != needed_now:
            word = "required" if needed_now else "optional"
            yield Change(is_success and needed, "changed", where, f"header {name} became {word}")
        had, has = before[name].get("schema", {}), after[name].get("schema", {})
        yield from schemas.compare(had, has, f"{where} header {name}", "answer")


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


def least_version(version: str, changes: list[Change]) -> str | None:
    """Return the version that a document must have at least after these changes, None where any will do.

    Semantic versioning: a breaking change raises the first number, any other the second; before 1.0.0 each
    counts one place further back. What concerns the document alone (`info`) asks for nothing.
    """
    numbers = _numbers(version)
    matter = [change for change in changes if not change.where.startswith("info.")]
    if numbers is None or not matter:
        return None
    major, minor, patch = numbers
    breaking = any(change.breaking for change in matter)
    if major == 0:
        return f"0.{minor + 1}.0" if breaking else f"0.{minor}.{patch + 1}"
    return f"{major + 1}.0.0" if breaking else f"{major}.{minor + 1}.0"


def version_problem(old: Json, new: Json, changes: list[Change]) -> str | None:
    """Say what is wrong with the version of the new document, None where nothing is."""
    had, has = (str(document.get("info", {}).get("version", "")) for document in (old, new))
    least = least_version(had, changes)
    if least is None or (_numbers(has) or (-1,)) >= (_numbers(least) or ()):
        return None
    kind = "breaking changes" if any(change.breaking for change in changes) else "changes that break nothing"
    return f"info.version is {has}; with {kind} since {had} it must be {least} or more"


def _numbers(version: str) -> tuple[int, int, int] | None:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


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
    read = []
    for name in arguments:
        try:
            read.append(load(Path(name)))
        except (OSError, ValueError, yaml.YAMLError) as problem:
            print(f"contract_diff: {name}: {problem}", file=sys.stderr)
            return 2
    old, new = read
    changes = diff(old, new)
    print(report(changes))
    if (wanted := version_problem(old, new, changes)) is not None:
        print(wanted)
    return 1 if any(change.breaking for change in changes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
