"""The face FID of a whole submission, as a corpus metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.corpus import CorpusValue
from ipvg_eval.metrics.faces.face_similarity_specs import FACE_FID_SAMPLES
from ipvg_eval.metrics.faces.frechet import corpus_face_fid


class CorpusFaceFid:
    """Fréchet distance between every generated face and the distinct reference faces.

    Attributes:
        spec: face_fid.
        needs: the metric whose features it reads.
    """

    spec: Final = MetricSpec(
        name="face_fid",
        version=1,
        higher_is_better=False,
        bounds=(0.0, None),
        title="Face FID",
        summary="Fréchet distance, in float64, between the FID Inception features of all generated faces "
        "and of all distinct reference faces. Biased upwards for few faces; compare equal sample sizes only.",
        caveats="Few references make it noisy and biased upwards; frames of one video are not independent "
        "samples.",
        source="Heusel et al. 2017 (arXiv 1706.08500); pytorch-fid 0.3.0 (network)",
        weights=FACE_FID_SAMPLES.weights,
        licence=FACE_FID_SAMPLES.licence,
    )
    needs: Final = FACE_FID_SAMPLES.name

    def __call__(self, features: Iterable[FrameFeatures]) -> CorpusValue:
        """The distance; missing with the reason where a side has too few faces."""
        fid = corpus_face_fid(features)
        return CorpusValue(value=fid.value, reason=fid.reason, samples=fid.samples, references=fid.references)


FACE_FID: Final = CorpusFaceFid()
