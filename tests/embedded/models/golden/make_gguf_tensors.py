"""Write gguf_tensors.json: samples of every tensor of SmolLM2 as transformers itself reads the GGUF file.

Run in the golden environment: python make_gguf_tensors.py SMOLLM2.gguf
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

SAMPLES = 16


def main() -> None:
    """Write, for each tensor: its shape, mean, mean square, and elements at places spread over the whole."""
    path = Path(sys.argv[1])
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    golden = {}
    for name, tensor in model.state_dict().items():
        flat = tensor.double().flatten()
        places = [(7919 * k * k + 104729 * k) % flat.numel() for k in range(SAMPLES)]
        golden[name] = {
            "shape": list(tensor.shape),
            "mean": float(flat.mean()),
            "mean_square": float((flat * flat).mean()),
            "places": places,
            "values": [float(flat[place]) for place in places],
        }
    target = Path(__file__).parent / "gguf_tensors.json"
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
