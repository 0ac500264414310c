"""Promises, models, checkpoints and routes that a server does not know."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tinsmith.core import errors
from tinsmith.core.polling import (
    Failed,
    NotYet,
    PolledRequest,
    PollState,
    Resubmit,
)

from tests.core.polls import decide, result_of

LOST = [
    "who?",
    "Future not found",
    "unknown promise 'r1'",
    "request_id: unknown promise 'r1'",
    "Failed to retrieve future",
]
"""Texts about a promise, or that nobody knows."""


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("text", LOST)
def test_a_lost_promise_is_submitted_once_more(status: int, text: str) -> None:
    """Gone once: the same bytes again. Gone again under the same id: applied, but the result is lost."""
    first = result_of(status, {"detail": text}, PollState(failed=2))
    assert isinstance(first, Resubmit)
    again = first.state.submitted_again(renewed=False)
    second = result_of(status, {"detail": text}, again)
    assert isinstance(second, Failed)
    assert isinstance(second.error, errors.ResultLostError)
    assert second.error.applied == "yes"
    assert text in str(second.error)


@pytest.mark.parametrize(
    ("text", "applied"),
    [
        ("who?", "unknown"),
        ("Future not found", "unknown"),
        ("the model is too large", "no"),
    ],
)
def test_gone_at_once_under_another_id_is_a_failure(text: str, applied: str) -> None:
    """The server reports a failed promise so: `no` if it names what was missing, else `unknown`."""
    state = PollState().submitted_again(renewed=True)
    result = result_of(404, {"detail": text}, state)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.RequestFailedError)
    assert (result.error.applied, result.error.message, result.error.status_code) == (applied, text, 404)


def test_gone_later_under_another_id_is_a_lost_result() -> None:
    """Once the new promise was not ready, it was a promise; what is gone then is its result."""
    pending = result_of(408, b"", PollState().submitted_again(renewed=True))
    assert isinstance(pending, NotYet)
    result = result_of(404, {"detail": "who?"}, pending.state)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.ResultLostError)


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("renewed", [None, False, True])
@pytest.mark.parametrize(
    "text",
    [
        "Failed to retrieve future: Failed to read metadata for checkpoint nope.",
        "checkpoint not found: tinker://run/weights/x",
        "Checkpoint 'a' not found for model 'M'",
        "No such file or directory",
    ],
)
def test_a_missing_checkpoint_is_a_failure_at_the_first_time(
    status: int, renewed: bool | None, text: str
) -> None:
    """Nothing is submitted again for it."""
    state = PollState() if renewed is None else PollState().submitted_again(renewed=renewed)
    result = result_of(status, {"detail": text}, state)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.RequestFailedError)
    assert (result.error.applied, result.error.message) == ("no", text)


MODEL_GONE = [
    (404, "Failed to retrieve future: Unknown model"),
    (404, "model_id: unknown model 's:train:0'; create it, or restore it from a checkpoint"),
    (400, "Model abc not loaded (likely stale request from previous server)"),
    (410, "Session is terminated"),
    (410, "model_id: model s:train:0 is unloaded"),
    (404, "Model 'M' not found"),
    (422, "the session has expired"),
]


@pytest.mark.parametrize(("status", "text"), MODEL_GONE)
def test_a_model_that_is_gone_names_the_checkpoint(status: int, text: str) -> None:
    """Whatever the status: where to restore from, and nothing submitted again."""
    asked = PolledRequest("optim_step", 7, 9, checkpoint="tinker://r/weights/3")
    result = decide(status, {}, orjson.dumps({"detail": text}), PollState(), request_id="r1", request=asked)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.ModelLostError)
    assert (result.error.checkpoint, result.error.applied) == ("tinker://r/weights/3", "unknown")
    assert text in str(result.error)


def test_a_sample_whose_model_is_gone_says_what_to_sample() -> None:
    """Servers that sample weights only while their model is loaded load a checkpoint for training again."""
    asked = PolledRequest("asample", 7, 9)
    body = orjson.dumps({"detail": "Model abc not loaded"})
    result = decide(400, {}, body, PollState(), request_id="r1", request=asked)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.ModelLostError)
    assert "checkpoint for training (tinker://RUN/weights/NAME), which is loaded again" in str(result.error)
    assert "No checkpoint was saved" not in str(result.error)


def test_a_creation_loses_no_model() -> None:
    """What has no number on a model speaks of a base model: an ordinary failure."""
    result = result_of(400, {"detail": "Unknown model 'x'"})
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.RequestFailedError)


@pytest.mark.parametrize(
    "body", [{"detail": "Not Found"}, {"status": 404, "error": "Not Found", "path": "/"}]
)
def test_a_missing_route_is_called_that(body: dict[str, Any]) -> None:
    """A framework's bare "Not Found" is about the operation, never about a promise or a model."""
    asked = PolledRequest("optim_step", 7, 9)
    result = decide(404, {}, orjson.dumps(body), PollState(), request_id="r1", request=asked)
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.NotFoundError)
    assert "this server has no such operation" in str(result.error)
    assert (result.error.applied, result.error.request_id) == ("unknown", "r1")


def test_nothing_is_resubmitted_to_a_server_that_does_not_deduplicate() -> None:
    """A lost promise is not submitted again either."""
    result = result_of(410, {"detail": "gone"}, PollState(trusted=False))
    assert isinstance(result, Failed)
    assert isinstance(result.error, errors.ResultLostError)
    assert result.error.applied == "unknown"
