# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ImageFormat."""

from __future__ import annotations

from typing import Literal

ImageFormat = Literal["png", "jpeg"]
"""Format of an image file."""
