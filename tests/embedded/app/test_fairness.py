"""Sessions take turns at the engine: through the app, by the order in which requests are done."""

import threading
from typing import Any

import pytest

from tests.embedded.app.caller import Caller
from tests.embedded.app.test_sampling import body, sampler


@pytest.fixture
def order(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of finished requests, as they finish."""
    done: list[str] = []
    finish = caller.service.promises.finish

    def noted(request_id: str, *rest: Any, **more: Any) -> None:
        done.append(request_id)
        finish(request_id, *rest, **more)

    monkeypatch.setattr(caller.service.promises, "finish", noted)
    return done


def test_training_of_one_session_does_not_wait_for_all_of_another(caller: Caller, order: list[str]) -> None:
    """Twenty steps wait when another session asks for two: these are done among the first four."""
    many, few = caller.model(), caller.model()
    gate = threading.Event()
    caller.block(gate)
    first = [caller.ok("optim_step", model_id=many, seq_id=n, adam_params={}) for n in range(1, 21)]
    second = [caller.ok("optim_step", model_id=few, seq_id=n, adam_params={}) for n in (1, 2)]
    order.clear()
    gate.set()
    for promise in [*first, *second]:
        caller.result(promise["request_id"])
    names = [promise["request_id"] for promise in second]
    assert [name for name in order[:4] if name in names] == names
    assert [name for name in order if name not in names] == [promise["request_id"] for promise in first]


def test_samples_of_one_session_do_not_wait_for_all_of_another(caller: Caller, order: list[str]) -> None:
    """More requests wait than there are places, and another session's one sample is among the first."""
    many, few = (sampler(caller, caller.model(), 0, base_model="tinsmith/tiny") for _ in range(2))
    gate = threading.Event()
    caller.block(gate)
    pairs = [
        caller.ok("asample", sampling_session_id=many, seq_id=n, **body(samples=2, seed=n)) for n in range(80)
    ]
    one = caller.ok("asample", sampling_session_id=few, seq_id=0, **body())["request_id"]
    order.clear()
    gate.set()
    for name in [*(promise["request_id"] for promise in pairs), one]:
        caller.result(name)
    assert order.index(one) < 40
