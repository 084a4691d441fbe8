"""Practical settings: each reaches diffusers' own feature; the wrong ones are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from diffusers.hooks.hooks import StateManager

from ipvg_eval.reference_generator.errors import ModelsMissing, SettingsError
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.system_loading import load_system, models_of
from ipvg_eval.reference_generator.systems.features import check_runtime, quantisation_config, resolve_device
from ipvg_eval.reference_generator.systems.loading import load_video_pipeline
from ipvg_eval.reference_generator.task import Task

SIZE = ("video.width=64", "video.height=64", "video.frames=9", "sampling.steps=1")


def settings(*changes, name="tpige-paper"):
    return load_settings(name, [*SIZE, *changes], tiny=True)


def pipeline(*changes, **found):
    wanted = settings(*changes)
    return load_video_pipeline(wanted, {**models_of(wanted), **found})


def pictures(picture, *changes):
    wanted = settings(*changes)
    system = load_system(wanted, models_of(wanted))
    return system.make(Task(seed=1, texts=("a man",), references=(picture(),))).pictures


@pytest.mark.parametrize(
    ("cache", "reason"),
    [("fbcache", "hints twice"), ("magcache", "hints twice"), ("pab", "both branches")],
)
def test_caches_that_give_wrong_videos_are_refused_with_the_reason(cache, reason):
    with pytest.raises(SettingsError, match=reason) as raised:
        check_runtime(settings(f"runtime.cache={cache}"))
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", ["phantom-1.3b", "decoupled-ti2v-5b", "decoupled-a14b"])
def test_a_first_block_cache_without_hints_is_the_plain_video_within_its_threshold(picture, name):
    def made(*changes):
        wanted = load_settings(name, [*SIZE, "sampling.steps=4", *changes], tiny=True)
        system = load_system(wanted, models_of(wanted))
        task = Task(seed=1, texts=("a man",), references=(picture(),))
        return system.make(task).pictures, system.make(task).pictures

    plain, _ = made()
    strict, again = made("runtime.cache=fbcache", "runtime.cache_threshold=1e-9")
    loose, _ = made("runtime.cache=fbcache", "runtime.cache_threshold=1e9")
    assert np.array_equal(strict, plain)
    assert np.array_equal(strict, again), "nothing may be kept from the video before"
    assert not np.array_equal(loose, plain)


def test_the_cache_keeps_phantoms_three_branches_apart(picture, monkeypatch):
    wanted = load_settings(
        "phantom-1.3b", [*SIZE, "runtime.cache=fbcache", "runtime.cache_threshold=1e9"], tiny=True
    )
    asked = set()
    original = StateManager.get_state

    def watched(manager):
        asked.add(manager.context.name)
        return original(manager)

    monkeypatch.setattr(StateManager, "get_state", watched)
    load_system(wanted, models_of(wanted)).make(Task(seed=1, texts=("a man",), references=(picture(),)))
    assert asked == {"cond", "uncond", "nothing"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["runtime.quantisation=gguf"], "needs a GGUF file"),
        (["runtime.quantisation=torchao-int8", "runtime.fp8_storage=true"], "both store"),
        (["runtime.quantisation=bnb-nf4", "runtime.offload=group"], "cannot be moved in groups"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        check_runtime(settings(*changes))


def test_the_transformer_takes_the_dtype_and_the_vae_never_does():
    made = pipeline("runtime.dtype=bfloat16")
    assert made.transformer.blocks[0].attn1.to_q.weight.dtype is torch.bfloat16
    assert made.text_encoder.dtype is torch.bfloat16
    assert made.vae.dtype is torch.float32


def test_half_precision_gives_almost_the_same_video(picture):
    plain = ("sampling.guidance=1", "identity.scale=0")  # guidance multiplies the differences
    full, half = pictures(picture, *plain), pictures(picture, *plain, "runtime.dtype=bfloat16")
    assert 0 < np.abs(full.astype(int) - half).mean() < 2


def test_the_schedule_has_the_presets_shift():
    made = pipeline("sampling.shift=3.0")
    made.scheduler.set_timesteps(4)
    # Shifted flow levels: s = shift u / (1 + (shift - 1) u), from the first of n + 1 levels down.
    sigmas = made.scheduler.sigmas[:-1].double()
    unshifted = sigmas / (3.0 - 2.0 * sigmas)
    assert torch.allclose(unshifted.diff(), unshifted.diff()[0].expand(3), atol=1e-3)
    assert made.scheduler.config.use_flow_sigmas


def test_tiling_reaches_the_vae():
    assert pipeline("runtime.vae_tiling=true").vae.use_tiling
    assert not pipeline().vae.use_tiling


def test_8_bit_storage_keeps_weights_small_and_the_video_similar(picture):
    made = pipeline("runtime.fp8_storage=true")
    assert made.transformer.blocks[0].ffn.net[2].weight.dtype is torch.float8_e4m3fn
    plain, small = pictures(picture), pictures(picture, "runtime.fp8_storage=true")
    assert 0 < np.abs(plain.astype(int) - small).mean() < 20


def test_an_attention_backend_is_set_on_every_processor(picture):
    made = pipeline("runtime.attention=_native_math")
    backends = {processor._attention_backend for processor in made.transformer.attn_processors.values()}
    assert {str(getattr(backend, "value", backend)) for backend in backends} == {"_native_math"}
    plain, other = pictures(picture), pictures(picture, "runtime.attention=_native_math")
    assert np.abs(plain.astype(int) - other).max() <= 2


def test_an_unknown_or_uninstalled_attention_backend_is_named():
    with pytest.raises(SettingsError) as raised:
        pipeline("runtime.attention=flsh")
    assert "'flash'" in raised.value.hint
    with pytest.raises(ModelsMissing, match="flash cannot be used here"):
        pipeline("runtime.attention=flash")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_what_needs_a_gpu_says_so():
    for change in ("runtime.offload=model", "runtime.offload=group"):
        with pytest.raises(ModelsMissing, match="there is none"):
            pipeline(change)
    with pytest.raises(ModelsMissing, match="no device cuda:0"):
        resolve_device("cuda:0")
    pytest.importorskip("bitsandbytes")
    with pytest.raises(ModelsMissing, match="on a GPU only"):
        quantisation_config(settings("runtime.quantisation=bnb-nf4"))


def test_torchao_stores_the_transformer_in_8_bits():
    pytest.importorskip("torchao")
    made = pipeline("runtime.quantisation=torchao-int8")
    weight = made.transformer.blocks[0].ffn.net[2].weight
    assert type(weight).__name__ == "Int8Tensor"
    assert type(made.transformer).__name__ == "IdentityGuidedTransformer"


def test_a_quantiser_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelsMissing, match="torchao is not installed"):
        quantisation_config(settings("runtime.quantisation=torchao-int8"))


def write_gguf(path, transformer):
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(str(path), "wan")
    for name, value in transformer.state_dict().items():
        writer.add_tensor(name, np.ascontiguousarray(value.float().numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return Found(path=path, revision="local")


def test_a_gguf_file_replaces_the_transformer(tmp_path):
    plain = pipeline().transformer
    path = tmp_path / "tiny.gguf"
    made = pipeline(
        "runtime.quantisation=gguf", f"model.weights={path}", weights=write_gguf(path, plain)
    ).transformer
    assert type(made).__name__ == "IdentityGuidedTransformer"
    assert torch.allclose(made.blocks[0].attn1.to_q.bias.float(), plain.blocks[0].attn1.to_q.bias)


def test_gguf_files_replace_both_experts_each_its_own(tmp_path, picture):
    plain = load_video_pipeline(wanted := settings(name="decoupled-a14b"), models_of(wanted))
    high, low = tmp_path / "high.gguf", tmp_path / "low.gguf"
    found = {
        "weights": write_gguf(high, plain.transformer),
        "weights_2": write_gguf(low, plain.transformer_2),
    }
    changes = ["runtime.quantisation=gguf", f"model.weights={high}", f"model.weights_2={low}"]
    wanted = settings(*changes, name="decoupled-a14b")
    system = load_system(wanted, {**models_of(wanted), **found})
    for name in ("transformer", "transformer_2"):
        ours, theirs = (getattr(one, name).blocks[0].attn1.to_q.bias for one in (system.pipeline, plain))
        assert torch.allclose(ours.float(), theirs)
    made = system.make(Task(seed=1, texts=("a man",), references=(picture(),)))
    assert made.pictures.shape == (9, 64, 64, 3)


@pytest.mark.parametrize("change", ["model.weights=high.gguf", "model.weights_2=low.gguf"])
def test_one_expert_is_never_replaced_alone(change):
    with pytest.raises(SettingsError, match="go together"):
        settings(change, name="decoupled-a14b")
    with pytest.raises(SettingsError, match="has one transformer"):
        settings("model.weights_2=x.gguf")


def test_a_checkpoint_replaces_the_transformer(tmp_path):
    """As Phantom's weights replace those of the base model."""
    from safetensors.torch import save_file

    wanted = load_settings("phantom-1.3b", SIZE, tiny=True)
    found = models_of(wanted)
    plain = load_video_pipeline(wanted, found).transformer
    path = tmp_path / "phantom.safetensors"
    changed = {name: value * 2 for name, value in plain.state_dict().items()}
    save_file(changed, path)
    found = {**found, "weights": Found(path=path, revision="local")}
    made = load_video_pipeline(wanted, found).transformer
    assert type(made).__name__ == "PhantomTransformer"
    for name, value in made.state_dict().items():
        assert torch.allclose(value, changed[name]), name


