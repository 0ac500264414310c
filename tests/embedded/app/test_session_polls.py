"""Polls for a whole sampler: cursor, sizes, acknowledgement, copies of a sampler, a restart."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.app.caller import TEXT, Caller

Open = Callable[..., Caller]


def sampler(caller: Caller) -> str:
    """Make a sampler on the base model."""
    made = caller.ok(
        "create_sampling_session",
        session_id=caller.session(),
        sampling_session_seq_id=0,
        base_model="tinsmith/tiny",
    )
    return str(made["sampling_session_id"])


def ask(caller: Caller, name: str, seq: int, **more: Any) -> str:
    """Ask for a sample and wait until it is there; its promise."""
    prompt = {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]}
    params = {"max_tokens": 4, "seed": seq, "stop": [], **more}
    request_id = str(
        caller.ok("asample", sampling_session_id=name, seq_id=seq, prompt=prompt, sampling_params=params)[
            "request_id"
        ]
    )
    caller.result(request_id)
    return request_id


def poll(caller: Caller, name: str, cursor: int = 0, *, clone: int | None = None, **more: Any) -> Any:
    """Poll once, held for a moment at most."""
    target = {"type": "sampling_session", "sampling_session_id": name, "cloned_sampler_id": clone}
    body = {"timeout": 0, **more}
    return caller.ok("retrieve_futures", target=target, prev_cursor=cursor, **body)


def named(page: Any) -> list[str]:
    """Name the promises of a page."""
    return [one["request_id"] for one in page["completions"]]


def test_completions_carry_the_size_of_their_result(caller: Caller) -> None:
    """Sizes are those of the kept results, whether the poll came before or after the end."""
    name = sampler(caller)
    first = ask(caller, name, 0)
    page = poll(caller, name)
    second = ask(caller, name, 1, max_tokens=60)
    page["completions"] += poll(caller, name, page["cursor"])["completions"]
    sizes = [len(caller.service.promise_table.result(request_id)) for request_id in (first, second)]
    assert [one["response_payload_uncompressed_size"] for one in page["completions"]] == sizes
    assert named(page) == [first, second]


def test_what_has_arrived_is_not_named_again(caller: Caller) -> None:
    """An acknowledged result is left out of later polls from the start, and can still be read."""
    name = sampler(caller)
    asked = [ask(caller, name, seq) for seq in range(3)]
    assert named(poll(caller, name)) == asked
    page = poll(caller, name, retrieved_request_ids=[asked[1], "of another sampler"])
    assert (named(page), page["cursor"]) == ([asked[0], asked[2]], 3)
    assert caller.result(asked[1])["sequences"]
    rest = poll(caller, name, retrieved_request_ids=asked)
    assert (named(rest), rest["cursor"]) == ([], 3)


def test_nobody_acknowledges_for_another_sampler(caller: Caller) -> None:
    """Promises of another sampler stay named there."""
    one, other = sampler(caller), sampler(caller)
    mine = ask(caller, one, 0)
    poll(caller, other, retrieved_request_ids=[mine])
    assert named(poll(caller, one)) == [mine]


def test_a_copy_gets_the_completions_of_its_own_samples(caller: Caller) -> None:
    """Copies number from their counter times 10^9; the original and each copy are told apart."""
    name = sampler(caller)
    counter = caller.ok("join_sampling_session", sampling_session_id=name)["client_counter"]
    original = ask(caller, name, 0)
    copied = ask(caller, name, counter * 1_000_000_000)
    assert named(poll(caller, name)) == [original, copied]
    assert named(poll(caller, name, clone=0)) == [original]
    page = poll(caller, name, clone=counter)
    assert (named(page), page["cursor"]) == ([copied], 2)


def test_completions_survive_a_restart(open_caller: Open) -> None:
    """The cursor goes on behind a restart; one that the service cannot know starts anew."""
    caller = open_caller()
    name = sampler(caller)
    asked = [ask(caller, name, seq) for seq in range(2)]
    cursor = poll(caller, name)["cursor"]
    caller.close()
    again = open_caller()
    third = ask(again, name, 2)
    assert named(poll(again, name, cursor)) == [third]
    assert named(poll(again, name, 99)) == [*asked, third]


def test_failures_are_named_as_such(caller: Caller) -> None:
    """A cancelled sample has failed, as far as a watcher is concerned."""
    name = sampler(caller)
    gate = threading.Event()
    caller.block(gate)
    prompt = {"chunks": [{"type": "encoded_text", "tokens": list(TEXT)}]}
    body = {"prompt": prompt, "sampling_params": {"max_tokens": 4}}
    request_id = caller.ok("asample", sampling_session_id=name, seq_id=0, **body)["request_id"]
    caller.service.promises.fail(request_id, "cancelled", "user", "cancelled")
    assert poll(caller, name)["completions"] == [{"state": "failed", "request_id": request_id}]
    gate.set()


@pytest.mark.parametrize("name", ["", "nobody:sample:0"])
def test_an_unknown_sampler_is_404(caller: Caller, name: str) -> None:
    """Nothing is held for a sampler that is not there."""
    target = {"type": "sampling_session", "sampling_session_id": name}
    assert caller.post("retrieve_futures", target=target).status_code in (404, 422)
