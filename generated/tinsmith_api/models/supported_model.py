# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SupportedModel."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SupportedModel(Model):
    """A base model that the server offers.

    * `model_name`: Its name, to be passed as `base_model`. Null where the server does not say.
    * `max_context_length`: Longest prompt and completion together, in tokens. Absent or null where
      the server does not say. Unit: tokens.
    * `trainable`: Whether it can be trained. Absent or null where the server does not say.
    * `sampleable`: Whether it can be sampled. Absent or null where the server does not say.
    """

    model_name: str | None = None
    """Its name, to be passed as `base_model`. Null where the server does not say."""
    max_context_length: int | None = None
    """Longest prompt and completion together, in tokens. Absent or null where the server does not say.
    Unit: tokens.
    """
    trainable: bool | None = None
    """Whether it can be trained. Absent or null where the server does not say."""
    sampleable: bool | None = None
    """Whether it can be sampled. Absent or null where the server does not say."""
