# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""OptimizerParams."""

from __future__ import annotations

from .dimuon_params import DimuonParams
from .other_optimizer_params import OtherOptimizerParams

OptimizerParams = DimuonParams | OtherOptimizerParams
"""Settings of one step of an optimizer other than Adam, told apart by `type`. Unknown kinds pass through."""
