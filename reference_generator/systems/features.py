"""Settings of `runtime`, each mapped to diffusers' own feature, and those that are refused."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.reference_generator.errors import ModelsMissing, SettingsError
from ipvg_eval.reference_generator.model_settings import LoraSettings
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.ranks import Ranks
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.registry import kind_of

_REFUSED = {
    "fbcache": "First-block cache counts VACE's hints twice: the residual it keeps already holds them.",
    "magcache": "MagCache needs ratios that were measured on the very model and number of steps, and there "
    "are none; with VACE it counts the hints twice, besides.",
    "pab": "Pyramid attention broadcast keeps one state for both branches, so the answer without the prompt "
    "reuses attention of the answer with it.",
}
_PACKAGES = {"torchao": "torchao", "bnb": "bitsandbytes", "gguf": "gguf"}


def check_runtime(settings: Settings) -> None:
    """Refuse settings that give wrong results or cannot work together.

    Raises:
        SettingsError: with the reason.
    """
    runtime = settings.runtime
    allowed = ("none", *kind_of(settings.system).caches)
    if runtime.cache not in allowed:
        raise SettingsError(
            f"runtime.cache={runtime.cache} gives wrong videos with {settings.system} systems. "
            f"{_REFUSED[runtime.cache]}",
            hint=f"Here it may be {' or '.join(allowed)}. A LoRA distilled to few steps saves more; see "
            "runtime.lora.",
        )
    if runtime.quantisation == "gguf" and not (settings.model.weights or "").endswith(".gguf"):
        raise SettingsError(
            "runtime.quantisation=gguf needs a GGUF file", hint="Name it with --set model.weights=FILE.gguf."
        )
    if runtime.quantisation != "none" and runtime.fp8_storage:
        raise SettingsError(
            "runtime.quantisation and runtime.fp8_storage both store the weights", hint="Use one of them."
        )
    if runtime.offload == "group" and runtime.quantisation.startswith("bnb"):
        raise SettingsError(
            "weights quantised by bitsandbytes cannot be moved in groups",
            hint="Use runtime.offload=model, or runtime.fp8_storage=true instead of the quantisation.",
        )


def resolve_device(name: str) -> torch.device:
    """The device of this name; "auto" is this process's GPU if there is one.

    Raises:
        ModelsMissing: it does not exist here (exit code 3).
        SettingsError: the name is not understood.
    """
    if name == "auto":
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", Ranks.from_environment().local % torch.cuda.device_count())
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(f"{name!r} is no device", hint="Use auto, cpu or cuda:N.") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ModelsMissing(
            f"there is no device {name} here", hint="Use --set runtime.device=auto, or another number."
        )
    return device


def dtype_of(settings: Settings) -> torch.dtype:
    """The dtype of transformer and text encoder."""
    dtypes = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
    return dtypes[settings.runtime.dtype]


def quantisation_config(settings: Settings) -> Any:
    """Diffusers' configuration for the transformer's weights, or None.

    Raises:
        ModelsMissing: the package that quantises is not installed, or there is no GPU for it.
    """
    name = settings.runtime.quantisation
    if name == "none":
        return None
    _require(_PACKAGES[name.partition("-")[0]])
    dtype = dtype_of(settings)
    if name == "gguf":
        from diffusers import GGUFQuantizationConfig

        return GGUFQuantizationConfig(compute_dtype=dtype)
    if name.startswith("torchao"):
        from diffusers import TorchAoConfig
        from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig

        return TorchAoConfig(Int8WeightOnlyConfig() if name == "torchao-int8" else Float8WeightOnlyConfig())
    if not torch.cuda.is_available():
        raise ModelsMissing(
            "bitsandbytes quantises on a GPU only",
            hint="Use runtime.quantisation=torchao-int8, or a machine with a GPU.",
        )
    from diffusers import BitsAndBytesConfig

    if name == "bnb-int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def _require(package: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise ModelsMissing(f"{package} is not installed", hint=f"Install it: pip install {package}")


def load_loras(pipeline: Any, settings: Settings, found: dict[str, Found]) -> None:
    """Load the LoRAs into the pipeline's transformers.

    Raises:
        ModelsMissing: peft, which loads them, is not installed.
        SettingsError: one fits no layer of its transformer.
    """
    loras = settings.runtime.lora
    if not loras:
        return
    _require("peft")
    for number, lora in enumerate(loras):
        place = found[f"lora{number}"].path if f"lora{number}" in found else lora.path
        for second in _experts_of(pipeline, lora):
            # Without the word diffusers loads into the first expert alone and says nothing.
            into = {"load_into_transformer_2": True} if second else {}
            with warnings.catch_warnings():
                # Several LoRAs in one transformer are what was asked for.
                warnings.filterwarnings("ignore", "Already found a `peft_config` attribute")
                pipeline.load_lora_weights(
                    str(place),
                    weight_name=lora.weight_name,
                    adapter_name=f"lora{number}",
                    local_files_only=True,
                    **into,
                )
            transformer = pipeline.transformer_2 if second else pipeline.transformer
            if f"lora{number}" not in getattr(transformer, "peft_config", {}):
                raise SettingsError(
                    "the LoRA holds nothing for this model", path=str(place), hint="Use one made for it."
                )
    for transformer in transformers_of(pipeline):
        scales = {f"lora{number}": lora.scale for number, lora in enumerate(loras)}
        here = [name for name in scales if name in getattr(transformer, "peft_config", {})]
        if here:
            transformer.set_adapters(here, [scales[name] for name in here])


def _experts_of(pipeline: Any, lora: LoraSettings) -> list[bool]:
    """Which transformers get the LoRA, True for the second."""
    if getattr(pipeline, "transformer_2", None) is None:
        return [False]
    return {"both": [False, True], "high": [False], "low": [True]}[lora.expert]


def transformers_of(pipeline: Any) -> list[Any]:
    """The pipeline's transformers: one, or two experts."""
    named = (getattr(pipeline, name, None) for name in ("transformer", "transformer_2"))
    return [transformer for transformer in named if transformer is not None]


