"""Renders the resources: each operation of the contract as methods, from the raw document.

The code generator drops the extensions of operations, so this reads the document itself. `x-tinker-method`
says what an operation is called in public, `x-tinker-page` which list it is a page of; the rest follows from
the standard words. docs/contract.md describes both.
"""

from __future__ import annotations

import re
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Any, NamedTuple

from contract_document import Json, Operation, event_schemas, json_body, operations, reference_name, resolve
from contract_types import bounds, python_type, range_in_words, templates

if TYPE_CHECKING:
    from pathlib import Path

BY_CLIENT = frozenset({"model_id", "seq_id"})
"""Fields of a request in the order of training that the training client fills in."""

WITHOUT_METHOD = frozenset({"by", "raw"})
"""Words of `x-tinker-method` that say who sends an operation instead, or why nobody does."""


class Parameter(NamedTuple):
    """One parameter of a method."""

    name: str
    """What the caller calls it."""
    wire: str
    """What the contract calls it."""
    type: str
    """Its type, with None where that may be given."""
    default: str | None
    """Its default as source; None where it must be given."""
    words: str
    """What it means, with its range."""
    place: str
    """`path`, `query`, `header` or `body`."""


class Method(NamedTuple):
    """One method of a resource."""

    name: str
    op: Operation
    parameters: list[Parameter]
    fixed: dict[str, Json]
    """Fields of the body that this method says by being called."""
    result: str
    """The type of the result."""
    in_order: bool
    """Whether it is a request in the order of training."""
    whole: bool
    """Whether the body is one argument."""
    page: dict[str, Any] | None
    """The rows of the answer, their type and the size of a page."""
    words: str | None
    """What it does, where that is not what the operation does."""

    @property
    def summary(self) -> str:
        """What it does, as one line."""
        return self._told()[0].rstrip(".") + "."

    @property
    def description(self) -> str:
        """What more there is to say."""
        return self._told()[1]

    def _told(self) -> tuple[str, str]:
        node = self.op.node
        if self.words is None:
            return str(node["summary"]).strip(), str(node["description"]).strip()
        first, _, more = self.words.partition(". ")
        return first.strip(), more.strip()

    def among(self, place: str) -> list[Parameter]:
        """Return the parameters of one place."""
        return [each for each in self.parameters if each.place == place]

    @property
    def renamed(self) -> dict[str, str]:
        """Return what the caller calls the parameters that have another name in the contract."""
        return {each.wire: each.name for each in self.parameters if each.wire != each.name}


def public_names(op: Operation) -> tuple[str, ...]:
    """Return what the methods of an operation are called; empty where it has none."""
    marks = _listed(op.node.get("x-tinker-method", {}))
    return tuple(mark.get("name", op.id) for mark in marks if not mark.keys() & WITHOUT_METHOD)


def is_in_order(document: Json, op: Operation) -> bool:
    """Say whether an operation has a place in the order of training: a model, a number, a promise."""
    body = json_body(document, op.node.get("requestBody", {}))
    fields = resolve(document, body).get("properties", {}) if body else {}
    return "x-tinker-result" in op.node and fields.keys() >= BY_CLIENT


