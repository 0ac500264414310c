# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FinishReasonType."""

from typing import Literal

FinishReasonType = Literal["errored", "interrupted", "success"]
"""How the work went."""
