"""Reads what an installed release of the official client says of the API, by inspection, and writes JSON.

Usage, in an environment that has the client and nothing of ours: upstream_listing.py OUTPUT. Facts only:
routes, fields, values, messages, signatures, names of environment variables; no text of the client.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import importlib.metadata
import inspect
import json
import pkgutil
import sys
import types
import typing
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Facts = Any
PACKAGE = "tinker"
VERBS = ("get", "post", "put", "patch", "delete")
PLAIN = {
    str: "string",
    bytes: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    tuple: "array",
    set: "array",
    dict: "object",
}
ABSTRACT = {"Sequence": "array", "Iterable": "array", "Mapping": "object", "ndarray": "array"}
NO_SCHEMA = {"NoneType", "Any", "APIResponse"}
"""What says that an answer is not read, or read raw."""
TEXTS = {"datetime", "date", "ModelID", "RequestID", "Path"}


def sources(folder: Path) -> Iterator[ast.Module]:
    """Yield the syntax tree of every module but the client's own tests."""
    for path in sorted(folder.rglob("*.py")):
        if not path.stem.endswith("_test") and path.stem != "conftest":
            yield ast.parse(path.read_text(encoding="utf-8"))


def routes(folder: Path) -> dict[str, Facts]:
    """Return every method and path that the client sends to, with the query, the request and the answer."""
    found: dict[str, Facts] = {}
    for tree in sources(folder):
        for call, around in _calls(tree, []):
            line = _line(call)
            if line:
                facts = found.setdefault(line, {"query": []})
                query = {name for function in around[-2:] for name in _query(function)}
                facts["query"] = sorted({*facts["query"], *query})
                requests = (_annotation_of(function, "request") for function in reversed(around))
                for side, name in (
                    ("request", next(filter(None, requests), None)),
                    ("answer", _answer(call)),
                ):
                    if name and name[0].isupper() and name not in NO_SCHEMA:
                        facts[side] = name
    return dict(sorted(found.items()))


def _annotation_of(function: ast.AST, parameter: str) -> str | None:
    """Return the class that a function's parameter is annotated with."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    named = (each for each in function.args.args + function.args.kwonlyargs if each.arg == parameter)
    return next((_last_name(each.annotation) for each in named), None)


def _answer(call: ast.Call) -> str | None:
    """Return the class that an answer is read as."""
    return next((_last_name(each.value) for each in call.keywords if each.arg == "cast_to"), None)


def _last_name(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _calls(node: ast.AST, around: list[ast.AST]) -> Iterator[tuple[ast.Call, list[ast.AST]]]:
    """Yield every call with the functions that it stands in."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        around = [*around, node]
    if isinstance(node, ast.Call):
        yield node, around
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, around)


def _line(call: ast.Call) -> str | None:
    """Return method and path of a call that sends, with bare braces for parameters."""
    if not isinstance(call.func, ast.Attribute) or not call.args:
        return None
    verb, texts = call.func.attr.lstrip("_").lower(), [_text(each) for each in call.args[:2]]
    if verb in VERBS and (texts[0] or "").startswith("/api/"):
        return f"{verb.upper()} {texts[0]}"
    if len(texts) == 2 and (texts[1] or "").startswith("/api/") and (texts[0] or "").lower() in VERBS:
        return f"{(texts[0] or '').upper()} {texts[1]}"
    return None


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
    return None


def _query(function: ast.AST) -> Iterator[str]:
    """Yield the names that a function puts into `params`."""
    for node in ast.walk(function):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="params")], value=ast.Dict(keys=keys))
                | ast.AnnAssign(target=ast.Name(id="params"), value=ast.Dict(keys=keys))
            ):
                found = (key.value for key in keys if isinstance(key, ast.Constant))
                yield from (name for name in found if isinstance(name, str))
            case ast.Subscript(
                value=ast.Name(id="params"), slice=ast.Constant(value=str(name)), ctx=ast.Store()
            ):
                yield name
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if (
                        isinstance(key, ast.Constant)
                        and key.value == "params"
                        and isinstance(value, ast.Dict)
                    ):
                        yield from (str(k.value) for k in value.keys if isinstance(k, ast.Constant))


