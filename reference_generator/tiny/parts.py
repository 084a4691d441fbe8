"""Tiny random models: real classes, real files, noise for an answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ipvg_eval.reference_generator.architectures import architecture
from ipvg_eval.reference_generator.tiny.consisid import consisid
from ipvg_eval.reference_generator.tiny.vocabulary import CHARACTERS, word_tokenizer

_MERGE_END = "</w>"


def save_tiny(kind: str, folder: Path) -> None:
    """Build a tiny pipeline and save it in diffusers' layout. Equal calls write equal weights.

    Args:
        kind: "tiny-vace", "tiny-vace-a14b", "tiny-wan", "tiny-ti2v", "tiny-i2v",
            "tiny-consisid", "tiny-picture" or "tiny-segmenter".
        folder: where to.
    """
    builders: dict[str, Callable[[], Any]] = {
        "tiny-vace": _vace,
        "tiny-vace-a14b": _vace_a14b,
        "tiny-wan": _text_to_video,
        "tiny-ti2v": _first_frame_5b,
        "tiny-i2v": _first_frame_a14b,
        "tiny-consisid": consisid,
        "tiny-picture": _picture_editor,
        "tiny-segmenter": _segmenter,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        builders[kind]().save_pretrained(folder)


def _transformer_options(kind: str) -> dict[str, Any]:
    facts = architecture(kind)
    return {
        "patch_size": (1, 2, 2),
        "num_attention_heads": facts.heads,
        "attention_head_dim": facts.width // facts.heads,
        "in_channels": facts.in_channels,
        "out_channels": facts.out_channels,
        "text_dim": facts.text_width,
        "freq_dim": facts.time_width,
        "ffn_dim": facts.feed_forward,
        "num_layers": facts.layers,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "rope_max_seq_len": 64,
    }


def _text_encoder(vocabulary: int) -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(  # type: ignore[call-arg]
        vocab_size=vocabulary,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=32,
        dropout_rate=0.0,
        tie_word_embeddings=False,
    )
    encoder: Any = UMT5EncoderModel(config)
    return encoder.eval()


def _vae(*, high_compression: bool = False) -> Any:
    from diffusers import AutoencoderKLWan

    options: dict[str, Any] = {
        "base_dim": 4,
        "dim_mult": [1, 1, 1, 1],
        "num_res_blocks": 1,
        "temperal_downsample": [False, True, True],
    }
    if high_compression:
        options |= {
            "z_dim": 48,
            "in_channels": 12,
            "out_channels": 12,
            "patch_size": 2,
            "is_residual": True,
            "latents_mean": [0.0] * 48,
            "latents_std": [1.0] * 48,
            "scale_factor_spatial": 16,
            "scale_factor_temporal": 4,
        }
    else:
        options["z_dim"] = 16
    return AutoencoderKLWan(**options).eval()


def _shared(*, high_compression: bool = False) -> dict[str, Any]:
    from diffusers import UniPCMultistepScheduler

    tokenizer = word_tokenizer()
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    return {
        "tokenizer": tokenizer,
        "text_encoder": _text_encoder(len(tokenizer)),
        "vae": _vae(high_compression=high_compression),
        "scheduler": scheduler,
    }


def _vace_transformer() -> Any:
    from diffusers import WanVACETransformer3DModel

    layers = list(architecture("tiny-vace").vace_layers)
    options = _transformer_options("tiny-vace")
    return WanVACETransformer3DModel(**options, vace_layers=layers, vace_in_channels=96).eval()


def _vace() -> Any:
    from diffusers import WanVACEPipeline

    return WanVACEPipeline(**_shared(), transformer=_vace_transformer())


def _vace_a14b() -> Any:
    from diffusers import WanVACEPipeline

    experts = {"transformer": _vace_transformer(), "transformer_2": _vace_transformer()}
    return WanVACEPipeline(**_shared(), **experts, boundary_ratio=0.875)


def _text_to_video() -> Any:
    from diffusers import WanPipeline, WanTransformer3DModel

    transformer = WanTransformer3DModel(**_transformer_options("tiny-wan"))
    return WanPipeline(**_shared(), transformer=transformer.eval())


def _first_frame_5b() -> Any:
    from diffusers import WanImageToVideoPipeline, WanTransformer3DModel

    transformer = WanTransformer3DModel(**_transformer_options("tiny-ti2v"))
    return WanImageToVideoPipeline(
        **_shared(high_compression=True), transformer=transformer.eval(), expand_timesteps=True
    )


def _first_frame_a14b() -> Any:
    from diffusers import WanImageToVideoPipeline, WanTransformer3DModel

    first, second = (WanTransformer3DModel(**_transformer_options("tiny-i2v")).eval() for _ in range(2))
    return WanImageToVideoPipeline(**_shared(), transformer=first, transformer_2=second, boundary_ratio=0.9)


class _Segmenter:
    """A segmentation model with its processor: one call saves both."""

    def save_pretrained(self, folder: Path) -> None:
        from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor

        config = SegformerConfig(
            num_encoder_blocks=2,
            depths=[1, 1],
            hidden_sizes=[8, 16],
            num_attention_heads=[1, 2],
            sr_ratios=[4, 2],
            patch_sizes=[7, 3],
            strides=[4, 2],
            mlp_ratios=[2, 2],
            decoder_hidden_size=16,
            id2label={0: "wall", 1: "person"},
            label2id={"wall": 0, "person": 1},
        )
        model: Any = SegformerForSemanticSegmentation(config)
        model.eval().save_pretrained(folder)
        SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)


def _segmenter() -> Any:
    return _Segmenter()


def _picture_editor() -> Any:
    """A Stable Diffusion image-to-image pipeline, the smallest that takes a picture and a text."""
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionImg2ImgPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    symbols = [*CHARACTERS, *(character + _MERGE_END for character in CHARACTERS)]
    vocabulary = {name: place for place, name in enumerate(["<|startoftext|>", "<|endoftext|>", *symbols])}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    text = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    encoder: Any = CLIPTextModel(text)
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=32,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=8,
    )
    vae = AutoencoderKL(
        block_out_channels=[16, 16, 16, 16],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=4,
    )
    return StableDiffusionImg2ImgPipeline(
        vae=vae.eval(),
        text_encoder=encoder.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
