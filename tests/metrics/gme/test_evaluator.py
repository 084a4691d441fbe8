"""GMEScore end to end on a small network."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from pydantic import ValidationError

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.gme.encoder import GmeEncoder
from ipvg_eval.metrics.gme.evaluator import GmeScore
from ipvg_eval.metrics.gme.preprocess import frame_patches
from ipvg_eval.metrics.gme.tokens import OPENS2V_INSTRUCTION, TPIGE_INSTRUCTION
from ipvg_eval.metrics.rescoring import Kept
from ipvg_eval.metrics.runtime import Runtime

PROMPT = "A man in an orange space suit smiles."
OPENS2V = {
    "model": "gme_7b",
    "instruction": OPENS2V_INSTRUCTION,
    "sampling": "linspace_repeat",
    "frame_count": 32,
    "similarity": "half_mean",
    "padding": "left",
}


@pytest.fixture(scope="module")
def frames():
    """Seven 160 x 256 crops that move over a photograph."""
    photograph = skimage.data.astronaut()
    return np.stack([photograph[40 * i : 40 * i + 160, 30 * i : 30 * i + 256] for i in range(7)])


@pytest.fixture
def evaluator(runtime):
    def make(**options):
        return GmeScore(GmeScore.Options(**options), runtime)

    return make


def run(evaluator, target, clip, frames, *, step=None, keep=None):
    wanted = [i for i in evaluator.frames(clip) if keep is None or i in keep]
    measuring = evaluator.start(target, clip)
    step = step or max(1, len(wanted))
    for begin in range(0, len(wanted), step):
        indices = wanted[begin : begin + step]
        measuring.add(indices, frames[indices])
    (measurement,) = measuring.finish()
    return measurement


def published(network, tokenizer, frames, instruction):
    """Half-precision embeddings of the prompt and of the frames, as the scripts hold them."""
    encoder = GmeEncoder(network, tokenizer, device="cpu")
    text = torch.from_numpy(encoder.texts([tokenizer.text(PROMPT, instruction=instruction)])).half()
    rows = torch.from_numpy(encoder.images([frame_patches(frame) for frame in frames])).half()
    return text, rows


def test_the_tpige_procedure(evaluator, network, tokenizer, frames, target, clip):
    found = run(evaluator(), target(PROMPT), clip(7), frames)
    text, rows = published(network, tokenizer, frames, TPIGE_INSTRUCTION)
    expected = (text @ rows.T).tolist()[0]
    np.testing.assert_allclose(found.per_frame.values, expected, atol=2**-11)
    assert found.value == pytest.approx(float(np.mean(expected)), abs=2**-11)
    assert all(float(np.float16(v)) == v for v in found.per_frame.values)
    assert found.note is None


def test_the_opens2v_procedure_repeats_the_frames_of_a_short_video(
    evaluator, network, tokenizer, frames, target, clip
):
    made = evaluator(**OPENS2V)
    found = run(made, target(PROMPT), clip(7), frames)
    named = np.linspace(0, 6, 32, dtype=int)
    text, rows = published(network, tokenizer, frames, OPENS2V_INSTRUCTION)
    expected = (text * rows[named]).sum(-1).mean().item()
    assert found.value == pytest.approx(expected, abs=2**-11)
    assert float(np.float16(found.value)) == found.value
    assert list(made.frames(clip(7))) == list(range(7))


def test_the_instruction_matters(evaluator, frames, target, clip):
    ours = run(evaluator(similarity="full"), target(PROMPT), clip(7), frames).value
    other = evaluator(similarity="full", instruction=OPENS2V_INSTRUCTION)
    assert run(other, target(PROMPT), clip(7), frames).value != ours


@pytest.mark.parametrize("step", [1, 3])
def test_batching_changes_nothing(step, evaluator, frames, target, clip):
    made = evaluator(similarity="full")
    whole = run(made, target(PROMPT), clip(7), frames)
    parts = run(made, target(PROMPT), clip(7), frames, step=step)
    assert parts.value == whole.value
    assert parts.per_frame == whole.per_frame
    assert np.array_equal(parts.features.rows, whole.features.rows)


def test_no_more_frames_are_held_than_a_batch(evaluator, frames, target, clip):
    sizes = []
    made = evaluator(frames_per_batch=2)
    hook = made._encoder._model.register_forward_pre_hook(
        lambda _, _args, given: sizes.append(len(given["input_ids"])), with_kwargs=True
    )
    with hook:
        run(made, target(PROMPT), clip(7), frames)
    prompt, *batches = sizes
    assert prompt == 1
    assert batches == [2, 2, 2, 1]


def test_scores_follow_from_the_kept_features(evaluator, frames, target, clip):
    found = run(evaluator(similarity="full"), target(PROMPT), clip(7), frames)
    again = found.features.rows.astype(float) @ found.features.reference.astype(float)
    assert found.value == pytest.approx(again.mean(), abs=1e-12)
    assert found.features.rows.dtype == np.float32


def test_outer_white_space_of_a_prompt_is_dropped_as_the_script_does(evaluator, frames, target, clip):
    made = evaluator(similarity="full", frame_count=1)
    plain = run(made, target(PROMPT), clip(7), frames)
    assert run(made, target(f"  {PROMPT}\n"), clip(7), frames).value == plain.value


def test_missing_frames_empty_prompts_and_long_prompts(evaluator, frames, target, clip):
    made = evaluator()
    part = run(made, target(PROMPT), clip(7), frames, keep={0, 1, 2, 3})
    assert part.note == "4 of 7 frames could be read"
    assert part.per_frame.indices == (0, 1, 2, 3)
    whole = run(made, target(PROMPT), clip(7), frames)
    assert part.value == pytest.approx(np.mean(whole.per_frame.values[:4]), abs=1e-12)
    assert run(made, target(PROMPT), clip(7), frames, keep=set()).reason == "no frame could be read"
    assert run(made, target(" "), clip(7), frames).reason == "the prompt is empty"
    long = run(made, target("word " * 400), clip(7), frames, keep={0})
    assert "cut to 1800" in long.note
    assert made.frames(clip(0)) == ()


def test_output_that_is_not_finite_is_missing_not_a_crash(evaluator, frames, target, clip, monkeypatch):
    monkeypatch.setattr(
        GmeEncoder, "images", lambda _, batch: np.full((len(batch), 64), np.nan, dtype=np.float32)
    )
    made = evaluator()
    assert run(made, target(PROMPT), clip(7), frames).reason == "the network's output is not finite"


def test_options_specs_and_weights(evaluator):
    made = evaluator(**OPENS2V)
    assert [spec.name for spec in made.specs] == ["gme_score"]
    assert made.specs[0].weights == ("gme_7b",)
    assert made.weights == {"gme_7b": "hash of gme_7b"}
    assert GmeScore.required_weights(GmeScore.Options()) == ("gme_2b",)
    with pytest.raises(ValidationError):
        GmeScore.Options(frames=3)
    with pytest.raises(WeightsMissing, match="gme_2b"):
        GmeScore(GmeScore.Options(), Runtime())


def test_another_rounding_is_recombined_from_the_embeddings(evaluator, frames, target, clip):
    measured = {
        rounding: run(evaluator(similarity=rounding), target(PROMPT), clip(7), frames)
        for rounding in ("half", "half_mean", "full")
    }
    assert len({measurement.value for measurement in measured.values()}) == 3
    for before, earlier in measured.items():
        kept = Kept(frame_count=7, measurements={"gme_score": earlier})
        for after, direct in measured.items():
            options = [GmeScore.Options(similarity=rounding) for rounding in (after, before)]
            assert GmeScore.cannot_rescore("gme_score", *options, ["gme_score"]) is None
            found = GmeScore.rescore("gme_score", *options, kept)
            assert (found.value, found.note, found.per_frame) == (direct.value, direct.note, direct.per_frame)


def test_another_network_or_instruction_cannot_be_recombined():
    tpige, opens2v = GmeScore.Options(), GmeScore.Options(**OPENS2V)
    why = GmeScore.cannot_rescore("gme_score", tpige, opens2v, ["gme_score"])
    assert why.startswith("model 'gme_7b' in the run, 'gme_2b' wanted; instruction")
    assert GmeScore.cannot_rescore("gme_score", tpige, tpige, []) == "the run did not measure gme_score"
    padded = GmeScore.Options(padding="left")
    assert GmeScore.cannot_rescore("gme_score", tpige, padded, ["gme_score"]) is None
