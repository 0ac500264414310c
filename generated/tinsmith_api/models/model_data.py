# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ModelData."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ModelData(Model):
    """What a model is made of.

    * `arch`: Architecture of the base model. Absent or null where the server does not say.
    * `model_name`: Name of the base model. Absent or null where the server does not say.
    * `tokenizer_id`: Name under which the tokenizer is found, where it is not that of the base
      model. Absent or null otherwise.
    """

    arch: str | None = None
    """Architecture of the base model. Absent or null where the server does not say."""
    model_name: str | None = None
    """Name of the base model. Absent or null where the server does not say."""
    tokenizer_id: str | None = None
    """Name under which the tokenizer is found, where it is not that of the base model. Absent or null
    otherwise.
    """
