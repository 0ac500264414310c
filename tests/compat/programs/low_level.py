"""A program that goes below the public clients: raw calls, promises by id, modules of the SDK's own."""

import asyncio
import importlib.metadata
import sys
from pathlib import Path

import tinker
from tinker import types
from tinker._client import AsyncTinker
from tinker._compat import model_dump
from tinker._exceptions import APIStatusError, TinkerError
from tinker._types import NOT_GIVEN
from tinker._version import __version__
from tinker.lib.api_future_impl import _APIFuture
from tinker.lib.chunked_fwdbwd_helpers import combine_fwd_bwd_output_results
from tinker.lib.client_connection_pool_type import ClientConnectionPoolType
from tinker.lib.internal_client_holder import InternalClientHolder
from tinker.lib.public_interfaces.service_client import RetryConfig, ServiceClient
from tinker.lib.telemetry import Telemetry, capture_exceptions, is_user_error
from tinker.resources.futures import AsyncFuturesResource
from tinker.types import SaveWeightsForSamplerResponseInternal
from tinker.types.optimizer import AdamParams
from tinker.types.shared.untyped_api_future import UntypedAPIFuture


def check_names() -> None:
    assert Path(tinker.__file__).exists()
    assert tinker.__version__ == __version__ == importlib.metadata.version("tinker")
    assert tinker.types.tensor_data.TensorData is tinker.TensorData
    assert tinker.lib.public_interfaces.rest_client.RestClient is tinker.RestClient
    assert tinker.AdminClient
    assert tinker.auth.tinker_has_credentials() is False
    assert issubclass(APIStatusError, TinkerError)
    assert issubclass(ServiceClient, tinker.ServiceClient)
    assert not NOT_GIVEN
    assert ClientConnectionPoolType.TRAIN.value == "train"
    assert RetryConfig
    assert Telemetry
    assert SaveWeightsForSamplerResponseInternal is types.SaveWeightsForSamplerResponse
    assert is_user_error(tinker.BadRequestError("no", status_code=400))
    assert model_dump(AdamParams(learning_rate=0.5))["learning_rate"] == 0.5
    assert combine_fwd_bwd_output_results(
        [types.ForwardBackwardOutput("", [], {"loss:sum": 2.0})] * 2
    ).metrics


async def main() -> None:
    capture_exceptions(check_names)()
    async with AsyncTinker(base_url="local:") as client:
        models = (await client.service.get_server_capabilities()).supported_models
        assert sys.argv[1] in [model.model_name for model in models]
        session = await client.service.create_session(
            request=types.CreateSessionRequest(tags=[], user_metadata=None, sdk_version=__version__)
        )
        wanted = types.CreateModelRequest(
            session_id=session.session_id,
            model_seq_id=0,
            base_model=sys.argv[1],
            user_metadata=None,
            lora_config=types.LoraConfig(rank=2),
        )
        promise = await client.models.create(request=wanted)
        assert isinstance(promise, UntypedAPIFuture)
        holder = client._service.holder
        assert isinstance(holder, InternalClientHolder)
        made = await _APIFuture(types.CreateModelResponse, holder, promise, request_type="CreateModel")
        gone = await client.models.unload(request=types.UnloadModelRequest(model_id=made.model_id))
        asked = types.FutureRetrieveRequest(request_id=gone.request_id)
        answer = await AsyncFuturesResource(client).retrieve(request=asked)
        print("unloaded", isinstance(answer, types.UnloadModelResponse), answer.model_id == made.model_id)


asyncio.run(main())
