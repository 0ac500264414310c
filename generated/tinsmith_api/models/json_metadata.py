# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""JsonMetadata."""

from __future__ import annotations

from typing import Any

JsonMetadata = dict[str, Any]
"""Labels that the user attaches, with any JSON values. Answers repeat those values as text."""
