# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""OptimizerConfig."""

from __future__ import annotations

from .adam_optimizer_config import AdamOptimizerConfig
from .dimuon_optimizer_config import DimuonOptimizerConfig
from .other_optimizer_config import OtherOptimizerConfig

OptimizerConfig = AdamOptimizerConfig | DimuonOptimizerConfig | OtherOptimizerConfig
"""The optimizer that a model is trained with, told apart by `type`. Unknown kinds pass through."""
