# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AccessScope."""

from __future__ import annotations

from typing import Literal

AccessScope = Literal["owned", "accessible"]
"""Whose things are listed: one's own (`owned`), or all that the key may read (`accessible`)."""
