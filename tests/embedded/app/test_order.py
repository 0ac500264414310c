"""Numbers in line: order, repetitions, gaps, and the servers that can be imitated."""

import threading
from collections.abc import Callable

import pytest
from tinsmith_local.options import Imitation

from tests.embedded.app.caller import Caller, datum

Open = Callable[..., Caller]


def step(model: str, seq_id: int, rate: float = 0.01) -> tuple[str, dict[str, object]]:
    """Return the body of an optimizer step."""
    return "optim_step", {"model_id": model, "seq_id": seq_id, "adam_params": {"learning_rate": rate}}


def test_requests_that_arrive_out_of_order_are_applied_in_order(caller: Caller) -> None:
    """Later numbers wait for earlier ones."""
    model = caller.model()
    answers = caller.together(*(step(model, seq) for seq in (4, 3, 2, 5, 1)))
    for answer in answers:
        caller.result(answer.json()["request_id"])
    assert caller.ledger(model) == [1, 2, 3, 4, 5]


def test_a_gap_ends_in_408_with_its_reason(open_caller: Open) -> None:
    """A number whose predecessor never comes is not accepted, and can be sent again later."""
    caller = open_caller(gap_wait_s=0.05)
    model = caller.model()
    answer = caller.post(step(model, 2)[0], **step(model, 2)[1])
    assert answer.status_code == 408
    assert "seq_id 1" in answer.json()["detail"]
    for seq in (1, 2):
        caller.done(step(model, seq)[0], **step(model, seq)[1])
    assert caller.ledger(model) == [1, 2]


def test_a_repetition_gets_the_same_promise(caller: Caller) -> None:
    """The same number with the same content is applied once."""
    model = caller.model()
    first, second, third = (caller.ok(*step(model, 1)[:1], **step(model, 1)[1]) for _ in range(3))
    assert first["request_id"] == second["request_id"] == third["request_id"]
    caller.result(first["request_id"])
    assert caller.ledger(model) == [1]


def test_repetitions_at_the_same_moment_are_one(caller: Caller) -> None:
    """Ten copies of one request on the wire together become one promise."""
    model = caller.model()
    answers = caller.together(*[step(model, 1)] * 10)
    assert len({answer.json()["request_id"] for answer in answers}) == 1


def test_other_content_under_a_used_number_is_409(caller: Caller) -> None:
    """A used number is refused to another request."""
    model = caller.model()
    caller.done(step(model, 1)[0], **step(model, 1)[1])
    answer = caller.post(step(model, 1, 0.5)[0], **step(model, 1, 0.5)[1])
    assert answer.status_code == 409
    assert answer.json()["field"] == "seq_id"


def test_the_order_of_keys_is_not_content(caller: Caller) -> None:
    """A repetition written with other spacing and key order is still a repetition."""
    model = caller.model()
    first = caller.ok("optim_step", model_id=model, seq_id=1, adam_params={"beta1": 0.9, "beta2": 0.95})
    body = f'{{"seq_id": 1,  "adam_params": {{"beta2": 0.95, "beta1": 0.9}}, "model_id": "{model}"}}'
    again = caller.send("POST", "optim_step", content=body, headers={"content-type": "application/json"})
    assert again.json()["request_id"] == first["request_id"]


def test_a_refused_request_leaves_its_number_free(caller: Caller) -> None:
    """After a 400 the same number is taken by the next request."""
    model = caller.model()
    bad = {"data": [], "loss_fn": "cross_entropy"}
    assert caller.post(
        "forward_backward", model_id=model, seq_id=1, forward_backward_input=bad
    ).is_client_error
    caller.forward_backward(model, 1)
    assert caller.ledger(model) == [1]


def test_a_request_without_a_number_takes_the_next(caller: Caller) -> None:
    """seq_id may be absent; then arrival decides."""
    model = caller.model()
    for _ in range(3):
        caller.done("optim_step", model_id=model, adam_params={})
    assert caller.ledger(model) == [1, 2, 3]


def test_models_have_queues_of_their_own(caller: Caller) -> None:
    """A gap in one model's line does not hold up another."""
    session = caller.session()
    one, other = caller.model(session, 0), caller.model(session, 1)
    answers = caller.together(step(one, 2), step(other, 1), step(one, 1))
    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_create_model_is_recognised_when_repeated(caller: Caller) -> None:
    """The same model_seq_id makes one model; other content under it is 409."""
    session = caller.session()
    body = {"session_id": session, "model_seq_id": 0, "base_model": "tinsmith/tiny"}
    first = caller.ok("create_model", **body, lora_config={"rank": 2})
    assert caller.ok("create_model", **body, lora_config={"rank": 2}) == first
    assert caller.post("create_model", **body, lora_config={"rank": 3}).status_code == 409


