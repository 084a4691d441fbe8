"""A tiny ConsisID: real classes, random weights."""

from __future__ import annotations

from typing import Any

from ipvg_eval.reference_generator.tiny.vocabulary import word_tokenizer


def consisid() -> Any:
    """The pipeline."""
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, ConsisIDPipeline
    from diffusers import ConsisIDTransformer3DModel as Transformer
    from transformers import T5Config, T5EncoderModel

    tokenizer = word_tokenizer()
    text = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=0.0
    )
    encoder: Any = T5EncoderModel(text)
    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    transformer = Transformer(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=8,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=32,
        num_layers=2,
        sample_width=16,
        sample_height=16,
        sample_frames=17,
        max_text_seq_length=32,
        use_rotary_positional_embeddings=True,
        is_train_face=True,
        cross_attn_interval=1,
        cross_attn_dim_head=4,
        cross_attn_num_heads=2,
        LFE_id_dim=4,
        LFE_vit_dim=4,
        LFE_depth=5,
        LFE_num_heads=2,
        LFE_num_id_token=1,
        LFE_num_querie=1,
        LFE_output_dim=21,  # two thirds of the transformer's width
        LFE_ff_mult=1,
        LFE_num_scale=1,
    )
    return ConsisIDPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder.eval(),
        vae=vae.eval(),
        transformer=transformer.eval(),
        scheduler=CogVideoXDDIMScheduler(),
    )
