"""The service of the chaos tests: it fails on command, and notes each breach of the law that only it can see.

It owns the mishaps of single requests and what arrived. It must not know what the client's futures say:
`witness` compares both.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import attrs
import orjson
from tinsmith.core.retry import PROVABLY_NOT_ACCEPTED, Fault
from tinsmith.io.http.messages import Answer, Faulted
from tinsmith.testing import FaultKind, LedgerService, ServerDialect
from tinsmith.testing.fault_plans import FaultPlan
from tinsmith.testing.ledger_service import TRAINING, reply

if TYPE_CHECKING:
    from tinsmith.io.http.messages import Seen

POLL = "retrieve_future"

Mark = tuple[int, int]
"""A request as the test knows it: (number of the call, chunk of the call)."""

Fits = Callable[[str, dict[str, Any]], bool]
"""Given an operation and a body: whether a mishap is for this request."""

LEARNING_RATE_UNIT = 2.0**-20
"""An optim_step carries the number of its call as this many of its learning rate."""

ARRIVALS_BOUND = 14
"""Sends of one request that the retry rules of `bench` allow: all tries, and again for one resubmission."""


def operation_of(seen: Seen) -> str:
    """Return the operation id of a request."""
    return seen.path.removeprefix("api/v1/")


def submission(operation: str, mark: Mark) -> Fits:
    """Return what fits the submission of one request."""
    return lambda asked, body: asked == operation and bool(body) and mark_of(asked, body) == mark


def mark_of(operation: str, body: dict[str, Any]) -> Mark:
    """Read the mark that the test put into a training request."""
    if operation in ("forward", "forward_backward"):
        first: int = body[f"{operation}_input"]["data"][0]["model_input"]["chunks"][0]["tokens"][0]
        return divmod(first, 100)
    if operation == "optim_step":
        return round(body["adam_params"]["learning_rate"] / LEARNING_RATE_UNIT), 0
    return int(body["path"].rpartition("c")[2]), 0


@attrs.frozen
class Mishap:
    """What happens to one request."""

    kind: FaultKind | None = None
    """A fault of the wire."""
    answer: Answer | None = None
    """The server answers this and does not act."""
    acts: bool = False
    """With `answer`: it acts all the same."""
    counts: bool = False
    """With `answer`: it does not act, and yet counts the number as used."""
    delay_s: float = 0.0
    """It answers this much later."""
    late_s: float | None = None
    """It acts this much later, even if the client has given up by then."""


class Script(FaultPlan):
    """The mishaps to come, by operation; the first that fits is used up."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Fits, Mishap]] = []
        """Which requests each mishap is for."""
        self.at: dict[int, Mishap] = {}
        """The mishaps of requests by position in the stream of all requests, from 0."""
        self.position = 0
        """Position of the next request."""

    def add(self, fits: Fits, mishap: Mishap, times: int = 1) -> None:
        """Have the next requests that fit meet a mishap."""
        self.waiting += [(fits, mishap)] * times

    def pop(self, operation: str, body: dict[str, Any]) -> Mishap | None:
        """Return what this request meets."""
        position, self.position = self.position, self.position + 1
        if position in self.at:
            return self.at[position]
        for index, (fits, mishap) in enumerate(self.waiting):
            if fits(operation, body):
                del self.waiting[index]
                return mishap
        return None

    def choose(self, seen: Seen) -> FaultKind | None:
        """Leave everything to `pop`."""
        return None


@attrs.define
class _Sends:
    """The sends of one number of one model."""

    body: str = ""
    """Digest of the bytes that may count."""
    key: str = ""
    """Their idempotency key."""
    unknown: bool = False
    """Whether one of them had an outcome that the client cannot know."""
    refused_for_good: str = ""
    """Digest of bytes that were answered by a bare 409."""
    times: Counter[str] = attrs.field(factory=Counter)
    """How many there were of each digest, push-back aside: it does not count as a try."""


