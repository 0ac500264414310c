"""A small service in memory that speaks the protocol, keeps a ledger, and fails on demand.

It answers as the known servers do, in the dialect that `ServerDialect` picks; it trains nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import attrs
import orjson
from tinsmith_api.operations import OPERATIONS

from tinsmith.core.negotiation import PROBE, PROBE_MODEL
from tinsmith.core.retry import Fault
from tinsmith.io.http.messages import Answer, Faulted, Seen
from tinsmith.io.http.transport import client_of
from tinsmith.testing.fault_plans import ACTS_FIRST, ON_POLLS, FaultKind, FaultPlan, active

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TRAINING = frozenset(operation.id for operation in OPERATIONS.values() if operation.in_order)
"""Operations whose order counts: they are numbered within a model."""


@attrs.frozen
class Applied:
    """One request that was applied, each time that it was."""

    model_id: str
    """The id of the model, or of the sampler, that it was for."""
    seq_id: int
    """Its number there, from 1 for a model and from 0 for a sampler."""
    operation: str
    """The operation id, such as `forward_backward`."""
    digest: str
    """The first 16 hexadecimal digits of the SHA-256 of its bytes."""
    request_id: str
    """The id of the promise that the service gave for it."""


class Ledger:
    """Every request that was applied, in the order of application: the evidence for exactly-once."""

    def __init__(self) -> None:
        self._entries: list[Applied] = []
        self._guard = threading.Lock()

    @property
    def applied(self) -> Sequence[Applied]:
        """The entries so far."""
        with self._guard:
            return tuple(self._entries)

    def note(self, entry: Applied) -> None:
        """Add an entry."""
        with self._guard:
            self._entries.append(entry)

    def of(self, model_id: str) -> list[Applied]:
        """Return the entries of one model."""
        return [entry for entry in self.applied if entry.model_id == model_id]

    def numbers(self, model_id: str) -> list[int]:
        """Return the numbers applied on one model, in order of application."""
        return [entry.seq_id for entry in self.of(model_id)]

    def doubles(self) -> list[tuple[str, int]]:
        """Return each (model_id, seq_id) that was applied more than once."""
        counted = Counter((entry.model_id, entry.seq_id) for entry in self.applied)
        return [key for key, times in counted.items() if times > 1]

    def assert_exactly_once(self, model_id: str, last: int | None = None) -> None:
        """Raise `AssertionError` unless 1, 2, 3 … were applied in order, each once; up to `last` if given."""
        numbers = self.numbers(model_id)
        expected = list(range(1, (len(numbers) if last is None else last) + 1))
        assert numbers == expected, f"applied {numbers}, expected {expected}"


@attrs.frozen
class ServerDialect:
    """How a server differs from the usual one."""

    duplicates: Literal["promise", "conflict", "refuse", "apply", "sequence"] = "promise"
    """What a request gets that comes a second time, byte for byte.

    "promise": the promise of the first; "conflict": 409 with that promise; "refuse": 409 without it; "apply":
    it is applied again; "sequence": a promise of its own, which fails with a 409 that names the number
    expected.
    """
    order: Literal["wait", "hold", "promise", "strict", "arrival"] = "wait"
    """What a request gets that leaves a gap before its number.

    "wait": 408; "hold": it is held until the gap is filled, and gets 408 after `gap_wait_s`; "promise": a
    promise, and it is applied once the gap is filled; "strict": 409; "arrival": it is applied.
    """
    ready_after_polls: int = 0
    """How many polls of a promise are answered with "not yet"; 0 and more."""
    not_yet: Literal["408", "try_again"] = "408"
    """How "not yet" is said: by status 408, or by 200 with a body of type `try_again`."""
    hold_s: float = 0.0
    """Seconds for which a poll is held before "not yet"."""
    names: Literal["overwrite", "refuse"] = "overwrite"
    """What becomes of a save under a name that exists: it is overwritten, or refused with 409."""
    lacks: frozenset[str] = frozenset()
    """Operations that are answered as a framework answers for a missing route."""
    lacks_losses: frozenset[str] = frozenset()
    """Losses that are answered with 501."""
    gap_wait_s: float = 10.0
    """Seconds for which a request is held that leaves a gap."""


@attrs.define
class _Promise:
    payload: dict[str, Any] | None
    polls: int = 0
    gone: bool = False
    failure: dict[str, Any] | None = None
    status: int = 200


class LedgerService:
    """The server side of a test, without a socket: `ServiceClient(**service.settings())` talks to it.

    >>> from tinsmith import ServiceClient, testing
    >>> service = testing.LedgerService()
    >>> with ServiceClient(**service.settings()) as client:
    ...     models = client.get_server_capabilities().supported_models
    >>> models[0].model_name, [request.path for request in service.seen]
    ('tinsmith/tiny', ['api/v1/get_server_capabilities'])
    """

    def __init__(self, dialect: ServerDialect | None = None, plan: FaultPlan | None = None) -> None:
        self.dialect = dialect or ServerDialect()
        """How it answers."""
        self.plan = plan
        """Which requests meet a fault; None for the plan of the `faults` block around."""
        self.ledger = Ledger()
        """What it applied."""
        self.seen: list[Seen] = []
        """Every request in order of arrival, without the probes, which neither rules nor plans get."""
        self.probes: list[Seen] = []
        """The requests by which a client finds out the encoding; they apply nothing."""
        self.rules: list[Callable[[str, Seen, dict[str, Any]], Answer | None]] = []
        """Functions of (operation, request, body); an answer that one of them returns is sent at once."""
        self.fail_promise: Callable[[str, dict[str, Any]], dict[str, Any] | None] | None = None
        """A function of (operation, body) that returns the failure in which the promise ends, or None."""
        self.results: dict[str, dict[str, Any]] = {}
        """Results of promises by operation, in place of those that the service makes up."""
        self._promises: dict[str, _Promise] = {}
        self._by_number: dict[tuple[str, int], tuple[str, str]] = {}
        self._next: dict[str, int] = {}
        self._early: dict[tuple[str, int], tuple[str, bytes, dict[str, Any], str]] = {}
        self._held: dict[str, list[asyncio.Future[None]]] = {}
        self._counter = 0
        self._sessions: set[str] = set()
        self._saved: set[tuple[str, str]] = set()
        self._lost_once: set[str] = set()
        self._opened = 0

    def settings(self, **changed: Any) -> dict[str, Any]:
        """Return the arguments of a `ServiceClient` whose server this is."""
        fixed = {
            "base_url": "http://127.0.0.1:1/",
            "api_key": "tml-test",
            "server_deduplicates": self.dialect.duplicates != "apply",
            "http_client": client_of(self.answer),
        }
        return {**fixed, **changed}

    def lose_session(self) -> None:
        """Forget every session, as a server does that is restarted."""
        self._sessions.clear()

    def lose_promises(self) -> None:
        """Forget every promise that was given so far; a poll of one is answered 410."""
        for promise in self._promises.values():
            promise.gone = True

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer one request, or fail as the plan says.

        An answer that drips is waited for here until the deadline ends it, unless the caller can drip.
        """
        if seen.body == PROBE and seen.path.endswith("/forward_backward"):
            self.probes.append(seen)
            return self._unnamed()
        if PROBE_MODEL.encode() in seen.body:
            self.probes.append(seen)
            return reply({"detail": "this service reads JSON alone"}, 415)
        self.seen.append(seen)
        plan = self.plan or active()
        kind = plan.next_for(seen) if plan is not None else None
        return await self._serve(seen) if kind is None else await self.meet(kind, seen, drips=drips)

    async def meet(self, kind: FaultKind, seen: Seen, *, drips: bool = True) -> Answer:
        """Have a request meet a fault: apply it or not, and return or raise what the client sees of that."""
        if kind in ON_POLLS:
            return await self._meet_on_poll(kind, seen)
        if kind is FaultKind.ANOTHERS_PROMISE_AFTER:
            return self._anothers_promise(seen, await self._serve(seen))
        if kind is FaultKind.DUPLICATED:
            await self._serve(seen)
            return await self._serve(seen)
        hidden = await self._serve(seen) if kind in ACTS_FIRST else None
        if kind is FaultKind.DRIP_AFTER and not drips:
            raise Faulted(Fault.DEADLINE, "the answer drips")
        return await _fault(kind, hidden)

    async def _meet_on_poll(self, kind: FaultKind, seen: Seen) -> Answer:
        request_id = (seen.json() or {}).get("request_id") if seen.path.endswith("/retrieve_future") else None
        if request_id is None:
            return await self._serve(seen)
        if kind is FaultKind.GONE_ON_POLL:
            if request_id in self._lost_once:
                return await self._serve(seen)
            self._lost_once.add(request_id)
            return reply({"detail": f"unknown promise {request_id!r}"}, 404)
        return _POLL_FAULTS[kind]

    def _anothers_promise(self, seen: Seen, own: Answer) -> Answer:
        """Replace the promise in an answer by the first of the same model or sampler."""
        body = seen.json() or {} if own.status == 200 and self._by_number else {}
        owner = body.get("model_id", body.get("sampling_session_id"))
        mine = (given for (whose, _), (given, _) in self._by_number.items() if whose == owner)
        others = [request_id for request_id in mine if request_id in self._promises]
        promised = "seq_id" in body and others and own.json().get("request_id") not in (None, others[0])
        return reply({"request_id": others[0]}) if promised else own

    async def _serve(self, seen: Seen) -> Answer:
        operation = seen.path.removeprefix("api/v1/")
        is_json = seen.headers.get("content-type", "application/json").startswith("application/json")
        body = (seen.json() or {}) if is_json else {}
        for rule in self.rules:
            answer = rule(operation, seen, body)
            if answer is not None:
                return answer
        if not is_json:
            return reply({"detail": "this service reads JSON alone"}, 415)
        if operation in self.dialect.lacks:
            return reply({"detail": "Not Found"}, 404)
        if operation in TRAINING:
            await self._hold(body)
            return self._in_order(operation, seen, body)
        if operation == "retrieve_future":
            return await self._retrieve(body)
        return self._direct(operation, seen, body)

    def _direct(self, operation: str, seen: Seen, body: dict[str, Any]) -> Answer:
        if operation == "create_session":
            self._opened += 1
            session_id = f"session-{self._opened}"
            self._sessions.add(session_id)
            return reply({"type": "create_session", "session_id": session_id})
        if operation == "session_heartbeat":
            known = body["session_id"] in self._sessions
            return (
                reply({"type": "session_heartbeat"}) if known else reply({"detail": "no such session"}, 404)
            )
        if operation == "get_server_capabilities":
            return reply({"supported_models": [{"model_name": "tinsmith/tiny"}]})
        if operation == "create_model":
            model_id = f"{body['session_id']}:train:{body['model_seq_id']}"
            self._next.setdefault(model_id, 1)
            return self._promise(f"model {model_id}", {"type": "create_model", "model_id": model_id})
        if operation == "get_info":
            data = {"model_name": "tinsmith/tiny", "tokenizer_id": "tinsmith/tiny"}
            return reply({"model_data": data, "model_id": body["model_id"], "is_lora": True, "lora_rank": 32})
        if operation == "create_sampling_session":
            number = body["sampling_session_seq_id"]
            return reply({"sampling_session_id": f"{body['session_id']}:sample:{number}"})
        if operation == "asample":
            return self._sample(seen, body)
        if operation == "weights_info":
            return reply({"base_model": "tinsmith/tiny", "is_lora": True, "lora_rank": 8})
        return reply({"detail": f"no such route: {seen.path}"}, 404)

    @staticmethod
    def _unnamed() -> Answer:
        return reply({"detail": [{"loc": ["body", "model_id"], "msg": "Field required"}]}, 422)

    def _sample(self, seen: Seen, body: dict[str, Any]) -> Answer:
        tokens = [7] * (body["sampling_params"].get("max_tokens") or 1)
        one = {"stop_reason": "length", "tokens": tokens, "logprobs": [-0.5] * len(tokens)}
        result: dict[str, Any] = {"type": "sample", "sequences": [one] * body["num_samples"]}
        if body.get("prompt_logprobs"):
            length = sum(len(chunk["tokens"]) for chunk in body["prompt"]["chunks"])
            result["prompt_logprobs"] = [None] + [-1.0] * (length - 1)
        return self._numbered("asample", body["sampling_session_id"], body["seq_id"], seen.body, result)

    def _in_order(self, operation: str, seen: Seen, body: dict[str, Any]) -> Answer:
        if "model_id" not in body:
            return self._unnamed()
        model_id, seq_id = body["model_id"], body["seq_id"]
        if model_id not in self._next:
            return reply({"detail": f"no such model: {model_id}"}, 404)
        known = (model_id, seq_id) in self._by_number
        if not known and self._is_early(body) and self.dialect.order != "promise":
            status = 409 if self.dialect.order == "strict" else 408
            return reply({"detail": f"seq_id {self._next[model_id]} is expected"}, status)
        refused = self._refused(operation, body)
        if refused is not None and not known:
            return refused
        result = self.results.get(operation) or _result(operation, body)
        if not known and self._is_early(body):
            return self._keep_early(operation, model_id, seq_id, seen.body, result)
        answer = self._numbered(operation, model_id, seq_id, seen.body, result)
        self._fill_gap(model_id)
        return answer

    def _is_early(self, body: dict[str, Any]) -> bool:
        """Say whether a number below that of a request is missing."""
        expected = self._next.get(body.get("model_id", ""))
        return self.dialect.order != "arrival" and expected is not None and body["seq_id"] > expected

    async def _hold(self, body: dict[str, Any]) -> None:
        """Hold a request that leaves a gap, until it is filled or the time is up."""
        clock = asyncio.get_running_loop().time
        until_s = clock() + self.dialect.gap_wait_s
        while self.dialect.order == "hold" and self._is_early(body) and clock() < until_s:
            filled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._held.setdefault(body["model_id"], []).append(filled)
            await asyncio.wait([filled], timeout=until_s - clock())

    def _keep_early(
        self, operation: str, model_id: str, seq_id: int, body: bytes, result: dict[str, Any]
    ) -> Answer:
        """Give a promise for a request that leaves a gap."""
        answer = self._promise(None, None)
        request_id = orjson.loads(answer.body)["request_id"]
        self._early[model_id, seq_id] = (operation, body, result, request_id)
        self._by_number[model_id, seq_id] = (request_id, hashlib.sha256(body).hexdigest()[:16])
        return answer

    def _fill_gap(self, model_id: str) -> None:
        """Apply what waited for the number that came, and let go on what is held for it."""
        while (kept := self._early.pop((model_id, self._next[model_id]), None)) is not None:
            operation, body, result, request_id = kept
            del self._by_number[model_id, self._next[model_id]]
            self._numbered(operation, model_id, self._next[model_id], body, result, request_id)
        for filled in self._held.pop(model_id, ()):
            if not filled.done():
                filled.set_result(None)

    def _refused(self, operation: str, body: dict[str, Any]) -> Answer | None:
        """Refuse what the dialect does not take: a name that exists, a loss that is missing."""
        name = body.get("path")
        if operation.startswith("save_") and name is not None and self.dialect.names == "refuse":
            if (body["model_id"], name) in self._saved:
                text = f"Checkpoint {name!r} already exists for model {body['model_id']!r}"
                return reply({"detail": text}, 409)
            self._saved.add((body["model_id"], name))
        loss = (body.get(f"{operation}_input") or {}).get("loss_fn")
        if loss in self.dialect.lacks_losses:
            return reply({"detail": f"loss_fn {loss!r} is not implemented"}, 501)
        return None

    def _numbered(
        self,
        operation: str,
        owner: str,
        seq_id: int,
        body: bytes,
        result: dict[str, Any],
        name: str | None = None,
    ) -> Answer:
        digest = hashlib.sha256(body).hexdigest()[:16]
        before = self._by_number.get((owner, seq_id))
        if before is not None and self.dialect.duplicates != "apply":
            request_id, known_digest = before
            if digest != known_digest:
                return reply({"detail": f"seq_id {seq_id} was used for another request"}, 409)
            if self.dialect.duplicates == "sequence":
                text = f"Sequence conflict: expected {self._next[owner]}, got {seq_id}."
                return self._promise(None, {"detail": text}, status=409)
            told = {} if self.dialect.duplicates == "refuse" else {"request_id": request_id}
            if self.dialect.duplicates == "promise":
                return reply(told)
            return reply({"detail": f"seq_id {seq_id} is known", **told}, 409)
        failure = self.fail_promise(operation, orjson.loads(body)) if self.fail_promise else None
        answer = self._promise(name, result, failure)
        request_id = orjson.loads(answer.body)["request_id"]
        self._by_number[owner, seq_id] = (request_id, digest)
        self._next[owner] = max(self._next.get(owner, 0), seq_id + 1)
        if failure is None:
            self.ledger.note(Applied(owner, seq_id, operation, digest, request_id))
        return answer

    def _promise(
        self,
        name: str | None,
        payload: dict[str, Any] | None,
        failure: dict[str, Any] | None = None,
        status: int = 200,
    ) -> Answer:
        self._counter += 1
        request_id = name or f"request-{self._counter}"
        known = self._promises.setdefault(request_id, _Promise(payload, failure=failure, status=status))
        if known.payload is None:  # it waited for numbers before its own
            known.payload, known.failure = payload, failure
        return reply({"request_id": request_id})

    async def _retrieve(self, body: dict[str, Any]) -> Answer:
        promise = self._promises.get(body["request_id"])
        if promise is None or promise.gone:
            return reply({"detail": "no such promise"}, 410)
        promise.polls += 1
        if promise.polls <= self.dialect.ready_after_polls or promise.payload is None:
            await asyncio.sleep(self.dialect.hold_s)
            not_yet = {"type": "try_again", "request_id": body["request_id"], "queue_state": "active"}
            return reply(not_yet, 408 if self.dialect.not_yet == "408" else 200)
        return reply(promise.payload if promise.failure is None else promise.failure, promise.status)


