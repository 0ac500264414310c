"""The pieces that a line of requests is made of. Values and records; `sequence` alone changes them."""

from __future__ import annotations

from enum import StrEnum

import attrs

from tinsmith.core.errors import TinkerError


class Kind(StrEnum):
    """What a request does to the gradient on the server."""

    GRADIENT = "gradient"
    """forward_backward: adds to it."""
    STEP = "step"
    """optim_step: uses it up."""
    OTHER = "other"
    """forward, save, load: leaves it alone."""


class Phase(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    """In line; has no number."""
    DRAWN = "drawn"
    """At the head, with a number; nothing was sent."""
    SENT = "sent"
    """At the head; bytes may have left."""
    ACCEPTED = "accepted"
    """The server gave a promise; out of the line."""
    DONE = "done"
    """The result is in."""
    FAILED = "failed"
    """Ended without a result."""


@attrs.define(eq=False, repr=False)
class QueuedCall:
    """One call of the user: one request, or the chunks of a batch."""

    kind: Kind
    """What it does to the gradient."""
    places: list[Ticket] = attrs.field(factory=list)
    """Its requests, in order."""
    applied: set[int] = attrs.field(factory=set)
    """Chunks that the server took and did not fail."""


@attrs.define(eq=False)
class Ticket:
    """One request's place in line."""

    call: QueuedCall = attrs.field(repr=False)
    """The call it belongs to."""
    chunk: int
    """Position in the call, from 0."""
    phase: Phase = Phase.WAITING
    """How far it has come."""
    seq_id: int | None = None
    """Its number, once drawn."""
    reused: bool = False
    """Whether the number was sent before, refused, and given back."""
    unknown: bool = False
    """Whether the number was ever sent with an unknown outcome."""
    step: Ticket | None = attrs.field(default=None, repr=False)
    """The step that used this gradient up, once accepted."""
    gradients: set[Ticket] = attrs.field(factory=set, repr=False)
    """Of a step: the gradients it used whose results are not in."""
    doom: tuple[Ticket, TinkerError] | None = attrs.field(default=None, repr=False)
    """The gradient that it builds on and that was lost, after it had drawn its number; and why."""

    @property
    def kind(self) -> Kind:
        """What the request does to the gradient."""
        return self.call.kind


@attrs.frozen
class Fallout:
    """A request that ends with an error."""

    place: Ticket
    """The request."""
    error: TinkerError
    """What its future gets."""


@attrs.frozen
class Settlement:
    """What follows from an event."""

    ready: list[Ticket] = attrs.field(factory=list)
    """Requests whose results may be handed out now."""
    failed: list[Fallout] = attrs.field(factory=list)
    """Requests that end with an error, the one that the event was about first."""
