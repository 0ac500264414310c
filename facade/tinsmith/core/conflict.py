"""What a 409 proves. It may speak of a name that is taken, of a number, or of a request that came twice.

Pure. Something on the way may have sent the bytes twice, so that on most operations a 409 proves nothing.
"""

from __future__ import annotations

from typing import Literal

import attrs

from tinsmith.core.errors import Applied
from tinsmith.core.wording import Source, Words, expected_number, speaks_of_a_name

Kind = Literal["name", "next number", "counted", "counts differently", "known", "unclear"]
"""What a 409 means; `judge_conflict` says when."""


@attrs.frozen
class Conflict:
    """A 409, understood."""

    kind: Kind
    """What it means."""
    applied: Applied
    """Whether the request was applied."""


def names_a_thing(operation: str) -> bool:
    """Say whether an operation gives a name that may be taken."""
    return operation.startswith(("save_", "create_", "copy_", "publish_"))


def judge_conflict(
    words: Words,
    operation: str,
    *,
    seq_id: int | None = None,
    highest_sent: int = 0,
    resent: bool = False,
    reused: bool = False,
) -> Conflict:
    """Say what a 409 to a request means, on its submission or on a poll.

    `resent` says that it was sent again after an unknown outcome, `reused` that its number was given back by
    a request before it, which the server may have counted all the same.
    """
    expected = expected_number(words.text)
    if expected is not None and seq_id is not None:
        if reused and not resent and expected == seq_id + 1:
            return Conflict("next number", "no")
        if seq_id < expected <= max(highest_sent, seq_id) + 1:
            return Conflict("counted", "yes")
        return Conflict("counts differently", "unknown")
    if words.source is Source.TEXT and speaks_of_a_name(words.text):
        if names_a_thing(operation) and not resent:
            return Conflict("name", "no")
        return Conflict("name", "unknown")
    if resent:
        mine = not reused and words.source is not Source.UNREADABLE
        return Conflict("known", "yes") if mine else Conflict("unclear", "unknown")
    if reused and words.source is not Source.UNREADABLE:
        return Conflict("next number", "no")
    return Conflict("unclear", "unknown")
