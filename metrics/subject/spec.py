"""What the subject metrics are: names, directions, ranges, sources."""

from __future__ import annotations

from typing import Final

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.weights.table import weights_of

LICENCE: Final = "DINOv2 weights: Apache-2.0 (Meta)"
DETECTOR_LICENCE: Final = f"{LICENCE}; detector weights: Apache-2.0 (Google, or IDEA Research)"
_MATCHING: Final = (
    "own: open-vocabulary detection, one-to-one matching by scipy.optimize.linear_sum_assignment, DINO-I of "
    "DreamBench++ (arXiv 2406.16855) with DINOv2 ViT-B/14 on the crops"
)

SUBJECT_SIMILARITY: Final = MetricSpec(
    name="subject_similarity",
    version=2,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="Similarity of the subjects (DINOv2)",
    summary="Each frame's detections of a class label are matched one to one to the sample's subjects with "
    "that label; mean over all matches of the cosine between DINOv2 embeddings of the crop and of the "
    "subject's most similar reference.",
    caveats="Frames in which a subject is not found cost nothing here: read it beside subject_coverage. "
    "Background inside the box counts. A reference picture in which its own label is not found is compared "
    "as a whole, which the row says. Where the detector's weights are not here, or none is asked for, whole "
    "frames are compared instead, which the row says: background and framing then count as much as the "
    "subject.",
    source=_MATCHING,
    weights=weights_of("subject_similarity"),
    licence=DETECTOR_LICENCE,
)
SUBJECT_SIMILARITY_ALL_FRAMES: Final = MetricSpec(
    name="subject_similarity_all_frames",
    version=1,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="Similarity of the subjects, missing ones counted",
    summary="subject_similarity with 0 for every subject that a frame lacks, over all frames looked at.",
    caveats="Prompts that ask a subject to leave the picture lower it, whatever the identity, and so does "
    "what the detector overlooks.",
    source=_MATCHING,
    weights=weights_of("subject_similarity_all_frames"),
    licence=DETECTOR_LICENCE,
)
SUBJECT_COVERAGE: Final = MetricSpec(
    name="subject_coverage",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Subject coverage",
    summary="Share of frames times subjects in which the subject is found: a detection of its class label "
    "that no other subject has, more similar to it than the least similarity asked for.",
    caveats="Any thing of the right class covers a subject: identity is what subject_similarity measures. "
    "Rises with a lower detection threshold. A reference without a class label is looked for as an object.",
    source=_MATCHING,
    weights=weights_of("subject_coverage"),
    licence=DETECTOR_LICENCE,
)
SUBJECT_CONSISTENCY: Final = MetricSpec(
    name="subject_consistency",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Subject consistency (DINOv2)",
    summary="Mean over frames of the cosines with the frame before and with the first one, at least 0.",
    caveats="A frozen video has the best value, and a change of scene lowers it. Whole frames are compared, "
    "as VBench does. VBench uses DINO ViT-B/16 and every frame; these numbers do not compare with its table.",
    source="VBench subject_consistency (vbench 0.1.5) with DINOv2 ViT-B/14 on sampled frames",
    weights=weights_of("subject_consistency"),
    licence=LICENCE,
)

SPECS: Final = (
    SUBJECT_SIMILARITY,
    SUBJECT_SIMILARITY_ALL_FRAMES,
    SUBJECT_COVERAGE,
    SUBJECT_CONSISTENCY,
)
