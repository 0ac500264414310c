"""Writes the golden files from torch, transformers and peft alone; `make golden` runs it.

Every array that the tests compare with comes from here, and nothing here imports Tinsmith. Weights,
adapters and data are random from fixed seeds; the files hold what went in and what came out.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict

HERE = Path(__file__).parent
ALPHA = 32
PREFIX = "base_model.model."
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
MLP = ["gate_proj", "up_proj", "down_proj"]
#: "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained" in SmolLM2's tokens.
PROMPT = [1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018]
#: Two sentences in SmolLM2's tokens; on random tokens its gradients are too ill-conditioned for float32.
TEXT = [504, 1573, 9191, 281, 260, 11637, 10856, 4962, 28, 284, 260, 1663, 259, 506, 7388, 4891, 827, 20067]
TEXT += [1699, 260, 7395, 30, 32304, 761, 3783, 874, 338, 260, 4626, 436, 12197, 429, 5461, 288, 5461, 30]
ADAM = {"lr": 2e-3, "betas": (0.9, 0.95), "eps": 1e-12}

TINY = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "eos_token_id": 1,
    "bos_token_id": 0,
    "pad_token_id": 2,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama_tied": ("LlamaConfig", {"tie_word_embeddings": True, "rms_norm_eps": 1e-5}),
    "llama_untied": ("LlamaConfig", {"tie_word_embeddings": False, "rope_parameters": LLAMA3_ROPE}),
    "qwen2": ("Qwen2Config", {"tie_word_embeddings": False}),
    "qwen3": ("Qwen3Config", {"tie_word_embeddings": True, "head_dim": 12}),
}


def tiny_model(kind: str, options: dict[str, Any], seed: int) -> torch.nn.Module:
    """Build a tiny model whose every tensor is random, norms and biases included."""
    torch.manual_seed(seed)
    config = getattr(transformers, kind)(**{**TINY, **options})
    model = transformers.AutoModelForCausalLM.from_config(
        config, dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "norm" in name:
                tensor.uniform_(0.5, 1.5)
            else:
                tensor.normal_(0.0, 0.25 if "embed" in name or "lm_head" in name else 0.18)
    return model.eval()


def with_adapter(model: torch.nn.Module, rank: int, seed: int) -> torch.nn.Module:
    """Put a LoRA adapter with random A and B on every linear map, the unembedding included."""
    config = LoraConfig(
        r=rank, lora_alpha=ALPHA, target_modules=[*ATTENTION, *MLP, "lm_head"], lora_dropout=0.0, bias="none"
    )
    peft_model = get_peft_model(model, config)
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in peft_model.named_parameters():
            if "lora_" in name:
                tensor.normal_(0.0, 0.1)
    return peft_model


def adapter_arrays(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Adapter arrays as PEFT itself would save them, without its prefix."""
    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name.removeprefix(PREFIX): tensor.detach().numpy().copy() for name, tensor in state.items()}


