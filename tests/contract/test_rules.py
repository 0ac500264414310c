"""The contract follows its own rules, and each rule notices when it is broken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract_document import CONTRACT, example_of, load
from contract_rules import RULES, main, violations
from contract_validation import for_validation
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

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


def test_command_names_the_broken_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what is wrong and fails; it is silent about a good contract."""
    assert main([]) == 0
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        CONTRACT.read_text(encoding="utf-8").replace("operationId: healthz", "operationId: getHealth")
    )
    assert main([str(bad)]) == 1
    assert "ids_are_snake_case" in capsys.readouterr().err


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
    assert violations(load(copy)) == []
