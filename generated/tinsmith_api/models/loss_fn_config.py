# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""LossFnConfig."""

from __future__ import annotations

LossFnConfig = dict[str, float | str]
"""Settings of the loss, by name. ppo and cispo have `clip_low_threshold` and `clip_high_threshold`,
dro `beta`, custom `loss_id` (a text). Texts are allowed since 0.27.
"""
