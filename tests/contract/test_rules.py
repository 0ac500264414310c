"""The contract follows its own rules, and each rule notices when it is broken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract_document import CONTRACT, example_of, load
from contract_rules import RULES, errors, main, warnings
from contract_types import BOUNDS, bounds
from contract_validation import for_validation
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from tinsmith_api.bounds import Bounds

from tests.contract import foreign
from tests.contract.spoiled import BREAKS, Document


def test_contract_is_openapi(loaded: Document) -> None:
    """The validator of the OpenAPI project accepts the contract."""
    validate(loaded)


@pytest.mark.parametrize("name", RULES)
def test_contract_keeps_rule(name: str, loaded: Document) -> None:
    """The contract breaks no rule."""
    assert list(RULES[name](loaded)) == []


@pytest.mark.parametrize(("rule", "how", "spoil"), BREAKS, ids=[f"{rule}-{how}" for rule, how, _ in BREAKS])
def test_rule_can_fail(rule: str, how: str, spoil: Callable[[Document], Any], document: Document) -> None:
    """A contract that is spoiled in this way breaks this rule."""
    spoil(document)
    assert list(RULES[rule](document)), f"{rule} did not notice: {how}"


def test_every_rule_is_proven() -> None:
    """No rule stands here that nothing can break."""
    assert {rule for rule, _, _ in BREAKS} == set(RULES)


@pytest.mark.parametrize("keyword", ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"])
def test_the_range_of_a_parameter_is_a_bound(keyword: str) -> None:
    """Each end of a range is a bound of its own, which whoever sends checks."""
    found = bounds({}, {"type": "number", keyword: 5})
    assert {field: limit for field, limit in Bounds(**found)._asdict().items() if limit == 5} == {
        BOUNDS[keyword]: 5
    }


def test_command_names_the_broken_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what is wrong and fails; it is silent about a good contract, and warns of style."""
    assert main([]) == 0
    assert capsys.readouterr().err == ""
    text, other = CONTRACT.read_text(encoding="utf-8"), tmp_path / "other.yaml"
    other.write_text(text.replace("operationId: healthz", "operationId: getHealth"))
    assert main([str(other)]) == 0
    assert "warning: ids_are_snake_case" in capsys.readouterr().err
    other.write_text(text.replace("operationId: healthz", "x-id: healthz"))
    assert main([str(other)]) == 1
    assert "ids_are_unique" in capsys.readouterr().err


@pytest.mark.parametrize("of", foreign.DOCUMENTS)
def test_foreign_document_is_not_refused_for_style(
    of: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a framework writes of somebody's server breaks many rules of style, and no other."""
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(foreign.DOCUMENTS[of]()))
    assert main([str(path)]) == 0
    complaints = capsys.readouterr().err.splitlines()
    assert all(": warning: " in line for line in complaints)
    for rule in ("unions_are_tagged", "answers_hold_no_enum", "all_is_described", "tags_are_declared"):
        assert any(rule in line for line in complaints), rule
    assert not any("cannot read" in line for line in complaints), complaints


def test_whole_examples_fit(loaded: Document) -> None:
    """An example put together from the examples of its fields fits every schema, strict and relaxed alike."""
    for document in (loaded, for_validation(loaded)):
        for name in document["components"]["schemas"]:
            reference = {"$ref": f"#/components/schemas/{name}"}
            check = Draft202012Validator({**reference, "components": document["components"]})
            example = example_of(loaded, reference)
            assert [f"{name}: {error.message}" for error in check.iter_errors(example)] == []


def test_json_and_yaml_read_alike(tmp_path: Path, loaded: Document) -> None:
    """A contract may come as JSON too."""
    copy = tmp_path / "tinker.json"
    copy.write_text(json.dumps(loaded))
    assert load(copy) == loaded
    assert [*errors(load(copy)), *warnings(load(copy))] == []
