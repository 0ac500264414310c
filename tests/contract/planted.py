"""Changes planted in the real contract, one at a time, with what a client's author must be told of each.

Each finds its place by what it needs (an enum of a request, a redirect), so that it outlives changes there.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

from contract_document import Operation, operations, resolve
from contract_schema_rules import side

Document = dict[str, Any]
Verdict = Literal["breaking", "changed"]


def schemas(d: Document) -> Any:
    """Return the component schemas."""
    return d["components"]["schemas"]


def field(d: Document, name: str, key: str) -> Any:
    """Return one field of a schema."""
    return schemas(d)[name]["properties"][key]


def op(d: Document, wanted: str) -> Operation:
    """Return an operation by its id."""
    return next(found for found in operations(d) if found.id == wanted)


def success(d: Document, wanted: str) -> tuple[str, Any]:
    """Return the status and answer of an operation's success."""
    return next((s, a) for s, a in op(d, wanted).node["responses"].items() if str(s)[0] in "23")


def rename(d: Document, old: str, new: str) -> None:
    """Give a schema another name, and its references too."""
    fresh = json.loads(json.dumps(d).replace(f'"{old}"', f'"{new}"').replace(f'/{old}"', f'/{new}"'))
    d.clear()
    d.update(fresh)


def narrow_an_enum(d: Document) -> None:
    """Take a value from the first closed set of a request."""
    inside = side(d, answer=False)
    next(s for name, s in schemas(d).items() if name in inside and len(s.get("enum", [])) > 1)["enum"].pop()


def move(d: Document, wanted: str, path: str) -> None:
    """Put an operation's path elsewhere."""
    d["paths"] = {path if key == op(d, wanted).path else key: item for key, item in d["paths"].items()}


def events_of(d: Document) -> Any:
    """Return the schemas of the events of the one answer that streams."""
    return success(d, "stream_sample")[1]["content"]["text/event-stream"]["x-tinsmith-events"]


def other_success(d: Document, wanted: str) -> None:
    """Give an operation another status of success."""
    answers, (status, _) = op(d, wanted).node["responses"], success(d, wanted)
    answers["201" if status != "201" else "202"] = answers.pop(status)


def settle(d: Document, wanted: str) -> None:
    """Let a promise operation answer with its result at once."""
    node = op(d, wanted).node
    result = node.pop("x-tinker-result")
    content = resolve(d, success(d, wanted)[1])["content"]["application/json"]
    content["schema"] = {"$ref": f"#/components/schemas/{result}"}


def lose_null(d: Document) -> None:
    """Let a field of a request refuse null."""
    field(d, "SamplingParams", "seed")["type"] = "integer"


def with_loose_body(d: Document) -> None:
    """Let the body of a request be left out: the document before the change."""
    op(d, "auth_token").node["requestBody"]["required"] = False


def union(d: Document) -> Any:
    """Return how the chunks of a prompt are told apart."""
    return schemas(d)["ModelInputChunk"]["discriminator"]


def rename_a_tag_value(d: Document) -> None:
    """Let chunks with images go under another word."""
    union(d)["mapping"]["img"] = union(d)["mapping"].pop("image")


def alias(d: Document) -> Any:
    """Return the first operation that has shorter paths."""
    return next(o for o in operations(d) if "x-tinker-path-aliases" in o.node).node


def double_form(d: Document) -> None:
    """Take the binary form from an operation."""
    op(d, "forward_backward").node["requestBody"]["content"].pop("application/x-protobuf", None)


