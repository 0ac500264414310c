# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SignedUrls."""

from __future__ import annotations

SignedUrls = dict[str, str]
"""A signed URL for each file, by its name. Each is a secret."""
