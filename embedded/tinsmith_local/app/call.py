"""One request as the operations see it: parameters and body, read, capped, decoded and checked."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import orjson
from starlette.requests import ClientDisconnect, Request

from tinsmith_local.app import wire
from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.contract import Contract, OperationRules, check_body, check_parameter
from tinsmith_local.options import Wire

if TYPE_CHECKING:
    from tinsmith.core.codec.wire import Encoding

THREAD_BYTES = 256 << 10
"""Bodies beyond this are decoded in a worker thread, so that the loop goes on."""
CANONICAL_BYTES = 1 << 20
"""Bodies up to this size are compared by content, bigger ones byte by byte."""


@attrs.frozen(kw_only=True)
class BodyRules:
    """What bodies the service takes."""

    wire: Wire
    """Encodings of batches and results."""
    max_body_bytes: int
    """Bigger bodies are answered 413."""
    body_s: float
    """Longest time that a body may take; then the answer is 408."""


@attrs.frozen(eq=False)
class Content:
    """A body, decoded and checked."""

    operation: str
    """Operation id."""
    body: dict[str, Any] = attrs.field(repr=False)
    """Decoded body, `{}` when there is none."""
    raw: bytes = attrs.field(repr=False)
    """Body as it is journalled: unpacked, and marked where it is protobuf."""
    digest: bytes = attrs.field(repr=False)
    """Fingerprint of operation and content."""


@attrs.frozen(eq=False)
class Call(Content):
    """One checked request."""

    parameters: dict[str, Any]
    """Path, query and header parameters by name."""
    base_url: str
    """Root that the client used, for URLs in answers."""
    accept: str = ""
    """What the client accepts."""

    def text(self, name: str) -> str:
        """Return a text field of the body that the schema requires."""
        return str(self.body[name])

    def whole(self, name: str) -> int | None:
        """Return a whole number of the body, or None; refuses what does not fit 64 bits."""
        return whole(self.body, name)


def whole(body: dict[str, Any], name: str, *path: str) -> int | None:
    """Return a whole number of an object, or None; refuses what does not fit 64 bits."""
    value = body.get(name)
    if value is None:
        return None
    if not -(2**63) <= value < 2**63:
        raise Refusal(422, f"{value} does not fit 64 bits", field=(*path, name))
    return int(value)


async def read_call(request: Request, contract: Contract, operation: str, allowed: BodyRules) -> Call:
    """Read and check a request."""
    rules = contract.rules(operation)
    parameters = _parameters(request, rules)
    raw = await _read_body(request, allowed)
    found = Content(rules.id, {}, raw, b"")
    if rules.body is not None:
        encoding = wire.body_encoding(request, operation, allowed.wire)
        packed = wire.is_packed(request, allowed.wire)
        limit = allowed.max_body_bytes if packed else None
        work = partial(_read_content, contract, rules, raw, encoding, limit)
        found = await asyncio.to_thread(work) if packed or len(raw) > THREAD_BYTES else work()
    return Call(
        **attrs.asdict(found, recurse=False),
        parameters=parameters,
        base_url=str(request.base_url),
        accept=request.headers.get("accept", ""),
    )


def _read_content(
    contract: Contract, rules: OperationRules, raw: bytes, encoding: Encoding, unpack_to: int | None
) -> Content:
    """Unpack, decode, check and fingerprint a body."""
    plain = raw if unpack_to is None else wire.unpack(raw, unpack_to)
    if encoding == "json":
        return Content(rules.id, decode(rules, plain), plain, digest(rules.id, plain))
    operation, body = wire.read_batch(plain)
    content = wire.canonical(body) if len(plain) <= CANONICAL_BYTES else plain
    checked = check_body(contract.rules(operation), wire.without_spans(body))
    return Content(operation, checked, wire.mark(plain), _fingerprint(operation, content))


def decode_journalled(contract: Contract, operation: str, journalled: bytes) -> dict[str, Any]:
    """Decode and check a body that was accepted before."""
    plain = wire.unmarked(journalled)
    body = orjson.loads(journalled) if plain is None else wire.without_spans(wire.read_batch(plain)[1])
    return check_body(contract.rules(operation), body)


def decode(rules: OperationRules, raw: bytes) -> dict[str, Any]:
    """Decode and check a body."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        hint = "; JSON has no NaN or infinity" if b"NaN" in raw or b"Infinity" in raw else ""
        raise Refusal(400, f"the body is not JSON: {error}{hint}", kind="json_invalid") from error
    return check_body(rules, body)


def digest(operation: str, raw: bytes) -> bytes:
    """Fingerprint a request: of its content when it is small, of its bytes when it is big."""
    content = raw
    if len(raw) <= CANONICAL_BYTES:
        content = orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)
    return _fingerprint(operation, content)


def _fingerprint(operation: str, content: bytes) -> bytes:
    """Hash content that was written in one way only."""
    return hashlib.blake2b(content, digest_size=20, person=operation[:16].encode()).digest()


def _parameters(request: Request, rules: OperationRules) -> dict[str, Any]:
    """Read and check the parameters of a request."""
    found: dict[str, Any] = {}
    for parameter in rules.parameters:
        source = {"path": request.path_params, "query": request.query_params, "header": request.headers}
        text = source[parameter.place].get(parameter.name)
        if text is not None:
            found[parameter.name] = check_parameter(parameter, text)
        elif parameter.required and parameter.place != "path":
            raise Refusal(422, "is required", field=(parameter.name,), kind="missing")
    return found


async def _read_body(request: Request, allowed: BodyRules) -> bytes:
    """Read a body up to the cap, and until its deadline."""
    max_body_bytes = allowed.max_body_bytes
    too_big = Refusal(413, f"the body is bigger than {max_body_bytes} bytes; send less at a time")
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:19]) > max_body_bytes:
        raise too_big
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(allowed.body_s):
            async for part in request.stream():
                size += len(part)
                if size > max_body_bytes:
                    raise too_big
                parts.append(part)
    except TimeoutError as error:
        late = f"the body was not there after {allowed.body_s:g} s"
        raise Refusal(408, late, headers={"Connection": "close"}) from error
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended early") from error
    return b"".join(parts)


def page(call: Call, default: int) -> tuple[int, int]:
    """Return limit and offset of a list."""
    return int(call.parameters.get("limit", default)), int(call.parameters.get("offset", 0))


def labels(stored: str | None) -> dict[str, str] | None:
    """Return stored metadata as answers have it: text by name; other JSON values are written as text."""
    if stored is None:
        return None
    found: dict[str, object] = orjson.loads(stored)
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in found.items()
    }


def moment(seconds: float) -> datetime:
    """Return a time of the store as answers have it."""
    return datetime.fromtimestamp(seconds, UTC)
