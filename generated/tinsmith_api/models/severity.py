# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Severity."""

from __future__ import annotations

from typing import Literal

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
"""How serious an event is."""
