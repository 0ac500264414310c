"""The contract as it checks requests: every body, query and path against its schema.

Validators are compiled once an operation, on first use. Long arrays of numbers are turned into numpy arrays
and checked by their dtype; the rest goes through jsonschema. What a schema cannot say is checked elsewhere.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import attrs
import jsonschema_rs
import numpy as np
import orjson

from tinsmith_local.app.answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHORT = 64
"""Lists up to this length are left to the schema."""

_CHUNK_TAGS = {
    "tokens": "encoded_text",
    "location": "image_asset_pointer",
    "dmel": "dmel",
    "data": "image",
}


@attrs.frozen(eq=False)
class Parameter:
    """One parameter of an operation."""

    name: str
    """Its name."""
    place: str
    """`path`, `query` or `header`."""
    required: bool
    """Whether it must be there."""
    kind: str
    """JSON type of its value."""
    validator: Any
    """Its compiled schema."""


@attrs.frozen(eq=False)
class OperationRules:
    """What the contract says of one operation."""

    id: str
    """Operation id."""
    parameters: tuple[Parameter, ...]
    """Its parameters."""
    body: Any | None
    """Compiled schema of the body; None when there is none."""
    exactly_one: tuple[tuple[str, ...], ...]
    """Groups of fields of which exactly one is given."""
    tag: str | None
    """Constant of the body's `type`, which old clients leave out."""


@cache
def document() -> dict[str, Any]:
    """Read the contract."""
    found: dict[str, Any] = orjson.loads((files("tinsmith_api") / "contract.json").read_bytes())
    return found


class Contract:
    """The contract's rules, compiled when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compiled: dict[str, OperationRules] = {}
        self._places = {
            operation["operationId"]: (path, method, operation)
            for path, item in document()["paths"].items()
            for method, operation in item.items()
        }

    def ids(self) -> Iterator[str]:
        """Name all operations."""
        yield from self._places

    def place(self, operation_id: str) -> tuple[str, tuple[str, ...]]:
        """Return the method and the paths of an operation without compiling anything."""
        path, method, operation = self._places[operation_id]
        return method.upper(), (path, *operation.get("x-tinker-path-aliases", ()))

    def rules(self, operation_id: str) -> OperationRules:
        """Return the compiled rules of an operation."""
        with self._lock:
            if operation_id not in self._compiled:
                self._compiled[operation_id] = _compile(operation_id, self._places[operation_id][2])
            return self._compiled[operation_id]


def _compile(operation_id: str, operation: dict[str, Any]) -> OperationRules:
    """Compile one operation."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    schema = resolve(document(), content["schema"]) if content else {}
    return OperationRules(
        id=operation_id,
        parameters=tuple(_parameter(resolve(document(), raw)) for raw in operation.get("parameters", ())),
        body=_validator(content["schema"]) if content else None,
        exactly_one=tuple(tuple(group["required"]) for group in schema.get("oneOf", ())),
        tag=schema.get("properties", {}).get("type", {}).get("const"),
    )