PLANTED: list[tuple[str, Verdict, str, Callable[[Document], Any]]] = [
    (
        "schema renamed",
        "changed",
        "schema renamed to SamplerInfo",
        lambda d: rename(d, "GetSamplerResponse", "SamplerInfo"),
    ),
    (
        "tag moved",
        "changed",
        "tag weights became models",
        lambda d: op(d, "weights_info").node.update(tags=["models"]),
    ),
    (
        "header of the key",
        "breaking",
        "header X-API-Key became header Authorization",
        lambda d: d["components"]["securitySchemes"]["apiKey"].update(name="Authorization"),
    ),
    (
        "server moved",
        "changed",
        "server https://other.example added",
        lambda d: d["servers"][0].update(url="https://other.example"),
    ),
    ("servers dropped", "changed", "removed", lambda d: d.update(servers=[])),
    (
        "Location dropped",
        "breaking",
        "header location removed",
        lambda d: success(d, "get_checkpoint_archive_url")[1].pop("headers"),
    ),
    (
        "path alias dropped",
        "changed",
        "x-tinker-path-aliases",
        lambda d: alias(d).pop("x-tinker-path-aliases"),
    ),
    (
        "name of a promise",
        "changed",
        "x-tinker-request-type OptimStep became Optim",
        lambda d: op(d, "optim_step").node.update({"x-tinker-request-type": "Optim"}),
    ),
    ("deprecated", "changed", "deprecated", lambda d: op(d, "optim_step").node.update(deprecated=True)),
    (
        "date without a format",
        "breaking",
        "format date-time",
        lambda d: schemas(d)["Timestamp"].pop("format"),
    ),
    (
        "time became date",
        "breaking",
        "format date-time became date",
        lambda d: schemas(d)["Timestamp"].update(format="date"),
    ),
    (
        "known default",
        "changed",
        "x-tinker-known-default 1 became 4",
        lambda d: field(d, "SampleRequest", "num_samples").update({"x-tinker-known-default": 4}),
    ),
    (
        "pairs became triples",
        "breaking",
        "length 2 became 3",
        lambda d: field(d, "SampleResponse", "topk_prompt_logprobs")["items"]["items"].update(
            minItems=3, maxItems=3
        ),
    ),
    (
        "tag's field",
        "breaking",
        "discriminator type became kind",
        lambda d: union(d).update(propertyName="kind"),
    ),
    ("tag's value", "breaking", "discriminator value image removed", rename_a_tag_value),
    (
        "no key asked for",
        "changed",
        "no longer asks for a key",
        lambda d: op(d, "weights_info").node.update(security=[]),
    ),
    (
        "answer's field optional",
        "breaking",
        "became optional",
        lambda d: schemas(d)["Cursor"]["required"].remove("limit"),
    ),
    (
        "answer's field null",
        "breaking",
        "type integer became integer, null",
        lambda d: field(d, "Cursor", "limit").update(type=["integer", "null"]),
    ),
    ("null refused", "breaking", "type integer, null became integer", lose_null),
    ("value of a request refused", "breaking", "values", narrow_an_enum),
    ("maximum lowered", "breaking", "maximum", lambda d: schemas(d)["TtlSeconds"].update(maximum=10)),
    (
        "maximum of a query",
        "breaking",
        "maximum",
        lambda d: d["components"]["parameters"]["Limit"]["schema"].update(maximum=10),
    ),
    (
        "request's field dropped",
        "breaking",
        "field of the request removed",
        lambda d: schemas(d)["SampleRequest"]["properties"].pop("prompt_alt_tokens_k"),
    ),
    ("another success", "changed", "answer", lambda d: other_success(d, "healthz")),
    ("promise settled", "breaking", "is no longer a promise", lambda d: settle(d, "save_weights")),
    (
        "result's field dropped",
        "breaking",
        "field of the answer removed",
        lambda d: schemas(d)["ForwardBackwardOutput"]["properties"].pop("metrics"),
    ),
    (
        "values of a map",
        "breaking",
        "type number became string",
        lambda d: schemas(d)["Metrics"].update(additionalProperties={"type": "string"}),
    ),
    (
        "array became object",
        "breaking",
        "type array became object",
        lambda d: schemas(d)["ListSessionsResponse"]["properties"].update(sessions={"type": "object"}),
    ),
    (
        "operation's id",
        "breaking",
        "operation id weights_info became get_weights_info",
        lambda d: op(d, "weights_info").node.update(operationId="get_weights_info"),
    ),
    (
        "path",
        "breaking",
        "path /api/v1/weights_info became /api/v1/w",
        lambda d: move(d, "weights_info", "/api/v1/w"),
    ),
    (
        "error dropped",
        "changed",
        "answer 429 removed",
        lambda d: op(d, "asample").node["responses"].pop("429"),
    ),
    (
        "event dropped",
        "breaking",
        "event error removed",
        lambda d: events_of(d).pop("error"),
    ),
    (
        "version alone",
        "changed",
        "became 99.0.0",
        lambda d: d["info"].update(version="99.0.0"),
    ),
]
"""What is planted, the verdict, words of the report, and how. Two more have tests of their own."""
