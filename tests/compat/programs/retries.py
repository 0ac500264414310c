"""Retry settings, errors and futures under the names of the official SDK's submodules."""

import concurrent.futures
import sys

import tinker
import tinker.types.image_chunk
from tinker.lib.public_interfaces import APIFuture, SamplingClient
from tinker.lib.public_interfaces.api_future import AwaitableConcurrentFuture
from tinker.lib.public_interfaces.sampling_client import SamplingClient as Same
from tinker.lib.public_interfaces.service_client import ServiceClient
from tinker.lib.retry_handler import RetryConfig
from tinker.types.encoded_text_chunk import EncodedTextChunk
from tinker.types.image_asset_pointer_chunk import ImageAssetPointerChunk
from tinker.types.sampling_params import SamplingParams


def main() -> None:
    assert ServiceClient is tinker.ServiceClient
    assert Same is SamplingClient
    assert tinker.types.image_chunk.ImageChunk is tinker.types.ImageChunk
    assert ImageAssetPointerChunk(format="png", location="x").type == "image_asset_pointer"
    assert issubclass(AwaitableConcurrentFuture, APIFuture)

    service_client = ServiceClient()
    sampling_client = service_client.create_sampling_client(
        base_model=sys.argv[1],
        retry_config=RetryConfig(max_connections=4, progress_timeout=60, retry_delay_base=0.1),
    )
    prompt = tinker.ModelInput(chunks=[EncodedTextChunk(tokens=[1, 2, 3])])
    futures = [
        sampling_client.sample(prompt, 1, SamplingParams(max_tokens=2, seed=seed)) for seed in range(8)
    ]
    done, _ = concurrent.futures.wait(futures)
    assert len(done) == 8
    try:
        service_client.create_sampling_client()
    except ValueError:
        pass
    else:
        raise AssertionError("a sampling client without a model was made")
    print("sampled", sum(len(future.result().sequences) for future in futures))


if __name__ == "__main__":
    main()
