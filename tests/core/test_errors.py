"""The error tree, its facts, its pickles, and errors built from answers."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from tinsmith.core import errors
from tinsmith.core.failures import broken_answer, detail_text, error_from_status, excerpt, parse_body

FACTS: dict[str, Any] = {
    "request_id": "r",
    "model_id": "m",
    "seq_id": 3,
    "attempts": 2,
    "elapsed_s": 1.5,
    "applied": "unknown",
}


class Live:
    """Stands for a response object that no pickle can hold."""

    status_code = 418
    request = object()

    def __reduce__(self) -> Any:
        raise TypeError("live")


SAMPLES: list[errors.TinkerError] = [
    errors.TinkerError("x", **FACTS),
    errors.APIError("x", object(), body={"a": 1}, **FACTS),
    errors.APIResponseValidationError(Live(), "body", **FACTS),
    errors.APIResponseValidationError(status_code=200),
    errors.APIStatusError("x", response=Live(), body=b"", **FACTS),
    errors.RateLimitError("x", status_code=429, retry_after_s=3.0, **FACTS),
    errors.APIConnectionError(message="x", request=object(), **FACTS),
    errors.APITimeoutError(object(), **FACTS),
    errors.ProgressTimeoutError("x", **FACTS),
    errors.RequestFailedError("x", "r", errors.RequestErrorCategory.User, status_code=422, applied="no"),
    errors.InputError("x", datum=2, field="weights"),
    errors.BodyTooLargeError(10),
    errors.SessionLostError("x", **FACTS),
    errors.ModelLostError("x", checkpoint="tinker://r/weights/1", **FACTS),
    errors.ModelLostError("x"),
    errors.ResultLostError("x", **FACTS),
    errors.PartialBatchError("x", chunks_applied=(0,), chunks_failed=(1, 2), **FACTS),
    errors.ClientPoisonedError("x", **FACTS),
    errors.ClosedError("x"),
    errors.MissingExtraError("plots", "plot"),
    errors.UnsafeArchiveError("x"),
    errors.MissingModelError("run: tinsmith model fetch smollm2"),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_pickles(error: errors.TinkerError) -> None:
    """A pickle keeps class, message and facts, and drops what lives in this process only."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    kept = {name: value for name, value in vars(error).items() if name not in ("response", "request")}
    assert {name: value for name, value in vars(copy).items() if name not in ("response", "request")} == kept


def test_the_samples_cover_the_tree() -> None:
    """Every class is there, or a sibling that adds nothing to its parent."""
    plain = {errors.InternalServerError, *error_classes(errors.APIStatusError)}
    missing = set(error_classes(errors.TinkerError)) - {type(error) for error in SAMPLES} - plain
    assert not missing


def error_classes(cls: type) -> list[type]:
    """List the classes of core below one; which other packages are loaded must not matter."""
    found: list[type] = []
    children: list[type] = cls.__subclasses__()
    for child in children:
        found += [child, *error_classes(child)]
    return [child for child in found if child.__module__.startswith("tinsmith.core.")]


def test_the_message_names_its_request() -> None:
    """What is known is in the text; what is not known is not."""
    assert str(errors.TinkerError("lost", **FACTS)) == (
        "lost [request=r, model=m, seq_id=3, attempts=2, applied=unknown]"
    )
    assert str(errors.TinkerError("lost")) == "lost"


def test_facts_are_filled_in_once() -> None:
    """A fact that is known stays as it is."""
    error = errors.TinkerError("x", applied="no").adding(applied="yes", seq_id=4, attempts=None)
    assert (error.applied, error.seq_id, error.attempts) == ("no", 4, None)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"datum": 2, "field": "weights"}, "datum 2, field 'weights': bad"),
        ({"datum": 0}, "datum 0: bad"),
        ({"field": "rank"}, "field 'rank': bad"),
        ({}, "bad"),
    ],
)
def test_bad_input_says_where(facts: dict[str, Any], text: str) -> None:
    """An input error names the datum and the field, is a ValueError, and was never sent."""
    error = errors.InputError("bad", **facts)
    assert error.message == text
    assert isinstance(error, ValueError)
    assert error.applied == "no"


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (402, errors.BillingError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (422, errors.UnprocessableEntityError),
        (429, errors.RateLimitError),
        (500, errors.InternalServerError),
        (599, errors.InternalServerError),
        (408, errors.APIStatusError),
        (302, errors.APIStatusError),
    ],
)
def test_a_status_has_its_class(status: int, cls: type) -> None:
    """The official class of each status, with the decoded body and the facts."""
    error = error_from_status(status, b'{"detail":"why"}', retry_after_s=2.0, seq_id=7)
    assert type(error) is cls
    assert error.message == f"Error code: {status} - why (the server asks to wait 2 s)"
    assert (error.status_code, error.body, error.seq_id) == (status, {"detail": "why"}, 7)