def environment(folder: Path) -> list[str]:
    """Return the names of the environment variables that the client reads."""
    found = set()
    for tree in sources(folder):
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="get" | "getenv" | "pop"), args=[ast.Constant(value=str(n)), *_]
                ):
                    found.add(n)
                case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(n))):
                    found.add(n)
                case ast.Compare(
                    left=ast.Constant(value=str(n)), comparators=[ast.Attribute(attr="environ")]
                ):
                    found.add(n)
    return sorted(name for name in found if name.isupper() and "_" in name)


def values() -> tuple[dict[str, Facts], dict[str, list[Any]]]:
    """Return the fields of every public value, and the members of every closed set of values."""
    models: dict[str, Facts] = {}
    sets: dict[str, list[Any]] = {}
    for name, value in _public(f"{PACKAGE}.types"):
        if inspect.isclass(value) and issubclass(value, enum.Enum):
            sets[name] = [member.value for member in value]
        elif typing.get_origin(value) is typing.Literal:
            sets[name] = list(typing.get_args(value))
        elif inspect.isclass(value) and (fields := fields_of(value)) is not None:
            models[name] = fields
    return dict(sorted(models.items())), dict(sorted(sets.items()))


def _public(package: str) -> Iterator[tuple[str, Any]]:
    """Yield the public names of a package and of its modules, each once."""
    home = importlib.import_module(package)
    modules = [home, *(_loaded(f"{package}.{found.name}") for found in pkgutil.iter_modules(home.__path__))]
    seen = set()
    for module in modules:
        for name, value in vars(module).items():
            own = getattr(value, "__module__", "").startswith(package) or module is home
            own = own or typing.get_origin(value) is typing.Literal
            if not name.startswith("_") and name not in seen and own:
                seen.add(name)
                yield name, value


