"""A Track 2 protocol that needs no weights: every text of the shipped timelines has example pictures."""

from __future__ import annotations

import json
from pathlib import Path

import make_sequential as maker
import skimage.data
from make_fixtures import view
from PIL import Image

_SCENES = (maker.WOMAN, maker.OFFICER, maker.CAT, maker.CUP, maker.ROCKET)
UNASKED = {
    "A retina is examined": skimage.data.retina,
    "Galaxies turn": skimage.data.hubble_deep_field,
    "Cells divide": skimage.data.immunohistochemistry,
}
"""Actions that no shipped timeline asks for, and their pictures: distractors."""

_PLACES = ((0.40, 0.40), (0.55, 0.42))


def write_prototypes(folder: Path) -> Path:
    """Write the protocol; its pictures are other views of the scenes than the clips show."""
    examples: dict[str, list[str]] = {}
    for number, scene in enumerate(_SCENES):
        for k, place in enumerate(_PLACES):
            name = f"{number}-{k}.png"
            Image.fromarray(view(scene.picture, *place, 0.75)).save(folder / name)
            examples.setdefault(scene.text, []).append(name)
    for text, picture in UNASKED.items():
        examples[text] = [f"{text}.png"]
        Image.fromarray(picture()).save(folder / examples[text][0])
    (folder / "examples.json").write_text(json.dumps(examples))
    path = folder / "prototypes.yaml"
    path.write_text(
        "name: prototypes\nversion: 1\ntitle: Example pictures for texts\nofficial: false\nevaluators:\n"
        f"  - kind: timeline\n    options: {{scorer: prototypes, examples: {folder / 'examples.json'}}}\n"
        "  - kind: lite_timeline\n"
    )
    return path
