"""The rules that no schema holds: what only several exchanges together show.

Numbers that come twice or too early, promises that fail, results that do not match what was asked, lists that
do not show what was saved. Reads traffic in the order in which it was sent; sends nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tinsmith.contract.judge import POLL, Finding, promise_kind, words_of
from tinsmith.contract.messages import BATCHES
from tinsmith.contract.traffic import WAITS, Traffic, field_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.contract.exchange import Exchange

UNKNOWN, WRONG_KEY = "unknown id", "wrong key"
"""Steps of the check whose requests are to be refused."""

NO_BODY = "a body that is none"
"""The step of requests whose body no operation takes."""

_OWNERS = ("model_id", "sampling_session_id", "session_id")
"""What requests are numbered in, the nearest first."""


def findings(traffic: Traffic) -> Iterator[Finding]:
    """Say which rules are broken."""
    yield from _repeats(traffic)
    yield from _gaps(traffic)
    yield from _failures(traffic)
    yield from _results(traffic)
    yield from _lists(traffic)
    yield from _refusals(traffic)
    yield from _paths(traffic)
    yield from _encodings(traffic)
    yield from _loads(traffic)


def _tell(operation: str, rule: str, place: str, text: str, value: str, exchange: Exchange) -> Finding:
    return Finding(operation, rule, place, value, text, exchange.name)


def _repeats(traffic: Traffic) -> Iterator[Finding]:
    """Tell of repetitions: same content is the same promise, other content is 409."""
    first: dict[tuple[str, Json, Json], tuple[str, Exchange]] = {}
    numbers = {op.id: _number_of(traffic.contract, op) for op in traffic.contract.operations.values()}
    for exchange in traffic.exchanges:
        op = traffic.operation(exchange)
        fields = None if op is None else numbers[op.id]
        if op is None or fields is None or not isinstance(exchange.request, Mapping):
            continue
        owner, number = (exchange.request.get(field) for field in fields)
        if owner is None or not isinstance(number, int):
            continue
        key = ("training" if op.id in traffic.contract.in_order else op.id, str(owner), number)
        if key not in first:
            if exchange.status // 100 == 2:
                first[key] = (op.id, exchange)
            continue
        before_id, before = first[key]
        if (before_id, before.request) == (op.id, exchange.request):
            yield from _same_again(traffic, op.id, before, exchange)
        else:
            yield from _other_content(traffic, op.id, before, exchange)


def _number_of(contract: Contract, op: Operation) -> tuple[str, str] | None:
    """Name the fields that identify a request: what it belongs to, and its number there."""
    if any(each["name"] == "X-Idempotency-Key" for each in contract.parameters(op)):
        return None  # it is the key that identifies it
    fields = contract.resolve(contract.request_schema(op) or {}).get("properties", {})
    owner = next((name for name in _OWNERS if name in fields), None)
    # The number of the request itself goes before that of what it makes.
    number = next((name for name in ("seq_id", *fields) if name in fields and name.endswith("seq_id")), None)
    return None if owner is None or number is None else (owner, number)


def _same_again(traffic: Traffic, op: str, before: Exchange, again: Exchange) -> Iterator[Finding]:
    text = "the same number with the same content is answered as the first time"
    if again.status // 100 != 2:
        rule = "repeat-refused" if again.status == 409 else "repeat"
        yield _tell(op, rule, "status", text, str(again.status), again)
        return
    for field in ("request_id", "sampling_session_id"):
        first, second = (field_of(each.answer, field) for each in (before, again))
        if first == second:
            continue
        failed = traffic.failure(second) if field == "request_id" else None
        refused = failed is not None and failed.startswith("409")
        rule = "repeat-refused" if refused else "repeat-applied"
        value = f"{failed} on the poll" if refused else str(second)
        yield _tell(op, rule, f"body/{field}", text, value, again)
        return


def _other_content(traffic: Traffic, op: str, before: Exchange, again: Exchange) -> Iterator[Finding]:
    text = "the same number with other content is 409"
    if again.status == 409:
        return
    if again.status // 100 != 2:
        yield _tell(op, "other-content", "status", text, str(again.status), again)
        return
    promise = field_of(again.answer, "request_id")
    if promise is not None and promise == field_of(before.answer, "request_id"):
        yield _tell(op, "other-content", "body/request_id", text, "the first promise", again)
        return
    failed = traffic.failure(promise)
    if failed is None or not failed.startswith("409"):
        yield _tell(op, "other-applied", "status", text, str(again.status), again)


def _gaps(traffic: Traffic) -> Iterator[Finding]:
    """Tell of numbers that came too early and were applied before those that were missing."""
    accepted: dict[str, _Accepted] = {}
    for place, exchange in enumerate(traffic.exchanges):
        op = traffic.operation(exchange)
        if op is None or not isinstance(exchange.request, Mapping):
            continue
        model = _made_model(traffic, op, exchange)
        if model is not None:
            accepted.setdefault(model, _Accepted())
        if op.id not in traffic.contract.in_order:
            continue
        owner, number = str(exchange.request.get("model_id")), exchange.request.get("seq_id")
        if owner not in accepted or not isinstance(number, int):
            continue
        missing = accepted[owner].first_missing
        if exchange.status // 100 == 2:
            accepted[owner].add(number)
        if missing < number and exchange.step:  # traffic of others is seldom whole
            yield from _gap(traffic, op.id, place, exchange, missing)


class _Accepted:
    """The numbers that one model has accepted: how far they go without a gap, and those beyond."""

    def __init__(self) -> None:
        self.first_missing = 1
        self._beyond: set[int] = set()

    def add(self, number: int) -> None:
        """Note a number; however large it is, it costs no more than a small one."""
        self._beyond.add(number)
        while self.first_missing in self._beyond:
            self._beyond.remove(self.first_missing)
            self.first_missing += 1


def _made_model(traffic: Traffic, op: Operation, exchange: Exchange) -> str | None:
    """Return the model that a poll brought; its numbers begin there."""
    if op.id != POLL or exchange.status // 100 != 2 or not isinstance(exchange.answer, Mapping):
        return None
    kind = promise_kind(traffic.contract, exchange, traffic.issued)
    return text_of(exchange.answer, "model_id") if kind is not None and kind.id == "create_model" else None


def _gap(traffic: Traffic, op: str, place: int, exchange: Exchange, missing: int) -> Iterator[Finding]:
    owner, number = field_of(exchange.request, "model_id"), field_of(exchange.request, "seq_id")
    text = f"number {number} waits for number {missing}, or is refused"
    if exchange.status == 409:
        yield _tell(op, "gap-at-once", "status", text, "409", exchange)
    if exchange.status // 100 != 2:
        return
    promise = field_of(exchange.answer, "request_id")
    found = traffic.final(promise)
    if found is None or traffic.result(promise) is None:
        return
    filled = any(
        field_of(each.request, "model_id") == owner and field_of(each.request, "seq_id") == missing
        for each in traffic.exchanges[place : found[0]]
    )
    if not filled:
        yield _tell(op, "gap-applied", "result", text, "a result", exchange)


def _failures(traffic: Traffic) -> Iterator[Finding]:
    """Tell of promises that fail otherwise than with 200 and a body that says so."""
    text = "the failure of a promise is 200 with `error` and `category`"
    for polls in traffic.polls.values():
        for _, poll in polls:
            known = text_of(poll.request, "request_id") in traffic.issued
            if known and poll.status >= 400 and poll.status not in (*WAITS, 401, 403, 410):
                yield _tell(POLL, "failure-status", "status", text, str(poll.status), poll)


def _results(traffic: Traffic) -> Iterator[Finding]:
    """Tell of results that have more or less than was asked for."""
    for promise, submission in traffic.issued.items():
        op, result = traffic.operation(submission), traffic.result(promise)
        found = traffic.final(promise)
        if op is None or result is None or found is None or not isinstance(submission.request, Mapping):
            continue
        try:
            for place, text, value, rule in _shape(op.id, traffic.contract, submission.request, result):
                yield _tell(op.id, rule, f"result/{place}", text, value, found[1])
        except (TypeError, LookupError, AttributeError, ValueError, ArithmeticError):
            continue  # misshapen, which the schema tells


_Told = tuple[str, str, str, str]
"""Place, what is asked, what was there, and the rule."""


def _shape(
    op: str, contract: Contract, request: Mapping[str, Json], result: Mapping[str, Json]
) -> Iterator[_Told]:
    if op in BATCHES:
        data: Json = request.get("forward_input") or request.get("forward_backward_input")
        yield from _outputs(data["data"], result["loss_fn_outputs"])
    elif op == "asample":
        yield from _sequences(request, result)
        yield from _prompt(request, result)
    elif op in contract.saves and result.get("path") is not None and request.get("path") is not None:
        wanted = f"tinker://{request['model_id']}/{contract.saves[op]}/{request['path']}"
        if result["path"] != wanted:
            yield "path", f"is {wanted}", str(result["path"]), "path-form"


def _outputs(data: Json, outputs: Json) -> Iterator[_Told]:
    if len(outputs) != len(data):
        yield "loss_fn_outputs", f"one output a datum, {len(data)}", str(len(outputs)), "outputs"
    for index, (datum, output) in enumerate(zip(data, outputs, strict=False)):
        length = _length(datum["model_input"])
        told = output.get("logprobs")
        if length is not None and told is not None and len(told["data"]) != length:
            place = f"loss_fn_outputs/{index}/logprobs"
            yield place, f"one logprob a token, {length}", str(len(told["data"])), "outputs"


def _sequences(request: Mapping[str, Json], result: Mapping[str, Json]) -> Iterator[_Told]:
    wanted, sequences = request.get("num_samples", 1), result["sequences"]
    if len(sequences) != wanted:
        yield "sequences", f"as many as num_samples, {wanted}", str(len(sequences)), "outputs"
    most = request["sampling_params"].get("max_tokens")
    for index, sequence in enumerate(sequences):
        place, drawn = f"sequences/{index}", len(sequence["tokens"])
        if most is not None and drawn > most:
            yield f"{place}/tokens", f"at most max_tokens, {most}", str(drawn), "outputs"
        told = sequence.get("logprobs")
        if told is not None and len(told) != drawn:
            yield f"{place}/logprobs", f"one a token, {drawn}", str(len(told)), "outputs"


def _prompt(request: Mapping[str, Json], result: Mapping[str, Json]) -> Iterator[_Told]:
    length, told = _length(request["prompt"]), result.get("prompt_logprobs")
    if not request.get("prompt_logprobs") or length is None or told is None:
        return
    if len(told) != length:
        rule = "prompt-logprobs" if len(told) == length - 1 else "outputs"
        yield "prompt_logprobs", f"one a token of the prompt, {length}", str(len(told)), rule
    elif told[0] is not None and not math.isnan(told[0]):
        yield "prompt_logprobs/0", "the first token has none", str(told[0]), "prompt-logprobs"


def _length(model_input: Json) -> int | None:
    """Count the tokens of an input that is text alone."""
    chunks = model_input["chunks"]
    if any("tokens" not in chunk for chunk in chunks):
        return None
    return sum(len(chunk["tokens"]) for chunk in chunks)


def _lists(traffic: Traffic) -> Iterator[Finding]:
    """Tell of lists that do not show what was saved, its end of life, or whether it is public."""
    shelf = _Shelf(traffic)
    for exchange in traffic.exchanges:
        op = traffic.operation(exchange)
        if op is None:
            continue
        if op.changes_checkpoint:
            shelf.change(op, exchange)
        elif exchange.status // 100 == 2 and op.id == POLL:
            shelf.keep(exchange)
        elif exchange.status // 100 == 2 and op.id == "list_checkpoints":
            yield from shelf.listed(op.id, exchange)


_UNLISTED = frozenset({"external_weights"})
"""Kinds of checkpoints that a list may leave out: files to download, from which no model goes on."""


class _Shelf:
    """The checkpoints saved in the traffic so far, with what was set of them since; None is not known."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._saves = traffic.contract.saves
        self._runs: dict[str, dict[str, dict[str, bool | None]]] = {}
        self._seen: set[str] = set()

    def keep(self, poll: Exchange) -> None:
        """Note what a save has brought, once."""
        promise = text_of(poll.request, "request_id") or ""
        behind = self._traffic.issued.get(promise)
        op = self._traffic.operation(behind) if behind is not None else None
        if behind is None or op is None or op.id not in self._saves or promise in self._seen:
            return
        name, kind = text_of(behind.request, "path"), self._saves[op.id]
        if name is not None and kind not in _UNLISTED and self._traffic.result(promise) is not None:
            self._seen.add(promise)
            run = self._runs.setdefault(str(field_of(behind.request, "model_id")), {})
            run[f"{kind}/{name}"] = {"gone": False, "public": False, "expires": None}

    def change(self, op: Operation, exchange: Exchange) -> None:
        """Note what was set; after a refusal nobody knows what holds."""
        run_id, checkpoint = _checkpoint_of(exchange.path)
        run = self._runs.get(run_id, {})
        if checkpoint not in run:
            return
        if exchange.status // 100 != 2:
            del run[checkpoint]
        elif op.id == "delete_checkpoint":
            run[checkpoint]["gone"] = True
        elif op.id == "set_checkpoint_ttl":
            run[checkpoint]["expires"] = field_of(exchange.request, "ttl_seconds") is not None
        else:
            run[checkpoint]["public"] = op.id == "publish_checkpoint"

    def listed(self, op: str, exchange: Exchange) -> Iterator[Finding]:
        """Hold one list against what is known; a full page may leave some out."""
        rows = field_of(exchange.answer, "checkpoints")
        limit = exchange.query.get("limit", "100")
        # Nobody asks for that many rows by a number of more digits, and Python would not read all of them.
        if not isinstance(rows, list) or not limit.isdecimal() or len(rows) >= int(limit[:18]):
            return
        found = {str(field_of(row, "checkpoint_id")): row for row in rows}
        run = self._runs.get(unquote(exchange.path.split("/")[-2]), {})
        for checkpoint, wanted in run.items():
            place, text, value = _misplaced(checkpoint, wanted, found)
            if place:
                rule = "checkpoint-ids" if place.endswith("/checkpoint_id") else "listed"
                yield _tell(op, rule, place, text, value, exchange)


