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


@attrs.frozen(kw_only=True)
class Dialect:
    """One habit of servers."""

    name: str
    """What it is called; the word of `tinsmith serve --imitate` where there is one."""
    text: str
    """What such a server does, in one sentence."""
    servers: tuple[str, ...]
    """Who is known for it, by the names of `core.server_profiles`."""
    rules: frozenset[str]
    """The rules that it breaks."""
    only: Callable[[Finding], bool] = attrs.field(default=lambda finding: True, repr=False)
    """Which findings of these rules it explains."""


_LOCAL_TIME = re.compile(r'"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?"')
"""A date and a time of day, as JSON, without a zone."""


DIALECTS = (
    Dialect(
        name="empty-success",
        text="success is 204 without a body where the contract has one in which nothing is required",
        servers=("tuft",),
        rules=frozenset({"body-empty"}),
    ),
    Dialect(
        name="try-again",
        text='a pending promise is 200 with `"type": "try_again"` instead of 408',
        servers=("tuft", "hatchery"),
        rules=frozenset({"pending"}),
    ),
    Dialect(
        name="failure-status",
        text="a failed promise is told by the status of the poll instead of a body with `error`",
        servers=("skyrl-0.3", "skyrl-0.4", "tuft"),
        rules=frozenset({"failure-status"}),
    ),
    Dialect(
        name="no-deduplication",
        text="a training request that comes again under its number is applied again",
        servers=("skyrl-0.3", "hatchery"),
        rules=frozenset({"repeat-applied", "other-applied"}),
        only=lambda finding: finding.operation in shipped().in_order,
    ),
    Dialect(
        name="made-again",
        text="a model, sampler or sample that is asked for again under its number is made again",
        servers=("skyrl-0.3", "skyrl-0.4", "tuft", "hatchery"),
        rules=frozenset({"repeat-applied", "other-applied"}),
        only=lambda finding: finding.operation not in shipped().in_order,
    ),
    Dialect(
        name="duplicates-409",
        text="a number that comes again is refused, with the same content too",
        servers=("tuft",),
        rules=frozenset({"repeat-refused"}),
    ),
    Dialect(
        name="arrival-order",
        text="requests are applied as they arrive, gaps are not noticed",
        servers=("skyrl-0.3", "skyrl-0.4", "hatchery"),
        rules=frozenset({"gap-applied"}),
    ),
    Dialect(
        name="exact-next",
        text="a number that comes too early is refused at once",
        servers=(),
        rules=frozenset({"gap-at-once"}),
    ),
    Dialect(
        name="load-first-only",
        text="weights are loaded only by the first request of a model",
        servers=("hosted", "skyrl-0.4"),
        rules=frozenset({"load-later"}),
    ),
    Dialect(
        name="two-segment-paths",
        text="saving for a sampler tells a path without the kind",
        servers=("skyrl-0.3", "skyrl-0.4"),
        rules=frozenset({"path-form"}),
        only=lambda finding: finding.value.count("/") == 3,
    ),
    Dialect(
        name="checkpoints-paths",
        text="paths have `checkpoints` for the kind",
        servers=("hatchery",),
        rules=frozenset({"path-form"}),
        only=lambda finding: "/checkpoints/" in finding.value,
    ),
    Dialect(
        name="bare-ids",
        text="checkpoints are listed by their names, without the kind",
        servers=("skyrl-0.3", "skyrl-0.4", "tuft"),
        rules=frozenset({"checkpoint-ids"}),
    ),
    Dialect(
        name="shorter-paths",
        text="checkpoints are below the run, without the kind",
        servers=("skyrl-0.3", "skyrl-0.4"),
        rules=frozenset({"shorter-path"}),
    ),
    Dialect(
        name="short-prompt-logprobs",
        text="prompt logprobs have no null for the first token",
        servers=("skyrl-0.3", "skyrl-0.4", "tuft"),
        rules=frozenset({"prompt-logprobs"}),
    ),
    Dialect(
        name="json-only",
        text="batches are read as JSON alone",
        servers=("skyrl-0.3", "hatchery"),
        rules=frozenset({"protobuf-refused"}),
    ),
    Dialect(
        name="protobuf-only",
        text="batches are read as protobuf alone",
        servers=("skyrl-0.4", "tuft"),
        rules=frozenset({"json-refused"}),
    ),
    Dialect(
        name="sampler-promise",
        text="a sampling session comes as a promise",
        servers=("hatchery",),
        rules=frozenset({"promise"}),
        only=lambda finding: finding.operation == "create_sampling_session",
    ),
    Dialect(
        name="no-time-zone",
        text="times are in UTC without saying so",
        servers=("skyrl-0.3", "skyrl-0.4", "tuft"),
        rules=frozenset({"body", "result"}),
        only=lambda finding: "date-time" in finding.text and _LOCAL_TIME.fullmatch(finding.value) is not None,
    ),
    Dialect(
        name="unknown-late",
        text="requests for an unknown id are accepted, and refused on the poll",
        servers=("tuft",),
        rules=frozenset({"unknown-late"}),
    ),
    Dialect(
        name="any-path-is-known",
        text="`weights_info` answers for any path",
        servers=("tuft",),
        rules=frozenset({"unknown-id"}),
        only=lambda finding: finding.operation == "weights_info",
    ),
    Dialect(
        name="file-archives",
        text="archives are folders of the server's own disk, which nobody else can fetch",
        servers=("tuft",),
        rules=frozenset({"location"}),
        only=lambda finding: finding.value.startswith("file:"),
    ),
    Dialect(
        name="no-key",
        text="every key opens",
        servers=("skyrl-0.3", "skyrl-0.4"),
        rules=frozenset({"open-door"}),
    ),
)
"""All habits that have a name."""


def dialect_of(finding: Finding) -> Dialect | None:
    """Return the habit that explains a finding; None for a deviation."""
    for dialect in DIALECTS:
        if finding.rule in dialect.rules and dialect.only(finding):
            return dialect
    return None
