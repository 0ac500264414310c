"""The README.md of an adapter on the hub: what it was trained from, and how to load it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinsmith.export.forms import ExportedForm

CARD = "README.md"


def model_card(form: ExportedForm, repo: str, *, checkpoint: str | None = None) -> str:
    """Return the card of the adapter `form`, as `export_peft` described it, in the repository `repo`.

    The head is YAML, whose values are written as JSON, which YAML reads. `checkpoint` is where it came from.
    """
    base = json.dumps(form.base_model)
    head = [
        f"base_model: {base}",
        "base_model_relation: adapter",
        "library_name: peft",
        "pipeline_tag: text-generation",
        "tags: [lora, tinsmith]",
    ]
    facts = [
        f"| Base model | {form.base_model} |",
        f"| Rank | {form.rank} |",
        f"| Alpha | {form.alpha:g} |",
        f"| Adapted matrices | {form.modules} |",
        *([f"| Checkpoint | `{checkpoint}` |"] if checkpoint else []),
    ]
    lines = [
        "---", *head, "---", "", f"# {repo.rpartition('/')[2]}", "",
        f"A LoRA adapter for {form.base_model}, in PEFT format, exported by Tinsmith.", "",
        "| | |", "|---|---|", *facts, "", "## Use", "", "```python",
        "from peft import PeftModel", "from transformers import AutoModelForCausalLM, AutoTokenizer", "",
        f"model = AutoModelForCausalLM.from_pretrained({base})",
        f"model = PeftModel.from_pretrained(model, {json.dumps(repo)})",
        f"tokenizer = AutoTokenizer.from_pretrained({base})", "```",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
