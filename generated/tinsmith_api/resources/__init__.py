# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""The operations of the contract as methods, by noun. They build requests; a subclass sends them."""

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
    """The operations that need no order."""


class OperationsInOrder(
    WeightsInOrder,
):
    """The operations that are sent in the order of training."""
