# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""The operations of the contract as methods, by noun. They ask; whoever inherits says how a request is sent."""

from .audit import Audit as Audit
from .billing import Billing as Billing
from .checkpoints import Checkpoints as Checkpoints
from .sampling import Sampling as Sampling
from .sessions import Sessions as Sessions
from .training_runs import TrainingRuns as TrainingRuns
from .weights import Weights as Weights
from .weights import WeightsInOrder as WeightsInOrder


class Operations(
    Sessions,
    Weights,
    Sampling,
    TrainingRuns,
    Checkpoints,
    Billing,
    Audit,
):
    """Every operation that answers by itself."""


class OperationsInOrder(
    WeightsInOrder,
):
    """Every operation that has a place in the order of training."""
