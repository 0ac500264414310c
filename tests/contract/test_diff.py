"""Which differences between two contracts are found, and which of them break a client."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract_diff import diff, least_version, main, report, version_problem

from tests.contract.changed import SMALL, TABLE, Document, move, request
from tests.contract.planted import PLANTED, double_form, with_loose_body


@pytest.mark.parametrize(
    ("change", "what", "breaking"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_change_is_found(change: Callable[[Document], Any], what: str, breaking: bool) -> None:
    """One change is found, under its name, and is breaking or not."""
    new = copy.deepcopy(SMALL)
    change(new)
    found = diff(SMALL, new)
    assert what in report(found)
    assert any(c.breaking for c in found) is breaking, report(found)


@pytest.mark.parametrize(
    ("verdict", "what", "plant"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED]
)
def test_planted_change_is_found(
    verdict: str, what: str, plant: Callable[[Document], Any], loaded: Document, document: Document
) -> None:
    """A change of the real contract is found, under its name, and is breaking or not."""
    plant(document)
    found = diff(loaded, document)
    assert what in report(found)
    assert any(c.breaking for c in found) is (verdict == "breaking"), report(found)


def test_required_body_is_found(loaded: Document, document: Document) -> None:
    """A body that could be left out and is now asked for breaks, and not the other way round."""
    with_loose_body(document)
    assert ("auth_token", "request body became required", True) in [
        (c.where, c.what, c.breaking) for c in diff(document, loaded)
    ]
    assert not any(c.breaking for c in diff(loaded, document))


def test_lost_binary_form_is_found(loaded: Document, document: Document) -> None:
    """An operation that no longer takes the binary form has changed."""
    double_form(document)
    assert "forward_backward" in [c.where for c in diff(loaded, document)]


def test_new_promise_breaks_nobody(loaded: Document, document: Document) -> None:
    """The result of a new promise is one more answer to a poll; another new answer there breaks."""
    parts = document["components"]["schemas"]
    parts["Merged"] = parts["Stray"] = copy.deepcopy(parts["SaveWeightsResponse"])
    path = next(path for path, item in document["paths"].items() if path.endswith("/save_weights"))
    fresh = copy.deepcopy(document["paths"][path])
    fresh["post"].update({"operationId": "merge_weights", "x-tinker-result": "Merged"})
    document["paths"]["/api/v1/merge_weights"] = fresh
    parts["FutureAnswer"]["anyOf"].append({"$ref": "#/components/schemas/Merged"})
    found = diff(loaded, document)
    assert "operation POST /api/v1/merge_weights added" in report(found)
    assert not any(c.breaking for c in found), report(found)
    parts["FutureAnswer"]["anyOf"].append({"$ref": "#/components/schemas/Stray"})
    assert any(c.breaking for c in diff(loaded, document))


@pytest.mark.parametrize(
    ("version", "change", "least"),
    [
        ("1.4.2", lambda d: None, None),
        ("1.4.2", move, "2.0.0"),
        ("1.4.2", lambda d: request(d).update(tag={"type": "string"}), "1.5.0"),
        ("0.4.2", move, "0.5.0"),
        ("0.4.2", lambda d: request(d).update(tag={"type": "string"}), "0.4.3"),
        ("tomorrow", move, None),
    ],
    ids=["same", "breaking", "more", "breaking before 1.0", "more before 1.0", "no semantic version"],
)
def test_verdict_asks_for_a_version(
    version: str, change: Callable[[Document], Any], least: str | None
) -> None:
    """What a contract changes says how far its version must rise, and a higher one is right too."""
    old, new = copy.deepcopy(SMALL), copy.deepcopy(SMALL)
    old["info"]["version"] = new["info"]["version"] = version
    change(new)
    found = diff(old, new)
    assert least_version(version, found) == least
    assert (version_problem(old, new, found) is None) is (least is None)
    if least is not None:
        assert least in str(version_problem(old, new, found))
        for enough in (least, "99.0.0"):
            new["info"]["version"] = enough
            assert version_problem(old, new, diff(old, new)) is None


def test_same_contract_has_no_difference(loaded: Document) -> None:
    """A contract against itself shows nothing, references in a circle included."""
    assert diff(SMALL, copy.deepcopy(SMALL)) == []
    assert diff(loaded, loaded) == []


def test_words_do_not_matter() -> None:
    """Descriptions and examples are no part of the agreement."""
    new = copy.deepcopy(SMALL)
    request(new)["rank"].update(description="other words", examples=[3])
    assert diff(SMALL, new) == []


def without_first_field(document: Document, name: str) -> tuple[Document, str]:
    """Return a contract in which one schema lacks its first field, and the field's name."""
    schema = document["components"]["schemas"][name]
    first, *rest = schema["properties"]
    fields = {key: schema["properties"][key] for key in rest}
    schemas = {**document["components"]["schemas"], name: {**schema, "properties": fields}}
    return {**document, "components": {**document["components"], "schemas": schemas}}, first


def test_every_schema_is_reached(loaded: Document) -> None:
    """A field taken from any schema of the real contract is found and breaks, wherever the schema is used."""
    for name, schema in loaded["components"]["schemas"].items():
        if schema.get("properties"):
            new, field = without_first_field(loaded, name)
            assert any(c.breaking and c.where == f"{name}.{field}" for c in diff(loaded, new)), name


@pytest.mark.parametrize(("change", "code"), [(move, 1), (lambda d: None, 0)], ids=["breaking", "same"])
def test_exit_code(
    change: Callable[[Document], Any], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command fails when something breaks, and only then."""
    new = copy.deepcopy(SMALL)
    change(new)
    for name, document in (("old.json", SMALL), ("new.json", new)):
        (tmp_path / name).write_text(json.dumps(document))
    assert main([str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == code
    assert f"{code} breaking" in capsys.readouterr().out


def test_unreadable_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no contract is an error of its own, and names itself."""
    (tmp_path / "bad.yaml").write_text("just text")
    assert main([str(tmp_path / "bad.yaml"), str(tmp_path / "none.yaml")]) == 2
    assert "bad.yaml" in capsys.readouterr().err
    assert main(["", "x"]) == 2
