"""Two encodings at one door: protobuf and zstd beside JSON, by content type, by Accept, and by switch."""

from collections.abc import Callable
from typing import Any

import attrs
import httpx
import numpy as np
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.encode import encode_forward_backward
from tinsmith.core.codec.wire import ACCEPT_BOTH, Encoding, ProtobufPayload
from tinsmith.core.values import (
    Datum,
    ModelInput,
    PromptProvenanceSpan,
    ProvenanceSpans,
    SampledProvenanceSpan,
    TensorData,
)
from tinsmith_local.models.tiny import open_tiny

from tests.embedded.app.caller import TEXT, Caller, datum
from tests.embedded.tolerances import model_terms, rounding

Open = Callable[..., Caller]
PROTOBUF = "application/x-protobuf"


def value(text: bytes = TEXT) -> Datum:
    """Return what `caller.datum` is on the wire as a value."""
    tokens = np.frombuffer(text, np.uint8).astype(np.int64)
    inputs = {"target_tokens": tokens[1:], "weights": np.ones(len(tokens) - 1, np.float32)}
    return Datum(loss_fn_inputs=inputs, model_input=ModelInput.from_ints(tokens[:-1].tolist()))


def encoded(model: str, seq: int, *, op: Any = "forward_backward", count: int = 1) -> bytes:
    """Return a batch in protobuf."""
    pieces = encode_forward_backward(
        op, [value()] * count, "cross_entropy", None, model, seq, encoding="protobuf"
    )
    return b"".join(pieces)


def send(caller: Caller, content: bytes, **headers: str) -> httpx.Response:
    """POST a protobuf body."""
    told = {"Content-Type": PROTOBUF, **{name.replace("_", "-"): text for name, text in headers.items()}}
    return caller.send("POST", "forward_backward", content=content, headers=told)


def fetch(caller: Caller, request_id: str, accept: str) -> httpx.Response:
    """Wait for a result, accepting what is said."""
    while True:
        answer = caller.send(
            "POST", "retrieve_future", json={"request_id": request_id}, headers={"Accept": accept}
        )
        if answer.status_code != 408:
            return answer


def test_both_encodings_are_one_request(caller: Caller) -> None:
    """A batch in protobuf, answered in protobuf, is to the last bit the one in JSON."""
    one, other = caller.model(), caller.model()
    plain = caller.forward_backward(one, 1, datum(), datum())
    promise = send(caller, encoded(other, 1, count=2)).json()
    answer = fetch(caller, promise["request_id"], ACCEPT_BOTH)
    assert answer.headers["content-type"] == PROTOBUF
    ours, theirs = (decode_forward_backward(payload) for payload in (plain, ProtobufPayload(answer.content)))
    assert ours.metrics == theirs.metrics
    for mine, its in zip(ours.loss_fn_outputs, theirs.loss_fn_outputs, strict=True):
        assert mine.keys() == its.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name].to_numpy(), its[name].to_numpy())
    caller.optim_step(one, 2, learning_rate=0.1)
    caller.optim_step(other, 2, learning_rate=0.1)
    assert caller.forward_backward(one, 3) == caller.forward_backward(other, 3)


@pytest.mark.parametrize("length", [3, 200])
def test_sparse_targets_in_both_encodings(caller: Caller, length: int) -> None:
    """Short and long, they are the dense ones that they stand for."""
    tokens = (np.arange(length) % 90 + 33).astype(np.int64)
    rows, columns = np.arange(length + 1), np.zeros(length, np.int64)
    places: dict[str, Any] = {"sparse_crow_indices": rows, "sparse_col_indices": columns}
    given = {
        "target_tokens": TensorData(data=tokens, dtype="int64", shape=[length, 2], **places),
        "weights": TensorData(data=np.ones(length, np.float32), dtype="float32", shape=[length, 2], **places),
    }
    sparse = Datum(loss_fn_inputs=given, model_input=ModelInput.from_ints(tokens.tolist()))
    dense = Datum(
        loss_fn_inputs={"target_tokens": tokens, "weights": np.ones(length, np.float32)},
        model_input=ModelInput.from_ints(tokens.tolist()),
    )
    losses, near = [], rounding(model_terms(open_tiny().config, length) + length)
    forms: list[tuple[Datum, Encoding]] = [(sparse, "json"), (sparse, "protobuf"), (dense, "json")]
    for one, encoding in forms:
        pieces = encode_forward_backward(
            "forward_backward", [one], "cross_entropy", None, caller.model(), 1, encoding=encoding
        )
        kind = PROTOBUF if encoding == "protobuf" else "application/json"
        promise = send(caller, b"".join(pieces), Content_Type=kind).json()
        losses.append(caller.result(promise["request_id"])["metrics"]["loss:sum"])
    assert losses[0] == losses[1] == pytest.approx(losses[2], rel=near)


