"""One contestant of `traffic.py`. Usage: traffic_client.py MODULE WORK COUNT URL.

Ours and the official client have the same names, so that both run these very lines: MODULE is `tinsmith` or
`tinker`. Prints its figures as JSON and leaves at once: how a client shuts down is not what is measured.
"""

import gc
import importlib
import json
import os
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")

PROMPT_TOKENS = 200
PARAMS = {"max_tokens": 200, "temperature": 1.0}


def peak_mb() -> float:
    """Return the largest resident size so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sampler_of(sdk, service):
    """Make a sampling client; return what draws."""
    client = service.create_sampling_client(base_model="a/b")
    prompt = sdk.types.ModelInput.from_ints(list(range(PROMPT_TOKENS)))
    params = sdk.types.SamplingParams(**PARAMS)

    def draw():
        return client.sample(prompt, 4, params)

    return draw


def trainer_of(sdk, service):
    """Make a training client; return what trains on one small datum."""
    client = service.create_lora_training_client("a/b", rank=8)
    inputs = {"target_tokens": list(range(8)), "weights": [1.0] * 8}
    prompt = sdk.types.ModelInput.from_ints(list(range(8)))
    data = [sdk.types.Datum(model_input=prompt, loss_fn_inputs=inputs)]

    def step():
        return client.forward_backward(data, "cross_entropy")

    return step


def main() -> None:
    """Do the work and report."""
    module, work, count, url = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    sdk = importlib.import_module(module)
    service = sdk.ServiceClient(base_url=url, api_key="tml-bench")
    ask = trainer_of(sdk, service) if work == "step" else sampler_of(sdk, service)
    for _ in range(1 if work == "wait" else 5):
        ask().result()
    gc.collect()
    memory, cpu, begun = peak_mb(), time.process_time(), time.perf_counter()
    if work in ("one", "step"):
        for _ in range(count):
            ask().result()
    else:
        futures = [ask() for _ in range(count)]
        for future in futures:
            future.result()
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    report = {"wall_s": wall_s, "cpu_s": cpu_s, "added_mb": peak_mb() - memory}
    print(json.dumps(report), flush=True)
    os._exit(0)


main()