def _misplaced(
    checkpoint: str, wanted: Mapping[str, bool | None], found: Mapping[str, Json]
) -> tuple[str, str, str]:
    """Say what of a checkpoint a list shows otherwise: place, rule and value; empty where all is well."""
    place, bare = "body/checkpoints", checkpoint.partition("/")[2]
    row = found.get(checkpoint)
    if wanted["gone"]:
        return (place, "what was deleted is gone", checkpoint) if row is not None else ("", "", "")
    if row is None and bare in found:
        return f"{place}/checkpoint_id", "is the kind and the name", bare
    if row is None:
        return place, f"shows {checkpoint}, which was saved", ""
    for name, told in (("public", bool(row.get("public"))), ("expires", row.get("expires_at") is not None)):
        if wanted[name] is not None and told != wanted[name]:
            field = "expires_at" if name == "expires" else name
            return f"{place}/{field}", "is as it was set", str(row.get(field))
    return "", "", ""


def _checkpoint_of(path: str) -> tuple[str, str]:
    """Return run and id of a checkpoint's path; on a shorter path the kind is not told."""
    run, _, rest = unquote(path).split("/training_runs/", 1)[-1].partition("/checkpoints/")
    return run, "/".join(rest.split("/")[:2])


def _refusals(traffic: Traffic) -> Iterator[Finding]:
    """Tell of ids that nobody gave out and that are known, and of wrong keys that open."""
    for exchange in traffic.exchanges:
        op = traffic.operation(exchange)
        if op is None or exchange.status // 100 != 2:
            continue
        if exchange.step == UNKNOWN:
            failed = traffic.failure(field_of(exchange.answer, "request_id"))
            if failed is None or op.id == POLL:
                yield _tell(
                    op.id, "unknown-id", "status", "an unknown id is 404", str(exchange.status), exchange
                )
            else:
                text = "an unknown id is 404 at once"
                yield _tell(op.id, "unknown-late", "status", text, f"{failed} on the poll", exchange)
        elif exchange.step == WRONG_KEY:
            yield _tell(op.id, "open-door", "status", "a wrong key is 401", str(exchange.status), exchange)