def test_a_forward_in_protobuf_runs_nothing_backward(caller: Caller) -> None:
    """`forward_only` makes it a forward: in the ledger, and in what a step then does."""
    model, fresh = caller.model(), caller.model()
    promise = send(caller, encoded(model, 1, op="forward")).json()
    assert "metrics" in caller.result(promise["request_id"])
    caller.optim_step(model, 2, learning_rate=0.1)
    assert [line.op for line in caller.service.promise_table.ledger(model)] == ["forward", "optim_step"]
    assert caller.forward_backward(model, 3) == caller.forward_backward(fresh, 1)


def test_a_repetition_in_protobuf_is_the_same_promise(caller: Caller) -> None:
    """Packed or not, the same content under the same number is recognised, and other content refused."""
    model = caller.model()
    body = encoded(model, 1)
    first = send(caller, body)
    packed = send(caller, zstd.compress(body), Content_Encoding="zstd")
    assert first.json() == packed.json()
    assert send(caller, encoded(model, 1, count=2)).status_code == 409
    caller.result(first.json()["request_id"])
    assert caller.ledger(model) == [1]


def test_protobuf_requests_are_resumed_after_a_restart(open_caller: Open) -> None:
    """Batches in protobuf are journalled: accepted and unfinished ones are applied, finished ones again."""
    caller = open_caller(snapshot_min_s=1e9)
    model, quiet = caller.model(), caller.model()
    for seq in (1, 2):
        send(caller, encoded(model, seq, count=seq))
        caller.forward_backward(quiet, seq, *[datum()] * seq)
    caller.service.live_models.forget(model)
    promise = send(caller, encoded(model, 3)).json()["request_id"]
    caller.forward_backward(quiet, 3)
    caller.close()
    again = open_caller(snapshot_min_s=1e9)
    assert "metrics" in again.result(promise)
    for one in (model, quiet):
        again.optim_step(one, 4, learning_rate=0.1)
    assert again.forward_backward(model, 5) == again.forward_backward(quiet, 5)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        (PROTOBUF, PROTOBUF),
        (ACCEPT_BOTH, PROTOBUF),
        (f"application/json, {PROTOBUF}", PROTOBUF),
        (f"application/json, {PROTOBUF};q=0.5", "application/json"),
        (f"application/json;q=0.5, {PROTOBUF};q=0.9", PROTOBUF),
        (f"{PROTOBUF};q=0", "application/json"),
        (f"{PROTOBUF};q=much", "application/json"),
    ],
)
@pytest.mark.parametrize("op", ["asample", "forward"])
def test_accept_decides_how_results_are_written(caller: Caller, op: str, accept: str, kind: str) -> None:
    """Results of samples and batches come as the client accepts them, JSON where that is open."""
    if op == "forward":
        body = {"data": [datum()], "loss_fn": "cross_entropy"}
        promise = caller.ok("forward", model_id=caller.model(), seq_id=1, forward_input=body)
    else:
        promise = caller.ok("asample", **sample(caller))
    answer = fetch(caller, promise["request_id"], accept)
    assert answer.headers["content-type"] == kind
    payload = ProtobufPayload(answer.content) if kind == PROTOBUF else answer.content
    if op == "forward":
        assert "loss:sum" in decode_forward_backward(payload).metrics
    else:
        [sequence] = decode_sample(payload).sequences
        assert len(sequence.tokens) == 3


def sample(caller: Caller, **more: Any) -> dict[str, Any]:
    """Return the body of a sample on the base model."""
    prompt = {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]}
    params = {"max_tokens": 3, "seed": 5, "stop": []}
    return {"base_model": "tinsmith/tiny", "prompt": prompt, "sampling_params": params, **more}