def write_lora(folder, *, name="lora.safetensors", layer="transformer.blocks.0.attn1.to_q"):
    pytest.importorskip("peft")
    from safetensors.torch import save_file

    rng = torch.Generator().manual_seed(0)
    save_file(
        {
            f"{layer}.lora_A.weight": torch.randn(4, 24, generator=rng),
            f"{layer}.lora_B.weight": torch.randn(24, 4, generator=rng),
        },
        folder / name,
    )
    return folder


def test_a_sharded_checkpoint_is_the_whole_one(tmp_path):
    """As Phantom's 14B model is published."""
    from safetensors.torch import save_file

    wanted = load_settings("phantom-14b", SIZE, tiny=True)
    found = models_of(wanted)
    plain = load_video_pipeline(wanted, found).transformer
    changed = {name: value * 2 for name, value in plain.state_dict().items()}
    index, names = tmp_path / "tiny.safetensors.index.json", sorted(changed)
    shards = {name: f"tiny-{number % 3 + 1:05}-of-00003.safetensors" for number, name in enumerate(names)}
    for shard in set(shards.values()):
        save_file({name: changed[name] for name in names if shards[name] == shard}, tmp_path / shard)
    index.write_text(json.dumps({"metadata": {}, "weight_map": shards}))
    made = load_video_pipeline(wanted, {**found, "weights": Found(path=index, revision="local")}).transformer
    for name, value in made.state_dict().items():
        assert torch.allclose(value, changed[name]), name


