"""Adapters on disk in PEFT format, with the optimizer state beside them.

Owns `adapter_config.json`, `adapter_model.safetensors` and `optimizer.safetensors`. A directory written
here loads in `peft`, and one that `peft` wrote loads here. Each file is there whole or not at all.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from tinsmith_local.engine.lora import Adapter, LoraSpec, parameter_shapes
from tinsmith_local.models.hugging_face import read_json
from tinsmith_local.models.source import ModelFileError, TensorGetter
from tinsmith_local.models.tensor_file import TensorFile, write_tensors, write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from tinsmith_local.engine.config import ModelConfig

Array = np.ndarray[Any, Any]


CONFIG_FILE = "adapter_config.json"
TENSOR_FILE = "adapter_model.safetensors"
OPTIMIZER_FILE = "optimizer.safetensors"

PREFIX = "base_model.model."
_ALIASES = {"model.unembed_tokens": "lm_head"}
"""Names that the hosted service gives to modules -> the published ones."""
_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_MLP = ("gate_proj", "up_proj", "down_proj", "patch_proj")
_UNEMBED = ("lm_head",)
_TENSOR = re.compile(r"(?P<module>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight")
_WHOLE = re.compile(r"(?P<module>.*\b(?:embed_tokens|lm_head))(?P<adapted>\.base_layer)?\.weight")
"""A whole matrix of the model, which PEFT writes beside the adapter: `lm_head.base_layer.weight`."""
_LEAVES_THE_BASE = (True, False, None, "gaussian", "eva", "orthogonal")
"""Values of `init_lora_weights` that change A and B alone; the others (pissa, olora, corda, loftq) take
something out of the base model, which such an adapter needs changed."""
_BASE_ROUNDING = 2.0**-7
"""How far a saved matrix may be from the base model's, relative: bfloat16 keeps eight bits."""
_REFUSED = {
    "use_dora": "DoRA",
    "use_qalora": "QALoRA",
    "use_bdlora": "block-diagonal LoRA",
    "alora_invocation_tokens": "activated LoRA (alora_invocation_tokens)",
    "arrow_config": "Arrow (arrow_config)",
    "lora_bias": "lora_bias",
    "target_parameters": "target_parameters",
    "modules_to_save": "modules_to_save",
    "rank_pattern": "rank_pattern",
    "alpha_pattern": "alpha_pattern",
    "fan_in_fan_out": "fan_in_fan_out",
    "trainable_token_indices": "trainable_token_indices",
    "layer_replication": "layer_replication",
}


def save_adapter(directory: Path, adapter: Adapter, *, base_model: str, optimizer: bool = False) -> None:
    """Write `adapter` into `directory`, which exists or is made; with `optimizer` its Adam state too."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {PREFIX + name: array for name, array in adapter.params.items()}
    write_tensors(
        directory / TENSOR_FILE, tensors, {"format": "pt", "tinsmith.seed": json.dumps(adapter.spec.seed)}
    )
    state = directory / OPTIMIZER_FILE
    if optimizer:
        write_tensors(state, adapter.moments, {"step": str(adapter.step)})
    else:
        state.unlink(missing_ok=True)
    config = json.dumps(_peft_config(adapter, base_model), indent=2, sort_keys=True) + "\n"
    write_whole(directory / CONFIG_FILE, config.encode())


def load_adapter(
    directory: Path,
    config: ModelConfig,
    *,
    optimizer: bool = False,
    base: TensorGetter | None = None,
    without: Collection[str] = (),
) -> Adapter:
    """Read the adapter in `directory` for a model of the shape `config`; with `optimizer` its Adam state too.

    Modules that a PEFT adapter leaves out get zeros in both matrices: they change nothing and never get a
    gradient. `base` reads tensors of the base model: embeddings that PEFT saved beside the adapter must equal
    them. Without it, those that PEFT adds by itself to an adapted unembedding are taken to, others are
    refused. The matrices of the modules `without` are not read. Raise ModelFileError naming the file and the
    reason when it is damaged, not LoRA, needs a base model that was changed, or is made for another shape.
    """
    settings = adapter_settings(directory)
    file = TensorFile(directory / TENSOR_FILE)
    params = _params(file, config, base, without)
    spec = _spec(
        settings, params, json.loads(file.metadata.get("tinsmith.seed", "null")), directory / CONFIG_FILE
    )
    try:
        adapter = Adapter.from_params(config, spec, _filled(params, config, spec))
    except ValueError as error:
        raise ModelFileError(file.path, str(error)) from error
    if optimizer:
        _load_optimizer(adapter, directory / OPTIMIZER_FILE)
    return adapter


def _peft_config(adapter: Adapter, base_model: str) -> dict[str, object]:
    spec = adapter.spec
    return {
        "base_model_name_or_path": base_model,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": int(spec.alpha) if float(spec.alpha).is_integer() else spec.alpha,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": spec.rank,
        "target_modules": sorted(_adapted(adapter.params)),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }


def _adapted(params: Iterable[str]) -> set[str]:
    """Return the last names of the modules that have LoRA matrices: `q_proj`, `lm_head`."""
    return {name.rpartition(".lora_")[0].rpartition(".")[2] for name in params}


def adapter_settings(directory: Path) -> dict[str, object]:
    """Return the adapter's settings, or refuse what would load and then compute something else."""
    path = directory / CONFIG_FILE
    settings = read_json(path)
    if settings.get("peft_type") != "LORA":
        raise ModelFileError(path, f"peft_type is {settings.get('peft_type')!r}, not 'LORA'")
    for key, word in _REFUSED.items():
        if settings.get(key):
            raise ModelFileError(path, f"{word} is not supported")
    if settings.get("bias", "none") != "none":
        raise ModelFileError(path, f"bias {settings['bias']!r} is not supported")
    method = settings.get("init_lora_weights", True)
    if method not in _LEAVES_THE_BASE:
        raise ModelFileError(
            path,
            f"init_lora_weights is {method!r}, a method that changes the base model beneath the adapter;"
            " peft's save_pretrained(path_initial_model_for_weight_conversion=...) makes a plain LoRA adapter"
            " of one by pissa, olora or corda",
        )
    return settings


