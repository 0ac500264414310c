"""Documents of any kind are read, or refused in a sentence; what they leave unsaid is filled in."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import contract_models
import pytest
import yaml
from contract_completion import completed
from contract_document import DEEPEST, load, operations, walk
from contract_finish import readme_of
from contract_overlay import narrow
from contract_resources import Resources
from contract_types import range_in_words

from tests.contract import foreign

if TYPE_CHECKING:
    from pathlib import Path


def nested(levels: int) -> str:
    """Return a JSON document, which is YAML too, of so many levels."""
    return '{"paths": {}, "x": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


DEEP = {
    "deep.json": nested(DEEPEST + 1),
    "very_deep.json": nested(100_000),
    "deep.yaml": f"# YAML\n{nested(DEEPEST + 1)}",
    "very_deep.yaml": f"# YAML\n{nested(100_000)}",
    "blocks.yaml": "paths: {}\n" + "".join(f"{' ' * level}a:\n" for level in range(DEEPEST + 1)),
    "holds_itself.yaml": "paths: {}\nx: &x\n  inner: *x\n",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_documents_are_refused(name: str, tmp_path: Path) -> None:
    """However the levels are written, before anything walks them."""
    (tmp_path / name).write_text(DEEP[name])
    # Newer releases of libyaml have a limit of their own.
    with pytest.raises(
        (ValueError, yaml.YAMLError), match=f"nested more than {DEEPEST} levels|maximum nesting depth"
    ):
        load(tmp_path / name)


@pytest.mark.parametrize("start", ["", "# YAML\n"], ids=["JSON", "YAML"])
def test_nested_documents_are_read(start: str, tmp_path: Path) -> None:
    """Up to the limit."""
    (tmp_path / "document").write_text(start + nested(DEEPEST))
    assert load(tmp_path / "document")["paths"] == {}


@pytest.mark.parametrize("text", ["[]", "paths: 3", "{}", '{"paths": []}', "text", ""])
def test_other_documents_are_refused(text: str, tmp_path: Path) -> None:
    """JSON and YAML that are no OpenAPI."""
    (tmp_path / "document").write_text(text)
    with pytest.raises(ValueError, match="not an OpenAPI document"):
        load(tmp_path / "document")


def without_words(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without any summary and description, but those that OpenAPI requires."""
    bare = deepcopy(document)
    for tag in bare["tags"]:
        del tag["description"]
    for op in operations(bare):
        op.node.pop("summary")
        op.node["description"] = ""
        for parameter in op.node.get("parameters", []):
            parameter.pop("description", None)
    for parameter in bare["components"]["parameters"].values():
        del parameter["description"]
    for _, node in list(walk(bare["components"]["schemas"])):
        if isinstance(node.get("description"), str):
            del node["description"]
    return bare


@pytest.mark.parametrize("of", ["ours", *foreign.DOCUMENTS])
def test_a_document_without_words_is_rendered(of: str, loaded: dict[str, Any], tmp_path: Path) -> None:
    """Models, resources and README can be made of it; names stand for the words."""
    document = without_words(loaded) if of == "ours" else foreign.DOCUMENTS[of]()
    before = json.dumps(document)
    whole = narrow(completed(document))
    assert json.dumps(document) == before
    (tmp_path / "models").mkdir()
    contract_models.write(whole, tmp_path)
    Resources(whole).write(tmp_path)
    for file in tmp_path.rglob("*.py"):
        compile(file.read_text(encoding="utf-8"), file, "exec")
    assert all(op.id in readme_of(whole) for op in operations(document))
    if of == "ours":
        assert "Training run id." in (tmp_path / "models" / "training_run.py").read_text(encoding="utf-8")
        assert "Get training run." in (tmp_path / "resources" / "training_runs.py").read_text(
            encoding="utf-8"
        )


def test_completing_adds_words_where_there_are_none(loaded: dict[str, Any]) -> None:
    """Those that a document has are kept: ours needs nothing."""
    assert completed(loaded) == loaded
    whole = completed(foreign.document())
    assert whole["tags"] == [{"name": "default", "description": "Operations of default."}]
    inline = {"content": {"application/json": {"schema": {"type": "object"}}}}
    whole = completed({"paths": {"/a": {"post": {"operationId": "make_it", "requestBody": inline}}}})
    body = whole["paths"]["/a"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["description"] == "Make it."


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, ""),
        ({"minimum": 1}, "At least 1."),
        ({"maximum": 9}, "At most 9."),
        ({"minimum": 1, "maximum": 9}, "From 1 to 9."),
        ({"exclusiveMinimum": 0}, "More than 0."),
        ({"exclusiveMaximum": 1}, "Less than 1."),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, "More than 0 and less than 1."),
        ({"minimum": 0, "exclusiveMaximum": 1}, "At least 0 and less than 1."),
        ({"exclusiveMinimum": 0, "maximum": 1}, "More than 0 and at most 1."),
        ({"type": "array", "maxItems": 16}, "At most 16 entries."),
        ({"type": "array", "minItems": 1, "maxItems": 16}, "From 1 to 16 entries."),
        ({"type": "array", "minItems": 1}, "At least 1 entry."),
    ],
)
def test_a_range_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    """Whether its ends belong to it too, also where null may be given."""
    schema = {"type": "number", **schema}
    assert range_in_words({}, schema) == words
    assert range_in_words({}, {"anyOf": [schema, {"type": "null"}]}) == words
