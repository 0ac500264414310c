# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ClientSessionFinishReasonType."""

from __future__ import annotations

from typing import Literal

ClientSessionFinishReasonType = Literal["success", "errored", "interrupted"]
"""How the work of a session went, by the word of its client."""
