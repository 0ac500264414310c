"""Training and sampling of the embedded engine beside torch + peft and transformers' generate.

Both sides run the same model shape, float32, the same lengths and LoRA rank, in turn, on the same cores; the
printed ratio is the median of the paired rounds' ratios, above 1 where the engine is faster. JSON lines go to
stdout after the table.

    python benchmarks/engine.py --peer .venv-golden/bin/python

The table's CPU columns are the seconds of one round on all cores; threads that wait by spinning count too.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from attrs import evolve, frozen
from tinsmith_local.engine.base_model import BaseModel, Weights
from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.engine.jobs import SampleJob, StopRule
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.scheduler import Scheduler
from tinsmith_local.engine.train import forward_backward
from tinsmith_local.models.gguf import open_gguf
from tinsmith_local.models.registry import load

SMOLLM2 = {
    "vocab_size": 49152,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "max_position_embeddings": 8192,
    "rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"},
    "tie_word_embeddings": True,
    "rms_norm_eps": 1e-5,
}


@frozen(kw_only=True)
class Adam:
    """The API's defaults."""

    learning_rate: float = 1e-4
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-12
    weight_decay: float = 0.0
    grad_clip_norm: float = 0.0


def random_model() -> BaseModel:
    """Return a model of SmolLM2's shape with random weights."""
    config = ModelConfig.from_hugging_face("smollm2-shape", {"model_type": "llama", **SMOLLM2})
    rng = np.random.default_rng(0)
    sizes = {"embed": 49152, "q_proj": 576, "k_proj": 192, "v_proj": 192, "o_proj": 576, "down_proj": 576}

    def get(name: str) -> np.ndarray:
        part = name.split(".")[-2]
        if "norm" in part:
            return np.ones(576, np.float32)
        rows = next((n for key, n in sizes.items() if part.startswith(key)), 1536)
        return rng.standard_normal((rows, 1536 if part == "down_proj" else 576), np.float32) * 0.04

    return BaseModel(config=config, weights=Weights.from_tensors(config, get))


class Ours:
    """The engine under measurement."""

    def __init__(self, model: BaseModel, rank: int, unembed: bool) -> None:
        self.model = evolve(model, config=evolve(model.config, eos_token_ids=()))
        self.adapter = Adapter.create(model.config, LoraSpec(rank=rank, train_unembed=unembed))
        self.scheduler = Scheduler(self.model)

    def train(self, tokens: np.ndarray) -> None:
        """Take one step: forward, backward, Adam."""
        ones = np.ones(tokens.shape[1] - 1, np.float32)
        examples = [Example(tokens=row[:-1], targets=row[1:], weights=ones) for row in tokens]
        forward_backward(self.model, self.adapter, examples, "cross_entropy")
        adam_step(self.adapter, Adam())

    def sample(self, prompts: np.ndarray, max_tokens: int, adapter: bool) -> None:
        """Generate a fixed number of tokens for each prompt, all in flight at once."""
        handles = [
            self.scheduler.submit(
                SampleJob(
                    prompt=prompt,
                    max_tokens=max_tokens,
                    seed=index,
                    stop=StopRule(),
                    adapter=self.adapter if adapter else None,
                )
            )
            for index, prompt in enumerate(prompts)
        ]
        while not self.scheduler.idle:
            self.scheduler.step()
        assert all(len(h.output.samples[0].tokens) == max_tokens for h in handles if h.output)


class Peer:
    """The other side, in a process of its own."""

    def __init__(self, python: str) -> None:
        script = Path(__file__).with_name("engine_peer.py")
        self._process = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, **order: object) -> dict:
        """Send one order and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the peer ended with code {self._process.wait()}")
        return json.loads(line)


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return wall and CPU seconds."""
    before, start = os.times(), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, os.times()
    return wall, after.user + after.system - before.user - before.system


