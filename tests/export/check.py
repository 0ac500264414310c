"""Prove exports with the programs that load them: peft, transformers and llama.cpp.

`python -m tests.export.check --python .venv-export/bin/python` trains adapters on SmolLM2 and the tiny models
for a few steps, exports them in every form, and compares what the other programs compute with what the
embedded engine computes with base model and adapter. It prints the largest differences, and fails above the
limits below.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tinsmith
from tinsmith import export, types
from tinsmith_local.conversion.base_files import open_base
from tinsmith_local.conversion.compare import PROMPTS, logits
from tinsmith_local.models.adapters import load_adapter
from tinsmith_local.models.gguf import open_gguf, read_tensor
from tinsmith_local.models.gguf_index import read_index
from tinsmith_local.models.registry import load
from tinsmith_local.models.tensor_file import TensorFile
from tokenizers import Tokenizer

Array = np.ndarray[Any, Any]

REFERENCE = Path(__file__).parent / "reference.py"
LOGITS_WITHIN = 1e-3
"""Largest difference of a logit between the programs, in float32."""

LOGPROBS_WITHIN = 5e-2
"""Largest difference of a logprob from llama.cpp, which rounds the other factor of F16 weights too."""

TEXTS = ("What is the capital of Belgium?\nAye, that be Brussels, me hearty!", "Tin melts at 232 degrees.")
"""What the adapters are trained on."""


def trained(base_url: str, model: str, folder: Path) -> Path:
    """Train an adapter for a few steps, so that it changes every logit, and download it."""
    with tinsmith.ServiceClient(base_url=base_url) as service:
        trainer = service.create_lora_training_client(model, rank=8, seed=0)
        tokenizer = trainer.get_tokenizer()
        datums = []
        for text in TEXTS:
            tokens = list(tokenizer.encode(text))
            inputs = {"target_tokens": tokens[1:], "weights": [1.0] * (len(tokens) - 1)}
            datums.append(
                types.Datum(model_input=types.ModelInput.from_ints(tokens[:-1]), loss_fn_inputs=inputs)
            )
        for _ in range(4):
            trainer.forward_backward(datums, "cross_entropy")
            trainer.optim_step(types.AdamParams(learning_rate=5e-3))
        path = trainer.save_weights_for_sampler("final").result().path
        assert path is not None
        return service.create_rest_client().download_checkpoint(path, folder / "adapter").result()


def exported(model: str, folder: Path) -> dict[str, Array]:
    """Export an adapter on `model` for peft and merged, and return what the engine computes."""
    folder.mkdir()
    adapter = trained("local:", model, folder)
    base = export.export_merged(None, folder / "base", base=model).target
    export.export_peft(adapter, folder / "peft", base=str(base))
    merged = export.export_merged(adapter, folder / "merged", base=model)
    print(f"  checked on export: logits within {merged.difference:.1e}")
    source = open_base(model).source
    assert source is not None
    assert source.tokenizer_json is not None
    tokenizer = Tokenizer.from_str(source.tokenizer_json.decode())
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in PROMPTS]
    (folder / "prompts.json").write_text(json.dumps({"texts": PROMPTS, "ids": ids}))
    opened, prompts = load(source), [np.array(one, np.int64) for one in ids]
    laid = load_adapter(adapter, source.config, base=source.get_tensor)
    return {"base": logits(opened, None, prompts), "adapted": logits(opened, laid, prompts)}


def compare_torch(python: str, folders: dict[str, Path]) -> bool:
    """Compare logits: base model and adapter by peft, the merged model by transformers, and ours."""
    ours = {}
    for model, folder in folders.items():
        print(model, flush=True)
        ours[model] = exported(model, folder)
    subprocess.run([python, "-W", "ignore", str(REFERENCE), "torch", *map(str, folders.values())], check=True)
    is_right = True
    for model, folder in folders.items():
        found, own = TensorFile(folder / "reference.safetensors"), ours[model]
        effect = np.abs(own["adapted"] - own["base"]).max()
        pairs = {
            "peft and ours": np.abs(found.get("by_peft") - own["adapted"]).max(),
            "transformers (merged) and ours": np.abs(found.get("by_transformers") - own["adapted"]).max(),
            "peft and transformers (merged)": np.abs(
                found.get("by_peft") - found.get("by_transformers")
            ).max(),
        }
        for what, difference in pairs.items():
            print(
                f"{model}: {what}: logits within {difference:.1e}; the adapter changes them by {effect:.2f}"
            )
            is_right &= bool(difference <= LOGITS_WITHIN < effect)
    return is_right


def write_f16(source: Path, target: Path, *, untied: bool) -> Path:
    """Write a GGUF file anew with its matrices in F16; `untied` adds the unembedding as one of its own."""
    from gguf import GGUFReader, GGUFValueType, GGUFWriter

    index, fields = read_index(source), GGUFReader(source).fields
    writer = GGUFWriter(target, str(index.metadata["general.architecture"]))
    for key, field in fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, sub_type=inner)
    writer.add_file_type(1)  # mostly F16
    for name, entry in index.tensors.items():
        array = read_tensor(index, entry)
        narrow = array.astype(np.float16) if array.ndim > 1 else np.ascontiguousarray(array)
        writer.add_tensor(name, narrow)
        if untied and name == "token_embd.weight":
            writer.add_tensor("output.weight", narrow.copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def compare_llama(python: str, smollm2: Path, folder: Path) -> bool:
    """Compare next-token logprobs by llama.cpp with ours on F16 base models, with the adapter and without."""
    prompts = json.loads((folder / "prompts.json").read_text())["ids"]
    adapter = folder / "adapter"
    jobs: list[dict[str, Any]] = []
    for name, without in (("tied", ["lm_head"]), ("untied", [])):
        base = write_f16(smollm2, folder / f"{name}.gguf", untied=name == "untied")
        lora = folder / f"{name}-lora.gguf"
        export.export_gguf_lora(adapter, lora, base=str(base), without=without)
        jobs += [
            {"model": str(base), "lora": place, "without": without, "prompts": prompts}
            for place in (None, str(lora))
        ]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    subprocess.run([python, str(REFERENCE), "llama", str(folder / "jobs.json")], check=True)
    answers = json.loads((folder / "jobs.found.json").read_text())
    is_right = True
    for job, found in zip(jobs, answers, strict=True):
        alone, adapted = our_logprobs(Path(job["model"]), adapter, job["without"], prompts)
        wanted = adapted if job["lora"] else alone
        difference = effect = 0.0
        for ours, plain, logprobs in zip(wanted, alone, found, strict=True):
            ids = np.array([int(token) for token in logprobs])
            theirs = np.array(list(logprobs.values()))
            difference = max(difference, float(np.abs(ours[ids] - theirs).max()))
            effect = max(effect, float(np.abs(plain[ids] - theirs).max()))
        name = f"{Path(job['model']).stem}, {'with the adapter' if job['lora'] else 'base alone'}"
        print(
            f"llama.cpp, {name}: logprobs within {difference:.1e} of ours, {effect:.2f} from the base alone"
        )
        is_right &= difference <= LOGPROBS_WITHIN and (not job["lora"] or effect > 10 * LOGPROBS_WITHIN)
    return is_right


def our_logprobs(
    base: Path, adapter: Path, without: list[str], prompts: list[list[int]]
) -> tuple[list[Array], list[Array]]:
    """Return the logprobs of what follows each prompt, without and with the adapter."""
    source = open_gguf(base, "f16")
    model, tokens = load(source), [np.array(ids, np.int64) for ids in prompts]
    laid = load_adapter(adapter, source.config, base=source.get_tensor, without=without)
    ends = np.cumsum([len(ids) for ids in tokens]) - 1
    both = []
    for one in (None, laid):
        rows = logits(model, one, tokens)[ends].astype(np.float64)
        rows -= rows.max(-1, keepdims=True)
        both.append(list(rows - np.log(np.exp(rows).sum(-1, keepdims=True))))
    return both[0], both[1]


def main() -> int:
    """Run both comparisons."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", required=True, help="Python with the packages of requirements.txt.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinsmith-export-check-") as place:
        folders = {name: Path(place, name.partition("/")[2] or name) for name in MODELS}
        is_right = compare_torch(options.python, folders)
        smollm2 = Path(open_base("smollm2").origin)
        is_right &= compare_llama(options.python, smollm2, folders["smollm2"])
    print("right" if is_right else "WRONG")
    return 0 if is_right else 1


MODELS = ("tinsmith/tiny", "tinsmith/tiny-untied", "smollm2")


if __name__ == "__main__":
    sys.exit(main())
