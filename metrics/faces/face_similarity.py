"""The published face metrics: CurScore, ArcScore, the distance published as FID, and what they leave out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final, Literal

from pydantic import Field

from ipvg_eval.core.measurement import ClipInfo, Measurement
from ipvg_eval.core.pictures import PictureInMemory, read_rgb
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions, Pass
from ipvg_eval.metrics.faces import arcface, curricularface, face_similarity_specs, scrfd
from ipvg_eval.metrics.faces.arcface import ArcFace
from ipvg_eval.metrics.faces.curricularface import CurricularFace
from ipvg_eval.metrics.faces.face_crops import Retry, face_crops
from ipvg_eval.metrics.faces.face_similarity_pass import Encoder, FacePass, ReferenceFace, crop_batches
from ipvg_eval.metrics.faces.face_similarity_scores import Compared, ScoreRules, score, similarities
from ipvg_eval.metrics.faces.inception import FID_WEIGHTS, IMAGENET_WEIGHTS, FidInception, ImagenetInception
from ipvg_eval.metrics.reference_cache import ReferenceCache
from ipvg_eval.metrics.rescoring import Kept, disagreement, not_reported
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import schedule
from ipvg_eval.metrics.target import NO_REFERENCE, Reference, Target

PERSON_LABELS: Final = frozenset({"man", "woman", "crop_man", "crop_woman"})

_WHAT_IS_SEEN: Final = ("frames", "short_clips", "retry", "reference", "reference_pixels")
_DISTANCE: Final = face_similarity_specs.FACE_FEATURE_DISTANCE.name
_WITHOUT_RULES: Final = {
    face_similarity_specs.FACE_COVERAGE.name,
    face_similarity_specs.FACE_FID_SAMPLES.name,
}


class FaceSimilarityOptions(EvaluatorOptions):
    """Rules of one protocol. The defaults are the published rules, except that no face is never a score of 0.

    ConsisID (eval/get_facesim_fid.py @60429e4) and TPIGE (ID_eval_final/cal_face_sim.py @74390b4):
    `no_face: zero`. OpenS2V (eval/get_facesim.py @b452831): `frames: 32`, `no_face: zero`,
    `zero_frames: drop_cur`, `reference: first_person`, `feature_distance: false`. The rest they share.

    Attributes:
        frames: number of frames, at floor(linspace(0, N - 1, frames)).
        short_clips: a video with fewer frames: "repeat" counts frames as often as the rule names them, as the
            published scripts do; "once" counts every frame once.
        no_face: scores of a video in which no frame shows a face: "missing", or "zero" as the published
            scripts print, for the distance too, where 0 is the best possible value.
        zero_frames: frames whose similarity is 0 after clamping: "keep", or "drop_cur" to leave them out of
            cur_score alone, as OpenS2V does (lines 157-160: its test of the ArcFace scores compares a list
            with a number and is always true).
        clamp: count negative similarities as 0.
        retry: "padded" looks once more inside a grey border where no face is found; "none" does not.
        reference: which reference picture: the "first", or the "first_person", labelled or stored in a folder
            as one of `PERSON_LABELS`, as OpenS2V chooses it.
        reference_pixels: "as_stored" ignores the EXIF orientation and drops transparency, as the published
            scripts do; "as_seen" turns the picture upright and lays it over white.
        feature_distance: measure face_feature_distance.
        corpus_fid: keep FID features and measure face_fid_samples.
    """

    frames: int = Field(default=16, ge=1)
    short_clips: Literal["repeat", "once"] = "repeat"
    no_face: Literal["missing", "zero"] = "missing"
    zero_frames: Literal["keep", "drop_cur"] = "keep"
    clamp: bool = True
    retry: Retry = "padded"
    reference: Literal["first", "first_person"] = "first"
    reference_pixels: Literal["as_stored", "as_seen"] = "as_stored"
    feature_distance: bool = True
    corpus_fid: bool = True


class FaceSimilarity(Evaluator[FaceSimilarityOptions]):
    """One face pass for the metrics of `ipvg_eval.metrics.faces.face_similarity_specs`."""

    Options = FaceSimilarityOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = face_similarity_specs.ALL
    BUDGET: ClassVar[str] = "frames"

    def __init__(self, options: FaceSimilarityOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self._detector = scrfd.Scrfd(runtime)
        self._encoders: dict[str, Encoder] = {
            curricularface.WEIGHTS: CurricularFace(runtime).embed,
            arcface.WEIGHTS: ArcFace(runtime).embed,
        }
        if options.feature_distance:
            self._encoders[IMAGENET_WEIGHTS] = ImagenetInception(runtime).features
        if options.corpus_fid:
            self._encoders[FID_WEIGHTS] = FidInception(runtime).features
        self._batches = {
            name: crop_batches(encode, runtime.batch_size, crossing=runtime.crossing)
            for name, encode in self._encoders.items()
        }
        self._encoded = ReferenceCache(self._encode_reference)

    @classmethod
    def specs_for(cls, options: FaceSimilarityOptions, /) -> tuple[MetricSpec, ...]:
        """The metrics these options measure; similarities that are not clamped may be negative."""
        names = set(cls.required_weights(options))
        specs = [spec for spec in cls.SPECS if names.issuperset(spec.weights)]
        return tuple(specs if options.clamp else map(_signed, specs))

    @classmethod
    def required_weights(cls, options: FaceSimilarityOptions, /) -> tuple[str, ...]:
        """Names of the declared weights these options need."""
        names = [scrfd.WEIGHTS, arcface.WEIGHTS, curricularface.WEIGHTS]
        names += [IMAGENET_WEIGHTS] if options.feature_distance else []
        names += [FID_WEIGHTS] if options.corpus_fid else []
        return tuple(names)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Indices of the frames it wants, ascending, without repeats."""
        return tuple(_schedule(self._options, clip.frame_count))

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin the measuring of one video.

        Raises:
            UnreadablePicture: the reference picture cannot be decoded.
        """
        return FacePass(
            specs=self.specs,
            rules=_rules(self._options, clip.frame_count),
            retry=self._options.retry,
            detector=self._detector,
            tickets={name: batches.ticket() for name, batches in self._batches.items()},
            reference=self._reference(target),
        )

    @staticmethod
    def cannot_rescore(
        name: str,
        options: FaceSimilarityOptions,
        earlier: FaceSimilarityOptions,
        reported: Collection[str],
    ) -> str | None:
        """Scores can be recombined wherever the same pixels were looked at."""
        return not_reported(_kept_as(name), reported) or disagreement(options, earlier, _WHAT_IS_SEEN)

    @staticmethod
    def rescore(
        name: str, options: FaceSimilarityOptions, earlier: FaceSimilarityOptions, kept: Kept
    ) -> Measurement:
        """A score from its values frame by frame; only similarities that were clamped are computed anew.

        Raises:
            KeptMissing: embeddings it needs are gone.
        """
        found = kept.measurements[_kept_as(name)]
        if name in _WITHOUT_RULES:
            return found
        features = found.features if face_similarity_specs.keeps_features(name) else None
        if found.per_frame is None:  # no reference face, or no usable embedding: missing under any rule
            return replace(found, name=name, features=features)
        looked_at = found.per_frame.indices
        pairs = zip(looked_at, found.per_frame.values, strict=True)
        values = {index: value for index, value in pairs if value is not None}
        if values and earlier.clamp and not options.clamp and name != _DISTANCE:
            values = similarities(kept.features(found.name))
        compared = Compared(looked_at=looked_at, values=values, features=features)
        return score(name, compared, _rules(options, kept.frame_count))

    def _reference(self, target: Target) -> ReferenceFace:
        if not target.references:
            return ReferenceFace(rows=None, reason=NO_REFERENCE)
        chosen = [r for r in target.references if self._options.reference == "first" or _is_person(r)]
        if not chosen:
            return ReferenceFace(rows=None, reason="no reference picture is labelled as a person")
        return self._encoded(chosen[0].picture)

    def _encode_reference(self, source: Path | PictureInMemory) -> ReferenceFace:
        seen = self._options.reference_pixels == "as_seen"
        picture = read_rgb(source, apply_orientation=seen, over_white=seen)
        crops = face_crops(self._detector, picture, retry=self._options.retry)
        if crops is None:
            return ReferenceFace(rows=None, reason="no face in the reference picture")
        rows = {name: encode(crops.of(name)[None])[0] for name, encode in self._encoders.items()}
        return ReferenceFace(rows=rows, reason=None)


def _schedule(options: FaceSimilarityOptions, frame_count: int) -> dict[int, int]:
    rule: Literal["linspace", "linspace_repeat"] = (
        "linspace_repeat" if options.short_clips == "repeat" else "linspace"
    )
    return schedule(rule, frame_count, options.frames)


def _rules(options: FaceSimilarityOptions, frame_count: int) -> ScoreRules:
    return ScoreRules(
        repeats=_schedule(options, frame_count),
        no_face_is_zero=options.no_face == "zero",
        drop_cur_zeros=options.zero_frames == "drop_cur",
        clamp=options.clamp,
    )


def _kept_as(name: str) -> str:
    """The metric whose values frame by frame a metric is recombined from."""
    return name.removesuffix("_all_frames")


def _is_person(reference: Reference) -> bool:
    return reference.label in PERSON_LABELS or reference.path.parent.name in PERSON_LABELS


def _signed(spec: MetricSpec) -> MetricSpec:
    return replace(spec, bounds=(-1.0, 1.0)) if spec in face_similarity_specs.SIMILARITIES else spec
