"""Checks that a document is OpenAPI 3.1 and keeps the rules that no OpenAPI validator sees.

Usage: contract_rules.py [CONTRACT]. Prints what is wrong and exits with 1; silent when all is well. Rules of
style are warnings: only our own contract has to keep them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import contract_operation_rules as of_operations
import contract_schema_rules as of_schemas
import yaml
from contract_document import CONTRACT, Json, dangling_references, load
from openapi_spec_validator import OpenAPIV31SpecValidator

Rule = Callable[[Json], Iterator[str]]

ERRORS: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        of_schemas.tags_decide,
        of_schemas.names_are_free,
        of_schemas.required_fields_exist,
        of_schemas.constants_are_text,
        of_schemas.null_is_a_type,
        of_schemas.nothing_traps_the_generator,
        of_operations.ids_are_unique,
        of_operations.path_parameters_match,
        of_operations.promises_name_their_result,
        of_operations.methods_name_what_is_there,
        of_operations.protobuf_forms_exist,
        of_operations.polls_name_every_result,
    )
}
"""Rules without which the generated package would be wrong, by name. Every document must keep them."""

STYLE: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        of_schemas.unions_are_tagged,
        of_schemas.groups_are_exclusive,
        of_schemas.answers_hold_no_enum,
        of_schemas.defaults_are_constants,
        of_schemas.all_is_described,
        of_schemas.openness_fits_the_side,
        of_schemas.big_arrays_are_bare,
        of_schemas.numbers_have_limits,
        of_schemas.limits_are_checked,
        of_schemas.examples_are_valid,
        of_schemas.schemas_are_used,
        of_schemas.bytes_and_ids_are_text,
        of_operations.ids_are_snake_case,
        of_operations.tags_are_declared,
        of_operations.operations_are_described,
        of_operations.json_first,
        of_operations.messages_are_used,
        of_operations.promises_link_to_their_poll,
        of_operations.errors_are_documented,
        of_operations.redirects_say_where,
        of_operations.key_is_a_header,
        of_operations.version_is_semantic,
    )
}
"""Rules of our own contract, by name. A document of somebody else may break them."""

RULES = {**ERRORS, **STYLE}


def errors(document: Json) -> list[str]:
    """Return what the generator would get wrong, each with the name of its rule."""
    return _broken(ERRORS, document)


def warnings(document: Json) -> list[str]:
    """Return what breaks a rule of style, each with the name of its rule."""
    return _broken(STYLE, document)


def _broken(rules: dict[str, Rule], document: Json) -> list[str]:
    return [f"{name}: {problem}" for name, rule in rules.items() for problem in _apply(rule, document)]


def _apply(rule: Rule, document: Json) -> Iterator[str]:
    try:
        yield from rule(document)
    except (AttributeError, KeyError, RuntimeError, StopIteration, TypeError) as problem:
        yield f"cannot read the document: {problem!r}"


def misfits(document: Json) -> list[str]:
    """Return what keeps the document from being OpenAPI 3.1."""
    if not str(document.get("openapi", "")).startswith("3.1."):
        return [f"openapi: {document.get('openapi')!r} is not version 3.1"]
    errors = OpenAPIV31SpecValidator(document).iter_errors()
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def main(arguments: list[str]) -> int:
    """Check one contract."""
    path = Path(arguments[0]) if arguments else CONTRACT
    style = []
    try:
        document = load(path)
    except (OSError, ValueError, yaml.YAMLError) as problem:
        found = [" ".join(str(problem).split())]
    else:
        found = list(dangling_references(document)) or misfits(document) or errors(document)
        style = [] if found else warnings(document)
    for line in found:
        print(f"{path}: {line}", file=sys.stderr)
    for line in style:
        print(f"{path}: warning: {line}", file=sys.stderr)
    return 1 if found or (style and path == CONTRACT) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