class ChaosService(LedgerService):
    """A ledger service that fails by script and watches what arrives."""

    def __init__(self, dialect: ServerDialect | None = None) -> None:
        super().__init__(dialect)
        self.latency_s = 0.0
        """Seconds before it acts, and as many before its answer is there."""
        self.script = Script()
        """The mishaps to come."""
        self.for_good = True
        """Whether a promise that was lost stays lost when its request is submitted again."""
        self.applied: list[Mark] = []
        """What was applied, in order."""
        self.failing: dict[Mark, dict[str, Any]] = {}
        """In what the promises of these requests shall end."""
        self.fail_promise = lambda operation, body: self.failing.get(mark_of(operation, body))
        self.promised: dict[str, Mark] = {}
        """Which request each promise is for."""
        self.forgotten: set[Mark] = set()
        """Of what the client was told that the server took it and has no result of it."""
        self.tried: set[Mark] = set()
        """What the client tried to send, whatever became of it."""
        self.breaches: list[str] = []
        """What the client must not have done."""
        self.dead_until_s = 0.0
        """Until when nothing answers, on the loop's clock."""
        self.forgets = False
        """Whether every training request is told that its model is not known."""
        self.at_once = False
        """Whether the client may send the chunks of a call without waiting for each other."""
        self._sends: dict[tuple[str, int], _Sends] = defaultdict(_Sends)
        self._sent_by: dict[tuple[str, int], int] = {}
        self._tasks: set[asyncio.Task[Answer]] = set()

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer one request, or have its mishap happen."""
        operation = operation_of(seen)
        body = seen.json() or {}
        is_probe = operation in TRAINING and not body
        if operation in TRAINING and not is_probe:
            self.tried.add(mark_of(operation, body))
        if asyncio.get_running_loop().time() < self.dead_until_s:
            raise Faulted(Fault.REFUSED, "connection refused")
        mishap = self.script.pop(operation, body)
        if operation not in TRAINING or is_probe:
            answer = await self._meet(mishap, seen, drips=drips)
            if operation == POLL and answer.status in (404, 410) and body["request_id"] in self.promised:
                self.forgotten.add(self.promised[body["request_id"]])
            return answer
        sends = self._sends[body["model_id"], body["seq_id"]]
        digest = hashlib.sha256(seen.body).hexdigest()
        key = seen.headers.get("x-idempotency-key", "")
        self._watch(operation, body, sends, digest, key)
        taken = (body["model_id"], body["seq_id"]) in self._by_number
        if sends.unknown and not taken and _is_conflict(mishap):
            mishap = None  # law 6: where a lost request is sent again, only a server that took it says 409
        status: int | None = None
        try:
            answer = await self._meet(mishap, seen, drips=drips)
            status = answer.status
        except Faulted as faulted:
            if faulted.fault is Fault.REFUSED:
                status = 429  # nothing was sent
            raise
        finally:
            self._note(sends, digest, key, status)
        if status == 409 and "request_id" not in answer.json():
            sends.refused_for_good = digest
            self.forgotten.add(mark_of(operation, body))
        return answer

    def poll_of(self, mark: Mark) -> Fits:
        """Return what fits the polls of one request."""
        return lambda asked, body: asked == POLL and self.promised.get(body["request_id"]) == mark

    def expects(self, model_id: str) -> int:
        """Return the number that the line of a model goes on with."""
        return self._next[model_id]

    def _watch(self, operation: str, body: dict[str, Any], sends: _Sends, digest: str, key: str) -> None:
        mark, number = mark_of(operation, body), body["seq_id"]
        what = f"{operation} {mark} under number {number}"
        if body["model_id"] in self._next and not self._may_come(body["model_id"], number, mark):
            self.breaches.append(f"{what}: a gap, {self.expects(body['model_id'])} was expected")
        self._sent_by[body["model_id"], number] = mark[0]
        if sends.body and (sends.body, sends.key) != (digest, key):
            self.breaches.append(f"{what}: other bytes or another key than at the first send")
        if sends.unknown and self.dialect.duplicates == "apply":
            self.breaches.append(f"{what}: sent again, though the server does not deduplicate")
        if sends.refused_for_good == digest:
            self.breaches.append(f"{what}: sent again after a 409")
        if sends.times[digest] >= ARRIVALS_BOUND:
            self.breaches.append(f"{what}: sent {sends.times[digest] + 1} times")

    def _may_come(self, model_id: str, number: int, mark: Mark) -> bool:
        """Say whether a number may be sent: what is missing below it is under way, and of the same call."""
        missing = range(self.expects(model_id), number)
        return not missing or (
            self.at_once and all(self._sent_by.get((model_id, each)) == mark[0] for each in missing)
        )

    def _note(self, sends: _Sends, digest: str, key: str, status: int | None) -> None:
        """Keep the bytes that may count from now on."""
        sends.times[digest] += status != 429
        if status in PROVABLY_NOT_ACCEPTED or status == 409:
            return
        sends.body, sends.key = digest, key
        sends.unknown = sends.unknown or status is None or not 200 <= status < 300

    async def _meet(self, mishap: Mishap | None, seen: Seen, *, drips: bool) -> Answer:
        if mishap is None:
            return await self._serve(seen)
        if mishap.late_s is not None:
            return await asyncio.shield(self._kept(self._late(seen, mishap.late_s)))
        await asyncio.sleep(mishap.delay_s)
        if mishap.answer is not None:
            if mishap.acts:
                await self._serve(seen)
            elif mishap.counts:
                self._count_refused(seen)
            return mishap.answer
        if mishap.kind is None:
            return await self._serve(seen)
        return await self.meet(mishap.kind, seen, drips=drips)

    def _kept(self, act: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        task = asyncio.get_running_loop().create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _late(self, seen: Seen, late_s: float) -> Answer:
        await asyncio.sleep(late_s)
        return await self._serve(seen)

    def _count_refused(self, seen: Seen) -> None:
        """Use up a number for a request that is refused: whoever re-uses it gets 409."""
        body = seen.json()
        model_id, seq_id = body["model_id"], body["seq_id"]
        if seq_id == self._next.get(model_id):
            self._next[model_id] += 1
            self._by_number[model_id, seq_id] = ("refused", "refused")
            self._fill_gap(model_id)

    async def _serve(self, seen: Seen) -> Answer:
        await asyncio.sleep(self.latency_s)
        if self.forgets and operation_of(seen) in TRAINING:
            answer = reply({"detail": "no such model"}, 404)
        else:
            # Whoever hangs up while it is held does not take it back.
            answer = await asyncio.shield(self._kept(super()._serve(seen)))
        await asyncio.sleep(self.latency_s)
        return answer

    def _keep_early(
        self, operation: str, model_id: str, seq_id: int, body: bytes, result: dict[str, Any]
    ) -> Answer:
        answer = super()._keep_early(operation, model_id, seq_id, body, result)
        self.promised[answer.json()["request_id"]] = mark_of(operation, orjson.loads(body))
        return answer

    def _numbered(
        self,
        operation: str,
        owner: str,
        seq_id: int,
        body: bytes,
        result: dict[str, Any],
        name: str | None = None,
    ) -> Answer:
        if operation not in TRAINING:
            return super()._numbered(operation, owner, seq_id, body, result, name)
        asked = orjson.loads(body)
        before = len(self.ledger.applied)
        known = self._by_number.get((owner, seq_id))
        if known is not None and not self.for_good and known[0] in self._promises:
            self._promises[known[0]].gone = False
        answer = super()._numbered(operation, owner, seq_id, body, _marked(operation, asked, result), name)
        mark = mark_of(operation, asked)
        if answer.status == 200:
            self.promised[answer.json()["request_id"]] = mark
        if len(self.ledger.applied) > before:
            self.applied.append(mark)
        return answer


def _is_conflict(mishap: Mishap | None) -> bool:
    return mishap is not None and mishap.answer is not None and mishap.answer.status == 409


def _marked(operation: str, body: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """Put the mark of a request into its result."""
    call, chunk = mark_of(operation, body)
    if operation in ("forward", "forward_backward"):
        record = {"data": [float(100 * call + chunk)], "dtype": "float32", "shape": [1]}
        return {**result, "loss_fn_outputs": [{"logprobs": record}], "metrics": {"loss:sum": float(call)}}
    if operation == "optim_step":
        return {"metrics": {"call": float(call)}}
    return {**result, "path": f"tinker://{body['model_id']}/weights/c{call}"}