def place(pipeline: Any, settings: Settings, device: torch.device) -> None:
    """Switch the features on and put the pipeline on its device.

    Raises:
        SettingsError: the attention backend is unknown.
        ModelsMissing: its package is not installed, or offload is asked for without a GPU.
    """
    runtime = settings.runtime
    pipeline.set_progress_bar_config(disable=True)
    if runtime.vae_tiling:
        pipeline.vae.enable_tiling()
    for transformer in transformers_of(pipeline):
        if runtime.fp8_storage:
            transformer.enable_layerwise_casting(
                storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype_of(settings)
            )
        if runtime.attention is not None:
            _set_attention(transformer, runtime.attention)
        if runtime.cache == "fbcache":
            from diffusers import FirstBlockCacheConfig

            transformer.enable_cache(FirstBlockCacheConfig(threshold=runtime.cache_threshold))
    if runtime.offload != "none" and device.type == "cpu":
        raise ModelsMissing(
            f"runtime.offload={runtime.offload} moves weights to a GPU and there is none",
            hint="Use --set runtime.offload=none.",
        )
    if runtime.offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    elif runtime.offload == "group":
        pipeline.enable_group_offload(
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=True,
            low_cpu_mem_usage=True,
            exclude_modules=["vae"],
        )
        pipeline.vae.to(device)
    else:
        pipeline.to(device)
    if runtime.compile:
        for transformer in transformers_of(pipeline):
            transformer.compile_repeated_blocks(fullgraph=False)


def _set_attention(transformer: Any, backend: str) -> None:
    from diffusers.models.attention_dispatch import AttentionBackendName

    known = [entry.value for entry in AttentionBackendName]
    if backend not in known:
        raise SettingsError(f"there is no attention backend {backend!r}", hint=did_you_mean(backend, known))
    try:
        transformer.set_attention_backend(backend)
    except (ImportError, RuntimeError, ValueError) as error:
        raise ModelsMissing(
            f"the attention backend {backend} cannot be used here: {error}",
            hint="Install its package, or leave runtime.attention out.",
        ) from error
