"""Print the logprobs of the tokens on stdin, but the first, by peft: peft_logprobs.py BASE ADAPTER."""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base, adapter = sys.argv[1:]
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
ids = torch.tensor([json.load(sys.stdin)])
with torch.no_grad():
    logprobs = model(ids).logits[0, :-1].log_softmax(-1)
print(json.dumps(logprobs.gather(1, ids[0, 1:, None])[:, 0].tolist()))
