# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SaveWeightsForSamplerRequestKind."""

from typing import Literal

SaveWeightsForSamplerRequestKind = Literal["inflight", "snapshot"]
"""Whether the sampler keeps the weights of now (`snapshot`) or follows the training (`inflight`). Absent means `snapshot`."""
