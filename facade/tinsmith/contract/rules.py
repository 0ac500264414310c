"""The rules that no schema holds: what only several exchanges together show.

Numbers that come twice or too early, promises that fail, results that do not match what was asked, lists that
do not show what was saved. Reads traffic in the order in which it was sent; sends nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tinsmith.contract.bodies import BATCHES
from tinsmith.contract.exchange import UNKNOWN, WRONG_KEY
from tinsmith.contract.judge import Finding
from tinsmith.contract.traffic import POLL, WAITS, Traffic, field_of, outcome, promise_kind, text_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.contract.exchange import Exchange

    Misshapen = tuple[str, str, Json, str]
    """Place, what is asked, what was there, and the rule."""

_OWNERS = ("model_id", "sampling_session_id", "session_id")
"""What requests are numbered in, the nearest first."""

_UNLISTED = frozenset({"external_weights"})
"""Kinds of checkpoints that a list may leave out: files to download, from which no model goes on."""


def findings(traffic: Traffic) -> Iterator[Finding]:
    """Yield the rules that are broken."""
    yield from _repeats(traffic)
    yield from _gaps(traffic)
    yield from _results(traffic)
    yield from _lists(traffic)
    yield from _paths(traffic)
    for op, exchange in traffic.calls:
        yield from _failure(traffic, op, exchange)
        yield from _refusal(traffic, op, exchange)
        yield from _encoding(op, exchange)
        yield from _late_load(traffic, op, exchange)


def _finding(operation: str, rule: str, place: str, text: str, value: Json, exchange: Exchange) -> Finding:
    return Finding(operation, rule, place, str(value), text, exchange.name)


def _repeats(traffic: Traffic) -> Iterator[Finding]:
    """Yield numbers that came again: same content is the same promise, other content is 409."""
    first: dict[tuple[str, str, int], tuple[str, Exchange]] = {}
    contract = traffic.contract
    numbers = {op.id: _number_of(contract, op) for op in contract.operations.values()}
    for op, exchange in traffic.calls:
        owner, number = (field_of(exchange.request, field) for field in numbers[op.id])
        if owner is None or not isinstance(number, int):
            continue
        key = ("training" if op.id in contract.in_order else op.id, str(owner), number)
        if key not in first:
            if exchange.is_success:
                first[key] = (op.id, exchange)
            continue
        before_id, before = first[key]
        if (before_id, before.request) == (op.id, exchange.request):
            yield from _same_again(traffic, op.id, before, exchange)
        else:
            yield from _other_content(traffic, op.id, before, exchange)


def _number_of(contract: Contract, op: Operation) -> tuple[str, str]:
    """Return the fields that identify a request: what it belongs to, and its number there; empty for none."""
    if any(each["name"] == "X-Idempotency-Key" for each in contract.parameters(op)):
        return "", ""  # it is the key that identifies it
    fields = contract.fields_of(op)
    owner = next((name for name in _OWNERS if name in fields), "")
    # The number of the request itself goes before that of what it makes.
    number = next((name for name in ("seq_id", *fields) if name in fields and name.endswith("seq_id")), "")
    return owner, number


def _same_again(traffic: Traffic, op: str, before: Exchange, again: Exchange) -> Iterator[Finding]:
    text = "the same number with the same content is answered as the first time"
    if not again.is_success:
        rule = "repeat-refused" if again.status == 409 else "repeat"
        yield _finding(op, rule, "status", text, again.status, again)
        return
    for field in ("request_id", "sampling_session_id"):
        first, second = (field_of(each.answer, field) for each in (before, again))
        if first == second:
            continue
        failed = traffic.failure(second) if field == "request_id" else None
        refused = failed is not None and failed.startswith("409")
        rule = "repeat-refused" if refused else "repeat-applied"
        yield _finding(op, rule, f"body/{field}", text, f"{failed} on the poll" if refused else second, again)
        return


def _other_content(traffic: Traffic, op: str, before: Exchange, again: Exchange) -> Iterator[Finding]:
    text = "the same number with other content is answered with 409"
    promise = field_of(again.answer, "request_id")
    if again.status == 409:
        return
    if not again.is_success:
        yield _finding(op, "other-content", "status", text, again.status, again)
    elif promise is not None and promise == field_of(before.answer, "request_id"):
        yield _finding(op, "other-content", "body/request_id", text, "the first promise", again)
    elif not (traffic.failure(promise) or "").startswith("409"):
        yield _finding(op, "other-applied", "status", text, again.status, again)


def _gaps(traffic: Traffic) -> Iterator[Finding]:
    """Yield numbers that came too early and were applied before those that were missing."""
    accepted: dict[str, set[int]] = {}
    for place, (op, exchange) in enumerate(traffic.calls):
        made = _made_model(traffic, op, exchange)
        if made is not None:
            accepted.setdefault(made, set())
        numbers = accepted.get(str(field_of(exchange.request, "model_id")))
        number = field_of(exchange.request, "seq_id")
        if numbers is None or op.id not in traffic.contract.in_order or not isinstance(number, int):
            continue
        if exchange.step:  # traffic of others is seldom whole
            missing = next(each for each in count(1) if each not in numbers)
            if missing < number:
                yield from _gap(traffic, op.id, place, exchange, missing)
        if exchange.is_success:
            numbers.add(number)


def _made_model(traffic: Traffic, op: Operation, exchange: Exchange) -> str | None:
    """Return the model that a poll brought; its numbers begin there."""
    if op.id != POLL or not exchange.is_success:
        return None
    kind = promise_kind(traffic.contract, exchange, traffic.issued)
    return text_of(exchange.answer, "model_id") if kind is not None and kind.id == "create_model" else None


def _gap(traffic: Traffic, op: str, place: int, exchange: Exchange, missing: int) -> Iterator[Finding]:
    owner, number = field_of(exchange.request, "model_id"), field_of(exchange.request, "seq_id")
    text = f"number {number} waits for number {missing}, or is refused"
    if exchange.status == 409:
        yield _finding(op, "gap-at-once", "status", text, 409, exchange)
    promise = field_of(exchange.answer, "request_id")
    found = traffic.final(promise)
    if not exchange.is_success or found is None or traffic.result(promise) is None:
        return
    filled = any(
        field_of(each.request, "model_id") == owner and field_of(each.request, "seq_id") == missing
        for _, each in traffic.calls[place : found[0]]
    )
    if not filled:
        yield _finding(op, "gap-applied", "result", text, "a result", exchange)


def _results(traffic: Traffic) -> Iterator[Finding]:
    """Yield results that have more or less than was asked for."""
    for promise, submission in traffic.issued.items():
        op = traffic.contract.operation_of(submission.method, submission.path)
        result, found = traffic.result(promise), traffic.final(promise)
        if op is None or result is None or found is None or not isinstance(submission.request, Mapping):
            continue
        try:
            for place, text, value, rule in _shape(op.id, traffic.contract, submission.request, result):
                yield _finding(op.id, rule, f"result/{place}", text, value, found[1])
        except (TypeError, LookupError, AttributeError, ValueError, ArithmeticError):
            continue  # misshapen, which the schema reports


def _shape(
    op: str, contract: Contract, request: Mapping[str, Json], result: Mapping[str, Json]
) -> Iterator[Misshapen]:
    if op in BATCHES:
        data: Json = request.get("forward_input") or request.get("forward_backward_input")
        yield from _outputs(data["data"], result["loss_fn_outputs"])
    elif op == "asample":
        yield from _samples(request, result)
    elif op in contract.saves and result.get("path") is not None and request.get("path") is not None:
        wanted = f"tinker://{request['model_id']}/{contract.saves[op]}/{request['path']}"
        if result["path"] != wanted:
            yield "path", f"is {wanted}", result["path"], "path-form"


def _outputs(data: Json, outputs: Json) -> Iterator[Misshapen]:
    if len(outputs) != len(data):
        yield "loss_fn_outputs", f"one output a datum, {len(data)}", len(outputs), "outputs"
    for index, (datum, output) in enumerate(zip(data, outputs, strict=False)):
        length = _length(datum["model_input"])
        found = output.get("logprobs")
        if length is not None and found is not None and len(found["data"]) != length:
            place = f"loss_fn_outputs/{index}/logprobs"
            yield place, f"one logprob a token, {length}", len(found["data"]), "outputs"


def _samples(request: Mapping[str, Json], result: Mapping[str, Json]) -> Iterator[Misshapen]:
    wanted, sequences = request.get("num_samples", 1), result["sequences"]
    if len(sequences) != wanted:
        yield "sequences", f"as many as num_samples, {wanted}", len(sequences), "outputs"
    most = request["sampling_params"].get("max_tokens")
    for index, sequence in enumerate(sequences):
        place, drawn = f"sequences/{index}", len(sequence["tokens"])
        if most is not None and drawn > most:
            yield f"{place}/tokens", f"at most max_tokens, {most}", drawn, "outputs"
        found = sequence.get("logprobs")
        if found is not None and len(found) != drawn:
            yield f"{place}/logprobs", f"one a token, {drawn}", len(found), "outputs"
    length, found = _length(request["prompt"]), result.get("prompt_logprobs")
    if not request.get("prompt_logprobs") or length is None or found is None:
        return
    if len(found) != length:
        rule = "prompt-logprobs" if len(found) == length - 1 else "outputs"
        yield "prompt_logprobs", f"one a token of the prompt, {length}", len(found), rule
    elif found[0] is not None and not math.isnan(found[0]):
        yield "prompt_logprobs/0", "the first token has none", found[0], "prompt-logprobs"


def _length(model_input: Json) -> int | None:
    """Count the tokens of an input; None if it has other chunks than text."""
    chunks = model_input["chunks"]
    if any("tokens" not in chunk for chunk in chunks):
        return None
    return sum(len(chunk["tokens"]) for chunk in chunks)


def _lists(traffic: Traffic) -> Iterator[Finding]:
    """Yield lists that do not show what was saved, its end of life, or whether it is public."""
    shelf = _Shelf(traffic)
    for op, exchange in traffic.calls:
        if op.changes_checkpoint:
            shelf.change(op, exchange)
        elif exchange.is_success and op.id == POLL:
            shelf.keep(exchange)
        elif exchange.is_success and op.id == "list_checkpoints":
            yield from shelf.listed(op.id, exchange)


class _Shelf:
    """The checkpoints saved in the traffic so far, with what was set of them since; None is not known."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._runs: dict[str, dict[str, dict[str, bool | None]]] = {}

    def keep(self, poll: Exchange) -> None:
        """Note what a save has brought, once."""
        promise = text_of(poll.request, "request_id") or ""
        behind, final = self._traffic.issued.get(promise), self._traffic.final(promise)
        if behind is None or final is None or final[1] is not poll or outcome(poll.answer) != "done":
            return
        op = self._traffic.contract.operation_of(behind.method, behind.path)
        name, kind = text_of(behind.request, "path"), op and self._traffic.contract.saves.get(op.id)
        if name is not None and kind is not None and kind not in _UNLISTED:
            run = self._runs.setdefault(str(field_of(behind.request, "model_id")), {})
            run[f"{kind}/{name}"] = {"gone": False, "public": False, "expires": None}

    def change(self, op: Operation, exchange: Exchange) -> None:
        """Note what was set; after a refusal the state of the checkpoint is not known."""
        run_id, checkpoint = _checkpoint_of(exchange.path)
        run = self._runs.get(run_id, {})
        if checkpoint not in run:
            return
        if not exchange.is_success:
            del run[checkpoint]
        elif op.id == "delete_checkpoint":
            run[checkpoint]["gone"] = True
        elif op.id == "set_checkpoint_ttl":
            run[checkpoint]["expires"] = field_of(exchange.request, "ttl_seconds") is not None
        else:
            run[checkpoint]["public"] = op.id == "publish_checkpoint"

    def listed(self, op: str, exchange: Exchange) -> Iterator[Finding]:
        """Yield what one list shows otherwise; a full page may leave some out."""
        rows = field_of(exchange.answer, "checkpoints")
        limit = exchange.query.get("limit", "100")
        # Nobody asks for that many rows by a number of more digits, and Python would not read all of them.
        if not isinstance(rows, list) or not limit.isdecimal() or len(rows) >= int(limit[:18]):
            return
        found = {str(field_of(row, "checkpoint_id")): row for row in rows}
        run = self._runs.get(unquote(exchange.path.split("/")[-2]), {})
        for checkpoint, wanted in run.items():
            for rule, place, text, value in _misplaced(checkpoint, wanted, found):
                yield _finding(op, rule, f"body/checkpoints{place}", text, value, exchange)


