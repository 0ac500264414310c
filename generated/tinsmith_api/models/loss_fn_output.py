# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""LossFnOutput."""

from __future__ import annotations

from .tensor_data_output import TensorDataOutput

LossFnOutput = dict[str, TensorDataOutput]
"""What the loss gives back for one datum, by name. `logprobs` are those of the targets; some servers
add `elementwise_loss`.
"""
