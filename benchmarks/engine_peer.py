"""The peer of `engine.py`: torch, peft and transformers, driven line by line over stdin and stdout.

Runs in the environment of the golden files and never imports Tinsmith.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
import transformers
from peft import LoraConfig, get_peft_model

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Peer:
    """The model under measurement, with and without an adapter."""

    def __init__(self, order: dict) -> None:
        torch.set_num_threads(order["threads"])
        torch.manual_seed(0)
        if order.get("gguf"):
            path = Path(order["gguf"])
            self.base = transformers.AutoModelForCausalLM.from_pretrained(
                str(path.parent), gguf_file=path.name, dtype=torch.float32
            )
        else:
            self.base = transformers.AutoModelForCausalLM.from_config(
                transformers.LlamaConfig(**order["config"]), dtype=torch.float32
            )
        modules = [*MODULES, "lm_head"] if order["unembed"] else MODULES
        lora = LoraConfig(r=order["rank"], lora_alpha=32, target_modules=modules, lora_dropout=0.0)
        self.model = get_peft_model(self.base, lora)
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            parameters, lr=1e-4, betas=(0.9, 0.95), eps=1e-12, weight_decay=0.0
        )
        self.trainable = sum(p.numel() for p in parameters)

    def train(self, order: dict) -> dict:
        """Take one step: forward, backward, Adam."""
        tokens = torch.tensor(order["tokens"])
        self.model.train()
        start = time.perf_counter()
        logits = self.model(input_ids=tokens[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum"
        )
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {"seconds": time.perf_counter() - start, "loss": float(loss.detach())}

    def sample(self, order: dict) -> dict:
        """Generate a fixed number of tokens for each prompt."""
        prompts = torch.tensor(order["prompts"])
        self.model.eval()
        count = order["max_tokens"]
        options = {"do_sample": True, "top_k": 0, "top_p": 1.0, "temperature": 1.0, "pad_token_id": 0}
        context = self.model.disable_adapter() if not order["adapter"] else torch.no_grad()
        start = time.perf_counter()
        with context, torch.inference_mode():
            out = self.model.generate(
                input_ids=prompts,
                attention_mask=torch.ones_like(prompts),
                max_new_tokens=count,
                min_new_tokens=count,
                **options,
            )
        seconds = time.perf_counter() - start
        assert out.shape[1] == prompts.shape[1] + count
        return {"seconds": seconds}


def main() -> None:
    """Answer one line with one line until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    peer = None
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "start":
            peer = Peer(order)
            answer = {
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "threads": torch.get_num_threads(),
                "trainable": peer.trainable,
            }
        else:
            before = os.times()
            answer = getattr(peer, order["do"])(order)
            after = os.times()
            answer["cpu"] = after.user + after.system - before.user - before.system
        answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