def adapter_grads(model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Gradients under the names of `adapter_arrays`."""
    return {
        name.removeprefix(PREFIX).replace(".default", ""): tensor.grad.numpy().copy()
        for name, tensor in model.named_parameters()
        if "lora_" in name
    }


def batch(rng: np.random.Generator, vocab: int, lengths: list[int]) -> list[dict[str, Any]]:
    """Make datums with every field that any loss reads."""
    data = []
    for length in lengths:
        tokens = rng.integers(3, vocab, length + 1)
        weights = rng.uniform(0.2, 1.5, length).astype(np.float32)
        weights[: length // 3] = 0.0
        advantages = rng.normal(0.0, 1.0, length).astype(np.float32)
        advantages[: length // 3] = 0.0
        data.append(
            {
                "tokens": tokens[:-1],
                "targets": tokens[1:],
                "weights": weights,
                "advantages": advantages,
                "noise": rng.normal(0.0, 0.3, length).astype(np.float32),
            }
        )
    return data


def logprobs(model: torch.nn.Module, datum: dict[str, Any]) -> torch.Tensor:
    """Logprob of each target of one datum."""
    logits = model(input_ids=torch.tensor(datum["tokens"])[None]).logits[0]
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(datum["targets"])[:, None])[:, 0]


def loss_value(name: str, p: torch.Tensor, datum: dict[str, Any]) -> torch.Tensor:
    """Per-token loss, written for autograd from the published formulas."""
    q, adv = torch.tensor(datum["logprobs"]), torch.tensor(datum["advantages"])
    ratio = torch.exp(p - q)
    low, high = 0.8, 1.2
    if name == "cross_entropy":
        return -torch.tensor(datum["weights"]) * p
    if name == "importance_sampling":
        return -ratio * adv
    if name == "ppo":
        return -torch.minimum(ratio * adv, torch.clamp(ratio, low, high) * adv)
    if name == "cispo":
        return -torch.clamp(ratio, low, high).detach() * p * adv
    if name == "dro":
        return -(p * adv - 0.5 * 0.05 * (p - q) ** 2)
    if name == "gspo":
        mask = torch.tensor(datum["mask"])
        mean = ((p - q) * mask).sum() / mask.sum()
        ratio = torch.exp(p - p.detach() + mean.detach())
        return -torch.minimum(ratio * adv, torch.clamp(ratio, low, high) * adv)
    raise ValueError(name)


def three_steps(
    model: torch.nn.Module, data: list[dict[str, Any]], decay: float, clip: float
) -> dict[str, np.ndarray]:
    """Take three optimizer steps of cross-entropy over the batch; return the adapter."""
    parameters = [tensor for name, tensor in model.named_parameters() if "lora_" in name]
    optimizer = torch.optim.AdamW(parameters, weight_decay=decay, **ADAM)
    for _ in range(3):
        optimizer.zero_grad()
        sum(loss_value("cross_entropy", logprobs(model, datum), datum).sum() for datum in data).backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
    return adapter_arrays(model)


def restore(model: torch.nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Set the adapter back to given arrays."""
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "lora_" in name:
                tensor.copy_(torch.tensor(arrays[name.removeprefix(PREFIX).replace(".default", "")]))
                tensor.grad = None


def greedy(model: torch.nn.Module, prompt: np.ndarray, count: int) -> np.ndarray:
    """Continue a prompt with the likeliest tokens, end of sequence ignored."""
    out = model.generate(
        input_ids=torch.tensor(prompt)[None],
        max_new_tokens=count,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=2,
    )
    return np.asarray(out[0, len(prompt) :])


def tiny_golden(name: str, kind: str, options: dict[str, Any], seed: int) -> None:
    """Write one tiny model's file."""
    rng = np.random.default_rng(seed)
    base = tiny_model(kind, options, seed)
    files: dict[str, np.ndarray] = {"config": np.array(json.dumps(base.config.to_dict()))}
    state = {n: t.numpy().copy() for n, t in base.state_dict().items()}
    if options.get("tie_word_embeddings"):
        state.pop("lm_head.weight")
    files |= {f"weights/{n}": a for n, a in state.items()}
    data = batch(rng, TINY["vocab_size"], [23, 5, 40, 1])
    prompt = data[0]["tokens"][:9]
    with torch.no_grad():
        files["base/logits"] = base(input_ids=torch.tensor(data[2]["tokens"])[None]).logits[0].numpy()
    files["base/greedy"] = greedy(base, prompt, 24)
    model = with_adapter(base, rank=3, seed=seed + 100)
    start = adapter_arrays(model)
    files |= {f"adapter/{n}": a for n, a in start.items()}
    with torch.no_grad():
        files["logits"] = model(input_ids=torch.tensor(data[2]["tokens"])[None]).logits[0].numpy()
    files["greedy"] = greedy(model, prompt, 24)
    files["prompt"] = prompt
    for index, datum in enumerate(data):
        with torch.no_grad():
            p = logprobs(model, datum).numpy()
        datum["logprobs"] = (p + datum.pop("noise")).astype(np.float32)
        datum["mask"] = (np.arange(len(p)) >= len(p) // 2).astype(np.float32)
        files |= {f"data/{index}/{field}": values for field, values in datum.items()}
        files[f"data/{index}/found"] = p
    names = ["cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo"]
    for loss in names if name == "llama_tied" else names[:1]:
        restore(model, start)
        values = [loss_value(loss, logprobs(model, datum), datum) for datum in data]
        sum(value.sum() for value in values).backward()
        files |= {f"{loss}/value/{index}": value.detach().numpy() for index, value in enumerate(values)}
        files |= {f"{loss}/grad/{n}": a for n, a in adapter_grads(model).items()}
    for label, decay, clip in (("plain", 0.0, 0.0), ("decay_clip", 0.1, 1.0)):
        restore(model, start)
        files |= {f"adam_{label}/{n}": a for n, a in three_steps(model, data, decay, clip).items()}
    save(name, files)


def soft_targets_golden() -> None:
    """Write the value and gradients of cross-entropy with several weighted targets a position."""
    rng = np.random.default_rng(77)
    model = with_adapter(tiny_model(*MODELS["llama_tied"], seed=11), rank=3, seed=111)
    tokens, targets = rng.integers(3, 61, 14), rng.integers(0, 61, (14, 5))
    targets[3, 1] = targets[3, 0]
    weights = rng.uniform(0.0, 1.0, (14, 5)).astype(np.float32)
    weights[:2] = 0.0
    found = torch.log_softmax(model(input_ids=torch.tensor(tokens)[None]).logits[0], -1).gather(
        1, torch.tensor(targets)
    )
    value = -(torch.tensor(weights) * found).sum(1)
    value.sum().backward()
    files = {"tokens": tokens, "targets": targets, "weights": weights, "found": found.detach().numpy()}
    files["value"] = value.detach().numpy()
    save("soft_targets", files | {f"grad/{n}": a for n, a in adapter_grads(model).items()})


def smollm2_golden(gguf: Path) -> None:
    """Write slices of SmolLM2's numbers, as transformers itself reads the GGUF."""
    model = transformers.AutoModelForCausalLM.from_pretrained(
        str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    tokens = np.array(PROMPT + TEXT)
    rows, columns = np.array([0, 1, 7, 30, 46]), np.arange(0, 49152, 16)
    files = {"tokens": tokens, "rows": rows, "columns": columns}
    with torch.no_grad():
        logits = model(input_ids=torch.tensor(tokens[:-1])[None]).logits[0]
    files["base/logits"] = logits.numpy()[np.ix_(rows, columns)]
    files["base/logprobs"] = (
        torch.log_softmax(logits, -1).gather(1, torch.tensor(tokens[1:])[:, None])[:, 0].numpy()
    )
    files["prompt"] = np.array(PROMPT)
    files["base/greedy"] = greedy(model, files["prompt"], 24)
    files["config"] = np.array(
        json.dumps({k: v for k, v in model.config.to_dict().items() if "name" not in k})
    )
    model = with_adapter(model, rank=2, seed=0).double()  # in float32 torch's own gradients are off by 4e-4
    with torch.no_grad():  # too large to store: numpy's generator makes the same arrays on both sides
        for name, tensor in sorted(model.named_parameters()):
            if "lora_" in name:
                noise = np.random.default_rng(
                    list(name.removeprefix(PREFIX).replace(".default", "").encode())
                )
                tensor.copy_(torch.tensor(noise.normal(0.0, 0.02, tensor.shape).astype(np.float32)))
    datum: dict[str, Any] = {
        "tokens": tokens[:-1],
        "targets": tokens[1:],
        "weights": np.random.default_rng(5).uniform(0, 1, len(tokens) - 1).astype(np.float32),
    }
    datum |= {name: np.zeros(len(tokens) - 1, np.float32) for name in ("logprobs", "advantages")}
    p = logprobs(model, datum)
    loss_value("cross_entropy", p, datum).sum().backward()
    files["weights"], files["logprobs"] = datum["weights"], p.detach().float().numpy()
    kept = [
        f"model.layers.{i}.{m}"
        for i in (0, 14, 29)
        for m in ("self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj")
    ]
    for name, grad in adapter_grads(model).items():
        if name.startswith(tuple(kept)) or name == "lm_head.lora_A.weight":
            files[f"grad/{name}"] = grad.astype(np.float32)
    save("smollm2", files)


def save(name: str, files: dict[str, np.ndarray]) -> None:
    """Write one file and say how large it is."""
    for key, array in files.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name}: {key} is not finite")
    path = HERE / f"{name}.npz"
    np.savez_compressed(path, allow_pickle=False, **files)
    print(f"{path.name}: {len(files)} arrays, {math.ceil(path.stat().st_size / 1024)} kB")


def main() -> int:
    """Write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", type=Path, help="SmolLM2's GGUF; without it that file is left as it is")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for seed, (name, (kind, options)) in enumerate(MODELS.items(), start=11):
        tiny_golden(name, kind, options, seed)
    soft_targets_golden()
    if chosen.gguf:
        smollm2_golden(chosen.gguf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
