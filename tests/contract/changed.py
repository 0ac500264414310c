"""A small contract, ways to change it, and what each change means to a client."""

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


def given(*names: str) -> Document:
    """Say that these fields are given: one of the groups that exclude each other."""
    return {"required": list(names), "properties": {name: {"not": {"type": "null"}} for name in names}}


SMALL: Document = {
    "openapi": "3.1.0",
    "info": {"title": "small", "version": "1"},
    "security": [{"key": []}],
    "paths": {
        "/models": {
            "post": {
                "operationId": "create_model",
                "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
                },
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
                        "links": {"poll": {"operationId": "health"}},
                    },
                    "404": {"description": "no"},
                },
                "x-tinker-result": "Result",
            },
        },
        "/health": {
            "get": {"operationId": "health", "security": [], "responses": {"200": {"description": "up"}}}
        },
    },
    "components": {
        "schemas": {
            "Request": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "oneOf": [given("name"), given("loss")],
                "properties": {
                    "name": {"type": "string", "maxLength": 9},
                    "rank": {"type": "integer", "minimum": 1},
                    "loss": {"type": "string", "enum": ["ce", "ppo"]},
                    "seed": {"type": ["integer", "null"]},
                    "tree": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
                    "stop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                },
            },
            "Tree": {
                "type": "object",
                "properties": {"kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
            },
            "Answer": {
                "type": "object",
                "required": ["id"],
                "additionalProperties": True,
                "properties": {
                    "id": {"type": "string"},
                    "cost": {"type": "number"},
                    "state": {"type": "string"},
                },
            },
            "Result": {"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}}},
        }
    },
}


def op(d: Document) -> Any:
    """Return the operation that the changes are about."""
    return d["paths"]["/models"]["post"]


def request(d: Document) -> Any:
    """Return the fields of the request."""
    return d["components"]["schemas"]["Request"]["properties"]


def answer(d: Document) -> Any:
    """Return the fields of the answer."""
    return d["components"]["schemas"]["Answer"]["properties"]


def schema(d: Document, name: str) -> Any:
    """Return a schema."""
    return d["components"]["schemas"][name]


def move(d: Document) -> None:
    """Put the operation on another path."""
    d["paths"]["/v2/models"] = d["paths"].pop("/models")


def other_method(d: Document) -> None:
    """Give the operation another method."""
    d["paths"]["/models"]["put"] = d["paths"]["/models"].pop("post")


TABLE: list[tuple[str, Callable[[Document], Any], str, bool]] = [
    ("operation removed", lambda d: d["paths"].pop("/health"), "operation GET /health removed", True),
    (
        "operation added",
        lambda d: d["paths"]["/health"].update(post={"operationId": "heal", "responses": {"200": {}}}),
        "operation POST /health added",
        False,
    ),
    ("path", move, "path /models became /v2/models", True),
    ("method", other_method, "method POST became PUT", True),
    ("key asked for", lambda d: d["paths"]["/health"]["get"].pop("security"), "now asks for a key", True),
    (
        "required parameter",
        lambda d: op(d)["parameters"].append(
            {"name": "p", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
        "required parameter query p added",
        True,
    ),
    (
        "optional parameter",
        lambda d: op(d)["parameters"].append({"name": "p", "in": "query", "schema": {"type": "string"}}),
        "optional parameter query p added",
        False,
    ),
    ("parameter removed", lambda d: op(d)["parameters"].clear(), "parameter query dry removed", True),
    (
        "parameter required",
        lambda d: op(d)["parameters"][0].update(required=True),
        "parameter query dry became required",
        True,
    ),
    (
        "parameter type",
        lambda d: op(d)["parameters"][0].update(schema={"type": "integer"}),
        "type boolean became integer",
        True,
    ),
    ("body removed", lambda d: op(d).pop("requestBody"), "request body removed", True),
    (
        "body added",
        lambda d: d["paths"]["/health"]["get"].update(requestBody=op(d)["requestBody"]),
        "request body added",
        True,
    ),
    (
        "required request field",
        lambda d: (request(d).update(tag={"type": "string"}), schema(d, "Request")["required"].append("tag")),
        "required field of the request added",
        True,
    ),
    (
        "optional request field",
        lambda d: request(d).update(tag={"type": "string"}),
        "optional field of the request added",
        False,
    ),
    ("request field removed", lambda d: request(d).pop("rank"), "field of the request removed", True),
    (
        "request field required",
        lambda d: schema(d, "Request")["required"].append("rank"),
        "field of the request became required",
        True,
    ),
    (
        "request field optional",
        lambda d: schema(d, "Request")["required"].clear(),
        "field of the request became optional",
        False,
    ),
    ("request type", lambda d: request(d)["rank"].update(type="string"), "type integer became string", True),
    (
        "request type wider",
        lambda d: request(d)["rank"].update(type="number"),
        "type integer became number",
        False,
    ),
    (
        "null refused",
        lambda d: request(d)["seed"].update(type="integer"),
        "type integer, null became integer",
        True,
    ),
    (
        "null taken",
        lambda d: request(d)["rank"].update(type=["integer", "null"]),
        "became integer, null",
        False,
    ),
    (
        "null of a reference refused",
        lambda d: request(d).update(tree={"$ref": "#/components/schemas/Tree"}),
        "type null, object became object",
        True,
    ),
    (
        "alternative removed",
        lambda d: request(d)["stop"]["anyOf"].pop(),
        "alternative array of string removed",
        True,
    ),
    (
        "alternative added",
        lambda d: request(d)["stop"]["anyOf"].append({"type": "array", "items": {"type": "integer"}}),
        "alternative array of integer added",
        False,
    ),
    ("enum narrowed", lambda d: request(d)["loss"]["enum"].remove("ppo"), "values ppo removed", True),
    ("enum widened", lambda d: request(d)["loss"]["enum"].append("dro"), "values dro added", False),
    ("enum new", lambda d: request(d)["name"].update(enum=["a"]), "values are now limited to a", True),
    ("enum gone", lambda d: request(d)["loss"].pop("enum"), "values are no longer limited", False),
    ("lower limit up", lambda d: request(d)["rank"].update(minimum=2), "minimum 1 became 2", True),
    ("lower limit down", lambda d: request(d)["rank"].update(minimum=0), "minimum 1 became 0", False),
    ("upper limit down", lambda d: request(d)["name"].update(maxLength=3), "maxLength 9 became 3", True),
    ("upper limit gone", lambda d: request(d)["name"].pop("maxLength"), "maxLength 9 became None", False),
    ("pattern new", lambda d: request(d)["name"].update(pattern="^a"), "pattern None became ^a", True),
    (
        "exclusive groups",
        lambda d: schema(d, "Request").update(oneOf=[given("name", "rank")]),
        "groups that exclude each other",
        True,
    ),
    (
        "unknown fields taken",
        lambda d: schema(d, "Request").update(additionalProperties=True),
        "unknown fields: refused became kept",
        False,
    ),
    ("answer field removed", lambda d: answer(d).pop("cost"), "field of the answer removed", True),
    (
        "answer field added",
        lambda d: answer(d).update(more={"type": "string"}),
        "optional field of the answer added",
        False,
    ),
    (
        "required answer field added",
        lambda d: (answer(d).update(more={"type": "string"}), schema(d, "Answer")["required"].append("more")),
        "required field of the answer added",
        False,
    ),
    ("answer type", lambda d: answer(d)["cost"].update(type="string"), "type number became string", True),
    (
        "answer type narrower",
        lambda d: answer(d)["cost"].update(type="integer"),
        "number became integer",
        False,
    ),
    ("answer null", lambda d: answer(d)["id"].update(type=["string", "null"]), "became null, string", True),
    (
        "answer optional",
        lambda d: schema(d, "Answer")["required"].clear(),
        "field of the answer became optional",
        True,
    ),
    ("answer limited", lambda d: answer(d)["state"].update(enum=["a"]), "values are now limited to a", False),
    ("answer status gone", lambda d: op(d)["responses"].pop("200"), "answer 200 removed", True),
    (
        "another success",
        lambda d: op(d)["responses"].update({"201": op(d)["responses"].pop("200")}),
        "answer 200 removed",
        True,
    ),
    (
        "any success",
        lambda d: op(d)["responses"].update({"2XX": op(d)["responses"].pop("200")}),
        "answer 200 became 2XX",
        True,
    ),
    (
        "link gone",
        lambda d: op(d)["responses"]["200"].pop("links"),
        "link poll removed",
        False,
    ),
    ("error gone", lambda d: op(d)["responses"].pop("404"), "answer 404 removed", False),
    ("error new", lambda d: op(d)["responses"].update({"409": {}}), "answer 409 added", False),
    ("answer body gone", lambda d: op(d)["responses"]["200"].pop("content"), "body removed", True),
    (
        "result's type",
        lambda d: schema(d, "Result")["properties"]["path"].update(type="integer"),
        "type string became integer",
        True,
    ),
    ("no promise any more", lambda d: op(d).pop("x-tinker-result"), "is no longer a promise of Result", True),
    (
        "known values",
        lambda d: answer(d)["state"].update({"x-tinker-known-values": ["up"]}),
        "newly known: up",
        False,
    ),
]