@attrs.frozen
class AdapterTensor:
    """What a tensor of an adapter is."""

    name: str
    """Its name in the file."""
    module: str
    """The module that it belongs to, by its published name."""
    side: str | None
    """`A` or `B`; None for a whole matrix of the base model."""
    adapted: bool
    """Whether a whole matrix is one that PEFT adds by itself to an adapted module."""


def adapter_tensors(file: TensorFile) -> list[AdapterTensor]:
    """Return what each tensor of an adapter is, in the order of their names.

    Raise ModelFileError for a file that holds no LoRA matrices, and for one that holds anything else.
    """
    found: list[AdapterTensor] = []
    for name in sorted(file.names()):
        short = name.removeprefix(PREFIX)
        match = _TENSOR.fullmatch(short) or _WHOLE.fullmatch(short)
        if match is None:
            raise ModelFileError(file.path, f"tensor {name!r} is no LoRA matrix")
        facts = match.groupdict()
        module = _ALIASES.get(facts["module"], facts["module"])
        found.append(AdapterTensor(name, module, facts.get("side"), bool(facts.get("adapted"))))
    if all(tensor.side is None for tensor in found):
        raise ModelFileError(file.path, "holds no LoRA matrices")
    return found


def _params(
    file: TensorFile, config: ModelConfig, base: TensorGetter | None, without: Collection[str]
) -> dict[str, Array]:
    """Return the LoRA matrices under the engine's names, without the base weights that PEFT adds."""
    found: dict[str, Array] = {}
    for tensor in adapter_tensors(file):
        if tensor.module in without:
            continue
        if tensor.side is not None:
            found[f"{tensor.module}.lora_{tensor.side}.weight"] = file.get(tensor.name)
        elif base is not None:
            tied = config.tie_embeddings and tensor.module == "lm_head"
            own = base("model.embed_tokens.weight" if tied else f"{tensor.module}.weight")
            check_whole_matrix(file, tensor, own)
        elif not tensor.adapted:
            raise ModelFileError(
                file.path, f"tensor {tensor.name!r} is a whole matrix in place of the base model's"
            )
    return found


def check_whole_matrix(file: TensorFile, tensor: AdapterTensor, own: Array) -> None:
    """Refuse a whole matrix that is not the base model's `own`, up to the rounding of its type."""
    saved, own = file.get(tensor.name), np.asarray(own, np.float32)
    if saved.shape != own.shape or not np.all(np.abs(saved - own) <= _BASE_ROUNDING * np.abs(own)):
        raise ModelFileError(
            file.path,
            f"tensor {tensor.name!r} is not the base model's: changed embeddings are not supported",
        )


def _spec(settings: dict[str, object], params: dict[str, Array], seed: int | None, path: Path) -> LoraSpec:
    rank, alpha = rank_and_alpha(settings, path)
    parts = _adapted(params)
    if unknown := parts.difference(_ATTENTION, _MLP, _UNEMBED):
        raise ModelFileError(path, f"adapts {', '.join(sorted(unknown))}, which the engine does not")
    return LoraSpec(
        rank=rank,
        alpha=alpha,
        seed=seed,
        train_attn=not parts.isdisjoint(_ATTENTION),
        train_mlp=not parts.isdisjoint(_MLP),
        train_unembed=not parts.isdisjoint(_UNEMBED),
    )


def rank_and_alpha(settings: Mapping[str, object], path: Path) -> tuple[int, float]:
    """Return the rank of an adapter, and the alpha by which its update is scaled: alpha / rank.

    Rank-stabilised adapters scale by alpha / sqrt(rank); theirs is multiplied accordingly.
    """
    rank, alpha = settings.get("r"), settings.get("lora_alpha")
    if not isinstance(rank, int) or rank < 1 or not isinstance(alpha, (int, float)):
        raise ModelFileError(path, f"r is {rank!r} and lora_alpha is {alpha!r}")
    return rank, alpha * math.sqrt(rank) if settings.get("use_rslora") else float(alpha)


def _filled(params: dict[str, Array], config: ModelConfig, spec: LoraSpec) -> dict[str, Array]:
    """Add zeros for what the adapter does not change; half a module stays incomplete."""
    filled = dict(params)
    for name, shape in parameter_shapes(config, spec).items():
        module = name.rpartition(".lora_")[0]
        if not any(f"{module}.lora_{side}.weight" in params for side in "AB"):
            filled[name] = np.zeros(shape, np.float32)
    return filled


def _load_optimizer(adapter: Adapter, path: Path) -> None:
    if not path.is_file():
        raise ModelFileError(path, "is missing: the checkpoint was saved without its optimizer state")
    file = TensorFile(path)
    step = file.metadata.get("step", "")
    if not step.isdigit():
        raise ModelFileError(path, f"its metadata names the step {step!r}")
    try:
        adapter.load_optimizer({name: file.get(name) for name in file.names()}, int(step))
    except ValueError as error:
        raise ModelFileError(path, str(error)) from error
