"""Parameters, operations, memory and time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipvg_eval.reference_generator.architectures import ARCHITECTURES, architecture
from ipvg_eval.reference_generator.baseline_tables import PAGES, written_anew
from ipvg_eval.reference_generator.errors import SettingsError
from ipvg_eval.reference_generator.estimate import estimate, forwards_per_step, memory_advice
from ipvg_eval.reference_generator.gpus import ERROR, GPUS, find_gpu, named_gpus
from ipvg_eval.reference_generator.machine import Machine, check_fit, machine
from ipvg_eval.reference_generator.preset import load_settings


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_parameters_are_those_of_the_real_network(name):
    import torch
    from diffusers import WanTransformer3DModel, WanVACETransformer3DModel

    from ipvg_eval.reference_generator.tiny.parts import _transformer_options

    facts = architecture(name)
    options = _transformer_options(name)
    if facts.vace_layers:
        options |= {"vace_layers": list(facts.vace_layers), "vace_in_channels": 96}
    with torch.device("meta"):
        network = (WanVACETransformer3DModel if facts.vace_layers else WanTransformer3DModel)(**options)
    assert facts.parameters == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", ["tiny-vace", "tiny-wan"])
def test_operations_are_what_torch_counts(name):
    """torch's counter sees every matrix product; 16 is the fraction that biases and rounding may add."""
    import torch
    from diffusers import WanTransformer3DModel, WanVACETransformer3DModel
    from torch.utils.flop_counter import FlopCounterMode

    from ipvg_eval.reference_generator.tiny.parts import _transformer_options

    facts, length = architecture(name), 32
    options = _transformer_options(name)
    inputs = {
        "hidden_states": torch.zeros(1, 16, 3, 16, 16),
        "timestep": torch.zeros(1),
        "encoder_hidden_states": torch.zeros(1, length, 32),
    }
    if facts.vace_layers:
        options |= {"vace_layers": list(facts.vace_layers), "vace_in_channels": 96}
        inputs["control_hidden_states"] = torch.zeros(1, 96, 3, 16, 16)
    network = (WanVACETransformer3DModel if facts.vace_layers else WanTransformer3DModel)(**options)
    tokens = facts.tokens(width=128, height=128, frames=9)
    assert tokens == 3 * 8 * 8
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        network(**inputs)
    embedding = 2 * tokens * facts.width * 4 * (16 + 16 + (96 if facts.vace_layers else 0))
    assert facts.operations(tokens, length) + embedding == pytest.approx(counter.get_total_flops(), rel=0.02)


@pytest.mark.parametrize(
    ("name", "billions", "tflop", "size"),
    [
        ("vace-1.3b", 2.15, 462, (832, 480, 81, 1)),
        ("vace-14b", 17.3, 2179, (832, 480, 81, 1)),
        ("ti2v-5b", 5.0, 517, (1280, 704, 121, 0)),
    ],
)
def test_published_sizes_come_out(name, billions, tflop, size):
    facts, (width, height, frames, references) = architecture(name), size
    tokens = facts.tokens(width=width, height=height, frames=frames, references=references)
    assert facts.parameters / 1e9 == pytest.approx(billions, rel=0.005)
    assert facts.operations(tokens, 512) / 1e12 == pytest.approx(tflop, rel=0.005)


def test_an_unknown_architecture_suggests_the_nearest():
    with pytest.raises(SettingsError) as raised:
        architecture("vace-13b")
    assert "vace-1.3b" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("preset", "changes", "forwards"),
    [
        ("vace-14b", [], 2),
        ("vace-14b", ["sampling.guidance=1"], 1),
        ("tpige-paper", [], 3),
        ("tpige-code", [], 3),
        ("tpige-paper", ["sampling.guidance=1"], 2),
        ("phantom-14b", [], 3),
        ("decoupled-a14b", [], 2),
    ],
)
def test_forwards_per_step(preset, changes, forwards):
    assert forwards_per_step(load_settings(preset, changes)) == forwards


