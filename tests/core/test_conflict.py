"""What sentences of servers are about, and what a 409 proves: tables written by hand."""

from __future__ import annotations

import pytest
from tinsmith.core.failures import (
    ErrorText,
    TextSource,
    Topic,
    expected_number,
    gives_a_name,
    is_about_a_name,
    is_missing_route,
    names_what_is_missing,
    read_conflict,
    read_error_text,
    topic_of,
)

BODIES = {
    b"": (TextSource.NOTHING, ""),
    b" \n": (TextSource.NOTHING, ""),
    b"<html>": (TextSource.UNREADABLE, ""),
    b"[1]": (TextSource.UNREADABLE, ""),
    b'{"detail": "no such thing"}': (TextSource.TEXT, "no such thing"),
    b'{"error": " no "}': (TextSource.TEXT, "no"),
    b'{"detail": "", "error": "no"}': (TextSource.TEXT, "no"),
    b'{"detail": {"msg": "x"}, "error": "no"}': (TextSource.TEXT, "no"),
    b'{"detail": [{"msg": "x"}], "error": "no"}': (TextSource.FIELDS, ""),
    b'{"detail": []}': (TextSource.OBJECT, ""),
    b'{"detail": {"msg": "x"}}': (TextSource.OBJECT, ""),
    b'{"message": "Forbidden"}': (TextSource.OBJECT, ""),
    b"{}": (TextSource.OBJECT, ""),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.items())
def test_where_an_error_answer_comes_from(body: bytes, expected: tuple[TextSource, str]) -> None:
    """A text under `detail` or `error` is the server's own; all else is not."""
    words = read_error_text(body)
    assert (words.source, words.text) == expected


TOPICS = {
    "Failed to retrieve future: Unknown model": Topic.MODEL_GONE,
    "unknown model 'a'; create it, or restore it from a checkpoint": Topic.MODEL_GONE,
    "no such model: s:train:0": Topic.MODEL_GONE,
    "Model M not loaded (likely stale request from previous server)": Topic.MODEL_GONE,
    "Session is terminated": Topic.MODEL_GONE,
    "session s-1 is client_finished": Topic.OTHER,
    "session s-1 has ended": Topic.MODEL_GONE,
    "model s:train:0 is unloaded": Topic.MODEL_GONE,
    "the model doesn't exist any more": Topic.MODEL_GONE,
    "Checkpoint 'a' not found for model 'M'": Topic.CHECKPOINT,
    "model M: checkpoint 'a' not found": Topic.CHECKPOINT,
    "Failed to read metadata for checkpoint nope.": Topic.CHECKPOINT,
    "tinker://run/weights/a: gone": Topic.CHECKPOINT,
    "No such file or directory": Topic.CHECKPOINT,
    "Not Found": Topic.ROUTE,
    "404: Not Found": Topic.ROUTE,
    "404 page not found": Topic.ROUTE,
    "Method Not Allowed": Topic.ROUTE,
    "no such route: api/v1/x": Topic.ROUTE,
    "Cannot POST /api/v1/x": Topic.ROUTE,
    "Future not found": Topic.OTHER,
    "unknown promise 'r' of model m": Topic.OTHER,
    "base model not found": Topic.OTHER,
    "bad profile": Topic.OTHER,
    "no": Topic.OTHER,
}


@pytest.mark.parametrize(("text", "topic"), TOPICS.items())
def test_what_a_sentence_is_about(text: str, topic: Topic) -> None:
    """Sentences of known servers, and others that look like them."""
    assert topic_of(text) is topic
    assert ErrorText(TextSource.TEXT, text).topic is topic
    assert ErrorText(TextSource.OBJECT, text).topic is Topic.OTHER


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (404, b'{"detail": "Not Found"}', True),
        (405, b'{"detail": "Method Not Allowed"}', True),
        (404, b"404 page not found\n", True),
        (404, b"Not Found", True),
        (404, b"<html><h1>Not Found</h1></html>", False),
        (404, b"", False),
        (404, b'{"detail": "Future not found"}', False),
        (400, b'{"detail": "Not Found"}', False),
        (404, b"x" * 1000, False),
    ],
)
def test_a_missing_route_is_told_by_a_frameworks_words(status: int, body: bytes, missing: bool) -> None:
    """With or without JSON around them."""
    assert is_missing_route(status, body) is missing


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Sequence conflict: expected 5, got 4.", 5),
        ("expected seq_id 12 but received 7", 12),
        ("seq_id 3 is expected", 3),
        ("seq_id 5 is not the next number, 4", 4),
        ("Expected: 8", 8),
        ("seq_id 5 was used already", None),
        ("an unexpected 5", None),
        ("", None),
    ],
)
def test_the_number_that_is_expected(text: str, number: int | None) -> None:
    """It is read where a sentence says what it expects, and nowhere else."""
    assert expected_number(text) == number


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Checkpoint 'a' already exists for model 'M'", True),
        ("tinker://m/weights/a exists", True),
        ("sampler s:1 was made by another request", True),
        ("a is public already", True),
        ("already published", True),
        ("that name is taken", True),
        ("seq_id 4 exists", False),
        ("sequence name conflict", False),
        ("request already exists", False),
        ("duplicate request", False),
        ("a is private already", False),
        ("conflict", False),
    ],
)
def test_a_name_is_not_a_number(text: str, named: bool) -> None:
    """Only what is about the thing itself is about a name."""
    assert is_about_a_name(text) is named


