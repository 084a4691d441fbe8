"""Finding models on this machine, and naming those that are missing."""

from __future__ import annotations

import json
import shutil

import pytest

from ipvg_eval.reference_generator.errors import ModelsMissing
from ipvg_eval.reference_generator.models import find_models, needs
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.system_loading import models_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def model():
    """A complete model folder."""
    return models_of(load_settings("vace-1.3b", tiny=True))["video"].path


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty hub cache under HF_HOME."""
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))

    def put(preset, source, commit=None):
        model = load_settings(preset).model
        folder = tmp_path / "hf" / "hub" / ("models--" + model.repo.replace("/", "--"))
        snapshot = folder / "snapshots" / (commit or model.revision)
        shutil.copytree(source, snapshot)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(snapshot.name)
        return snapshot

    return put


def test_a_snapshot_under_hf_home_is_found_with_its_commit(hub, model):
    snapshot = hub("vace-1.3b", model, COMMIT)
    found = find_models(load_settings("vace-1.3b", ["model.revision=main"]))["video"]
    assert (found.path, found.revision) == (snapshot, COMMIT)
    pinned = load_settings("vace-1.3b", [f"model.revision='{COMMIT}'"])
    assert find_models(pinned)["video"].path == snapshot
    with pytest.raises(ModelsMissing):
        find_models(load_settings("vace-1.3b", ["model.revision=other"]))
    with pytest.raises(ModelsMissing) as raised:
        find_models(load_settings("vace-1.3b"))
    assert f"--revision {load_settings('vace-1.3b').model.revision}" in raised.value.hint


def test_a_cache_that_huggingface_hub_wrote_is_read(tmp_path, monkeypatch, model):
    """The library's own writer and reader agree with ours about where a snapshot lies."""
    from huggingface_hub import snapshot_download

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--a--b"
    shutil.copytree(model, folder / "snapshots" / COMMIT)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    theirs = snapshot_download("a/b", cache_dir=tmp_path, local_files_only=True)
    ours = find_models(load_settings("vace-1.3b", ["model.repo=a/b"]))["video"].path
    assert str(ours) == theirs


def test_a_half_fetched_model_is_missing(hub, model):
    snapshot = hub("vace-1.3b", model)
    settings = load_settings("vace-1.3b")
    weights = snapshot / "transformer" / "diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    with pytest.raises(ModelsMissing, match="not complete"):
        find_models(settings)
    index = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    (weights.parent / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    (weights.parent / "part-1.safetensors").write_bytes(content)
    with pytest.raises(ModelsMissing):
        find_models(settings)
    (weights.parent / "part-2.safetensors").write_bytes(content)
    assert find_models(settings)
    shutil.rmtree(snapshot / "text_encoder")
    with pytest.raises(ModelsMissing):
        find_models(settings)


def test_a_folder_of_ones_own_is_used_instead(model, hub):
    del hub
    found = find_models(load_settings("vace-14b", [f"model.path={model}"]))["video"]
    assert (found.path, found.revision) == (model, "local")
    with pytest.raises(ModelsMissing) as raised:
        find_models(load_settings("vace-14b", ["model.path=/nowhere"]))
    assert "/nowhere" in str(raised.value)
    assert raised.value.hint == "Check the paths."


def test_everything_a_system_needs_is_listed_with_sizes(hub):
    del hub
    changes = [
        "picture.use=reference",
        "prompt.rewriter=local",
        "prompt.model=some/model",
        "runtime.lora=[{path: some/lora, weight_name: fast.safetensors}]",
    ]
    with pytest.raises(ModelsMissing) as raised:
        find_models(load_settings("tpige-paper", changes))
    lines = str(raised.value).splitlines()[1:]
    assert lines == [
        "  video model: Wan-AI/Wan2.1-VACE-14B-diffusers, about 74.9 GB",
        "  picture model: Qwen/Qwen-Image-Edit, about 57.7 GB",
        "  language model: some/model, size unknown",
        "  LoRA: some/lora (fast.safetensors), size unknown",
    ]
    assert "hf download some/lora fast.safetensors" in raised.value.hint


def test_phantom_needs_its_own_checkpoint_beside_the_base(hub):
    del hub
    with pytest.raises(ModelsMissing) as raised:
        find_models(load_settings("phantom-1.3b"))
    assert "transformer weights: bytedance-research/Phantom (Phantom-Wan-1.3B.pth), about 5.7 GB" in str(
        raised.value
    )
    assert "video model: Wan-AI/Wan2.1-T2V-1.3B-Diffusers, about 11.9 GB" in str(raised.value)
    assert "--exclude 'transformer/*.safetensors'" in raised.value.hint
    own_folder = load_settings("phantom-1.3b", ["model.path=/x"])
    assert set(needs(own_folder)) == {"video"}


def test_a_checkpoint_in_shards_is_complete_with_the_last_of_them(hub, model, tmp_path):
    with pytest.raises(ModelsMissing) as raised:
        find_models(load_settings("phantom-14b"))
    assert "--include 'Phantom_Wan_14B*.safetensors*'" in raised.value.hint
    hub("phantom-14b", model)
    shards = [tmp_path / f"tiny-{n}.safetensors" for n in (1, 2)]
    index = tmp_path / "tiny.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": shards[0].name, "b": shards[1].name}}))
    settings = load_settings("phantom-14b", [f"model.weights={index}"])
    shards[0].write_bytes(b"a")
    with pytest.raises(ModelsMissing, match="transformer weights"):
        find_models(settings)
    shards[1].write_bytes(b"b")
    assert find_models(settings)["weights"].path == index


def test_two_experts_that_are_replaced_are_both_needed_and_theirs_are_not(hub):
    del hub
    changes = ["model.weights=high.safetensors", "model.weights_2=low.safetensors", "model.weights_repo=a/b"]
    wanted = needs(load_settings("decoupled-a14b", changes))
    assert wanted["video"].without == ("transformer", "transformer_2")
    assert [wanted[name].path for name in ("weights", "weights_2")] == ["high.safetensors", "low.safetensors"]
    assert [wanted[name].size_gb for name in ("weights", "weights_2")] == [57.0, 57.0]


def test_a_checkpoint_on_this_machine_replaces_weights_that_need_not_be_there(hub, model, tmp_path):
    snapshot = hub("phantom-1.3b", model)
    (snapshot / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    checkpoint = tmp_path / "phantom.pth"
    checkpoint.write_bytes(b"weights")
    found = find_models(load_settings("phantom-1.3b", [f"model.weights={checkpoint}"]))
    assert found["video"].path == snapshot
    assert found["weights"].path == checkpoint


def test_tiny_systems_need_nothing():
    assert needs(load_settings("decoupled-a14b", tiny=True)) == {}