class Resources:
    """Turns the contract into what the templates show."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._jinja = templates()
        self._jinja.filters.update(text=_text, given=_given, python=repr)
        self._operations = list(operations(document))

    def write(self, package: Path) -> None:
        """Write `resources/` and `bounds.py` into the package."""
        home = package / "resources"
        home.mkdir()
        nouns = []
        for tag in self._document["tags"]:
            methods = [
                m for op in self._operations if op.node["tags"][0] == tag["name"] for m in self._methods(op)
            ]
            if methods:
                title = tag["name"].replace("_", " ").title().replace(" ", "")
                noun = {
                    "name": tag["name"],
                    "title": title,
                    "words": tag["description"],
                    "plain": [m for m in methods if not m.in_order],
                    "ordered": [m for m in methods if m.in_order],
                }
                nouns.append(noun)
                self._render("resource_noun.py.jinja", home / f"{tag['name']}.py", noun=noun)
        self._render("resources_init.py.jinja", home / "__init__.py", nouns=nouns)
        self._render(
            "resource_raw.py.jinja",
            home / "raw.py",
            operations=[self._raw(op) for op in self._operations if not self._streams(op)],
        )
        table = {op.id: found for op in self._operations if (found := self._bounds(op))}
        self._render("bounds.py.jinja", package / "bounds.py", table=table)

    def _render(self, template: str, target: Path, **shown: object) -> None:
        target.write_text(self._jinja.get_template(template).render(**shown), encoding="utf-8")

    def _methods(self, op: Operation) -> list[Method]:
        """Return the public methods of an operation: none where the contract says who calls it instead."""
        marks = op.node.get("x-tinker-method", {})
        return [self._method(op, mark) for mark in _listed(marks) if not mark.keys() & WITHOUT_METHOD]

    def _method(self, op: Operation, mark: Json) -> Method:
        body = json_body(self._document, op.node.get("requestBody", {}))
        fields = resolve(self._document, body).get("properties", {}) if body else {}
        result = op.node.get("x-tinker-result")
        in_order = is_in_order(self._document, op)
        whole = bool(mark.get("body"))
        parameters = [*self._path(op, mark), *self._query(op)]
        if whole:
            words = str(resolve(self._document, body)["description"]).strip()
            model = f"models.{reference_name(body)}"
            parameters.append(Parameter(mark["body"], "body", model, None, words, "body"))
        elif body:
            hidden = {*mark.get("omit", ()), *mark.get("fixed", {}), *(BY_CLIENT if in_order else ())}
            parameters += self._fields(body, mark, hidden)
        parameters += self._headers(op)
        return Method(
            mark.get("name", op.id),
            op,
            sorted(parameters, key=lambda each: each.default is not None),
            {} if whole else {**mark.get("fixed", {}), **self._tags(fields)},
            f"models.{result}" if result else self._answer(op),
            in_order,
            whole,
            self._page(op),
            mark.get("words"),
        )

    def _tags(self, fields: Json) -> dict[str, Json]:
        """Return the fields of a body that have one value."""
        shown = {name: resolve(self._document, schema) for name, schema in fields.items()}
        return {name: schema["const"] for name, schema in shown.items() if "const" in schema}

    def _answer(self, op: Operation) -> str:
        """Return the type of an answer."""
        answer = next(answer for status, answer in op.node["responses"].items() if status[0] in "23")
        schema = json_body(self._document, answer)
        if schema is None:
            return "None"
        name = reference_name(schema)
        return f"models.{name}" if name else "dict[str, Any]"

    def _page(self, op: Operation) -> dict[str, Any] | None:
        mark = op.node.get("x-tinker-page")
        if not mark:
            return None
        if "size" not in mark:
            return {"rows": mark["items"], "size": None}
        answer = next(answer for status, answer in op.node["responses"].items() if status[0] == "2")
        rows = resolve(self._document, json_body(self._document, answer))["properties"][mark["items"]]
        row = python_type(self._document, resolve(self._document, rows)["items"])
        return {"rows": mark["items"], "size": mark["size"], "row": row}

    def _given_parameters(self, op: Operation, place: str) -> list[Json]:
        found = [
            resolve(self._document, raw) for raw in [*op.shared_parameters, *op.node.get("parameters", [])]
        ]
        return [each for each in found if each["in"] == place]

    def _path(self, op: Operation, mark: Json) -> list[Parameter]:
        given = self._given_parameters(op, "path")
        place = mark.get("place")
        if place == "tinker_path":
            words = "The `tinker://` path of the checkpoint."
            return [Parameter(place, place, "str", None, words, "path")]
        if place == "checkpoint_id":
            words = (
                "Kind and name, `weights/0001`, or as the server's list spells it; a bare name is one of"
                " sampler weights."
            )
            kept = [each for each in given if not each["name"].startswith("checkpoint_")]
            return [*map(self._parameter, kept), Parameter(place, place, "str", None, words, "path")]
        return [self._parameter(each) for each in given]

    def _query(self, op: Operation) -> list[Parameter]:
        return [self._parameter(each) for each in self._given_parameters(op, "query")]

    def _headers(self, op: Operation) -> list[Parameter]:
        """Return the headers that a caller says; those of the protocol are the sender's."""
        found = [self._parameter(each) for each in self._given_parameters(op, "header")]
        return [
            each._replace(name=each.name.removeprefix("x_tinker_"))
            for each in found
            if each.wire != "X-Idempotency-Key"
        ]

    def _parameter(self, node: Json) -> Parameter:
        schema = node["schema"]
        shown = resolve(self._document, schema)
        kind = python_type(self._document, schema)
        known = shown.get("default", shown.get("x-tinker-known-default"))
        default = repr(known) if known is not None else None if node.get("required") else "None"
        return Parameter(
            node["name"].lower().replace("-", "_"),
            node["name"],
            _optional(kind) if default == "None" else kind,
            default,
            self._words(node["description"], schema),
            node["in"],
        )

    def _words(self, description: str, schema: Json) -> str:
        return " ".join(
            part for part in (description.strip(), range_in_words(self._document, schema)) if part
        )

    def _fields(self, body: Json, mark: Json, hidden: set[str]) -> list[Parameter]:
        """Return the fields of a body; a tag with one value is the model's own."""
        shown = resolve(self._document, body)
        required = {*shown.get("required", ())}
        wanted, renamed = {*mark.get("require", ())}, mark.get("rename", {})
        found = []
        for name, schema in shown.get("properties", {}).items():
            target = resolve(self._document, schema)
            if name in hidden or "const" in target:
                continue
            kind = python_type(self._document, schema)
            must = name in wanted or (name in required and "default" not in target)
            if name in wanted:
                kind = kind.removesuffix(" | None")
            default = None if must else "None"
            words = schema.get("description") or target.get("description", "")
            found.append(
                Parameter(
                    renamed.get(name, name),
                    name,
                    kind if must else _optional(kind),
                    default,
                    self._words(str(words), schema),
                    "body",
                )
            )
        return found

    def _streams(self, op: Operation) -> bool:
        """Tell whether an operation answers with a stream of events, which is no future."""
        return any(event_schemas(self._document, answer) for answer in op.node["responses"].values())

    def _raw(self, op: Operation) -> dict[str, Any]:
        """Return what the template of the raw operations shows of one."""
        body = json_body(self._document, op.node.get("requestBody", {}))
        given = [
            self._parameter(each)
            for place in ("path", "query", "header")
            for each in self._given_parameters(op, place)
        ]
        given = [
            each if each.default is None else each._replace(type=_optional(each.type), default="None")
            for each in given
        ]
        fields = self._fields(body, {}, set()) if body else []
        result = op.node.get("x-tinker-result")
        answer = self._answer(op)
        future = f"RawPromise[{answer}, models.{result}]" if result else f"RawFuture[{answer}]"
        return {
            "op": op,
            "summary": str(op.node["summary"]).strip().rstrip(".") + ".",
            "path": [each for each in given if each.place == "path"],
            "others": sorted((e for e in given if e.place != "path"), key=lambda e: e.default is not None),
            "fields": sorted(fields, key=lambda each: each.default is not None),
            "body": f"models.{reference_name(body)}" if body else None,
            "answer": answer,
            "result": f"models.{result}" if result else None,
            "future": future,
        }

    def _bounds(self, op: Operation) -> dict[str, str]:
        """Return the bounds of an operation's parameters and fields, each as source."""
        found = {}
        for place in ("path", "query", "header"):
            for node in self._given_parameters(op, place):
                found[node["name"]] = self._bound(node["schema"], bool(node.get("required")))
        body = json_body(self._document, op.node.get("requestBody", {}))
        if body:
            shown = resolve(self._document, body)
            for name, schema in shown.get("properties", {}).items():
                target = resolve(self._document, schema)
                if "const" not in target:
                    must = name in shown.get("required", ()) and "default" not in target
                    found[name] = self._bound(schema, must)
        return {name: source for name, source in found.items() if source}

    def _bound(self, schema: Json, required: bool) -> str:
        found = bounds(self._document, schema)
        if required:
            found["required"] = True
            if python_type(self._document, schema).endswith("None"):
                found["null"] = True
        return _bounds_source(found)


