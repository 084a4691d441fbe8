"""The content fingerprint of a test set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ipvg_eval.testset.model import Sample


def fingerprint(samples: Sequence[Sample], picture_hashes: Mapping[Path, str]) -> str:
    """Hex sha256 over what the samples ask for.

    Ids, identities, prompts, timelines, class labels, which pictures show one subject and the bytes of every
    reference picture and driving sound count; real videos to compare with, which participants do not have,
    where the test set lies, file names of pictures, file times and the order of listing do not.

    Args:
        samples: the samples, in natural order of their ids.
        picture_hashes: hex sha256 of every reference picture of the samples.
    """
    talking = any(sample.audio is not None for sample in samples)
    digest = hashlib.sha256(b"ipvg-testset-2\n" if talking else b"ipvg-testset-1\n")
    for sample in samples:
        references = [
            [picture_hashes[r.path], r.label, *([] if r.subject is None else [r.subject])]
            for r in sample.references
        ]
        record = [sample.id, sample.identity, sample.prompt, sample.timeline, references]
        if sample.audio is not None:
            record.append(sample.audio.sha256)
        # One JSON array per line: no two different records share a text.
        digest.update(json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n")
    return digest.hexdigest()
