"""Settings of the video model and of how it runs here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ipvg_eval.reference_generator.section import Section


class ModelSettings(Section):
    """Which video model.

    Attributes:
        repo: Hugging Face repository in diffusers' layout.
        revision: its branch, tag or commit.
        path: a folder in the same layout that is used instead of the repository.
        architecture: its transformer, by the name in `architectures`; None where nothing is known of it.
        weights: a transformer checkpoint that replaces the repository's: a GGUF file, a checkpoint in the
            authors' own format, or the index (`.index.json`) of one that is published in shards.
        weights_2: the same for the second expert of a two-expert model, which takes both or none.
        weights_repo: Hugging Face repository of `weights`; None if `weights` is a path on this machine.
        weights_revision: its branch, tag or commit.
        stored_gb: size of the transformer's files in GB, for the list of missing models.
    """

    repo: str = ""
    revision: str = "main"
    path: str | None = None
    architecture: str | None = None
    weights: str | None = None
    weights_2: str | None = None
    weights_repo: str | None = None
    weights_revision: str = "main"
    stored_gb: float | None = None


class LoraSettings(Section):
    """A LoRA, such as one that is distilled to few steps.

    Attributes:
        path: file or folder on this machine, or a Hugging Face repository.
        weight_name: file inside it.
        scale: strength.
        expert: which experts of a two-expert model get it: "both", or the one that works at "high" or "low"
            noise, as distilled LoRAs come in pairs.
    """

    path: str
    weight_name: str | None = None
    scale: float = 1.0
    expert: Literal["both", "high", "low"] = "both"


class RuntimeSettings(Section):
    """How the model runs here; each field is one of diffusers' own features.

    Attributes:
        device: auto, cpu or cuda:N.
        dtype: of the transformer and the text encoder. The VAE always computes in float32.
        offload: parts that wait in main memory: "none", whole "model"s, or "group"s of blocks.
        vae_tiling: encode and decode in tiles.
        quantisation: of the transformer's weights.
        fp8_storage: keep the transformer's weights in 8 bits and compute in `dtype`.
        attention: diffusers' name of an attention backend, such as "flash" or "sage".
        compile: compile the transformer's repeated blocks.
        cache: leaves blocks out where an answer hardly changed since the step before: "none", or "fbcache"
            for models without VACE's hints. The others are named to say why they are refused.
        cache_threshold: relative change of the first block's answer below which the rest is left out.
        lora: LoRAs to load into the transformer.
        tflops: what the device achieves, in TFLOP/s, for the estimate; None to look its name up.
    """

    device: str = "auto"
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    offload: Literal["none", "model", "group"] = "none"
    vae_tiling: bool = False
    quantisation: Literal["none", "torchao-int8", "torchao-fp8", "bnb-int8", "bnb-nf4", "gguf"] = "none"
    fp8_storage: bool = False
    attention: str | None = None
    compile: bool = False
    cache: Literal["none", "fbcache", "magcache", "pab"] = "none"
    cache_threshold: Annotated[float, Field(gt=0)] = 0.05
    lora: tuple[LoraSettings, ...] = ()
    tflops: Annotated[float, Field(gt=0)] | None = None