def _misplaced(
    checkpoint: str, wanted: Mapping[str, bool | None], found: Mapping[str, Json]
) -> Iterator[tuple[str, str, str, Json]]:
    """Yield what a list shows otherwise of a checkpoint: rule, place, the rule in words and the value."""
    row, bare = found.get(checkpoint), checkpoint.partition("/")[2]
    if wanted["gone"]:
        if row is not None:
            yield "listed", "", "what was deleted is gone", checkpoint
    elif row is None and bare in found:
        yield "checkpoint-ids", "/checkpoint_id", "is the kind and the name", bare
    elif row is None:
        yield "listed", "", f"shows {checkpoint}, which was saved", ""
    elif wanted["public"] not in (None, bool(row.get("public"))):
        yield "listed", "/public", "is as it was set", row.get("public")
    elif wanted["expires"] not in (None, row.get("expires_at") is not None):
        yield "listed", "/expires_at", "is as it was set", row.get("expires_at")


def _checkpoint_of(path: str) -> tuple[str, str]:
    """Return run and id of a checkpoint's path; a shorter path does not contain the kind."""
    run, _, rest = unquote(path).split("/training_runs/", 1)[-1].partition("/checkpoints/")
    return run, "/".join(rest.split("/")[:2])


def _paths(traffic: Traffic) -> Iterator[Finding]:
    """Yield colons that must be escaped, and checkpoints that are not below their kind."""
    refused: set[tuple[str, str]] = set()
    for op, exchange in traffic.calls:
        if exchange.status in (400, 404, 405):
            refused.add((op.id, exchange.path))
        if exchange.status >= 400 or exchange.status == 0:
            continue
        plain = exchange.path.replace("%3A", ":").replace("%3a", ":")
        if plain != exchange.path and (op.id, plain) in refused:
            text = "colons of ids are not escaped in a path"
            yield _finding(op.id, "colon", "path", text, exchange.path, exchange)
        is_short = op.aliases and exchange.path.count("/") < op.path.count("/")
        if is_short and any(op_id == op.id for op_id, _ in refused):
            yield _finding(op.id, "shorter-path", "path", f"is {op.path}", exchange.path, exchange)


