# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ExternalWeightsUrlsResponse."""

from __future__ import annotations

from datetime import datetime

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ExternalWeightsUrlsResponse(Model):
    """Where the files of a checkpoint can be fetched.

    * `urls`: Signed URLs by file name, relative to the target directory. Each is a secret.
    * `expires`: When the URLs stop working, UTC. Ask for new ones 5 minutes before.
    """

    urls: dict[str, str] = attrs.field(repr=False)
    """Signed URLs by file name, relative to the target directory. Each is a secret."""
    expires: datetime
    """When the URLs stop working, UTC. Ask for new ones 5 minutes before."""