def test_an_empty_body_is_called_empty() -> None:
    """No text is no reason to print nothing."""
    assert error_from_status(400, b"").message == "Error code: 400 - (empty body)"
    assert error_from_status(400, None).message == "Error code: 400 - (empty body)"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"detail": "a"}, "a"),
        ({"detail": "", "error": "b"}, "b"),
        ({"message": {"error": "c"}}, "c"),
        ({"other": 1}, '{"other":1}'),
        (
            {"detail": [{"loc": 5, "msg": None}, {"loc": None, "msg": 1}]},
            "5: None; 1",
        ),
        (
            {"detail": [{"loc": ["body", "x", 1], "msg": "short"}, {"msg": "bare"}, "text"]},
            "x.1: short; bare; text",
        ),
        ("plain", "plain"),
    ],
)
def test_the_sentence_is_found(body: Any, text: str) -> None:
    """Bodies of every known server give up their sentence."""
    assert detail_text(body) == text


def test_excerpts_are_short_and_hold_no_secret() -> None:
    """At most 200 bytes, printable, with keys and query values struck out."""
    body = (
        b"key tml-CANARY12345 jwt eyJhbGciOi.J9 at https://s/x?sig=CANARY&k=CANARY\x00\n"
        + b"\xff\xc3\xa9" * 300
    )
    text = excerpt(body)
    assert "CANARY" not in text
    assert "eyJ" not in text
    assert text.isprintable()
    assert len(text.encode()) <= 200
    assert parse_body(b"nonsense") == "nonsense"
    broken = broken_answer(200, body, "no JSON", request_id="r")
    assert "CANARY" not in str(broken) + repr(broken.body)
    assert broken.request_id == "r"


def test_an_unknown_category_is_unknown() -> None:
    """A newer server's category does not break the error."""
    assert errors.RequestErrorCategory("weather") is errors.RequestErrorCategory.Unknown


def test_a_missing_extra_is_an_import_error() -> None:
    """Programs catch ImportError; the message names the extra."""
    error = errors.MissingExtraError("plots", "plot")
    assert isinstance(error, ImportError)
    assert "tinsmith[plot]" in str(error)


def test_an_error_for_somebody_else() -> None:
    """A copy has the cause and the ids, says `applied` of its own request, and leaves the first alone."""
    cause = ValueError("why")
    first = errors.RequestFailedError("x", "r1", applied="yes")
    first.__cause__ = cause
    other = first.again("no")
    assert (type(other), other.request_id, other.applied) == (errors.RequestFailedError, "r1", "no")
    assert other.__cause__ is cause
    assert first.applied == "yes"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("BadRequestError", 400),
        ("AuthenticationError", 401),
        ("BillingError", 402),
        ("PermissionDeniedError", 403),
        ("NotFoundError", 404),
        ("ConflictError", 409),
        ("UnprocessableEntityError", 422),
        ("RateLimitError", 429),
    ],
)
def test_errors_of_one_status_have_it_on_the_class(name: str, status: int) -> None:
    """As the official ones; what an answer says goes before it."""
    cls = getattr(errors, name)
    assert cls.status_code == cls("no").status_code == status
    assert cls("no", status_code=418).status_code == 418
    assert errors.InternalServerError("no").status_code == 0


def test_an_error_takes_more_than_a_message() -> None:
    """As any exception does."""
    error = errors.TinkerError("a", 3)
    assert (error.args, str(error)) == (("a", 3), "a")
    assert pickle.loads(pickle.dumps(error)).args == ("a", 3)
