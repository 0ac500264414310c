"""What known servers do otherwise, by name: a report names these and does not count them as deviations.

Owns the table. A dialect is of a rule, a place and a value; which server is asked does not matter, so that an
imitation of a server gets the same words as the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from tinsmith.contract.document import shipped
from tinsmith.contract.judge import Finding


@attrs.frozen
class Dialect:
    """One habit of servers."""

    name: str
    """What it is called; the word of `tinsmith serve --imitate` where there is one."""
    text: str
    """What such a server does, in one sentence."""
    servers: tuple[str, ...]
    """The servers that are known to do so, by the names of `core.server_profiles`."""
    rules: tuple[str, ...]
    """The rules that it breaks."""
    only: Callable[[Finding], bool] = attrs.field(default=lambda finding: True, repr=False)
    """Which findings of these rules it explains."""


_SKYRL = ("skyrl-0.3", "skyrl-0.4")
_LOCAL_TIME = re.compile(r'"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?"')
"""A date and a time of day, as JSON, without a zone."""


def _is_training(finding: Finding) -> bool:
    return finding.operation in shipped().in_order


DIALECTS = (
    Dialect(
        "empty-success",
        "a success has status 204 and no body, where the contract has a body without required fields",
        ("tuft",),
        ("body-empty",),
    ),
    Dialect(
        "try-again",
        'a pending promise is answered by 200 and `"type": "try_again"`, not by 408',
        ("tuft", "hatchery"),
        ("pending",),
    ),
    Dialect(
        "failure-status",
        "a failed promise is reported by the status of the poll, not by a body with `error`",
        (*_SKYRL, "tuft"),
        ("failure-status",),
    ),
    Dialect(
        "no-deduplication",
        "a training request that is sent again under its number is applied again",
        ("skyrl-0.3", "hatchery"),
        ("repeat-applied", "other-applied"),
        _is_training,
    ),
    Dialect(
        "made-again",
        "a request for a model, a sampler or a sample that is sent again under its number makes another one",
        (*_SKYRL, "tuft", "hatchery"),
        ("repeat-applied", "other-applied"),
        lambda finding: not _is_training(finding),
    ),
    Dialect(
        "duplicates-409",
        "a number that is sent again is refused, with the same content too",
        ("tuft",),
        ("repeat-refused",),
    ),
    Dialect(
        "arrival-order",
        "requests are applied in the order of arrival, and gaps in their numbers are not noticed",
        (*_SKYRL, "hatchery"),
        ("gap-applied",),
    ),
    Dialect("exact-next", "a number that comes too early is refused at once", (), ("gap-at-once",)),
    Dialect(
        "load-first-only",
        "weights are loaded only by the first request of a model",
        ("hosted", "skyrl-0.4"),
        ("load-later",),
    ),
    Dialect(
        "two-segment-paths",
        "saving for a sampler returns a path without the kind of the checkpoint",
        _SKYRL,
        ("path-form",),
        lambda finding: finding.value.count("/") == 3,
    ),
    Dialect(
        "checkpoints-paths",
        "paths have `checkpoints` in place of the kind",
        ("hatchery",),
        ("path-form",),
        lambda finding: "/checkpoints/" in finding.value,
    ),
    Dialect(
        "bare-ids",
        "checkpoints are listed by their names, without the kind",
        (*_SKYRL, "tuft"),
        ("checkpoint-ids",),
    ),
    Dialect("shorter-paths", "paths of checkpoints have no segment for the kind", _SKYRL, ("shorter-path",)),
    Dialect(
        "short-prompt-logprobs",
        "prompt logprobs have no null for the first token",
        (*_SKYRL, "tuft"),
        ("prompt-logprobs",),
    ),
    Dialect("json-only", "batches are read as JSON only", ("skyrl-0.3", "hatchery"), ("protobuf-refused",)),
    Dialect("protobuf-only", "batches are read as protobuf only", ("skyrl-0.4", "tuft"), ("json-refused",)),
    Dialect(
        "sampler-promise",
        "the answer to `create_sampling_session` is a promise",
        ("hatchery",),
        ("promise",),
        lambda finding: finding.operation == "create_sampling_session",
    ),
    Dialect(
        "no-time-zone",
        "times are in UTC, but have no time zone",
        (*_SKYRL, "tuft"),
        ("body", "result"),
        lambda finding: "date-time" in finding.text and _LOCAL_TIME.fullmatch(finding.value) is not None,
    ),
    Dialect(
        "unknown-late",
        "a request for an unknown id is accepted, and refused on the poll",
        ("tuft",),
        ("unknown-late",),
    ),
    Dialect(
        "any-path-is-known",
        "`weights_info` answers for any path",
        ("tuft",),
        ("unknown-id",),
        lambda finding: finding.operation == "weights_info",
    ),
    Dialect(
        "file-archives",
        "archives are folders on the disk of the server, which nobody else can download",
        ("tuft",),
        ("location",),
        lambda finding: finding.value.startswith("file:"),
    ),
    Dialect("no-key", "every key is accepted", _SKYRL, ("open-door",)),
)
"""All habits that have a name."""


def dialect_of(finding: Finding) -> Dialect | None:
    """Return the habit that explains a finding; None for a deviation."""
    for dialect in DIALECTS:
        if finding.rule in dialect.rules and dialect.only(finding):
            return dialect
    return None
