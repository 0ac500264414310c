# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""UntypedAPIFuture."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class UntypedAPIFuture(Model):
    """A promise: the server accepted the work under this id. Its result is asked for with
    `retrieve_future`.

    * `request_id`: Id to ask `retrieve_future` for.
    * `model_id`: Model that the promise belongs to. Absent or null where the server does not say.
    * `sample_sequence_ids`: One id for each sample that was asked for, by which later requests say
      where tokens came from. Absent or null for other work, and on servers that give none.
    """

    request_id: str
    """Id to ask `retrieve_future` for."""
    model_id: str | None = None
    """Model that the promise belongs to. Absent or null where the server does not say."""
    sample_sequence_ids: list[str] | None = None
    """One id for each sample that was asked for, by which later requests say where tokens came from.
    Absent or null for other work, and on servers that give none.
    """