def test_other_results_stay_json(caller: Caller) -> None:
    """A step's result has no protobuf form, whatever is accepted."""
    promise = caller.ok("optim_step", model_id=caller.model(), seq_id=1, adam_params={})
    answer = fetch(caller, promise["request_id"], ACCEPT_BOTH)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["metrics"]["step:max"] == 1


#: service's wire, body's type, operation, packed, status
STRICT = [
    ("both", "application/json", "forward_backward", False, 200),
    ("both", PROTOBUF, "forward_backward", False, 200),
    ("both", "application/protobuf", "forward_backward", False, 200),
    ("both", PROTOBUF, "forward_backward", True, 200),
    ("both", PROTOBUF, "forward", False, 415),
    ("both", PROTOBUF, "optim_step", False, 415),
    ("both", "text/plain", "forward_backward", False, 415),
    ("json", "application/json", "forward_backward", False, 200),
    ("json", "application/json", "forward", False, 200),
    ("json", PROTOBUF, "forward_backward", False, 415),
    ("json", "application/json", "optim_step", True, 415),
    ("protobuf", "application/json", "forward_backward", False, 415),
    ("protobuf", "application/json", "forward", False, 415),
    ("protobuf", PROTOBUF, "forward_backward", False, 200),
    ("protobuf", "application/json", "optim_step", False, 200),
    ("protobuf", "application/json", "optim_step", True, 200),
]


@pytest.mark.parametrize(("wire", "kind", "op", "packed", "status"), STRICT)
def test_encodings_that_are_accepted(
    open_caller: Open, wire: str, kind: str, op: str, packed: bool, status: int
) -> None:
    """Each service takes its encodings and answers 415 to others, which spends no number."""
    caller = open_caller(wire=wire)
    model = caller.model()
    key = f"{op}_input"
    body: dict[str, Any] = {"model_id": model, "seq_id": 1}
    body |= {"adam_params": {}} if op == "optim_step" else {
        key: {"data": [datum()], "loss_fn": "cross_entropy"}
    }  # fmt: skip
    content = httpx.Request("POST", "http://x", json=body).content if "json" in kind else encoded(model, 1)
    headers = {"Content-Type": kind}
    if packed:
        content, headers = zstd.compress(content), {**headers, "Content-Encoding": "zstd"}
    answer = caller.send("POST", op, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    if status == 200:
        fetch(caller, answer.json()["request_id"], ACCEPT_BOTH)
    assert caller.service.promise_table.last_seq(f"train:{model}") == (status == 200)


@pytest.mark.parametrize(("wire", "kind"), [("json", "application/json"), ("protobuf", PROTOBUF)])
def test_a_service_of_one_encoding_answers_in_it(open_caller: Open, wire: str, kind: str) -> None:
    """With one encoding, results have that one, whatever is accepted."""
    caller = open_caller(wire=wire)
    promise = caller.ok("asample", **sample(caller))
    for accept in ("application/json", ACCEPT_BOTH, PROTOBUF):
        assert fetch(caller, promise["request_id"], accept).headers["content-type"] == kind


def test_a_body_that_unpacks_to_too_much_is_413(open_caller: Open) -> None:
    """A bomb costs neither memory nor a number; neither does one in a batch."""
    caller = open_caller(max_body_bytes=1 << 20)
    model = caller.model()
    bomb = zstd.compress(b" " * (64 << 20))
    assert len(bomb) < 1 << 16
    for kind in (PROTOBUF, "application/json"):
        headers = {"Content-Type": kind, "Content-Encoding": "zstd"}
        answer = caller.send("POST", "forward_backward", content=bomb, headers=headers)
        assert answer.status_code == 413
        assert "1048576 bytes" in answer.json()["detail"]
    caller.forward_backward(model, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-3],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed + b"more",
        lambda packed: b"none at all",
        lambda packed: b"",
    ],
)
def test_damaged_zstd_is_400(caller: Caller, spoil: Callable[[bytes], bytes]) -> None:
    """Truncated, garbled, empty, or with something behind it."""
    answer = send(caller, spoil(zstd.compress(encoded(caller.model(), 1))), Content_Encoding="zstd")
    assert answer.status_code == 400
    assert "cannot be unpacked" in answer.json()["detail"]


def test_other_codings_are_415(caller: Caller) -> None:
    """Only zstd is known."""
    assert send(caller, b"", Content_Encoding="gzip").status_code == 415