def compare(name: str, rounds: int, tokens: int, ours: Callable[[], None], peer: Callable[[], dict]) -> dict:
    """Run both sides in turn, one warm-up and then the rounds."""
    ours()
    peer()
    pairs = []
    for index in range(rounds):
        first = timed(ours) if index % 2 == 0 else None
        answer = peer()
        wall, cpu = first or timed(ours)
        pairs.append((wall, cpu, answer["seconds"], answer["cpu"]))
    medians = [statistics.median(pair[column] for pair in pairs) for column in range(4)]
    row = {
        "work": name,
        "ours_s": medians[0],
        "peer_s": medians[2],
        "ours_tokens_s": tokens / medians[0],
        "peer_tokens_s": tokens / medians[2],
        "ratio": statistics.median(peer_s / ours_s for ours_s, _, peer_s, _ in pairs),
        "ours_cpu_s": medians[1],
        "peer_cpu_s": medians[3],
    }
    print(
        f"{name:34} {row['ours_tokens_s']:9.1f} {row['peer_tokens_s']:9.1f} {row['ratio']:7.2f}"
        f" {medians[1]:9.2f} {medians[3]:9.2f}",
        flush=True,
    )
    return row


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peer", required=True, help="python of the environment with torch, transformers, peft"
    )
    parser.add_argument(
        "--gguf", help="SmolLM2's GGUF for both sides; without it random weights of its shape"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--no-unembed", action="store_true", help="no adapter on the unembedding")
    parser.add_argument("--only", choices=["train", "sample"])
    parser.add_argument("--new-tokens", type=int, default=64)
    chosen = parser.parse_args()
    model = random_model() if not chosen.gguf else None
    if model is None:
        model = load(open_gguf(Path(chosen.gguf), "smollm2"))
    ours = Ours(model, chosen.rank, not chosen.no_unembed)
    peer = Peer(chosen.peer)
    about = peer.ask(
        do="start", threads=len(os.sched_getaffinity(0)), config=SMOLLM2, rank=chosen.rank, gguf=chosen.gguf,
        unembed=not chosen.no_unembed,
    )  # fmt: skip
    assert about["trainable"] == ours.adapter.flat.size, (about, ours.adapter.flat.size)
    versions = f"torch {about['torch']}, transformers {about['transformers']}"
    print(f"peer: {versions}, {about['threads']} threads; float32")
    print(f"{'work':34} {'ours t/s':>9} {'peer t/s':>9} {'ratio':>7} {'ours cpu':>9} {'peer cpu':>9}")
    rng = np.random.default_rng(3)
    rows = []
    for count, length in ((4, 256), (8, 128), (1, 512)) if chosen.only != "sample" else ():
        tokens = rng.integers(0, 49152, (count, length + 1))
        rows.append(
            compare(
                f"train {count} x {length}, rank {chosen.rank}",
                chosen.rounds,
                count * length,
                lambda tokens=tokens: ours.train(tokens),
                lambda tokens=tokens: peer.ask(do="train", tokens=tokens.tolist()),
            )
        )
    new = chosen.new_tokens
    for count, adapter in ((1, False), (16, False), (1, True), (16, True)) if chosen.only != "train" else ():
        prompts = rng.integers(0, 49152, (count, 32))
        rows.append(
            compare(
                f"sample {count} x {new}{', adapter' if adapter else ''}",
                chosen.rounds,
                count * new,
                lambda p=prompts, a=adapter: ours.sample(p, new, a),
                lambda p=prompts, a=adapter: peer.ask(
                    do="sample", prompts=p.tolist(), max_tokens=new, adapter=a
                ),
            )
        )
    found = {row["work"]: row for row in rows}
    single, many = found.get(f"sample 1 x {new}"), found.get(f"sample 16 x {new}")
    if single and many:
        print(f"16 concurrent samples cost {many['ours_s'] / single['ours_s']:.2f} single ones")
    print(f"peak memory: ours {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    for row in rows:
        print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
