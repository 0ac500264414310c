"""Run in an environment with peft, transformers and llama.cpp: what they compute from exported files.

Usage: reference.py torch FOLDER ... for folders that hold `prompts.json`, `peft/` and `merged/`; it writes
`by_peft` and `by_transformers` into FOLDER/reference.safetensors. Or: reference.py llama JOBS, a JSON file of
jobs {model, lora, prompts}; it prints for each job and prompt the likeliest next tokens and their logprobs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LIKELIEST = 40
"""Tokens whose logprobs are printed."""


def torch_logits(folder: Path) -> None:
    """Load the two forms unmodified, and write the logits of all prompts, one below another."""
    import torch
    from peft import AutoPeftModelForCausalLM
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    prompts = json.loads((folder / "prompts.json").read_text())
    models = {
        "by_peft": AutoPeftModelForCausalLM.from_pretrained(folder / "peft", dtype=torch.float32),
        "by_transformers": AutoModelForCausalLM.from_pretrained(folder / "merged", dtype=torch.float32),
    }
    found = {}
    with torch.no_grad():
        for name, model in models.items():
            model.eval()
            found[name] = torch.cat([model(torch.tensor([ids])).logits[0] for ids in prompts["ids"]])
    tokenizer = AutoTokenizer.from_pretrained(folder / "merged")
    assert [tokenizer(text, add_special_tokens=False).input_ids for text in prompts["texts"]] == prompts[
        "ids"
    ]
    save_file(found, folder / "reference.safetensors")


def llama_logprobs(model: str, lora: str | None, prompts: list[list[int]]) -> list[dict[str, float]]:
    """Return token -> logprob of what follows each prompt, by llama.cpp, with its cache in full precision."""
    import xllamacpp  # type: ignore[import-not-found]

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel, params.warmup, params.verbosity = 256, 1, False, -1
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    if lora:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(lora, 1.0)]
    server: Any = xllamacpp.Server(params)
    found = []
    for ids in prompts:
        asked = {
            "prompt": ids,
            "n_predict": 1,
            "n_probs": LIKELIEST,
            "temperature": 0.0,
            "cache_prompt": False,
        }
        answer = server.handle_completions(asked)
        (token,) = answer["choices"][0]["logprobs"]["content"]
        found.append({str(one["id"]): one["logprob"] for one in token["top_logprobs"]})
    return found


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    what, *places = arguments
    if what == "torch":
        for place in places:
            torch_logits(Path(place))
    else:
        jobs = json.loads(Path(places[0]).read_text())
        found = [llama_logprobs(job["model"], job["lora"], job["prompts"]) for job in jobs]
        Path(places[0]).with_suffix(".found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
