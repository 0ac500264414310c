"""One contestant of `network.py`. Usage: network_client.py MODULE CASE COUNT URL.

Ours and the official client have the same names, so that both run these very lines: MODULE is `tinsmith` or
`tinker`. Prints its figures as JSON and leaves at once: how a client shuts down is not what is measured.
"""

import importlib
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections import deque
from pathlib import Path

warnings.simplefilter("ignore")

PROMPT_TOKENS = 200
PARAMS = {"max_tokens": 200, "temperature": 1.0}
WIDE = 5
"""Chunks of a wide batch: one datum each, since the server takes no more."""
BIG = (480, 4096)
"""Datums and tokens of the upload: 31 MB."""
EXPORTED = "tinker://s:train:0/external_weights/release"


class Contestant:
    """The clients of one contestant, made when they are first used."""

    def __init__(self, module, url):
        self.sdk = importlib.import_module(module)
        self.service = self.sdk.ServiceClient(base_url=url, api_key="tml-bench")

    def trainer(self):
        """Make a training client."""
        return self.service.create_lora_training_client("a/b", rank=8)

    def datums(self, count, tokens):
        """Make a batch."""
        import numpy as np

        types = self.sdk.types
        ids = list(range(tokens))
        inputs = {"target_tokens": np.arange(tokens), "weights": np.ones(tokens, np.float32)}
        prompt = types.ModelInput.from_ints(ids)
        return [types.Datum(model_input=prompt, loss_fn_inputs=dict(inputs)) for _ in range(count)]

    def sampler(self):
        """Make a sampling client; return what draws."""
        client = self.service.create_sampling_client(base_model="a/b")
        prompt = self.sdk.types.ModelInput.from_ints(list(range(PROMPT_TOKENS)))
        params = self.sdk.types.SamplingParams(**PARAMS)
        return lambda: client.sample(prompt, 4, params)


def measured(work, count):
    """Time a piece of work that was done once before."""
    cpu, begun = time.process_time(), time.perf_counter()
    work(count)
    return {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}


def cold(who, _count):
    """Go from nothing to the first training result; the parent times the process."""
    who.trainer().forward_backward(who.datums(1, 8), "cross_entropy").result()
    return {"cpu_s": time.process_time()}


def steps(who, count, *, width, ahead):
    """Train: a batch and an optimizer step, with so many steps sent ahead of the one that is awaited."""
    trainer, data = who.trainer(), who.datums(width, 8)
    adam = who.sdk.types.AdamParams(learning_rate=1e-4)

    def work(times):
        sent = deque()
        for _ in range(times):
            sent.append((trainer.forward_backward(data, "cross_entropy"), trainer.optim_step(adam)))
            if len(sent) > ahead:
                for future in sent.popleft():
                    future.result()
        for pair in sent:
            for future in pair:
                future.result()

    work(2 + ahead)
    return measured(work, count)


def samples(who, count, *, in_flight):
    """Draw samples with so many in flight; when the oldest is there the next one goes out."""
    draw = who.sampler()

    def work(times):
        sent = deque()
        for _ in range(times):
            if len(sent) >= in_flight:
                sent.popleft().result()
            sent.append(draw())
        for future in sent:
            future.result()

    work(2)
    return measured(work, count)


def upload(who, count):
    """Send large batches."""
    trainer, small, data = who.trainer(), who.datums(1, 8), who.datums(*BIG)

    def work(times):
        for _ in range(times):
            trainer.forward_backward(data, "cross_entropy").result()

    trainer.forward_backward(small, "cross_entropy").result()
    return measured(work, count)


def download(who, _count):
    """Fetch the file of an exported checkpoint."""
    rest, folder = who.service.create_rest_client(), Path(tempfile.mkdtemp())
    rest.get_external_weights_urls(EXPORTED).result()
    if who.sdk.__name__ == "tinsmith":
        found = measured(lambda _: rest.download_external_weights(EXPORTED, folder / "export").result(), 1)
    else:  # the official client has it in its command line alone
        from tinker.cli.commands.checkpoint import _download_external_weights

        options = {"show_progress": False, "format": "json"}
        found = measured(lambda _: _download_external_weights(rest, EXPORTED, folder, **options), 1)
    shutil.rmtree(folder)
    return found


CASES = {
    "cold": cold,
    "step": lambda who, count: steps(who, count, width=1, ahead=0),
    "step5": lambda who, count: steps(who, count, width=WIDE, ahead=0),
    "pipelined": lambda who, count: steps(who, count, width=1, ahead=1),
    "pipelined5": lambda who, count: steps(who, count, width=WIDE, ahead=1),
    "sample": lambda who, count: samples(who, count, in_flight=1),
    "samples": lambda who, count: samples(who, count, in_flight=count),
    "samples64": lambda who, count: samples(who, count, in_flight=64),
    "wait": lambda who, count: samples(who, count, in_flight=count),
    "upload": upload,
    "download": download,
}
"""By the names of `network.py`."""


def main():
    """Do the work and report."""
    module, case, count, url = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    found = CASES[case](Contestant(module, url), count)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found | {"peak_mb": peak_mb}), flush=True)
    os._exit(0)


main()
