"""Five prompts share a face: what is computed from its picture is computed once. Full-size networks."""

from __future__ import annotations

import pytest
import skimage.data
from PIL import Image

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.registry import evaluator_class
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.metrics.timing import Stopwatch
from ipvg_eval.metrics.weights import weight_source

PROMPTS = [f"A man does thing number {number}." for number in range(1, 6)]
CLIP = ClipInfo(frame_count=4, width=320, height=240, fps=8.0, duration=0.5, times=(0.0, 0.125, 0.25, 0.375))
FACES = ["detect det_10g.onnx", "network curricularface_r101", "network w600k_r50.onnx"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    Image.fromarray(skimage.data.astronaut()).save(folder / "one.png")
    Image.fromarray(skimage.data.astronaut()[:, ::-1]).save(folder / "other.png")
    return folder


def _calls(stopwatch):
    spent = stopwatch.spent.items()
    return {f"{stage.kind} {stage.name}": times.calls for stage, times in spent if stage.name}


@pytest.mark.parametrize(
    ("kind", "options", "networks"),
    [
        ("faces", {"feature_distance": False, "corpus_fid": False}, FACES),
        ("subject_faces", {}, FACES),
        ("subject", {"detector": "none"}, ["network dinov2_vitb14"]),
        ("lite_faces", {}, ["detect mtcnn"]),
    ],
)
def test_five_prompts_of_one_identity_cost_one_look_at_its_picture(kind, options, networks, pictures):
    cls = evaluator_class(kind)
    evaluator = cls(cls.Options(**options), Runtime(weights=weight_source("random:0")))

    def begin(name: str, prompts: list[str]) -> dict[str, int]:
        stopwatch = Stopwatch()
        with stopwatch.running():
            for prompt in prompts:
                target = Target(
                    sample_id=prompt,
                    references=(Reference(path=pictures / name, label="man"),),
                    prompt=prompt,
                )
                evaluator.start(target, CLIP)
        return _calls(stopwatch)

    first = begin("one.png", PROMPTS[:1])
    assert sorted(first) == networks
    assert begin("one.png", PROMPTS) == {}
    assert begin("other.png", PROMPTS) == first, "another picture costs as much again, once"