def test_what_is_missing_is_named() -> None:
    """A checkpoint, a file or a model."""
    texts = ("the model is bad", "a file", "x")
    assert [names_what_is_missing(text) for text in texts] == [True, True, False]


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        *[(f"save_weights{kind}", True) for kind in ("", "_for_sampler", "_external")],
        *[(name, True) for name in ("create_model", "create_sampling_session", "create_session")],
        *[(name, True) for name in ("copy_weights", "publish_checkpoint")],
        *[(name, False) for name in ("forward", "forward_backward", "optim_step", "load_weights", "asample")],
        *[(name, False) for name in ("unpublish_checkpoint", "delete_checkpoint", "set_checkpoint_ttl")],
    ],
)
def test_which_operations_name_a_thing(operation: str, names: bool) -> None:
    """Those that save, create, copy or publish."""
    assert gives_a_name(operation) is names


EXISTS = ErrorText(TextSource.TEXT, "Checkpoint 'a' already exists for model 'M'")
USED = ErrorText(TextSource.TEXT, "seq_id 4 was used already")
NEXT = ErrorText(TextSource.TEXT, "expected 5, got 4")
FAR = ErrorText(TextSource.TEXT, "expected 90, got 4")
BELOW = ErrorText(TextSource.TEXT, "expected 3, got 4")
BARE = ErrorText(TextSource.NOTHING)
PAGE = ErrorText(TextSource.UNREADABLE)

CONFLICTS = [
    # words, operation, resent, reused: what it is, whether it was applied. Ours is 4, and 4 is the highest.
    (EXISTS, "save_weights", False, False, "name", "no"),
    (EXISTS, "save_weights", False, True, "name", "no"),
    (EXISTS, "save_weights", True, False, "name", "unknown"),
    (EXISTS, "save_weights", True, True, "name", "unknown"),
    (EXISTS, "optim_step", False, False, "name", "unknown"),
    (EXISTS, "load_weights", False, True, "name", "unknown"),
    (USED, "optim_step", False, False, "unclear", "unknown"),
    (USED, "optim_step", True, False, "known", "yes"),
    (USED, "optim_step", False, True, "next number", "no"),
    (USED, "optim_step", True, True, "unclear", "unknown"),
    (USED, "save_weights", False, False, "unclear", "unknown"),
    (USED, "save_weights", False, True, "next number", "no"),
    (NEXT, "optim_step", False, False, "counted", "yes"),
    (NEXT, "optim_step", True, False, "counted", "yes"),
    (NEXT, "optim_step", False, True, "next number", "no"),
    (NEXT, "optim_step", True, True, "counted", "yes"),
    (NEXT, "save_weights", False, False, "counted", "yes"),
    (FAR, "optim_step", False, False, "counts differently", "unknown"),
    (FAR, "optim_step", True, True, "counts differently", "unknown"),
    (BELOW, "save_weights", False, False, "counts differently", "unknown"),
    (BELOW, "forward", True, False, "counts differently", "unknown"),
    (BARE, "optim_step", False, False, "unclear", "unknown"),
    (BARE, "save_weights", False, False, "unclear", "unknown"),
    (BARE, "optim_step", True, False, "known", "yes"),
    (BARE, "optim_step", False, True, "next number", "no"),
    (PAGE, "optim_step", False, False, "unclear", "unknown"),
    (PAGE, "optim_step", True, False, "unclear", "unknown"),
    (PAGE, "optim_step", False, True, "unclear", "unknown"),
]


@pytest.mark.parametrize(("words", "operation", "resent", "reused", "kind", "applied"), CONFLICTS)
def test_what_a_409_proves(
    words: ErrorText, operation: str, resent: bool, reused: bool, kind: str, applied: str
) -> None:
    """Numbers decide first, then names, then whether the request was sent before."""
    found = read_conflict(words, operation, seq_id=4, highest_sent=4, resent=resent, reused=reused)
    assert (found.kind, found.applied) == (kind, applied)


def test_a_request_without_a_number_has_no_place_in_a_count() -> None:
    """Numbers in the text of a publish are about something else."""
    found = read_conflict(NEXT, "publish_checkpoint")
    assert (found.kind, found.applied) == ("unclear", "unknown")
