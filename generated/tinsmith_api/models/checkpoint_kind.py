# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CheckpointKind."""

from __future__ import annotations

from typing import Literal

CheckpointKind = Literal["weights", "sampler_weights", "external_weights"]
"""First half of a checkpoint id: `weights` to go on training from, `sampler_weights` to sample from,
`external_weights` to download.
"""
