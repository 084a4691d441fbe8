"""The callback of training loops, on a tiny pipeline of diffusers that is really trained for a few steps."""

from __future__ import annotations

import gc
import math
import random
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ipvg_eval.core.errors import UsageError
from ipvg_eval.reference_generator.tiny.parts import save_tiny
from ipvg_eval.scoring import Recipe
from ipvg_eval.training import EveryNSteps, FixedSample

TESTSET = Path(__file__).resolve().parents[3] / "fixtures" / "testset"
CHEAP = Recipe(protocol="lite", metrics=("lite_sharpness", "lite_motion"), frames=4)
SMALL = {"height": 32, "width": 32, "num_frames": 5, "num_inference_steps": 1}
SAMPLES = [
    FixedSample(prompt="a man walks on the beach", reference=TESTSET / "id001" / "image.png", inputs=SMALL),
    FixedSample(prompt="a woman sits", seed=7, inputs=SMALL),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny("tiny-wan", folder)
    return folder


@pytest.fixture
def pipeline(folder):
    from diffusers import WanPipeline

    pipeline = WanPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def train(pipeline, steps, after_step=lambda _step: None):
    """A loop as training scripts have it; the losses, which show any disturbance."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    transformer = pipeline.transformer.train()
    optimizer = torch.optim.SGD(transformer.parameters(), lr=1e-2)
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(4)
    losses = []
    for step in range(1, steps + 1):
        latents = torch.randn(1, 16, 2, 4, 4)
        timestep = scheduler.timesteps[random.randrange(4)][None]
        text = torch.from_numpy(np.random.standard_normal((1, 8, 32)).astype(np.float32))  # noqa: NPY002
        output = transformer(latents, timestep, text, return_dict=False)[0]
        loss = (output - latents).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        assert transformer.training
        after_step(step)
    return losses


def test_a_training_goes_on_as_if_nothing_had_happened(pipeline, folder, capsys):
    alone = train(type(pipeline).from_pretrained(folder), 4)
    capsys.readouterr()
    logged = []
    evaluate = EveryNSteps(
        2, SAMPLES, recipe=CHEAP, log=lambda values, step: logged.append((step, values)), fps=16
    )
    scheduler = pipeline.scheduler
    assert train(pipeline, 4, lambda step: evaluate(step, pipeline)) == alone
    assert pipeline.scheduler is scheduler
    assert all(parameter.requires_grad for parameter in pipeline.transformer.parameters())
    assert [step for step, _ in logged] == [2, 4]
    assert set(logged[0][1]) == {"eval/lite_sharpness", "eval/lite_motion", "eval/seconds"}
    assert evaluate.last is not None
    assert evaluate.last.means == {
        name: math.fsum(one[name] for one in evaluate.last.videos) / 2 for name in CHEAP.metrics
    }
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in told] == ["step 2", "step 4"]
    assert "2 videos in" in told[0]
    assert "generating" in told[0]


def test_the_numbers_are_those_of_the_frames_by_any_other_way(pipeline):
    scorer = CHEAP.build()
    seen = []

    def generate(pipeline, sample):
        generator = torch.Generator().manual_seed(sample.seed)
        frames = pipeline(
            prompt=sample.prompt, generator=generator, output_type="pt", **sample.inputs
        ).frames[0]
        seen.append((frames * 255).round().to(torch.uint8))
        return seen[-1]

    own = EveryNSteps(1, SAMPLES, recipe=scorer, generate=generate, fps=16, quiet=True)(1, pipeline)
    usual = EveryNSteps(1, SAMPLES, recipe=scorer, fps=16, quiet=True)(1, pipeline)
    assert own is not None
    assert usual is not None
    assert own.means == usual.means
    assert [one.values for one in own.videos] == [scorer(frames, fps=16).values for frames in seen]
    assert not torch.equal(*seen)


def test_only_every_n_steps_and_each_once(pipeline):
    evaluate = EveryNSteps(3, SAMPLES[:1], recipe=CHEAP.build(), quiet=True)
    done = [evaluate(step, pipeline) for step in (0, 1, 2, 3, 3, 4)]
    assert [one is not None for one in done] == [False, False, False, True, False, False]
    assert evaluate.evaluate(4, pipeline).step == 4


@pytest.mark.parametrize("release", [True, False])
def test_networks_are_released_or_kept(pipeline, monkeypatch, release):
    built = []
    build = Recipe.build

    def counted(recipe):
        scorer = build(recipe)
        built.append(weakref.ref(scorer))
        return scorer

    monkeypatch.setattr(Recipe, "build", counted)
    evaluate = EveryNSteps(1, SAMPLES[:1], recipe=CHEAP, release=release, quiet=True)
    for step in (1, 2):
        evaluate(step, pipeline)
    gc.collect()
    assert len(built) == (2 if release else 1)
    assert [one() is None for one in built] == [release] * len(built)


def test_what_the_pipeline_raises_is_raised_and_the_training_is_put_back(pipeline):
    class Broken(Exception):
        pass

    def generate(pipeline, _sample):
        pipeline.scheduler.set_timesteps(1)
        torch.randn(3)
        assert not pipeline.transformer.training
        assert not torch.is_grad_enabled()
        raise Broken

    pipeline.transformer.train()
    pipeline.transformer.blocks[0].eval()  # as somebody froze it
    pipeline.scheduler.set_timesteps(4)
    random_state = torch.get_rng_state()
    with pytest.raises(Broken):
        EveryNSteps(1, SAMPLES, recipe=CHEAP.build(), generate=generate)(1, pipeline)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert len(pipeline.scheduler.timesteps) == 4
    assert pipeline.transformer.training
    assert not pipeline.transformer.blocks[0].training
    assert torch.is_grad_enabled()


def test_what_no_video_has_is_said_and_not_logged(pipeline, capsys):
    logged = {}
    recipe = Recipe(protocol="lite", metrics=("lite_identity", "lite_sharpness"), frames=1)
    evaluate = EveryNSteps(1, SAMPLES[:1], recipe=recipe, log=lambda values, _step: logged.update(values))
    evaluate(1, pipeline)
    assert "eval/lite_identity" not in logged
    assert "no lite_identity: no face in any of 1 frames" in capsys.readouterr().err


def test_lightning_s_hook_evaluates_on_one_process_and_logs_where_the_trainer_does(pipeline):
    logged = []
    logger = SimpleNamespace(log_metrics=lambda values, step: logged.append((step, sorted(values))))
    trainer = SimpleNamespace(is_global_zero=False, global_step=2, logger=logger)
    module = torch.nn.Module()
    module.__dict__["pipeline"] = pipeline
    evaluate = EveryNSteps(2, SAMPLES[:1], recipe=CHEAP.build(), quiet=True)
    evaluate.on_train_batch_end(trainer, module, None, None, 0)
    assert not logged
    trainer.is_global_zero = True
    for batch in range(2):  # two batches of one step, where gradients are accumulated
        evaluate.on_train_batch_end(trainer, module, None, None, batch)
    assert logged == [(2, ["eval/lite_motion", "eval/lite_sharpness", "eval/seconds"])]


def test_a_module_that_generates_itself_is_in_eval_mode_meanwhile():
    class Generator(torch.nn.Module):
        def forward(self, seed):
            assert not self.training
            frames = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
            return (frames * 255).to(torch.uint8)

    module = Generator()
    evaluate = EveryNSteps(
        1, SAMPLES, recipe=CHEAP.build(), generate=lambda made, sample: made(sample.seed), quiet=True
    )
    assert evaluate(1, module) is not None
    assert module.training


def test_nothing_to_do_is_refused():
    with pytest.raises(UsageError, match="every 0 steps"):
        EveryNSteps(0, SAMPLES)
    with pytest.raises(UsageError, match="0 samples"):
        EveryNSteps(1, [])
