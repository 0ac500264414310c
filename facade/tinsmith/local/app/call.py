"""One request as the operations see it: parameters and body, read, capped, decoded and checked."""

import asyncio
import hashlib
from typing import Any

import attrs
import orjson
from starlette.requests import ClientDisconnect, Request

from .contract import OperationRules, check_body, check_parameter
from .refusal import Refusal

#: Bodies beyond this are decoded in a worker thread, so that the loop goes on.
THREAD_BYTES = 256 << 10
#: Bodies up to this size are compared by content, bigger ones byte by byte.
CANONICAL_BYTES = 1 << 20


@attrs.frozen(eq=False)
class Call:
    """One checked request."""

    operation: str
    """Operation id."""
    body: dict[str, Any] = attrs.field(repr=False)
    """Decoded body, `{}` when there is none."""
    raw: bytes = attrs.field(repr=False)
    """Body as it came."""
    digest: bytes = attrs.field(repr=False)
    """Fingerprint of operation and content."""
    parameters: dict[str, Any]
    """Path, query and header parameters by name."""
    base_url: str
    """Root that the client used, for URLs in answers."""

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


async def read_call(request: Request, rules: OperationRules, max_body_bytes: int) -> Call:
    """Read and check a request."""
    parameters = _parameters(request, rules)
    raw = await _read_body(request, max_body_bytes)
    body: dict[str, Any] = {}
    if rules.body is not None:
        _check_type(request)
        body = await asyncio.to_thread(decode, rules, raw) if len(raw) > THREAD_BYTES else decode(rules, raw)
    return Call(
        operation=rules.id,
        body=body,
        raw=raw,
        digest=digest(rules.id, raw) if rules.body is not None else b"",
        parameters=parameters,
        base_url=str(request.base_url),
    )


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


def _check_type(request: Request) -> None:
    """Refuse bodies of another kind."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, f"bodies are application/json, not {kind[:80]!r}")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise Refusal(415, f"bodies are not compressed, not {coding[:80]!r}")


async def _read_body(request: Request, max_body_bytes: int) -> bytes:
    """Read a body up to the cap."""
    too_big = Refusal(413, f"the body is bigger than {max_body_bytes} bytes; send less at a time")
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:19]) > max_body_bytes:
        raise too_big
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > max_body_bytes:
                raise too_big
            parts.append(part)
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended early") from error
    return b"".join(parts)
