# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CustomLossNodeOp."""

from typing import Literal

CustomLossNodeOp = Literal["call_function", "call_method", "call_module", "get_attr", "output", "placeholder"]
"""The kind of step."""
