"""Identity guidance and Phantom's guidance against loops that are written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import WanTransformer3DModel, WanVACEPipeline, WanVACETransformer3DModel
from PIL import Image

from ipvg_eval.reference_generator.estimate import forwards_per_step
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.system_loading import models_of
from ipvg_eval.reference_generator.systems.identity_guidance import (
    IdentityGuidedTransformer,
    paper_form,
    passed_over,
)
from ipvg_eval.reference_generator.systems.loading import load_video_pipeline
from ipvg_eval.reference_generator.systems.phantom import PhantomSystem
from ipvg_eval.reference_generator.systems.vace import VaceSystem
from ipvg_eval.reference_generator.task import Task

PROMPT, NEGATIVE, SEED, LENGTH = "a woman walks on the beach", "blurred", 7, 32
SIZE = {"height": 64, "width": 64, "num_frames": 9}
TOLERANCE = 1e-4
"""Sums in another order differ by about 4e-6 on these models; wrong terms by 0.01 and more."""


def load(preset, *changes):
    settings = load_settings(preset, changes, tiny=True)
    return load_video_pipeline(settings, models_of(settings))


@pytest.fixture(scope="module")
def stock():
    """The same files under the plain transformer class."""
    settings = load_settings("vace-1.3b", tiny=True)
    found = models_of(settings)
    pipeline = load_video_pipeline(settings, found)
    plain = WanVACETransformer3DModel.from_pretrained(found["video"].path, subfolder="transformer")
    pipeline = WanVACEPipeline(**{**pipeline.components, "transformer": plain, "transformer_2": None})
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def guided():
    return load("vace-1.3b")


def call(pipeline, references, **options):
    given = {
        "prompt": PROMPT,
        "negative_prompt": NEGATIVE,
        "num_inference_steps": 2,
        "guidance_scale": 5.0,
        "max_sequence_length": LENGTH,
        "output_type": "latent",
        **SIZE,
        **options,
    }
    if isinstance(pipeline, WanVACEPipeline):
        given["reference_images"] = references
    return pipeline(generator=torch.Generator().manual_seed(SEED), **given).frames


def set_identity(pipeline, scale, references=1, skip=(2,)):
    transformer = pipeline.transformer
    transformer.identity_scale, transformer.references, transformer.skip_blocks = scale, references, skip


def control(pipeline, references):
    """VACE's input for these reference pictures, as the pipeline forms it."""
    device = torch.device("cpu")
    video, mask, pictures = pipeline.preprocess_conditions(
        None, None, references, 1, SIZE["height"], SIZE["width"], SIZE["num_frames"], torch.float32, device
    )
    latents = pipeline.prepare_video_latents(video, mask, pictures, None, device)
    return torch.cat([latents, pipeline.prepare_masks(mask, pictures, None)], 1)


@torch.no_grad()
def written_out(pipeline, references, *, guidance, scale, form, block=2):
    """Identity guidance step by step: three answers, one sum, one scheduler step."""
    transformer, count = pipeline.transformer, len(references)
    text, negative = pipeline.encode_prompt(PROMPT, NEGATIVE, True, max_sequence_length=LENGTH)
    with_reference, without = control(pipeline, references), control(pipeline, None)
    pipeline.scheduler.set_timesteps(2)
    latents = pipeline.prepare_latents(
        1,
        16,
        SIZE["height"],
        SIZE["width"],
        SIZE["num_frames"] + 4 * count,
        torch.float32,
        torch.device("cpu"),
        torch.Generator().manual_seed(SEED),
    )
    layers = transformer.config.vace_layers
    ones = torch.ones(len(layers))
    zeroed = torch.tensor([0.0 if layer == block else 1.0 for layer in layers])

    def answer(embedding, hints, scales):
        return WanVACETransformer3DModel.forward(
            transformer,
            hidden_states=latents,
            timestep=timestep.expand(1),
            encoder_hidden_states=embedding,
            control_hidden_states=hints,
            control_hidden_states_scale=scales,
            return_dict=False,
        )[0]

    for timestep in pipeline.scheduler.timesteps:
        cond, uncond = answer(text, with_reference, ones), answer(negative, with_reference, ones)
        forward = transformer.blocks[block].forward
        transformer.blocks[block].forward = lambda states, *_: states
        weak = answer(text, without, zeroed)
        transformer.blocks[block].forward = forward
        cfg = uncond + guidance * (cond - uncond)
        total = cfg + scale * ((cond if form == "paper" else cfg) - weak)
        latents = pipeline.scheduler.step(total, timestep, latents, return_dict=False)[0]
    return latents