def test_time_is_work_over_rate(jobs):
    settings = load_settings("vace-1.3b")
    guess = estimate(settings, jobs, tflops=100)
    assert guess.seconds["denoising"] == pytest.approx(462 * 2 * 50 / 100, rel=0.01)
    assert guess.seconds["decoding"] == pytest.approx(832 * 480 * 81 * 8.7e-6 / 25)
    assert guess.hours() == pytest.approx(3 * guess.seconds_per_video / 3600)
    assert guess.hours(gpus=2) == pytest.approx(2 * guess.seconds_per_video / 3600), "whole videos"
    own = estimate(load_settings("vace-1.3b", ["runtime.tflops=50"]), jobs, tflops=100)
    assert own.seconds_per_video == pytest.approx(2 * guess.seconds_per_video)
    assert estimate(settings, jobs, tflops=None).hours() is None


def test_pictures_are_a_part_of_their_own(jobs):
    guess = estimate(load_settings("decoupled-ti2v-5b"), jobs, tflops=1000)
    # 20.4 billion parameters, 2 x 3520 + 1000 tokens, 40 steps, 2 branches, 3 tries
    assert guess.seconds["pictures"] == pytest.approx(2 * 20.4e9 * 8040 * 40 * 2 * 3 / 1e15)


# Wan-Video/Wan2.1 and Wan2.2, README, "Computational Efficiency on Different GPUs", one GPU: seconds of a
# video, and GB at the peak with weights moved out, as runtime.offload=model does, where the text encoder is
# moved, too.
PUBLISHED = [
    ("4090", "phantom-1.3b", 832, 480, 50, 261.4, None),
    ("H20", "phantom-14b", 1280, 720, 50, 6935.5, None),
    ("A100", "phantom-14b", 1280, 720, 50, 3342.6, None),
    ("H100", "phantom-14b", 1280, 720, 50, 1837.9, None),
    ("4090", "decoupled-ti2v-5b", 1280, 704, 50, 524.8, 22.8),
    ("H20", "decoupled-a14b", 832, 480, 40, 1117.4, 41.0),
    ("H20", "decoupled-a14b", 1280, 720, 40, 4054.7, 59.7),
    ("A100", "decoupled-a14b", 832, 480, 40, 810.0, 41.0),
    ("A100", "decoupled-a14b", 1280, 720, 40, 2810.9, 59.7),
    ("H100", "decoupled-a14b", 832, 480, 40, 327.8, 41.0),
    ("H100", "decoupled-a14b", 1280, 720, 40, 1055.9, 59.7),
]


def test_estimates_are_near_the_published_tables():
    """Within 35 % each, and no farther off than what is shown to people."""
    errors = []
    # Wan's own models without references: two branches, no made picture.
    plain = ["system=decoupled", "timeline.overlap=1", "picture.use=none", "runtime.offload=model"]
    for name, preset, width, height, steps, seconds, gigabytes in PUBLISHED:
        size = [f"video.width={width}", f"video.height={height}", f"sampling.steps={steps}"]
        size += [] if "5b" in preset else ["video.frames=81"]
        guess = estimate(load_settings(preset, [*plain, *size]), [], tflops=find_gpu(name).tflops)
        errors.append(guess.seconds_per_video / seconds - 1)
        assert gigabytes is None or guess.device_gb == pytest.approx(gigabytes, rel=0.35), (name, preset)
    assert all(abs(error) < 0.35 for error in errors), errors
    assert max(abs(error) for error in errors) <= ERROR
    assert max(abs(error) for error in errors) > ERROR - 0.05, "what is shown is no larger than it need be"


@pytest.mark.parametrize("name", ["wan-1.3b", "ti2v-5b"])
def test_the_work_of_decoding_is_what_torch_counts(name):
    import torch
    from diffusers import AutoencoderKLWan
    from torch.utils.flop_counter import FlopCounterMode

    options = {} if name == "wan-1.3b" else TI2V_VAE
    channels, side = (16, 32) if name == "wan-1.3b" else (48, 16)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        made = AutoencoderKLWan(**options).decode(torch.empty(1, channels, 3, side, side)).sample
    assert made.shape == (1, 3, 9, 256, 256)
    counted = counter.get_total_flops() / (9 * 256 * 256)
    assert architecture(name).vae_mflop * 1e6 == pytest.approx(counted, rel=0.01)


