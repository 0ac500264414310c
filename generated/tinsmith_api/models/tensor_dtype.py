# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TensorDtype."""

from __future__ import annotations

from typing import Literal

TensorDtype = Literal["int64", "float32"]
"""Type of a tensor's numbers."""
