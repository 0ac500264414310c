"""Holds recorded traffic against the contract; protobuf is held against it as the JSON that it stands for."""

from collections.abc import Iterator
from pathlib import Path

from contract_captures import Contract, exchanges
from contract_document import CONTRACT, load

CAPTURES = Path(__file__).parent / "captures"


def problems(folder: Path = CAPTURES) -> Iterator[str]:
    """Say what does not fit, naming the capture and the exchange."""
    contract = Contract(load(CONTRACT))
    for exchange in exchanges(folder):
        for problem in contract.problems(exchange):
            yield f"{exchange.source}, {exchange.name}: {problem}"
