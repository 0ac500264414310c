"""lm-eval against a gateway: tasks over a local file, with the tokenizer of the gateway and no transformers.

One task compares the log-probabilities of choices, the other compares a generated text. The values of the
first go to stdout, for `run.py` to hold against those that a SamplingClient gives.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import lm_eval
from lm_eval.tasks import TaskManager

ROWS = [
    {"question": "The capital of France is", "choices": ["Paris", "Rome", "a banana"], "answer": 0},
    {"question": "The opposite of hot is", "choices": ["blue", "cold", "seven"], "answer": 1},
    {"question": "Two plus two is", "choices": ["four", "green", "a house"], "answer": 0},
    {"question": "The sun rises in the", "choices": ["spoon", "east", "soup"], "answer": 1},
    {"question": "Water freezes and becomes", "choices": ["fire", "music", "ice"], "answer": 2},
    {"question": "A young dog is called a", "choices": ["puppy", "window", "Tuesday"], "answer": 0},
]
CHOICES = """\
task: capitals_choices
dataset_path: json
dataset_kwargs:
  data_files: {file}
test_split: train
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
doc_to_choice: "{{{{choices}}}}"
metric_list:
  - metric: acc
"""
GENERATED = """\
task: capitals_generated
dataset_path: json
dataset_kwargs:
  data_files: {file}
test_split: train
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{choices[answer]}}}}"
generation_kwargs:
  until: ["\\n", "."]
  max_gen_toks: 8
  temperature: 0
filter_list:
  - name: trimmed
    filter:
      - function: remove_whitespace
      - function: take_first
metric_list:
  - metric: exact_match
    ignore_case: true
    ignore_punctuation: true
"""


def main() -> None:
    """Evaluate both tasks."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        file = folder / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        for name, text in (("choices", CHOICES), ("generated", GENERATED)):
            (folder / f"{name}.yaml").write_text(text.format(file=file))
        found = lm_eval.simple_evaluate(
            model="local-completions",
            model_args={
                "model": os.environ["MODEL"],
                "base_url": f"{os.environ['OPENAI_BASE_URL']}/completions",
                "tokenizer_backend": "remote",
                "auth_token": os.environ["OPENAI_API_KEY"],
                "num_concurrent": 8,
                "max_length": 2048,
            },
            tasks=["capitals_choices", "capitals_generated"],
            task_manager=TaskManager(include_path=str(folder), include_defaults=False),
            bootstrap_iters=0,
            log_samples=True,
        )
    assert not {"torch", "transformers"}.intersection(sys.modules)
    accuracy = found["results"]["capitals_choices"]["acc,none"]
    exact = found["results"]["capitals_generated"]["exact_match,trimmed"]
    print(
        f"  lm-eval {version('lm-eval')}: accuracy of choices {accuracy:.3f}, of generated texts {exact:.3f},"
        " without transformers"
    )
    assert min(accuracy, exact) > 0.3, "the model knows more than this"
    values = {}
    for sample in found["samples"]["capitals_choices"]:
        for choice, answer in zip(sample["doc"]["choices"], sample["filtered_resps"], strict=True):
            values[f"{sample['doc']['question']}|{choice}"] = answer[0]
    Path(os.environ["VALUES"]).write_text(json.dumps(values))


main()
