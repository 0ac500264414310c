# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""UserMetadata."""

from __future__ import annotations

UserMetadata = dict[str, str]
"""Labels that the user attaches, text by name."""