def _parameter(raw: dict[str, Any]) -> Parameter:
    """Compile one parameter."""
    kind = resolve(document(), raw["schema"]).get("type", "string")
    return Parameter(raw["name"], raw["in"], raw.get("required", False), str(kind), _validator(raw["schema"]))


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Follow references; keywords beside one win over its target's."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _validator(schema: dict[str, Any]) -> Any:
    """Compile a schema with the contract's components beside it."""
    whole = {**schema, "components": {"schemas": document()["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def check_body(rules: OperationRules, body: Any) -> dict[str, Any]:
    """Check a decoded body in place: tags filled in, long lists turned into arrays. Refuses with 422."""
    if isinstance(body, dict) and rules.tag is not None:
        body.setdefault("type", rules.tag)
    if isinstance(body, dict) and rules.exactly_one:
        _check_groups(body, rules.exactly_one)
    taken = list(_take_arrays(body))
    try:
        problem = next(rules.body.iter_errors(body), None) if rules.body is not None else None
    except ValueError as error:  # nested too deeply for the validator
        raise Refusal(422, f"the body cannot be checked: {error}") from error
    if problem is not None:
        raise _schema_refusal(problem)
    for holder, key, array in taken:
        holder[key] = array
    checked: dict[str, Any] = body
    return checked


def _check_groups(body: Mapping[str, Any], groups: tuple[tuple[str, ...], ...]) -> None:
    """Refuse a body that gives none or several of the groups, or half of one."""
    given = [group for group in groups if any(body.get(name) is not None for name in group)]
    if len(given) != 1:
        choice = " or ".join(" with ".join(group) for group in groups)
        raise Refusal(422, f"give exactly one of {choice}")
    missing = [name for name in given[0] if body.get(name) is None]
    if missing:
        raise Refusal(422, "is required here", field=(missing[0],), kind="missing")


def _take_arrays(body: Any) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """Take long numeric lists out of a body, leaving an empty list, and fill in missing chunk tags."""
    for holder, key, whole in _number_lists(body):
        found = holder.get(key)
        if not isinstance(found, np.ndarray) and (not isinstance(found, list) or len(found) <= SHORT):
            continue
        try:
            array = np.asarray(found)
        except (ValueError, OverflowError):
            continue
        if array.ndim == 1 and array.dtype.kind in ("iu" if whole else "iuf"):
            holder[key] = []
            yield holder, key, array


def _number_lists(body: Any) -> Iterator[tuple[dict[str, Any], str, bool]]:
    """Yield the lists of a body that may be long: the object, its key, whether it wants whole numbers."""
    if not isinstance(body, dict):
        return
    for key in ("forward_input", "forward_backward_input"):
        batch = body.get(key)
        data = batch.get("data") if isinstance(batch, dict) else None
        for datum in data if isinstance(data, list) else ():
            if isinstance(datum, dict):
                yield from _in_datum(datum)
    yield from _in_input(body.get("prompt"))
    if isinstance(body.get("target_prompt_logprobs"), dict):
        yield body["target_prompt_logprobs"], "data", False


def _in_datum(datum: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, bool]]:
    """Find the lists of a datum."""
    yield from _in_input(datum.get("model_input"))
    tensors = datum.get("loss_fn_inputs")
    for tensor in tensors.values() if isinstance(tensors, dict) else ():
        if isinstance(tensor, dict):
            yield tensor, "data", False
            yield tensor, "sparse_crow_indices", True
            yield tensor, "sparse_col_indices", True


def _in_input(model_input: Any) -> Iterator[tuple[dict[str, Any], str, bool]]:
    """Find the lists of a model input; chunks of old clients get their tag from their keys."""
    chunks = model_input.get("chunks") if isinstance(model_input, dict) else None
    for chunk in chunks if isinstance(chunks, list) else ():
        if isinstance(chunk, dict):
            if "type" not in chunk:
                tags = [tag for key, tag in _CHUNK_TAGS.items() if key in chunk]
                chunk.update({"type": tags[0]} if tags else {})
            yield chunk, "tokens", True


def check_parameter(parameter: Parameter, text: str) -> Any:
    """Read and check one parameter. Refuses with 422."""
    value: Any = text
    if parameter.kind == "integer":
        digits = text.removeprefix("-")
        value = int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else text
    problem = next(parameter.validator.iter_errors(value), None)
    if problem is not None:
        raise _schema_refusal(problem, (parameter.name,))
    return value


def _schema_refusal(problem: jsonschema_rs.ValidationError, prefix: tuple[str, ...] = ()) -> Refusal:
    """Describe a violation by the field that is missing, unknown or wrong, never by the whole value."""
    kinds = jsonschema_rs.ValidationErrorKind
    path: tuple[str | int, ...] = (*prefix, *map(_short, problem.instance_path))
    kind = problem.kind
    if isinstance(kind, kinds.Required):
        return Refusal(422, "is required", field=(*path, kind.property), kind="missing")
    if isinstance(kind, kinds.AdditionalProperties):
        return Refusal(
            422, "is not known here", field=(*path, _short(kind.unexpected[0])), kind="extra_forbidden"
        )
    if isinstance(kind, kinds.AnyOf | kinds.OneOfNotValid):
        return Refusal(422, "is of none of the kinds that are allowed here", field=path, kind="schema")
    if isinstance(kind, kinds.Not) and isinstance(kind.schema, dict) and "required" in kind.schema:
        names = ", ".join(map(str, cast("list[str]", kind.schema["required"])))
        return Refusal(422, f"is not allowed with these values of {names}", field=path, kind="schema")
    message = problem.message if len(problem.message) <= 300 else f"{problem.message[:300]}…"
    return Refusal(422, message, field=path, kind="schema")


def _short(part: str | int) -> str | int:
    """Cut a key that the client chose: answers do not repeat megabytes."""
    return part if isinstance(part, int) or len(part) <= 100 else f"{part[:100]}…"