def test_without_a_scale_it_is_the_stock_pipeline_bit_for_bit(stock, guided, picture):
    set_identity(guided, 0.0)
    assert type(guided.transformer) is IdentityGuidedTransformer
    for references in ([picture()], [picture(), picture(tint=0.5)]):
        assert torch.equal(call(guided, references), call(stock, references))


@pytest.mark.parametrize("count", [1, 2])
def test_with_a_scale_it_is_the_written_out_loop(stock, guided, picture, count):
    references = [picture(tint=n / 3) for n in range(count)]
    set_identity(guided, 0.5, references=count)
    answer = call(guided, references)
    expected = written_out(stock, references, guidance=5.0, scale=0.5, form="paper")
    assert (answer - expected).abs().max() < TOLERANCE
    assert (answer - call(stock, references)).abs().max() > 100 * TOLERANCE


def test_the_released_programs_form_is_the_papers_at_guidance_7(stock, guided, picture):
    guidance, scale = paper_form(5.0, 0.5)
    assert (guidance, scale) == (7.0, 0.5)
    set_identity(guided, scale)
    answer = call(guided, [picture()], guidance_scale=guidance)
    expected = written_out(stock, [picture()], guidance=5.0, scale=0.5, form="code")
    assert (answer - expected).abs().max() < TOLERANCE


def test_the_preset_chooses_the_form():
    from ipvg_eval.reference_generator.systems.vace import VaceSystem

    for name, guidance in (("tpige-paper", 5.0), ("tpige-code", 7.0)):
        settings = load_settings(name, tiny=True)
        system = VaceSystem(load(name), settings)
        assert system._guidance == guidance
        assert system.pipeline.transformer.identity_scale == 0.5


def test_it_works_without_classifier_free_guidance(guided, stock, picture):
    """As with a LoRA distilled to few steps: only "cond" is asked, and carries the term."""
    set_identity(guided, 0.5)
    answer = call(guided, [picture()], guidance_scale=1.0)
    expected = written_out(stock, [picture()], guidance=1.0, scale=0.5, form="paper")
    assert (answer - expected).abs().max() < TOLERANCE


def test_the_weak_answer_does_not_depend_on_the_reference(guided, picture):
    rng = torch.Generator().manual_seed(0)
    inputs = {
        "hidden_states": torch.randn(1, 16, 4, 8, 8, generator=rng),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.randn(1, LENGTH, 32, generator=rng),
    }
    set_identity(guided, 0.5)
    hints = [control(guided, [picture(tint=tint)]) for tint in (0.0, 0.5)]
    assert not torch.equal(*hints)
    with torch.no_grad():
        weak = [guided.transformer.weak_answer(control_hidden_states=hint, **inputs) for hint in hints]
        full = [
            guided.transformer(control_hidden_states=hint, return_dict=False, **inputs)[0] for hint in hints
        ]
    assert torch.equal(*weak)
    assert not torch.equal(*full)


def test_several_references_stand_in_their_order():
    """The first picture is the first latent, as in VACE's own code: [red, blue] begins with red."""
    from ipvg_eval.reference_generator.systems.vace import VaceSystem
    from ipvg_eval.reference_generator.task import Task

    settings = load_settings(
        "vace-1.3b", ["video.width=64", "video.height=64", "sampling.steps=1"], tiny=True
    )
    system = VaceSystem(load("vace-1.3b"), settings)
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    seen = []
    system.pipeline.transformer.register_forward_pre_hook(
        lambda _, __, inputs: seen.append(inputs["control_hidden_states"]), with_kwargs=True
    )
    with torch.no_grad():
        system.make(Task(seed=1, texts=("a man",), references=(red, blue)))
        alone = [control(system.pipeline, [colour])[:, :16, 0] for colour in (red, blue)]
    assert torch.equal(seen[0][:, :16, 0], alone[0])
    assert torch.equal(seen[0][:, :16, 1], alone[1])
    assert not torch.equal(*alone)


def test_control_without_its_first_frames_is_control_without_reference(stock, picture):
    two = control(stock, [picture(), picture(tint=0.5)])
    assert torch.equal(two[:, :, 2:], control(stock, None))


