"""What SECURITY.md says is not stopped is not: a line that is no longer true must go from there."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import video_files
from attacks import Attempt, Outcome

from ipvg_eval.audit import Thresholds
from ipvg_eval.audit.burned_text import text_rows
from ipvg_eval.audit.motion import check_motion
from ipvg_eval.audit.signals import VideoSignals
from ipvg_eval.core.limits import Confinement
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.sandbox import LimitedProcess
from ipvg_eval.sandbox.messages import Hello
from ipvg_eval.scoring.recompute import _drawn

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "video.mp4"
    path.write_bytes(video_files.encode())
    return path


def test_frames_can_be_changed_after_they_were_handed_over(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "makers"))
    with DecoderProcess() as decoder:
        (batch,) = decoder.open(video).batches([0])
        before = batch.frames.copy()
        descriptor = decoder.memory.descriptor
        with LimitedProcess("attacks", Outcome, inherited=(descriptor,)) as taken_over:
            taken_over.ask(Attempt(attack="change frames", victim="", port=descriptor))
            assert taken_over.answer().stopped_by is None
        assert (batch.frames != before).any()


class _TakenOver(DecoderProcess):
    """It answers what it likes, in the words of a decoder."""

    def _command(self) -> list[str]:
        hello = Hello(versions={}, confinement=Confinement(by=())).model_dump_json()
        opened = '{"kind":"opened","codec":null,"width":2,"height":2,"fps":1,"duration":1,"times":[0]}'
        batch = '{"kind":"batch","indices":[0],"height":2,"width":2}'
        lines = f"print({hello!r}, flush=True); input(); print({opened!r}, flush=True); input(); input(); "
        return [sys.executable, "-c", f"{lines}print({batch!r}, flush=True); input()"]


def test_a_plausible_answer_is_believed(video: Path) -> None:
    with _TakenOver() as decoder:
        opened = decoder.open(video)
        assert (opened.clip.width, opened.clip.height) == (2, 2)
        assert next(iter(opened.batches([0]))).frames.shape == (1, 2, 2, 3)


def test_the_organisers_pictures_are_read_in_the_command_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LimitedProcess, "_begin", lambda _: pytest.fail("a process was started"))
    assert read_rgb(ROOT / "fixtures" / "testset" / "id001" / "image.png").ndim == 3


def slide(count: int) -> np.ndarray:
    """A smooth picture that moves on and never comes back."""
    y, x = np.mgrid[:32, : 32 + 4 * count]
    picture = 120 + 60 * np.sin(x / 9 + (x / 90) ** 2) + 30 * np.cos(y / 5)
    return np.stack([picture[:, 4 * k : 4 * k + 32] for k in range(count)]).astype(np.float32)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda frames: frames, ["looped-video"]),
        (lambda frames: frames[:, :, ::-1], []),
        (lambda frames: 0.8 * frames + 10, []),
        (lambda frames: np.roll(frames, 3, axis=1), []),
    ],
    ids=["as it was", "mirrored", "recoloured", "shifted"],
)
def test_a_loop_that_was_changed_is_not_found(change: Callable, found: list[str]) -> None:
    there = slide(24)
    small = np.concatenate([there, change(there)]).astype(np.float32)
    look = VideoSignals(
        team="a", sample="1", video="1.mp4", duration=3.0, fps=16.0, small=small, hashes=np.zeros((5, 8)),
        metadata={}, every=1,
    )  # fmt: skip
    assert [finding.kind for finding in check_motion(look, Thresholds())] == found


@pytest.mark.parametrize(
    ("scale", "angle", "seen"),
    [(0.9, 0, True), (0.25, 0, False), (0.9, 25, False)],
    ids=["", "small", "slanted"],
)
def test_small_and_slanted_text_is_not_found(scale: float, angle: float, seen: bool) -> None:
    picture = cv2.resize(skimage.data.coffee(), (853, 480))
    layer, where = np.zeros(picture.shape[:2], np.uint8), (48, 432 if not angle else 300)
    cv2.putText(
        layer, "A woman in a space suit waves her hand", where, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 2
    )
    turn = cv2.getRotationMatrix2D((426, 240), angle, 1.0)
    layer = cv2.warpAffine(layer, turn, (853, 480))
    picture[cv2.dilate(layer, np.ones((3, 3))) > 127] = 0
    picture[layer > 127] = 255
    assert (max((letters for _, letters in text_rows(picture)), default=0) >= 8) is seen


@pytest.mark.parametrize(("drawn", "percent"), [(20, 35), (90, 1)])
def test_a_small_sample_may_miss_invented_rows(drawn: int, percent: int) -> None:
    """Of 1,000 rows 50 are invented: the chance to draw none, by counting, and over 2,000 draws."""
    chance = math.comb(950, drawn) / math.comb(1000, drawn)
    assert round(100 * chance) == percent
    names = [str(row) for row in range(1000)]
    invented = set(names[:50])
    missed = sum(not invented & set(_drawn(names, drawn, seed)) for seed in range(2000)) / 2000
    assert missed == pytest.approx(chance, abs=5 * math.sqrt(chance * (1 - chance) / 2000))


def test_pins_are_versions_without_hashes() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith(("#", " "))]
    assert len(pins) > 20
    assert all("==" in pin for pin in pins)
    assert "--hash" not in "".join(lines)
