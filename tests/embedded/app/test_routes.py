"""Contract and app are the same list: every operation has a route, and nothing else is served."""

from tinsmith_local.app.contract import Contract

from tests.embedded.app.caller import Caller


def test_every_operation_has_a_function(caller: Caller) -> None:
    """One function for each operation id."""
    assert sorted(caller.service.endpoints) == sorted(Contract().ids())


def test_every_operation_has_a_route(caller: Caller) -> None:
    """Each path of the contract, aliases too, is served under its method."""
    contract = Contract()
    for operation_id in contract.ids():
        method, paths = contract.place(operation_id)
        for path in paths:
            filled = path.removeprefix("/api/v1/").replace("{", "").replace("}", "")
            answer = caller.send(method, filled, json={} if method in {"POST", "PUT"} else None)
            assert answer.status_code != 405, operation_id
            assert answer.text != '{"detail":"Not Found","category":"user"}', operation_id
