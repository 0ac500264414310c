"""What the service tells clients of itself, and that whoever runs it may say otherwise."""

from collections.abc import Callable

import pytest
from tinsmith.core.negotiation import read_flags
from tinsmith_api.models import ClientConfigResponse, ClientDynamicConfigResponse
from tinsmith_local.options import CONFIG_FLAGS, DYNAMIC_FLAGS, parse_flags

from tests.embedded.app.caller import Caller


def test_the_flags_are_those_that_clients_read(caller: Caller) -> None:
    """Both answers are understood whole, and carry what the table says."""
    config = caller.ok("client/config", sdk_version="0.38.0")
    changing = caller.ok("client/dynamic_config", sdk_version="0.38.0")
    assert read_flags(ClientConfigResponse, config)[1] == []
    assert read_flags(ClientDynamicConfigResponse, changing)[1] == []
    assert (config, changing) == (dict(CONFIG_FLAGS), dict(DYNAMIC_FLAGS))


def test_flags_are_replaced(open_caller: Callable[..., Caller]) -> None:
    """What the command line says is what clients are told; the rest stays."""
    words = ["sample-use-retrieve-futures=true", "fwdbwd_max_chunk_len=8", "refresh_interval_sec=10.5"]
    caller = open_caller(client_flags=parse_flags([*words, "credential_default_source=credential_cmd"]))
    config = caller.ok("client/config", sdk_version="0.38.0")
    changed = {"sample_use_retrieve_futures": True, "fwdbwd_max_chunk_len": 8}
    assert config == {**CONFIG_FLAGS, **changed, "credential_default_source": "credential_cmd"}
    assert caller.ok("client/dynamic_config", sdk_version="1")["refresh_interval_sec"] == 10.5


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("nonsense=1", "unknown flag 'nonsense'"),
        ("pjwt_auth_enabled=1", "true or false"),
        ("pjwt_auth_enabled", "true or false"),
        ("fwdbwd_max_chunk_len=many", "must be a number"),
        ("fwdbwd_max_chunk_len=0", "above 0"),
        ("refresh_interval_sec=nan", "above 0"),
        ("refresh_interval_sec=inf", "above 0"),
        ("credential_default_source=", "needs a value"),
    ],
)
def test_wrong_flags_are_refused(word: str, reason: str) -> None:
    """The message names the flag, or what there is."""
    with pytest.raises(ValueError, match=reason):
        parse_flags([word])