def test_an_error_in_protobuf_names_its_field(caller: Caller) -> None:
    """Datum and field are named as they are for JSON."""
    wrong = Datum(
        loss_fn_inputs={"target_tokens": [1, 2], "weights": [1.0, 1.0]},
        model_input=ModelInput.from_ints([1, 2, 3]),
    )
    pieces = encode_forward_backward(
        "forward_backward", [value(), wrong], "cross_entropy", None, caller.model(), 1, encoding="protobuf"
    )
    answer = send(caller, b"".join(pieces))
    assert answer.status_code == 400
    assert answer.json()["field"] == "forward_backward_input.data[1].loss_fn_inputs.target_tokens"


def test_negative_tokens_in_protobuf_are_400(caller: Caller) -> None:
    """What no value of ours can say is refused as well."""
    good = encoded(caller.model(), 1)
    tokens = np.frombuffer(TEXT, np.uint8)[:-1].astype("<i4").tobytes()
    assert tokens in good
    answer = send(caller, good.replace(tokens, b"\xff" * 4 + tokens[4:]))
    assert answer.status_code == 400
    assert "token ids" in answer.json()["detail"]


@given(st.data())
@settings(max_examples=150)
def test_hostile_protobuf_is_a_4xx(shared: "_Shared", data: st.DataObject) -> None:
    """Noise, and a good body with some of its bytes changed or cut, never make a 500."""
    good = encoded(data.draw(st.sampled_from(["nobody:train:0", shared.name])), 1 << 20, count=2)
    body = bytearray(data.draw(st.one_of(st.binary(max_size=200), st.just(good))))
    for _ in range(data.draw(st.integers(0, 4)) if body else 0):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    answer = send(shared.caller, bytes(body[:cut]))
    assert 400 <= answer.status_code < 500, answer.text


class _Shared:
    """One service for all examples of a property."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.name = caller.model()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A service that the examples share; numbers far ahead are refused at once."""
    caller = Caller.on(tmp_path_factory.mktemp("wire"), gap_wait_s=0.0)
    yield _Shared(caller)
    caller.close()


def test_big_results_are_announced(open_caller: Open) -> None:
    """A poll that allows it learns the size of what it will get first; others get the result."""
    caller = open_caller(metadata_bytes=1000)
    promise = send(caller, encoded(caller.model(), 1, count=64)).json()["request_id"]
    for accept in ("application/json", PROTOBUF):
        whole = fetch(caller, promise, accept)
        body = {"request_id": promise, "allow_metadata_only": True}
        told = caller.send("POST", "retrieve_future", json=body, headers={"Accept": accept})
        assert told.headers["content-type"] == "application/json"
        assert told.json() == {"status": "complete_metadata", "response_payload_size": len(whole.content)}
    small = caller.ok("optim_step", model_id=caller.model(), seq_id=1, adam_params={})["request_id"]
    caller.result(small)
    assert "metrics" in caller.ok("retrieve_future", request_id=small, allow_metadata_only=True)


def with_spans(op: Any, model: str, seq: int, length: int) -> bytes:
    """Return a batch in protobuf that says where its tokens came from."""
    spans: ProvenanceSpans = [
        PromptProvenanceSpan("s:0", length=length),
        SampledProvenanceSpan("s:1", 2, length=1),
    ]
    spanned = attrs.evolve(value(), model_input_spans=spans, loss_fn_input_spans=spans)
    pieces = encode_forward_backward(op, [spanned], "cross_entropy", None, model, seq, encoding="protobuf")
    return b"".join(pieces)


@pytest.mark.parametrize("op", ["forward", "forward_backward"])
def test_spans_are_taken_and_change_no_number(open_caller: Open, op: Any) -> None:
    """A batch with spans computes what it does without them; other spans are another request."""
    caller = open_caller(snapshot_min_s=1e9)
    model = caller.model()
    plain = caller.result(send(caller, encoded(model, 1, op=op)).json()["request_id"])
    first = send(caller, with_spans(op, model, 2, 3))
    assert caller.result(first.json()["request_id"])["loss_fn_outputs"] == plain["loss_fn_outputs"]
    assert send(caller, with_spans(op, model, 2, 4)).status_code == 409
    caller.close()
    again = open_caller(snapshot_min_s=1e9)
    assert send(again, with_spans(op, model, 2, 3)).json() == first.json()
    assert again.optim_step(model, 3, learning_rate=0.1)["metrics"]["step:max"] == 1