def test_arrival_order_is_imitated(open_caller: Open) -> None:
    """A server that applies what arrives: gaps pass unnoticed."""
    caller = open_caller(imitate=Imitation(arrival_order=True))
    model = caller.model()
    for seq in (3, 1, 7):
        caller.done(step(model, seq)[0], **step(model, seq)[1])
    assert caller.ledger(model) == [3, 1, 7]


def test_no_deduplication_is_imitated(open_caller: Open) -> None:
    """A server that does not recognise repetitions applies them again."""
    caller = open_caller(imitate=Imitation(no_deduplication=True))
    model = caller.model()
    for seq in (1, 1, 2):
        caller.done(step(model, seq)[0], **step(model, seq)[1])
    assert caller.ledger(model) == [1, 1, 2]
    session = caller.session()
    assert caller.model(session) != caller.model(session)


@pytest.mark.parametrize("switch", [Imitation(duplicates_409=True), Imitation(exact_next=True)])
def test_duplicates_are_refused_in_imitation(open_caller: Open, switch: Imitation) -> None:
    """A server that answers 409 to a repetition, with the same content too."""
    caller = open_caller(imitate=switch)
    model = caller.model()
    first = caller.ok(step(model, 1)[0], **step(model, 1)[1])
    caller.result(first["request_id"])
    again = caller.post(step(model, 1)[0], **step(model, 1)[1])
    assert again.status_code == 409
    assert again.json().get("request_id") == (first["request_id"] if switch.duplicates_409 else None)
    assert caller.ledger(model) == [1]


def test_exact_next_does_not_wait(open_caller: Open) -> None:
    """A server that wants exactly the next number answers 409 to a gap."""
    caller = open_caller(imitate=Imitation(exact_next=True))
    model = caller.model()
    assert caller.post(step(model, 2)[0], **step(model, 2)[1]).status_code == 409


def test_loading_may_be_a_first_request_only(open_caller: Open) -> None:
    """A server that takes load_weights as a model's first request alone."""
    caller = open_caller(imitate=Imitation(load_first_only=True))
    session = caller.session()
    one, other = caller.model(session, 0), caller.model(session, 1)
    saved = caller.done("save_weights", model_id=one, seq_id=1, path="a")["path"]
    refused = caller.post("load_weights", model_id=one, seq_id=2, path=saved, optimizer=False)
    assert (refused.status_code, "seq_id 2" in refused.text) == (400, True)
    caller.done("load_weights", model_id=other, seq_id=1, path=saved, optimizer=False)


def test_one_failing_request_fails_alone(caller: Caller) -> None:
    """A loss that cannot be computed refuses its own request; the others go on."""
    model = caller.model()
    broken = datum()
    broken["loss_fn_inputs"]["target_tokens"]["data"][0] = 100_000
    answers = caller.together(
        ("forward_backward", _body(model, 1, datum())),
        ("forward_backward", _body(model, 2, broken)),
        ("forward_backward", _body(model, 2, datum())),
    )
    assert [answer.status_code for answer in answers] == [200, 400, 200]


def _body(model: str, seq_id: int, one: dict[str, object]) -> dict[str, object]:
    """Return the body of a forward_backward over one datum."""
    inputs = {"data": [one], "loss_fn": "cross_entropy"}
    return {"model_id": model, "seq_id": seq_id, "forward_backward_input": inputs}


def test_too_many_waiting_bytes_are_429(open_caller: Open) -> None:
    """Training requests are bounded while they wait; a refused one leaves its number free."""
    caller = open_caller(max_queued_bytes=10)
    model = caller.model()
    gate = threading.Event()
    caller.block(gate)
    first = caller.ok("optim_step", model_id=model, seq_id=1, adam_params={})
    answer = caller.post("optim_step", model_id=model, seq_id=2, adam_params={})
    assert (answer.status_code, float(answer.headers["retry-after"]) > 0) == (429, True)
    gate.set()
    caller.result(first["request_id"])
    caller.optim_step(model, 2)
    assert caller.ledger(model) == [1, 2]
