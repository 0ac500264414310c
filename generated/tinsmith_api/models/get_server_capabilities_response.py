# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""GetServerCapabilitiesResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .supported_model import SupportedModel


@attrs.frozen(field_transformer=own_fields)
class GetServerCapabilitiesResponse(Model):
    """What the server offers.

    * `supported_models`: The base models that it offers.
    """

    supported_models: list[SupportedModel]
    """The base models that it offers."""