def test_the_skipped_blocks_hint_is_left_out_too(guided, picture):
    """With every block skipped and every hint 0 the latents reach the head unchanged by text."""
    rng = torch.Generator().manual_seed(0)
    set_identity(guided, 0.5, skip=tuple(range(6)))
    hint = control(guided, [picture()])
    common = {
        "hidden_states": torch.randn(1, 16, 4, 8, 8, generator=rng),
        "timestep": torch.tensor([500.0]),
        "control_hidden_states": hint,
    }
    texts = [torch.randn(1, LENGTH, 32, generator=rng) for _ in range(2)]
    with torch.no_grad():
        one, other = (guided.transformer.weak_answer(encoder_hidden_states=text, **common) for text in texts)
    assert torch.equal(one, other)
    set_identity(guided, 0.5)


def test_skipping_restores_the_blocks_even_after_an_error(guided):
    blocks = list(guided.transformer.blocks)
    seen = []

    def failing():
        with passed_over(guided.transformer, (1, 2)):
            seen.append(guided.transformer.blocks[1])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert seen[0] is not blocks[1]
    assert [a is b for a, b in zip(guided.transformer.blocks, blocks, strict=True)] == [True] * len(blocks)


def test_a_skipped_block_with_offload_hooks_still_runs_them(guided, picture):
    """Group offload fetches block after block; leaving one out must not strand the next one's weights."""
    from diffusers.hooks import HookRegistry, ModelHook

    calls = []

    class Counting(ModelHook):
        def pre_forward(self, module, *args, **kwargs):
            calls.append(module)
            return args, kwargs

    set_identity(guided, 0.5)
    before = call(guided, [picture()], num_inference_steps=1)
    block = guided.transformer.blocks[2]
    registry = HookRegistry.check_if_exists_or_initialize(block)
    registry.register_hook(Counting(), "counting")
    try:
        after = call(guided, [picture()], num_inference_steps=1)
    finally:
        registry.remove_hook("counting")
    assert torch.equal(before, after)
    assert len(calls) == 3  # cond, weak, uncond


def test_it_gives_the_same_under_group_offload(picture):
    """Weights that come and go with their blocks change nothing, also where a block is left out."""
    made = load("vace-1.3b")
    set_identity(made, 0.5)
    before = call(made, [picture()])
    cpu = torch.device("cpu")
    made.transformer.enable_group_offload(
        onload_device=cpu, offload_device=cpu, offload_type="block_level", num_blocks_per_group=1
    )
    assert torch.equal(call(made, [picture()]), before)


def test_blocks_without_a_hint_can_be_skipped(guided, picture):
    """As in the 14B model, where block 2 is not among those with a hint."""
    set_identity(guided, 0.5, skip=(1,))
    assert 1 not in guided.transformer.config.vace_layers
    one = call(guided, [picture()])
    set_identity(guided, 0.5, skip=(2,))
    assert not torch.equal(one, call(guided, [picture()]))


@torch.no_grad()
def phantom_loop(pipeline, references, *, image, text, identity=0.0):
    """Phantom's three branches written out, and identity guidance in the authors' form."""
    transformer, count = pipeline.transformer, references.shape[2]
    positive, negative = pipeline.encode_prompt(PROMPT, NEGATIVE, True, max_sequence_length=LENGTH)
    pipeline.scheduler.set_timesteps(2)
    latents = pipeline.prepare_latents(
        1,
        16,
        SIZE["height"],
        SIZE["width"],
        SIZE["num_frames"] + 4 * count,
        torch.float32,
        torch.device("cpu"),
        torch.Generator().manual_seed(SEED),
    )

    def answer(embedding, pictures):
        return WanTransformer3DModel.forward(
            transformer,
            hidden_states=torch.cat([latents[:, :, :-count], pictures], 2),
            timestep=timestep.expand(1),
            encoder_hidden_states=embedding,
            return_dict=False,
        )[0]

    for timestep in pipeline.scheduler.timesteps:
        nothing = answer(negative, torch.zeros_like(references))
        pictures = answer(negative, references)
        both = answer(positive, references)
        total = nothing + image * (pictures - nothing) + text * (both - pictures)
        if identity:
            with passed_over(transformer, (2,)):
                weak = answer(positive, torch.zeros_like(references))
            total = total + identity * (total - weak)
        latents = pipeline.scheduler.step(total, timestep, latents, return_dict=False)[0]
    return latents[:, :, :-count]