def reply(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Make a JSON answer."""
    return Answer(status, {"content-type": "application/json", **(headers or {})}, orjson.dumps(value))


_POLL_FAULTS = {
    FaultKind.PAGE_ON_POLL: Answer(403, {"content-type": "text/html"}, b"<html><body>blocked</body></html>"),
    FaultKind.MESSAGE_ON_POLL: reply({"message": "Unauthorized"}, 401),
    FaultKind.EMPTY_400_ON_POLL: Answer(400, {}, b""),
    FaultKind.STATUS_451_ON_POLL: reply({"detail": "not here"}, 451),
    FaultKind.BROKEN_MESSAGE_ON_POLL: Answer(200, {"content-type": "application/x-protobuf"}, b"\xff" * 5),
    FaultKind.EMPTY_MESSAGE_ON_POLL: Answer(200, {"content-type": "application/x-protobuf"}, b""),
}
"""What polls are answered with."""


def _result(operation: str, body: dict[str, Any]) -> dict[str, Any]:
    if operation in ("forward", "forward_backward"):
        data = body[f"{operation}_input"]["data"]
        lengths = [sum(len(c.get("tokens", ())) for c in datum["model_input"]["chunks"]) for datum in data]
        outputs = [{"logprobs": {"data": [-0.5] * n, "dtype": "float32", "shape": [n]}} for n in lengths]
        metrics = {"loss:sum": float(sum(lengths))}
        return {"loss_fn_output_type": "ArrayRecord", "loss_fn_outputs": outputs, "metrics": metrics}
    if operation == "optim_step":
        return {"metrics": {"seq_id": float(body["seq_id"])}}
    model_id, name = body["model_id"], body.get("path")
    if operation == "save_weights":
        return {"type": operation, "path": f"tinker://{model_id}/weights/{name or body['seq_id']}"}
    if operation == "load_weights":
        return {"type": operation, "path": name}
    if operation == "save_weights_external":
        return {"type": operation, "path": f"tinker://{model_id}/external_weights/{name}", "size_bytes": 7}
    if name is not None:
        return {"type": operation, "path": f"tinker://{model_id}/sampler_weights/{name}"}
    number = body["sampling_session_seq_id"]
    return {"type": operation, "sampling_session_id": f"{model_id}:sample:{number}"}


async def _fault(kind: FaultKind, hidden: Answer | None) -> Answer:
    """Turn a fault into what the client sees of it."""
    if kind is FaultKind.REFUSED:
        raise Faulted(Fault.REFUSED, "connection refused")
    if kind in (FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER):
        raise Faulted(Fault.RESET, "connection reset by peer")
    if kind is FaultKind.TRUNCATED_AFTER:
        raise Faulted(Fault.TRUNCATED, "the answer ended early")
    if kind is FaultKind.DRIP_AFTER:
        await asyncio.sleep(3600)
    assert hidden is not None or kind not in ACTS_FIRST
    if kind is FaultKind.BROKEN_JSON_AFTER:
        return Answer(
            200, {"content-type": "application/json"}, hidden.body[: len(hidden.body) // 2] if hidden else b""
        )
    if kind is FaultKind.HTML_AFTER:
        return Answer(200, {"content-type": "text/html"}, b"<html><body>proxy</body></html>")
    if kind is FaultKind.EMPTY_AFTER:
        return Answer(200, {}, b"")
    status = int(kind.value.split()[0])
    advice = (
        {"retry-after": "2"} if kind in (FaultKind.STATUS_429_ADVISED, FaultKind.STATUS_503_BEFORE) else {}
    )
    return reply({"detail": str(kind)}, status, advice)
