"""Every public value is its schema: fields, which are needed, defaults, words; what is by hand is marked."""

from __future__ import annotations

import ast
import inspect
import textwrap
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import attrs
import pytest
import tinsmith_api.models
from contract_document import load, resolve
from contract_overlay import narrow
from tinsmith import types

DOCUMENT = narrow(load())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

NO_SCHEMA = {
    "CheckpointArchiveUrlResponse": "the answer is a redirect: it is made of the headers",
    "ParsedCheckpointTinkerPath": "the parts of a path; it is never sent",
    "PromptProvenanceSpan": "only in the binary form",
    "SampledProvenanceSpan": "only in the binary form",
    "UnknownChunk": "a chunk of any kind that the contract does not know",
    "WhoamiResponse": "made of the claims of a token or of `ApiKeyInfo`, whichever the server gives",
}
"""Public values that the contract cannot have, and why."""

DIFFERENT = {
    "Datum": {
        "model_input_spans": "only in the binary form",
        "loss_fn_input_spans": "only in the binary form",
    },
    "ImageChunk": {"override_dimensions": "only in the binary form"},
}
"""Fields of values by hand that differ from those of their twin, and why."""


def public_values() -> dict[str, Any]:
    """Return the classes of `tinsmith.types` by their own names."""
    found = (getattr(types, name) for name in dir(types))
    return {each.__name__: each for each in found if isinstance(each, type) and attrs.has(each)}


VALUES = public_values()
BY_HAND = {name for name, schema in SCHEMAS.items() if schema.get("x-tinsmith-by-hand")}
GENERATED = sorted(set(VALUES) - BY_HAND - set(NO_SCHEMA))


def normal(text: str | None) -> str:
    """Return a text with single spaces."""
    return " ".join((text or "").split())


def texts_of(cls: Any) -> dict[str, str]:
    """Return the texts under the fields of a class, read from its source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: normal(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def words_in(schema: Any) -> str:
    """Return the words of a field: its own, else those of what it refers to."""
    if "description" in schema:
        return normal(schema["description"])
    members = [member for member in schema.get("anyOf", []) if member.get("type") != "null"]
    return normal(resolve(DOCUMENT, members[0] if len(members) == 1 else schema).get("description"))


def told(name: str, schema: Any) -> Any:
    """Return what a field is if left out, as the contract says it; None where it says nothing."""
    whole = resolve(DOCUMENT, schema)
    known = whole.get("x-tinker-known-values", [])
    if name == "type" and len(known) == 1:
        return known[0]
    return whole.get("default", whole.get("x-tinker-known-default", whole.get("const")))


def plain(default: Any) -> Any:
    """Return the default of a field as JSON has it."""
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class, which its types call a function
        made = default.factory()
        return made.model_dump() if attrs.has(type(made)) else made
    return default


def problems(cls: Any, schema: Any) -> list[str]:
    """Say where a class is not what its schema says."""
    fields = {str(field.alias): field for field in attrs.fields(cls) if field.init and field.name != "extra"}
    properties = schema.get("properties", {})
    found = [f"{name}: only here" for name in fields.keys() - properties.keys()]
    found += [f"{name}: only in the contract" for name in properties.keys() - fields.keys()]
    texts = texts_of(cls)
    if not normal(cls.__doc__).startswith(
        normal(schema.get("description", cls.__name__)).replace("\\", "\\\\")
    ):
        found.append("the words of the class")
    for name in sorted(fields.keys() & properties.keys()):
        default, part = fields[name].default, properties[name]
        given = told(name, part)
        needed = name in schema.get("required", []) and given is None
        if (default is attrs.NOTHING) != needed:
            found.append(f"{name}: must {'not ' * (not needed)}be given")
        elif not needed and plain(default) != given:
            found.append(f"{name}: is {default!r} if left out, and {given!r} in the contract")
        if not texts.get(name, "").startswith(words_in(part)) or not texts.get(name):
            found.append(f"{name}: {texts.get(name)!r} is not {words_in(part)!r}")
    return found


@pytest.mark.parametrize("name", GENERATED)
def test_a_public_value_is_its_schema(name: str) -> None:
    """The class is the generated one, and its fields, defaults and words are the contract's."""
    assert VALUES[name] is getattr(tinsmith_api.models, name)
    assert problems(VALUES[name], SCHEMAS[name]) == []


@pytest.mark.parametrize("name", GENERATED)
def test_help_shows_the_words_of_the_fields(name: str) -> None:
    """They stand in the text of the class, since Python drops a text under a field."""
    shown = normal(inspect.getdoc(VALUES[name]))
    assert [
        field for field, text in texts_of(VALUES[name]).items() if f"`{field}`: {text}" not in shown
    ] == []


def test_what_is_by_hand_is_marked_or_has_no_schema() -> None:
    """No class is written twice: one of the facade is marked in the contract, or the contract lacks it."""
    here = {name for name, cls in VALUES.items() if not cls.__module__.startswith("tinsmith_api.")}
    classes = {name for name in BY_HAND if attrs.has(getattr(tinsmith_api.models, name))}
    assert here == classes | set(NO_SCHEMA)
    assert not set(NO_SCHEMA) & set(SCHEMAS)


@pytest.mark.parametrize("name", sorted(name for name in BY_HAND if name in VALUES))
def test_a_value_by_hand_has_the_fields_of_its_twin(name: str) -> None:
    """Which must be given, and defaults, too; what differs is listed with its reason."""
    mine, twin = (
        {
            str(field.alias): plain(field.default)
            for field in attrs.fields(cls)
            if field.init and field.name != "extra"
        }
        for cls in (VALUES[name], getattr(tinsmith_api.models, name))
    )
    different = {field for field in mine.keys() | twin.keys() if mine.get(field, ...) != twin.get(field, ...)}
    assert different == set(DIFFERENT.get(name, {}))


def test_a_signed_address_is_in_no_repr() -> None:
    """Whoever has it can fetch what it leads to; where the contract has the value, it marks the field."""
    expires = datetime(2026, 1, 2, tzinfo=UTC)
    for value in (
        types.CheckpointArchiveUrlResponse("https://h/canary", expires),
        types.ExternalWeightsUrlsResponse({"a": "https://h/canary"}, expires),
        types.SessionTraceExport("ready", "https://h/canary"),
    ):
        assert "canary" in str(value.model_dump())
        assert "canary" not in repr(value) + str(value)


def test_all_public_values_are_compared() -> None:
    """Each schema with fields, or closed to any, is a class here; those by hand are compared above."""
    classes = {
        name
        for name, schema in SCHEMAS.items()
        if "properties" in schema or schema.get("additionalProperties") is False
    }
    assert set(GENERATED) == classes - BY_HAND
    assert len(classes) > 100


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].pop("corrupted"),
        lambda schema: schema["properties"].update(colour={"type": "string", "description": "A colour."}),
        lambda schema: schema["required"].remove("base_model"),
        lambda schema: schema["properties"]["corrupted"].update({"x-tinker-known-default": True}),
        lambda schema: schema["properties"]["base_model"].update(description="Something else."),
        lambda schema: schema.update(description="Something else."),
    ],
    ids=["fewer", "more", "required", "default", "words", "class"],
)
def test_the_comparison_can_fail(change: Any) -> None:
    """Each kind of difference is found."""
    schema = load()["components"]["schemas"]["TrainingRun"]
    assert problems(VALUES["TrainingRun"], schema) == []
    change(schema)
    assert len(problems(VALUES["TrainingRun"], schema)) == 1