def test_a_lora_changes_the_video_by_its_scale(tmp_path, picture):
    write_lora(tmp_path)

    def with_scale(scale):
        lora = f"[{{path: {tmp_path}, weight_name: lora.safetensors, scale: {scale}}}]"
        return pictures(picture, f"runtime.lora={lora}", "sampling.guidance=1")

    plain = pictures(picture, "sampling.guidance=1")
    assert np.array_equal(with_scale(0.0), plain)
    assert not np.array_equal(with_scale(3.0), plain)


@pytest.mark.parametrize(
    ("experts", "scales"),
    [
        (["both"], ({"lora0": 2.0}, {"lora0": 2.0})),
        (["high"], ({"lora0": 2.0}, {})),
        (["high", "low"], ({"lora0": 2.0}, {"lora1": 2.0})),
        (["both", "low"], ({"lora0": 2.0}, {"lora0": 2.0, "lora1": 2.0})),
    ],
)
def test_a_lora_reaches_the_experts_that_it_names(tmp_path, experts, scales):
    write_lora(tmp_path)
    loras = [f"{{path: {tmp_path}, weight_name: lora.safetensors, scale: 2, expert: {e}}}" for e in experts]
    wanted = settings(f"runtime.lora=[{', '.join(loras)}]", name="decoupled-a14b")
    made = load_video_pipeline(wanted, models_of(wanted))
    for transformer, expected in zip((made.transformer, made.transformer_2), scales, strict=True):
        layer = transformer.blocks[0].attn1.to_q
        active = {name: layer.scaling[name] for name in getattr(layer, "active_adapters", [])}
        assert active == expected


def test_a_lora_that_fits_no_layer_is_refused(tmp_path):
    write_lora(tmp_path, layer="text_encoder.blocks.0.attn1.to_q")
    lora = f"runtime.lora=[{{path: {tmp_path}, weight_name: lora.safetensors}}]"
    with pytest.raises(SettingsError, match="holds nothing for this model"):
        pipeline(lora)
    with pytest.raises(SettingsError, match="leave expert out"):
        settings(lora.replace("}]", ", expert: low}]"))


def test_an_untied_token_embedding_is_noticed():
    from ipvg_eval.reference_generator.systems.loading import _check_text_encoder

    encoder = pipeline().text_encoder
    _check_text_encoder(encoder)
    encoder.encoder.embed_tokens = torch.nn.Embedding(*encoder.shared.weight.shape)
    with pytest.raises(ModelsMissing, match="token embedding"):
        _check_text_encoder(encoder)


def test_compiling_marks_the_repeated_blocks():
    made = pipeline("runtime.compile=true").transformer
    assert all(block._compiled_call_impl is not None for block in [*made.blocks, *made.vace_blocks])
