"""One request with its answer: what is judged, and how it is kept in a file without a credential.

Owns the form of captures. Sends nothing and judges nothing.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import orjson
from tinsmith_api.operations import SECRET_HEADERS

from tinsmith.contract.document import shortened
from tinsmith.core.errors import TinkerError
from tinsmith.core.event_stream import EventParser, ServerEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from tinsmith.contract.document import Contract, Json

HEADERS = frozenset(
    {
        "accept",
        "content-encoding",
        "content-type",
        "expires",
        "location",
        "retry-after",
        "retry-after-ms",
        "server",
        "user-agent",
        "www-authenticate",
        "x-idempotency-key",
    }
)
"""Headers that are kept, beside all that begin with `x-tinker-`: those of which the contract speaks."""

UNKNOWN, WRONG_KEY = "unknown id", "wrong key"
"""Steps of a check whose requests are to be refused."""

NO_BODY = "a body that is none"
"""The step of requests whose body no operation takes."""

NO_ROUTE = "no such route"
"""The step of a request to a path that no server has: its answer shows how a missing route looks."""

REDACTED = "REDACTED"
LONGEST_LIST = 64
"""Entries of a list that a capture keeps."""

_TOKEN = re.compile(r"eyJ[\w.-]{8,}|tml-(?!:)[\w-]{8,}")
_SIGNED = re.compile(r"(?<=://)([^/?#]*)[/?#].*", re.DOTALL)
"""All of a signed URL behind its host: the signature may be in the path."""


_JSON = (dict, list, str, int, float, bool, type(None))
_KEPT: Mapping[str, tuple[type, ...]] = {
    "step": (str,),
    "method": (str,),
    "path": (str,),
    "status": (int,),
    "request_headers": (dict,),
    "request": _JSON,
    "answer_headers": (dict,),
    "answer": _JSON,
}
"""What a capture keeps of each exchange -> what it may be."""


class Exchange(NamedTuple):
    """One request and its answer."""

    name: str
    """Its name in the capture; says what it is about."""
    source: str
    """The capture, or the server, that it is from."""
    method: str
    """HTTP method in capitals."""
    path: str
    """Path below the server's root, without its query."""
    query: dict[str, str]
    """The query, the last value of each name."""
    status: int
    """HTTP status; 0 where no answer came."""
    request_headers: dict[str, str]
    """Headers of the request that the contract speaks of, names in lower case."""
    request: Json
    """Body: JSON, or `{"protobuf": base64}`, or `{"bytes": size}` for what is neither; None for none.

    A capture has beside the base64 what it says, as `json`, for people; it is not read.
    """
    answer_headers: dict[str, str]
    """Headers of the answer that the contract speaks of, names in lower case."""
    answer: Json
    """Body of the answer, as that of the request; `{"text": …}` for bare text.

    A stream is `{"events": [[name, data]]}`.
    """
    step: str = ""
    """What the check wanted to see with it; empty in traffic of others."""

    @property
    def is_success(self) -> bool:
        """Whether the server took the request."""
        return self.status // 100 == 2


def exchanges_in(path: Path) -> Iterator[Exchange]:
    """Read a capture; ValueError for a file that is none."""
    try:
        found = orjson.loads(path.read_bytes())
        orjson.dumps(found)  # which refuses what is nested too deeply
        for name, raw in found["examples"].items():
            yield _exchange(name, raw, path.stem)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is no capture of traffic: {error}") from error


def _exchange(name: str, raw: Mapping[str, Json], source: str) -> Exchange:
    """Read one example of a capture; ValueError names the field that is not of its type."""
    kept = {"step": "", **{field: raw[field] for field in _KEPT if field in raw or field != "step"}}
    for field, value in kept.items():
        texts = value.values() if field.endswith("headers") and isinstance(value, dict) else ()
        if type(value) not in _KEPT[field] or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{field} of {name!r} cannot be {shortened(value)}")
    address = urlsplit(kept.pop("path"))
    return Exchange(name=name, source=source, path=address.path, query=query_of(address.query), **kept)


def query_of(text: str) -> dict[str, str]:
    """Read a query; the last value of a name counts."""
    return {key: values[-1] for key, values in parse_qs(text, keep_blank_values=True).items()}


