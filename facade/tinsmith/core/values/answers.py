"""Answers that the facade puts together, or reads more kindly than the contract. Owns their fields only."""

from __future__ import annotations

from datetime import datetime

import attrs
from tinsmith_api.model import Model
from tinsmith_api.reading import own_fields

from tinsmith.core.errors import RequestErrorCategory


@attrs.frozen(field_transformer=own_fields)
class RequestFailedResponse(Model):
    """The promise failed."""

    error: str
    """Reason for people."""
    category: RequestErrorCategory = RequestErrorCategory.Unknown
    """Who is to blame; what this version does not know counts as unknown."""


@attrs.frozen(field_transformer=own_fields)
class CheckpointArchiveUrlResponse(Model):
    """Where an archive can be fetched, as the headers of a redirect say it."""

    url: str
    """A signed URL; treat it as a secret."""
    expires: datetime
    """When it stops working, UTC."""


@attrs.frozen(field_transformer=own_fields)
class WhoamiResponse(Model):
    """Whom the server takes the caller for."""

    user_urn: str | None = None
    """The user."""
    org_urn: str | None = None
    """The organization that the user acts for, `tml:organization:<id>`."""
    email: str | None = None
    """Where the user is reached."""
