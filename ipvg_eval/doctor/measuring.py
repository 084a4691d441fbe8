"""One evaluator over one video, decoded as in a run."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ipvg_eval.core.errors import IpvgError
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.target import Reference, Target

SAMPLE = Path(str(resources.files("ipvg_eval.doctor"))) / "sample"
"""A clip of an astronaut's face that moves, her picture (own.webp) and another person's (other.webp): both in
the public domain, works of NASA and of the United States Navy."""

PROMPT = "An astronaut in an orange suit smiles at the camera."
_TIMELINE = "0-1.5s: [an astronaut smiles]; 1.5-3s: [she turns her head]"


class Broken(IpvgError):
    """An evaluator of another package broke on the sample."""


def sample_target(reference: str) -> Target:
    """The sample's clip, to be compared with own.webp or other.webp."""
    path = SAMPLE / reference
    return Target(sample_id="doctor", references=(Reference(path=path),), prompt=PROMPT, timeline=_TIMELINE)


def measure(evaluator: Evaluator, video: Path, target: Target) -> dict[str, float | None]:
    """The values of one video by metric.

    Raises:
        VideoError: it cannot be decoded here.
        Broken: the code of another package broke.
    """
    with DecoderProcess() as decoder:
        opened = decoder.open(video)
        watching = evaluator.start(target, opened.clip)
        for batch in opened.batches(list(evaluator.frames(opened.clip))):
            watching.add(batch.indices, batch.frames)
        measured = watching.finish()
    if broken := next((found for found in measured if found.broken), None):
        raise Broken(broken.reason or broken.name)
    return {found.name: found.value for found in measured}