def _loaded(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        return types.ModuleType(name)


def fields_of(value: type) -> dict[str, Facts] | None:
    """Return the fields of a pydantic model or a dataclass, by their names on the wire."""
    found = getattr(value, "model_fields", None)
    if found is not None:
        return {
            str(field.alias or name): _field(
                field.annotation, required=field.is_required(), default=field.default
            )
            for name, field in found.items()
        }
    if dataclasses.is_dataclass(value):
        hints = _hints(value)
        return {
            field.name: _field(
                hints.get(field.name, Any),
                required=field.default is dataclasses.MISSING
                and field.default_factory is dataclasses.MISSING,
                default=field.default,
            )
            for field in dataclasses.fields(value)
            if not field.name.startswith("_")
        }
    return None


def _hints(value: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(value)
    except Exception:  # noqa: BLE001  a type that only a checker knows
        return {}


def _field(annotation: Any, *, required: bool, default: Any) -> Facts:
    facts: dict[str, Facts] = {"kinds": sorted(kinds(annotation)), "required": required}
    if not required and isinstance(default, bool | int | float | str):
        facts["default"] = default
    closed = sorted(map(str, _closed(annotation)))
    return {**facts, "values": closed} if closed else facts


def kinds(annotation: Any) -> set[str]:
    """Return the JSON types that an annotation allows; `any` where it does not say."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return {PLAIN[type(value)] for value in arguments}
    if origin in (typing.Union, types.UnionType):
        return set().union(*(kinds(each) for each in arguments))
    if origin is typing.Annotated:
        return kinds(arguments[0])
    kind = origin or annotation
    if isinstance(kind, typing.TypeVar):
        return kinds(kind.__bound__) if kind.__bound__ else {"any"}
    if hasattr(kind, "__supertype__"):
        return kinds(kind.__supertype__)
    if kind in PLAIN:
        return {PLAIN[kind]}
    name = getattr(kind, "__name__", "")
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        return {"string"}
    if name in ABSTRACT:
        return {ABSTRACT[name]}
    if name in TEXTS:
        return {"string"}
    return {"object"} if inspect.isclass(kind) and kind is not object and kind is not Any else {"any"}


def _closed(annotation: Any) -> Iterator[Any]:
    """Yield the values that an annotation is limited to, a union's members included."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        yield from arguments
    elif inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        yield from (member.value for member in annotation)
    elif origin in (typing.Union, types.UnionType, typing.Annotated):
        for each in arguments[: 1 if origin is typing.Annotated else None]:
            yield from _closed(each)


def messages() -> dict[str, Facts]:
    """Return the fields of every protobuf message: number, type, whether repeated."""
    found: dict[str, Facts] = {}
    try:
        home = importlib.import_module(f"{PACKAGE}.proto")
    except ImportError:
        return {}
    for module in pkgutil.iter_modules(home.__path__):
        if module.name.endswith("_pb2"):
            descriptor = importlib.import_module(f"{PACKAGE}.proto.{module.name}").DESCRIPTOR
            for message in descriptor.message_types_by_name.values():
                found |= message_fields(message)
    return dict(sorted(found.items()))


def message_fields(message: Any, prefix: str = "") -> dict[str, dict[str, str]]:
    """Return number and type of each field of a protobuf message, and of the messages in it."""
    name = f"{prefix}{message.name}"
    found = {name: {field.name: _wire_type(field) for field in message.fields}}
    for inner in message.nested_types:
        found |= message_fields(inner, f"{name}.")
    return found


def _wire_type(field: Any) -> str:
    kind = (
        field.message_type.name
        if field.message_type
        else field.enum_type.name
        if field.enum_type
        else field.type
    )
    return f"{field.number} {'repeated ' if _is_repeated(field) else ''}{kind}"


def _is_repeated(field: Any) -> bool:
    return bool(getattr(field, "is_repeated", None) or getattr(field, "label", None) == 3)


def signatures() -> dict[str, list[str]]:
    """Return the parameters of public methods, with `*` before keyword-only ones."""
    found = {}
    for owner, value in _public(f"{PACKAGE}.lib.public_interfaces"):
        if not inspect.isclass(value):
            continue
        for name, member in inspect.getmembers(value):
            plain = inspect.isfunction(member) or inspect.ismethod(member)
            if plain and (name == "__init__" or not name.startswith("_")):
                parameters = inspect.signature(member).parameters.values()
                open_ended = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
                found[f"{owner}.{name}"] = [
                    f"*{p.name}" if p.kind is inspect.Parameter.KEYWORD_ONLY else p.name
                    for p in parameters
                    if p.kind not in open_ended and p.name not in ("self", "cls") and p.name[0] != "_"
                ]
    return dict(sorted(found.items()))


def main(output: Path) -> None:
    """Inspect everything and write it."""
    warnings.simplefilter("ignore")
    folder = Path(str(importlib.import_module(PACKAGE).__file__)).parent
    models, sets = values()
    listing = {
        "version": importlib.metadata.version(PACKAGE),
        "routes": routes(folder),
        "models": models,
        "values": sets,
        "messages": messages(),
        "signatures": signatures(),
        "environment": environment(folder),
    }
    output.write_text(as_text(listing), encoding="utf-8")


def as_text(listing: dict[str, Facts]) -> str:
    """Write a listing as JSON with a line for each entry, which keeps differences between two readable."""
    sections = []
    for name, facts in listing.items():
        if isinstance(facts, dict):
            rows = [f" {json.dumps(key)}: {json.dumps(each, default=str)}" for key, each in facts.items()]
            sections.append(f"{json.dumps(name)}: {{\n" + ",\n".join(rows) + "\n}")
        else:
            sections.append(f"{json.dumps(name)}: {json.dumps(facts)}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