def _failure(traffic: Traffic, op: Operation, poll: Exchange) -> Iterator[Finding]:
    """Yield a promise that fails in another form than 200 and a body that says so."""
    known = op.id == POLL and text_of(poll.request, "request_id") in traffic.issued
    if known and poll.status >= 400 and poll.status not in (*WAITS, 401, 403, 410):
        text = "a failed promise is answered with 200, and a body with `error` and `category`"
        yield _finding(POLL, "failure-status", "status", text, poll.status, poll)


def _refusal(traffic: Traffic, op: Operation, exchange: Exchange) -> Iterator[Finding]:
    """Yield unknown ids that the server accepts, and wrong keys that it accepts."""
    if not exchange.is_success:
        return
    if exchange.step == UNKNOWN:
        failed = traffic.failure(field_of(exchange.answer, "request_id"))
        if failed is None or op.id == POLL:
            yield _finding(
                op.id, "unknown-id", "status", "an unknown id is answered with 404", exchange.status, exchange
            )
        else:
            text = "an unknown id is answered with 404 at once"
            yield _finding(op.id, "unknown-late", "status", text, f"{failed} on the poll", exchange)
    elif exchange.step == WRONG_KEY:
        yield _finding(
            op.id, "open-door", "status", "a wrong key is answered with 401", exchange.status, exchange
        )


def _encoding(op: Operation, exchange: Exchange) -> Iterator[Finding]:
    """Yield a batch that is not read as JSON, or as protobuf."""
    kind, status = exchange.request_headers.get("content-type", ""), exchange.status
    if op.id not in BATCHES:
        return
    if "protobuf" in kind and status in (415, 500):
        yield _finding("forward_backward", "protobuf-refused", "status", "protobuf is read", status, exchange)
    elif "json" in kind and status == 415:
        yield _finding(op.id, "json-refused", "status", "JSON is read", status, exchange)


def _late_load(traffic: Traffic, op: Operation, exchange: Exchange) -> Iterator[Finding]:
    """Yield weights that are loaded only by the first request of a model."""
    if op.id != "load_weights" or exchange.step == UNKNOWN:
        return
    number = field_of(exchange.request, "seq_id")
    found = words_of(exchange.answer) if exchange.status >= 400 else ""
    if exchange.is_success:
        found = traffic.failure(field_of(exchange.answer, "request_id")) or ""
    if isinstance(number, int) and number > 1 and "seq_id" in found:
        text = "weights are loaded at any time"
        yield _finding(op.id, "load-later", "status", text, found, exchange)