# Wan-AI/Wan2.2-TI2V-5B-Diffusers, vae/config.json
TI2V_VAE = {
    "base_dim": 160,
    "decoder_base_dim": 256,
    "z_dim": 48,
    "in_channels": 12,
    "out_channels": 12,
    "patch_size": 2,
    "is_residual": True,
    "scale_factor_spatial": 16,
    "latents_mean": [0.0] * 48,
    "latents_std": [1.0] * 48,
}


def test_a_long_timeline_takes_more_passes(jobs):
    settings = load_settings("vace-1.3b")
    long = [replace(job, timeline="0-2s: a; 2-12s: b") for job in jobs]
    ratio = (
        estimate(settings, long, tflops=1).seconds_per_video
        / estimate(settings, jobs, tflops=1).seconds_per_video
    )
    assert ratio == pytest.approx(3)  # 192 frames: 81, then 76 more in each of two passes


def test_the_flags_that_save_memory_lower_the_estimate(jobs):
    def gigabytes(*changes):
        return estimate(load_settings("vace-14b", changes), jobs, tflops=1).device_gb

    plain = gigabytes()
    assert plain > 34.7 + 11.4
    model = gigabytes("runtime.offload=model")
    assert 34.7 < model < plain
    group = gigabytes("runtime.offload=group", "runtime.vae_tiling=true")
    assert group < model / 2
    assert group == pytest.approx(13 + 8 * 2 * 5120 * 34320 / 1e9, rel=0.1), (
        "13 GB for Wan 14B by the library's own page, and eight hints of 34,320 tokens of 5,120 channels"
    )
    assert gigabytes("runtime.fp8_storage=true") < plain - 15
    advice = memory_advice(load_settings("vace-14b", ["runtime.offload=model"]))
    assert "offload=group" in advice
    assert "offload=model" not in advice


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("NVIDIA H200", "H200"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("NVIDIA GeForce RTX 4090", "4090"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA L40", "L40"),
        ("NVIDIA RTX 6000 Ada Generation", "6000 Ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "PRO 6000"),
        ("NVIDIA B300", "B300"),
        ("AMD Instinct MI300X", None),
        ("Something new", None),
    ],
)
def test_a_gpu_is_known_by_its_drivers_name_or_not_at_all(name, found):
    gpu = find_gpu(name)
    assert (gpu and gpu.name) == found


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_the_documentation_are_those_of_the_presets(page):
    text = (Path(__file__).parents[2] / page).read_text()
    assert written_anew(text) == text, "run python -m ipvg_eval.reference_generator.baseline_tables"
    assert text.count("<!-- end -->") == {"docs/baselines.md": 3}.get(page, 1)


def test_gpus_are_named_with_their_number():
    assert [(gpu.name, count) for gpu, count in map(named_gpus, ("h100", "H100x8", "RTX 4090 x2"))] == [
        ("H100", 1),
        ("H100", 8),
        ("4090", 2),
    ]
    assert all(find_gpu(gpu.name) == gpu for gpu in GPUS)
    for wrong in ("MI300X", "H100x0", ""):
        with pytest.raises(SettingsError, match="nothing is known"):
            named_gpus(wrong)


def test_the_machine_is_looked_at_and_what_does_not_fit_is_said(jobs):
    here = machine(load_settings("tiny", ["runtime.device=cpu"]))
    assert (here.name, here.tflops) == ("CPU", None)
    with pytest.raises(SettingsError, match="no device"):
        machine(load_settings("tiny", ["runtime.device=tpu9x"]))
    settings = load_settings("vace-14b")
    guess = estimate(settings, jobs, tflops=None)
    for device_gb, host_gb, said in ((80, 64, None), (24, 64, "on the device"), (80, 32, "main memory")):
        one = Machine(name="x", device_gb=device_gb, host_gb=host_gb, tflops=None, basis="")
        problem = check_fit(guess, one, settings)
        assert (problem is None) == (said is None)
        assert said is None or said in problem