def written(found: Iterable[Exchange], about: str, contract: Contract, secrets: Collection[str] = ()) -> str:
    """Write exchanges as a capture, without credentials: neither `secrets` nor what looks like one."""
    examples: dict[str, Json] = {}
    counts: Counter[str] = Counter()
    for number, exchange in enumerate(map(explained, found), 1):
        op = contract.operation_of(exchange.method, exchange.path)
        kind = f"{exchange.method} {op.path if op else exchange.path} {exchange.status}"
        counts[kind] += 1
        query = "&".join(f"{key}={value}" for key, value in exchange.query.items())
        kept = {field: getattr(exchange, field) for field in _KEPT}
        examples[f"{number:03} {kind}"] = {**kept, "path": exchange.path + (f"?{query}" if query else "")}
    document = redacted({"about": about, "counts": dict(counts), "examples": examples}, contract, secrets)
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def redacted(value: Json, contract: Contract, secrets: Collection[str] = ()) -> Json:
    """Take credentials out of a value, and the rest of long lists."""
    fields = contract.secret_fields | (SECRET_HEADERS - {"location"})

    def clean(found: Json, key: str = "", hidden: bool = False) -> Json:
        hidden = hidden or key in fields
        if isinstance(found, dict):
            return {name: clean(inner, name, hidden) for name, inner in found.items()}
        if isinstance(found, list):
            return [clean(inner, key, hidden) for inner in found[:LONGEST_LIST]]
        if not isinstance(found, str):
            return found
        if hidden:
            return REDACTED
        for secret in secrets:
            found = found.replace(secret, REDACTED)
        return _SIGNED.sub(rf"\1/{REDACTED}", found) if key == "location" else _TOKEN.sub(REDACTED, found)

    return clean(value)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that the contract speaks of, by their names in lower case."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lower.items() if name in HEADERS or name.startswith("x-tinker-")}


def readable(body: bytes, content_type: str) -> Json:
    """Return a body as an exchange holds it."""
    if not body:
        return None
    if "protobuf" in content_type:
        return {"protobuf": base64.b64encode(body).decode()}
    if content_type.startswith("text/event-stream"):
        return {"events": [[event.name, readable(event.data.encode(), "")] for event in _events(body)]}
    try:
        found = orjson.loads(body)
        orjson.dumps({"examples": {"": {"answer": found}}})  # so a capture holds it, which must be read again
        return found
    except (ValueError, TypeError):  # also for what is nested too deeply
        text = body.decode("utf-8", "replace")
        return {"text": text[:500]} if text.isprintable() else {"bytes": len(body)}


def is_bare(body: Json) -> bool:
    """Whether a body was no JSON, but text or bytes."""
    return isinstance(body, dict) and len(body) == 1 and not body.keys().isdisjoint(("text", "bytes"))


def explained(exchange: Exchange) -> Exchange:
    """Return an exchange with what its protobuf bodies say, as `json` beside them."""
    try:
        plain = as_json(exchange)
    except ValueError:
        return exchange
    bodies: dict[str, Json] = {}
    for part in ("request", "answer"):
        packed, found = getattr(exchange, part), getattr(plain, part)
        if packed is not found:
            bodies[part] = {"protobuf": packed["protobuf"], "json": found}
    return exchange._replace(**bodies)


LIMIT_BYTES = 1 << 20
"""What a packed body of a capture may unfold to."""


def as_json(exchange: Exchange) -> Exchange:
    """Return an exchange with its protobuf bodies as JSON; ValueError where they say nothing."""
    packed_request = _protobuf(exchange.request, exchange.request_headers)
    packed_answer = _protobuf(exchange.answer, exchange.answer_headers)
    if packed_request is None and packed_answer is None:
        return exchange
    from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
    from tinsmith.core.codec.encode import to_wire
    from tinsmith.core.codec.proto_requests import decode_training_request
    from tinsmith.core.codec.wire import ProtobufPayload, decompress
    from tinsmith.core.errors import TinkerError
    from tinsmith.core.values import ForwardRequest

    path, request, answer = exchange.path, exchange.request, exchange.answer
    try:
        if (body := packed_request) is not None:
            if exchange.request_headers.get("content-encoding") == "zstd":
                body = decompress(body, LIMIT_BYTES)
            found = decode_training_request(body)
            path = path.replace("forward_backward", "forward") if isinstance(found, ForwardRequest) else path
            request = _plain(to_wire(found))
        if (body := packed_answer) is not None:
            payload = ProtobufPayload(body)
            is_sample = exchange.request_headers.get("x-tinker-request-type") == "Sample"
            told: Any = decode_sample(payload) if is_sample else decode_forward_backward(payload)
            answer = _plain(to_wire(told))
    except TinkerError as error:
        raise ValueError(f"is no message of its kind: {error}") from error
    return exchange._replace(path=path, request=request, answer=answer)


def _protobuf(body: Json, headers: Mapping[str, str]) -> bytes | None:
    """Return the bytes of a protobuf body; a JSON body may have such a field too, so the headers tell."""
    is_protobuf = isinstance(body, dict) and "protobuf" in body and set(body) <= {"protobuf", "json"}
    if not is_protobuf or "protobuf" not in headers.get("content-type", ""):
        return None
    if not isinstance(body["protobuf"], str):
        raise ValueError("is no protobuf: its bytes are not written as base64")
    return base64.b64decode(body["protobuf"])


def _plain(value: Json) -> Json:
    """Turn arrays into lists."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))


def _events(body: bytes) -> Iterator[ServerEvent]:
    """Read the events of a stream up to one that is too large."""
    with suppress(TinkerError):
        yield from EventParser().feed(body)
