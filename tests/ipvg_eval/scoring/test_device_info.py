"""A run says how its networks ran."""

from __future__ import annotations

from ipvg_eval.cli.score import warn_of_fallbacks
from ipvg_eval.core.run import DeviceInfo
from ipvg_eval.scoring import Recipe


def test_what_fell_back_to_the_cpu_is_recorded_and_said(capsys):
    scorer = Recipe(protocol="lite", metrics=["lite_motion"], device="cpu", batch_size=3).build()
    scorer.runtime.fallbacks.append("det_10g.onnx")
    info = scorer.info.device_info
    assert info.on_the_cpu == ("det_10g.onnx",)
    assert (info.batch_size, info.compiled) == (3, False)
    warn_of_fallbacks(info)
    said = capsys.readouterr()
    assert "warning: on the CPU instead of cpu, and slow: det_10g.onnx" in said.err
    assert not said.out
    warn_of_fallbacks(info.model_copy(update={"on_the_cpu": ()}))
    assert not capsys.readouterr().err


def test_runs_from_before_are_still_read():
    info = DeviceInfo.model_validate({"device": "cpu", "name": "x", "dtype": "float32", "threads": 1})
    assert (info.batch_size, info.compiled, info.on_the_cpu) == (None, False, ())


def test_batches_stay_within_videos_on_a_cpu():
    assert not Recipe(protocol="lite", metrics=["lite_motion"], device="cpu").build().runtime.crossing