def _paths(traffic: Traffic) -> Iterator[Finding]:
    """Tell of colons that must be escaped, and of checkpoints that are not below their kind."""
    refused: set[tuple[str, str]] = set()
    for exchange in traffic.exchanges:
        op = traffic.operation(exchange)
        if op is None:
            continue
        if exchange.status in (400, 404, 405):
            refused.add((op.id, exchange.path))
        if exchange.status >= 400 or exchange.status == 0:
            continue
        plain = exchange.path.replace("%3A", ":").replace("%3a", ":")
        if plain != exchange.path and (op.id, plain) in refused:
            text = "colons of ids stand unescaped in a path"
            yield _tell(op.id, "colon", "path", text, exchange.path, exchange)
        is_short = op.aliases and exchange.path.count("/") < op.path.count("/")
        if is_short and any(op_id == op.id for op_id, _ in refused):
            yield _tell(op.id, "shorter-path", "path", f"is {op.path}", exchange.path, exchange)


def _encodings(traffic: Traffic) -> Iterator[Finding]:
    """Tell of batches that are not read as JSON, or as protobuf."""
    for exchange in traffic.exchanges:
        op = traffic.operation(exchange)
        kind = exchange.request_headers.get("content-type", "")
        if op is None or op.id not in BATCHES or exchange.status < 400:
            continue
        if "protobuf" in kind and exchange.status in (415, 500):
            yield _tell(
                "forward_backward",
                "protobuf-refused",
                "status",
                "protobuf is read",
                str(exchange.status),
                exchange,
            )
        elif "json" in kind and exchange.status == 415:
            yield _tell(op.id, "json-refused", "status", "JSON is read", "415", exchange)


def _loads(traffic: Traffic) -> Iterator[Finding]:
    """Tell of weights that are loaded only by the first request of a model."""
    for exchange in traffic.exchanges:
        op = traffic.operation(exchange)
        if op is None or op.id != "load_weights" or exchange.step == UNKNOWN:
            continue
        number = field_of(exchange.request, "seq_id")
        told = words_of(exchange.answer) if exchange.status >= 400 else ""
        if exchange.status // 100 == 2:
            told = traffic.failure(field_of(exchange.answer, "request_id")) or ""
        if isinstance(number, int) and number > 1 and "seq_id" in told:
            text = "weights are loaded at any time"
            yield _tell(op.id, "load-later", "status", text, told, exchange)
