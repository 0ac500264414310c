"""Ways to spoil the contract, each with the rule that it breaks."""

from collections.abc import Callable
from typing import Any

from tinsmith_api.model import Model

Document = dict[str, Any]


def schema(document: Document, name: str) -> Any:
    """Return one component schema."""
    return document["components"]["schemas"][name]


def field(document: Document, name: str, key: str) -> Any:
    """Return one field of a component schema."""
    return schema(document, name)["properties"][key]


def operation(document: Document, method: str, path: str) -> Any:
    """Return one operation."""
    return document["paths"][f"/api/v1/{path}"][method]


def drop(node: Any, *keys: str) -> None:
    """Take keys out of an object."""
    for key in keys:
        del node[key]


BREAKS: list[tuple[str, str, Callable[[Document], Any]]] = [
    ("unions_are_tagged", "no discriminator", lambda d: drop(schema(d, "ModelInputChunk"), "discriminator")),
    ("unions_are_tagged", "tag not required", lambda d: schema(d, "ImageChunk")["required"].remove("type")),
    (
        "tags_decide",
        "tag no constant",
        lambda d: drop(field(d, "ImageChunk", "type"), "const", "default"),
    ),
    (
        "tags_decide",
        "inline member",
        lambda d: schema(d, "ModelInputChunk")["oneOf"].append({"type": "object", "properties": {}}),
    ),
    (
        "tags_decide",
        "wrong mapping",
        lambda d: schema(d, "ModelInputChunk")["discriminator"]["mapping"].pop("image"),
    ),
    (
        "tags_decide",
        "rest leaves a kind to nobody",
        lambda d: field(d, "OtherOptimizerConfig", "type")["not"]["enum"].append("lion"),
    ),
    (
        "unions_are_tagged",
        "untagged union in an answer",
        lambda d: field(d, "GetInfoResponse", "model_data").update(
            anyOf=[{"$ref": "#/components/schemas/Cursor"}, {"$ref": "#/components/schemas/Checkpoint"}]
        ),
    ),
    (
        "unions_are_tagged",
        "unlisted scalar union",
        lambda d: field(d, "LoraConfig", "seed").update(type=["integer", "string"]),
    ),
    (
        "unions_are_tagged",
        "object in a scalar union",
        lambda d: field(d, "SamplingParams", "stop")["anyOf"].append({"type": "object"}),
    ),
    *[
        (
            "names_are_free",
            name,
            lambda d, name=name: schema(d, "Cursor")["properties"].update(
                {name: field(d, "Cursor", "limit")}
            ),
        )
        for name in (*(name for name in dir(Model) if not name.startswith("__")), "_x", "self", "cls")
    ],
    ("required_fields_exist", "typo", lambda d: schema(d, "LoraConfig")["required"].append("rnak")),
    (
        "answers_hold_no_enum",
        "enum",
        lambda d: field(d, "SampledSequence", "stop_reason").update(enum=["length", "stop"]),
    ),
    (
        "answers_hold_no_enum",
        "union without a rest",
        lambda d: schema(d, "OptimizerConfig")["oneOf"].pop(),
    ),
    (
        "answers_hold_no_enum",
        "constant in a promise's result",
        lambda d: field(d, "OptimStepResponse", "metrics").update(const=1),
    ),
    ("defaults_are_constants", "default", lambda d: field(d, "LoraConfig", "rank").update(default=32)),
    ("defaults_are_constants", "no default", lambda d: drop(field(d, "GetInfoRequest", "type"), "default")),
    ("constants_are_text", "number", lambda d: field(d, "GetInfoRequest", "type").update(type="integer")),
    ("all_is_described", "schema", lambda d: drop(schema(d, "Datum"), "description")),
    ("all_is_described", "field", lambda d: drop(field(d, "Datum", "model_input"), "description")),
    ("all_is_described", "no example", lambda d: drop(field(d, "LoraConfig", "rank"), "examples")),
    ("null_is_a_type", "3.0 style", lambda d: field(d, "LoraConfig", "seed").update(nullable=True)),
    (
        "openness_fits_the_side",
        "closed answer",
        lambda d: schema(d, "Cursor").update(additionalProperties=False),
    ),
    (
        "openness_fits_the_side",
        "open request",
        lambda d: schema(d, "Datum").update(additionalProperties=True),
    ),
    ("openness_fits_the_side", "nothing said", lambda d: drop(schema(d, "Datum"), "additionalProperties")),
    (
        "big_arrays_are_bare",
        "union of numbers",
        lambda d: field(d, "TensorData", "data").update(
            items={"anyOf": [{"type": "integer"}, {"type": "number"}]}
        ),
    ),
    (
        "big_arrays_are_bare",
        "limit on each entry",
        lambda d: field(d, "EncodedTextChunk", "tokens").update(items={"type": "integer", "minimum": 0}),
    ),
    (
        "big_arrays_are_bare",
        "entries of any kind",
        lambda d: field(d, "SampleResponse", "prompt_logprobs").update(items={}),
    ),
    (
        "big_arrays_are_bare",
        "not marked",
        lambda d: drop(field(d, "EncodedTextChunk", "tokens"), "x-tinker-big"),
    ),
    (
        "big_arrays_are_bare",
        "union in a small array",
        lambda d: field(d, "CreateSessionRequest", "tags").update(items={"type": ["string", "integer"]}),
    ),
    *[
        (
            "limits_are_checked",
            keyword,
            lambda d, keyword=keyword: field(d, "LoraConfig", "rank").update({keyword: 2}),
        )
        for keyword in ("multipleOf", "uniqueItems", "maxProperties", "contains", "if")
    ],
    (
        "limits_are_checked",
        "parameter",
        lambda d: d["components"]["parameters"]["SessionIdPath"].update(
            schema={"type": "integer", "multipleOf": 2}
        ),
    ),
    ("numbers_have_limits", "no limit", lambda d: drop(field(d, "LoraConfig", "rank"), "minimum")),
    ("numbers_have_limits", "no unit", lambda d: drop(field(d, "Checkpoint", "size_bytes"), "x-unit")),
    ("examples_are_valid", "wrong type", lambda d: field(d, "LoraConfig", "rank").update(examples=["8"])),
    ("examples_are_valid", "below the limit", lambda d: field(d, "LoraConfig", "rank").update(examples=[0])),
    (
        "examples_are_valid",
        "default of another type",
        lambda d: field(d, "SampleRequest", "num_samples").update({"x-tinker-known-default": "1"}),
    ),
    ("schemas_are_used", "orphan", lambda d: d["components"]["schemas"].update(Orphan={"type": "object"})),
    (
        "schemas_are_used",
        "named by an extension alone",
        lambda d: operation(d, "post", "x-tinsmith/stream_sample")["responses"]["2XX"]["content"][
            "text/event-stream"
        ]["schema"]["properties"]["data"].pop("contentSchema"),
    ),
    ("bytes_and_ids_are_text", "byte", lambda d: field(d, "ImageChunk", "data").update(format="byte")),
    (
        "nothing_traps_the_generator",
        "items false",
        lambda d: field(d, "Datum", "model_input").update(items=False),
    ),
    (
        "nothing_traps_the_generator",
        "reference into $defs",
        lambda d: field(d, "Datum", "model_input").update(properties={"x": {"$ref": "#/$defs/X"}}),
    ),
    ("ids_are_snake_case", "camel", lambda d: operation(d, "get", "healthz").update(operationId="getHealth")),
    ("ids_are_unique", "twice", lambda d: operation(d, "get", "healthz").update(operationId="forward")),
    ("ids_are_unique", "none", lambda d: drop(operation(d, "get", "healthz"), "operationId")),
    ("tags_are_declared", "unknown", lambda d: operation(d, "get", "healthz").update(tags=["misc"])),
    ("tags_are_declared", "two", lambda d: operation(d, "get", "healthz")["tags"].append("models")),
    ("operations_are_described", "operation", lambda d: drop(operation(d, "get", "healthz"), "description")),
    (
        "operations_are_described",
        "parameter",
        lambda d: drop(d["components"]["parameters"]["Limit"], "description"),
    ),
    (
        "operations_are_described",
        "answer",
        lambda d: drop(d["components"]["responses"]["Gone"], "description"),
    ),
    (
        "operations_are_described",
        "header",
        lambda d: drop(d["components"]["headers"]["Location"], "description"),
    ),
    (
        "json_first",
        "a third kind of request",
        lambda d: operation(d, "post", "forward")["requestBody"]["content"].update({"application/xml": {}}),
    ),
    (
        "json_first",
        "an answer that is text",
        lambda d: operation(d, "get", "healthz")["responses"]["2XX"].update(content={"text/plain": {}}),
    ),
    (
        "json_first",
        "a stream of nothing known",
        lambda d: operation(d, "post", "x-tinsmith/stream_sample")["responses"]["2XX"]["content"][
            "text/event-stream"
        ].pop("x-tinsmith-events"),
    ),
    (
        "path_parameters_match",
        "undeclared",
        lambda d: operation(d, "get", "samplers/{sampler_id}").pop("parameters"),
    ),
    (
        "path_parameters_match",
        "optional",
        lambda d: d["components"]["parameters"]["SamplerIdPath"].update(required=False),
    ),
    (
        "methods_name_what_is_there",
        "unknown word",
        lambda d: operation(d, "post", "save_weights")["x-tinker-method"].update(names="x"),
    ),
    (
        "methods_name_what_is_there",
        "unknown place",
        lambda d: operation(d, "post", "save_weights")["x-tinker-method"].update(place="run"),
    ),
    (
        "methods_name_what_is_there",
        "unknown field",
        lambda d: operation(d, "post", "save_weights")["x-tinker-method"].update(omit=["colour"]),
    ),
    (
        "methods_name_what_is_there",
        "no body",
        lambda d: operation(d, "get", "sessions").update({"x-tinker-method": {"body": "request"}}),
    ),
    (
        "methods_name_what_is_there",
        "taken name",
        lambda d: operation(d, "post", "save_weights")["x-tinker-method"].update(name="load_state"),
    ),
    (
        "methods_name_what_is_there",
        "rows that are no list",
        lambda d: operation(d, "get", "training_runs")["x-tinker-page"].update(items="cursor"),
    ),
    (
        "promises_name_their_result",
        "no result",
        lambda d: operation(d, "post", "forward").pop("x-tinker-result"),
    ),
    (
        "promises_name_their_result",
        "unknown result",
        lambda d: operation(d, "post", "forward").update({"x-tinker-result": "Nothing"}),
    ),
    (
        "promises_name_their_result",
        "no request type",
        lambda d: operation(d, "post", "forward").pop("x-tinker-request-type"),
    ),
    (
        "promises_name_their_result",
        "no promise",
        lambda d: operation(d, "get", "healthz").update({"x-tinker-result": "Cursor"}),
    ),
    (
        "protobuf_forms_exist",
        "no such message",
        lambda d: operation(d, "post", "optim_step")["requestBody"]["content"].update(
            {"application/x-protobuf": {}}
        ),
    ),
    (
        "messages_are_used",
        "request not said",
        lambda d: operation(d, "post", "forward_backward")["requestBody"]["content"].pop(
            "application/x-protobuf"
        ),
    ),
    (
        "messages_are_used",
        "result of nobody",
        lambda d: operation(d, "post", "asample").update({"x-tinker-result": "OptimStepResponse"}),
    ),
    (
        "promises_link_to_their_poll",
        "no link",
        lambda d: operation(d, "post", "forward")["responses"]["2XX"].pop("links"),
    ),
    (
        "promises_link_to_their_poll",
        "link elsewhere",
        lambda d: d["components"]["links"]["Result"].update(operationId="retrieve_futures"),
    ),
    ("polls_name_every_result", "result forgotten", lambda d: schema(d, "FutureAnswer")["anyOf"].pop()),
    (
        "polls_name_every_result",
        "no result of anything",
        lambda d: schema(d, "FutureAnswer")["anyOf"].append({"$ref": "#/components/schemas/Cursor"}),
    ),
    (
        "polls_name_every_result",
        "not narrowed",
        lambda d: schema(d, "FutureAnswer").update(oneOf=schema(d, "FutureAnswer")["anyOf"]),
    ),
    (
        "polls_name_every_result",
        "no binary form",
        lambda d: operation(d, "post", "retrieve_future")["responses"]["2XX"]["content"].pop(
            "application/x-protobuf"
        ),
    ),
    ("version_is_semantic", "two parts", lambda d: d["info"].update(version="1.0")),
    ("version_is_semantic", "no release", lambda d: drop(d, "x-tinker-api")),
    (
        "groups_are_exclusive",
        "null counts as given",
        lambda d: schema(d, "OptimStepRequest")["oneOf"][0].pop("properties"),
    ),
    (
        "groups_are_exclusive",
        "required field",
        lambda d: schema(d, "OptimStepRequest")["required"].append("adam_params"),
    ),
    ("errors_are_documented", "no 429", lambda d: operation(d, "post", "forward")["responses"].pop("429")),
    ("errors_are_documented", "no 5XX", lambda d: operation(d, "get", "healthz")["responses"].pop("5XX")),
    ("errors_are_documented", "no body", lambda d: drop(d["components"]["responses"]["Conflict"], "content")),
    (
        "redirects_say_where",
        "no Location",
        lambda d: next(
            op for item in d["paths"].values() for op in item.values() if "302" in op["responses"]
        )["responses"]["302"].pop("headers"),
    ),
    (
        "key_is_a_header",
        "in the query",
        lambda d: d["components"]["securitySchemes"]["apiKey"].update({"in": "query"}),
    ),
    ("key_is_a_header", "nowhere asked for", lambda d: d.update(security=[])),
]
