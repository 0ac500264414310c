"""Write peft/: tiny models by transformers, adapters by peft, and the logits with these and with ours.

`python -m tests.embedded.models.golden.write_adapters`, in the development environment, writes the adapters
that are ours; this script, in the golden one, loads them. When the base models change, run it before and
after.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.numpy import save_file
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, Qwen2Config, Qwen2ForCausalLM

HERE = Path(__file__).parent / "peft"
TOKENS = [[1, 5, 9, 60, 3, 3, 17, 42], [7, 7, 7, 30, 11, 2, 55, 0]]
SHAPE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "eos_token_id": 2,
    "bos_token_id": 1,
}


def base(name: str) -> PreTrainedModel:
    """Make the base model and save it: a tied llama, an untied qwen2 with biases."""
    torch.manual_seed(7)
    model: PreTrainedModel = (
        LlamaForCausalLM(LlamaConfig(**SHAPE, tie_word_embeddings=True))
        if name == "llama"
        else Qwen2ForCausalLM(Qwen2Config(**SHAPE, tie_word_embeddings=False))
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 1.0 if parameter.ndim == 1 else 0.0, 0.2)
    model = model.eval()
    model.save_pretrained(HERE / name / "base")
    return model


def logits(model: torch.nn.Module) -> np.ndarray:
    """Compute the logits of TOKENS."""
    with torch.no_grad():
        computed: np.ndarray = model(torch.tensor(TOKENS)).logits.float().numpy()
    return computed


def by_peft(name: str) -> np.ndarray:
    """Make an adapter with random matrices on a part of the modules and save it."""
    targets = (
        ["q_proj", "v_proj", "down_proj"] if name == "llama" else ["k_proj", "o_proj", "up_proj", "lm_head"]
    )
    config = LoraConfig(
        r=3, lora_alpha=12, target_modules=targets, task_type="CAUSAL_LM", use_rslora=name == "qwen2"
    )
    model = get_peft_model(base(name), config)
    torch.manual_seed(8)
    for key, parameter in model.named_parameters():
        if "lora_" in key:
            torch.nn.init.normal_(parameter, 0.0, 0.3)
    model.eval().save_pretrained(HERE / name / "by_peft")
    (HERE / name / "by_peft" / "README.md").unlink(missing_ok=True)
    return logits(model)


def main() -> None:
    """Write everything for both models."""
    for name in ("llama", "qwen2"):
        expected = {"base": logits(base(name)), "by_peft": by_peft(name)}
        ours = HERE / name / "by_tinsmith"
        if ours.exists():
            expected["by_tinsmith"] = logits(PeftModel.from_pretrained(base(name), ours).eval())
        expected["tokens"] = np.array(TOKENS, np.int64)
        save_file(expected, HERE / name / "expected.safetensors")


if __name__ == "__main__":
    main()
