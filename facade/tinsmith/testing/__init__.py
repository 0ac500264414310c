"""For the tests of our users: a service in memory with a ledger, faults on its wire, and a frozen clock.

>>> from tinsmith import ServiceClient, testing, types
>>> service = testing.LedgerService()
>>> with ServiceClient(**service.settings()) as client:
...     trainer = client.create_lora_training_client("tinsmith/tiny")
...     step = trainer.optim_step(types.AdamParams()).result()
>>> [entry.operation for entry in service.ledger.applied]
['optim_step']
"""

from tinsmith.testing.clock import FrozenClock, frozen_clock
from tinsmith.testing.fault_plans import AtPosition, AtRandom, FaultKind, FaultPlan, faults
from tinsmith.testing.ledger_service import Applied, Ledger, LedgerService, ServerDialect, reply
from tinsmith.testing.sockets import SocketServer

__all__ = [
    "Applied",
    "AtPosition",
    "AtRandom",
    "FaultKind",
    "FaultPlan",
    "FrozenClock",
    "Ledger",
    "LedgerService",
    "ServerDialect",
    "SocketServer",
    "faults",
    "frozen_clock",
    "reply",
]