def _bounds_source(found: dict[str, Any]) -> str:
    if not found:
        return ""
    given = {**found}
    inner = given.pop("items", None)
    parts = [repr(given.pop("kind", "any")), *(f"{name}={value!r}" for name, value in given.items())]
    if inner:
        parts.append(f"items={_bounds_source(inner)}")
    return f"Bounds({', '.join(parts)})"


def _optional(kind: str) -> str:
    return kind if kind.endswith("None") or kind == "Any" else f"{kind} | None"


def _listed(marks: Json) -> list[Json]:
    return marks if isinstance(marks, list) else [marks]


def _given(parameters: list[Parameter]) -> str:
    """Return the parameters as they stand in a `def`."""
    return "".join(
        f", {p.name}: {p.type}" + (f" = {p.default}" if p.default is not None else "") for p in parameters
    )


def _text(words: str, depth: int, first: str = "") -> str:
    """Return a text for a docstring, wrapped to the width of the package; `first` stands before it."""
    safe = words.replace("\\", "\\\\").replace('"""', "'''")
    paragraphs = re.split(r"\n\s*\n", f"{first}{safe}")
    margin = " " * depth
    wrapped = ["\n".join(wrap(" ".join(each.split()), 108 - depth)) for each in paragraphs]
    return indent("\n\n".join(wrapped), margin).lstrip()