@pytest.mark.parametrize("count", [1, 2])
def test_phantom_is_the_written_out_loop(picture, count):
    settings = load_settings("phantom-1.3b", ["video.width=64", "video.height=64"], tiny=True)
    system = PhantomSystem(load("phantom-1.3b"), settings)
    pipeline = system.pipeline
    with torch.no_grad():
        references = system.encoded(tuple(picture(tint=n / 3) for n in range(count)))
    assert references.shape == (1, 16, count, 8, 8)
    pipeline.transformer.references = references
    answer = call(pipeline, None, num_frames=9 + 4 * count, guidance_scale=7.5)[:, :, :-count]
    expected = phantom_loop(pipeline, references, image=5.0, text=7.5)
    assert (answer - expected).abs().max() < TOLERANCE
    pipeline.transformer.references = None
    assert (call(pipeline, None, guidance_scale=7.5) - expected).abs().max() > 100 * TOLERANCE


def test_identity_guidance_on_phantom_is_the_written_out_loop_in_the_authors_form(picture):
    changes = ["video.width=64", "video.height=64", "identity.scale=0.5", "identity.form=code"]
    settings = load_settings("phantom-1.3b", changes, tiny=True)
    assert forwards_per_step(settings) == 4
    system = PhantomSystem(load("phantom-1.3b"), settings)
    with torch.no_grad():
        references = system.encoded((picture(),))
    system.pipeline.transformer.references = references
    guided = call(system.pipeline, None, num_frames=13, guidance_scale=system.guidance)[:, :, :-1]
    expected = phantom_loop(system.pipeline, references, image=5.0, text=7.5, identity=0.5)
    assert (guided - expected).abs().max() < TOLERANCE
    plain = phantom_loop(system.pipeline, references, image=5.0, text=7.5)
    assert (plain - expected).abs().max() > 100 * TOLERANCE


def test_skyreels_is_one_answer_per_step_with_four_places_for_pictures(picture):
    """As its authors' loop: pictures last, empty places zero, no second question."""
    settings = load_settings("skyreels-r2v-14b", ["video.width=64", "video.height=64"], tiny=True)
    assert forwards_per_step(settings) == 1
    system = PhantomSystem(load("skyreels-r2v-14b"), settings)
    with torch.no_grad():
        references = system.encoded((picture(), picture(tint=0.5)))
    assert references.shape == (1, 16, 4, 8, 8)
    assert references[:, :, 2:].abs().max() == 0
    system.pipeline.transformer.references = references
    made = call(system.pipeline, None, num_frames=9 + 16, guidance_scale=system.guidance)[:, :, :-4]
    expected = phantom_loop(system.pipeline, references, image=1.0, text=1.0)
    assert (made - expected).abs().max() < TOLERANCE
    task = Task(seed=1, texts=("a",), references=(picture(),))
    frames = system.make(task).pictures.shape[0]
    assert (system.latent_references(task), frames) == (4, settings.video.frames)


def test_both_experts_of_vace_are_guided(picture):
    changes = ["video.width=64", "video.height=64", "video.frames=9", "sampling.steps=4"]
    plain = load_settings("vace-fun-a14b", changes, tiny=True)
    guided = load_settings("vace-fun-a14b", [*changes, "identity.scale=0.5"], tiny=True)
    pictures = []
    for settings in (plain, guided):
        system = VaceSystem(load_video_pipeline(settings, models_of(settings)), settings)
        experts = (system.pipeline.transformer, system.pipeline.transformer_2)
        assert {expert.identity_scale for expert in experts} == {settings.identity.scale}
        pictures.append(system.make(Task(seed=1, texts=("a",), references=(picture(),) * 2)).pictures)
        assert {expert.references for expert in experts} == {2}
    assert not np.array_equal(*pictures)


def test_phantoms_pictures_are_normalised_like_video_latents(picture):
    """Encoding a picture as a one-frame video through VACE's own code gives the same latents."""
    from ipvg_eval.reference_generator.pictures import fitted

    settings = load_settings("phantom-1.3b", ["video.width=96", "video.height=64"], tiny=True)
    system = PhantomSystem(load("phantom-1.3b"), settings)
    vace = load("vace-1.3b")
    vace.vae = system.pipeline.vae
    square = picture(64)
    framed = fitted(square, 96, 64)
    assert framed.size == (96, 64)
    assert framed.getpixel((0, 0)) == framed.getpixel((95, 63)) == (255, 255, 255)
    assert np.array_equal(np.asarray(framed)[:, 16:80], np.asarray(square))
    pixels = torch.from_numpy(np.asarray(framed) / 127.5 - 1).float().permute(2, 0, 1)
    video = torch.zeros(1, 3, 1, 64, 96)
    with torch.no_grad():
        expected = vace.prepare_video_latents(video, torch.ones_like(video), [[pixels]], None)[:, :16, :1]
        assert torch.allclose(system.encoded((square,)), expected, atol=1e-5)
