# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""LossFnInputs."""

from __future__ import annotations

from .tensor_data import TensorData

LossFnInputs = dict[str, TensorData]
"""What the loss reads beside the model input, by name. Each tensor is as long as the input, and
position i is about token i + 1. All losses need `target_tokens` (int64); by loss come `weights`,
`logprobs` and `advantages` (float32). cross_entropy also takes two-dimensional `target_tokens` and
`weights`, with several targets for each position.
"""
