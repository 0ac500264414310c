"""Writes docs/reference/api.md: the contract as a page to read.

Usage: contract_reference.py [--check]. With --check it writes nothing and fails when the page is stale.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import jinja2
from contract_completion import completed
from contract_document import (
    CONTRACT,
    Json,
    Operation,
    event_schemas,
    example_of,
    json_body,
    load,
    operations,
    protobuf_forms,
    resolve,
)
from contract_resources import public_names
from contract_words import Words

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
TEMPLATE = Path(__file__).parent / "reference.md.jinja"


class Reference:
    """Turns the contract into what the template shows."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._words = Words(document)

    def render(self) -> str:
        """Return the page."""
        environment = jinja2.Environment(
            trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False
        )
        template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
        document = self._document
        page = template.render(
            title=document["info"]["title"],
            introduction=_about_the_api(document["info"]["description"]),
            server=document["servers"][0],
            key=document["components"]["securitySchemes"]["apiKey"]["description"].strip(),
            nouns=self._nouns(),
            values=[self._value(name) for name in self._words.shared],
            errors=self._errors(),
            common_headers=list(document["x-tinker-common-headers"].items()),
        )
        return re.sub(r"\n{3,}", "\n\n", page).rstrip("\n") + "\n"

    def _nouns(self) -> list[dict[str, Any]]:
        found = {tag["name"]: {**tag, "operations": []} for tag in self._document["tags"]}
        for op in operations(self._document):
            found[op.node["tags"][0]]["operations"].append(self._operation(op))
        return list(found.values())

    def _operation(self, op: Operation) -> dict[str, Any]:
        document, node = self._document, op.node
        status, answer = next((s, a) for s, a in node["responses"].items() if s[0] in "23")
        answer = resolve(document, answer)
        request = json_body(document, node.get("requestBody", {}))
        given = json_body(document, answer)
        result = node.get("x-tinker-result")
        target = {"$ref": f"#/components/schemas/{result}"} if result else None
        return {
            "id": op.id,
            "method": op.method.upper(),
            "path": op.path,
            "summary": node["summary"],
            "description": node["description"].strip(),
            "notes": [_caller(op), *self._notes(op)],
            "parameters": self._words.parameters(node.get("parameters", [])),
            "request": self._words.shape(request) if request else None,
            "request_example": self._example(request),
            "status": status,
            "answer": self._words.shape(given) if given else None,
            "answer_text": answer["description"].strip(),
            "answer_example": self._example(given),
            "events": [
                (name, self._words.shape(schema), self._example(schema))
                for name, schema in event_schemas(document, answer).items()
            ],
            "headers": self._words.headers(answer.get("headers", {})),
            "result": self._words.shape(target) if target else None,
            "result_example": self._example(target),
            "errors": [_error(s, r) for s, r in node["responses"].items() if s[0] in "45"],
        }

    def _notes(self, op: Operation) -> list[str]:
        node, notes = op.node, []
        if node.get("deprecated"):
            notes.append("Deprecated.")
        if node.get("x-tinsmith-extension"):
            notes.append("An extension of Tinsmith: no other server has it.")
        if "x-tinker-request-type" in node:
            notes.append(f"A promise, called `{node['x-tinker-request-type']}` in headers and telemetry.")
        if sides := " and ".join(protobuf_forms(op)):
            notes.append(
                f"Its {sides} may be protobuf instead: the message of the same name in `tinker_wire.proto`."
            )
        if "x-tinker-since" in node:
            notes.append(f"Since {node['x-tinker-since']}.")
        aliases = node.get("x-tinker-path-aliases", [])
        notes += [f"Some servers answer to `{path}` as well." for path in aliases]
        if node.get("security") == []:
            notes.append("Needs no key.")
        return notes

    def _value(self, name: str) -> dict[str, Any]:
        reference = {"$ref": f"#/components/schemas/{name}"}
        return {**self._words.shape(reference), "example": self._example(reference)}

    def _errors(self) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for op in operations(self._document):
            for status, raw in op.node["responses"].items():
                if status[0] in "45":
                    error, answer = _error(status, raw), resolve(self._document, raw)
                    body = json_body(self._document, answer)["$ref"].rsplit("/", 1)[-1]
                    found[error["anchor"]] = {
                        **error,
                        "description": answer["description"].strip().split(". ", 1)[1],
                        "bodies": [] if body == "ErrorBody" else [body],
                        "headers": self._words.headers(answer.get("headers", {})),
                    }
        return [found[anchor] for anchor in sorted(found)]

    def _example(self, schema: Json) -> str:
        if schema is None:
            return ""
        return _compact(example_of(self._document, schema))


def _about_the_api(description: str) -> str:
    """Leave out the paragraph on the extensions of the document: the page puts them in words."""
    paragraphs = description.strip().split("\n\n")
    return "\n\n".join(p for p in paragraphs if not p.startswith("How to read the extensions"))


def _caller(op: Operation) -> str:
    """Say what a program calls to have it sent."""
    mark = op.node.get("x-tinker-method", {})
    if names := public_names(op):
        owner = "TrainingClient" if op.node.get("x-tinker-result") else "RestClient"
        return f"Sent by {' and '.join(f'`{owner}.{name}`' for name in names)}."
    if "raw" in mark:
        return f"Sent by `service.raw.{op.id}` alone: {mark['raw']}."
    named = re.sub(r"([A-Z]\w+\.\w+)", r"`\1`", mark["by"])
    return f"Sent by {named}."


def _error(status: str, raw: Json) -> dict[str, str]:
    """Name an error; a poll's 408 means something else than the others'."""
    poll = raw["$ref"].endswith("/NotYet")
    name = f"{status} of a poll" if poll else status
    return {"status": name, "anchor": name.lower().replace(" ", "-")}


def _compact(value: Json, indent: str = "") -> str:
    """Write JSON with a line for each field, and what is short on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= 88 - len(indent) or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        inner = [f"{json.dumps(key)}: {_compact(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(deeper + row for row in inner) + "\n" + indent + "}"
    return "[\n" + ",\n".join(deeper + _compact(item, deeper) for item in value) + "\n" + indent + "]"


def main(arguments: list[str]) -> int:
    """Write the page or check it."""
    page = Reference(completed(load(CONTRACT))).render()
    if "--check" in arguments:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
            print(f"{PAGE.name} is out of date: run tools/contract/contract_reference.py", file=sys.stderr)
            return 1
        return 0
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
