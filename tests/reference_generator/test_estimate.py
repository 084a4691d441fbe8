"""Parameters, operations, memory and time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipvg_eval.reference_generator.architectures import ARCHITECTURES, architecture
from ipvg_eval.reference_generator.errors import SettingsError
from ipvg_eval.reference_generator.estimate import device_rate, estimate, forwards_per_step, memory_advice
from ipvg_eval.reference_generator.machine import machine
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
    assert guess.seconds_per_video == pytest.approx(462 * 2 * 50 / 100, rel=0.01)
    assert guess.hours == pytest.approx(3 * guess.seconds_per_video / 3600)
    own = estimate(load_settings("vace-1.3b", ["runtime.tflops=50"]), jobs, tflops=100)
    assert own.seconds_per_video == pytest.approx(2 * guess.seconds_per_video)


def test_a_long_timeline_takes_more_passes(jobs):
    settings = load_settings("vace-1.3b")
    long = [replace(job, timeline="0-2s: a; 2-12s: b") for job in jobs]
    ratio = (
        estimate(settings, long, tflops=1).seconds_per_video
        / estimate(settings, jobs, tflops=1).seconds_per_video
    )
    assert ratio == 3  # 192 frames: 81, then 76 more in each of two passes


def test_the_flags_that_save_memory_lower_the_estimate(jobs):
    def gigabytes(*changes):
        return estimate(load_settings("vace-14b", changes), jobs, tflops=1).device_gb

    plain = gigabytes()
    assert plain > 34.7 + 11.4
    model = gigabytes("runtime.offload=model")
    assert 34.7 < model < plain
    assert gigabytes("runtime.offload=group", "runtime.vae_tiling=true") < model / 3
    assert gigabytes("runtime.fp8_storage=true") < plain - 15
    advice = memory_advice(load_settings("vace-14b", ["runtime.offload=model"]))
    assert "offload=group" in advice
    assert "offload=model" not in advice


def test_device_rates_follow_the_name():
    assert device_rate("NVIDIA H200") == pytest.approx(989 * 0.45)
    assert device_rate("NVIDIA A100-SXM4-80GB") == pytest.approx(312 * 0.45)
    assert device_rate("NVIDIA GeForce RTX 4090") == pytest.approx(165 * 0.45)
    assert device_rate("NVIDIA L40S") == pytest.approx(362 * 0.45)
    assert device_rate("Something new") == pytest.approx(90)


def test_the_machine_is_looked_at():
    here = machine(load_settings("tiny"))
    assert (here.device, here.name) == ("cpu", "CPU")
    assert here.tflops > 0
    with pytest.raises(SettingsError, match="no device"):
        machine(load_settings("tiny", ["runtime.device=tpu9x"]))
