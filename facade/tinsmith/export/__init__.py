"""Trained adapters as other programs load them: in PEFT format, merged, as GGUF, on the hub.

>>> import pathlib, tempfile, tinsmith
>>> from tinsmith import export
>>> with tempfile.TemporaryDirectory() as name, tinsmith.ServiceClient(base_url="local:") as service:
...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
...     path = trainer.save_weights_for_sampler("final").result().path
...     rest = service.create_rest_client()
...     adapter = rest.download_checkpoint(path, pathlib.Path(name, "adapter")).result()
...     done = export.export_merged(adapter, pathlib.Path(name, "merged"))
...     sorted(file.name for file in done.target.iterdir())
['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
>>> done.difference < 1e-3
True
"""

from tinsmith.export.forms import ExportedForm, export_gguf_lora, export_merged, export_peft
from tinsmith.export.hub import HubTarget, PushedRepo, push_to_hub, repo_name
from tinsmith.export.model_card import model_card
from tinsmith.export.origin import AdapterOrigin, find_origin

__all__ = [
    "AdapterOrigin",
    "ExportedForm",
    "HubTarget",
    "PushedRepo",
    "export_gguf_lora",
    "export_merged",
    "export_peft",
    "find_origin",
    "model_card",
    "push_to_hub",
    "repo_name",
]
