"""What every language model answers, and the instructions it gets."""

from __future__ import annotations

import base64
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TEMPLATE_VERSION = 2
"""Raised when the wording of an instruction changes, so that cached answers are asked for anew."""

FACE = (
    "You get a video caption and a picture of the person whom the video shall show. Return the caption "
    "with one short clause put in right after the first mention of that person. The clause describes what"
    " identifies the face: apparent age, hair, face shape, skin, eyes, eyebrows, nose, mouth, beard, "
    "glasses, marks. Say nothing about clothes, pose, expression or background. Keep every other "
    "character of the caption as it is. Return the caption alone."
)
SUBJECT = (
    "You get a video caption and a picture of one of its subjects, which is: {label}. Return the caption "
    "with one short clause put in right after the first mention of this subject. The clause describes what "
    "identifies it in the picture: of a person the apparent age, hair, face shape, skin, eyes, nose, mouth, "
    "beard, glasses; of anything else its kind, shape, colours, material, marks. Say nothing about pose or "
    "background, and nothing about the other subjects. Keep every other character of the caption as it is. "
    "Return the caption alone."
)
VIDEO = (
    "You get a video caption and a picture of the person whom the video shall show. Write the prompt for "
    "a video model that starts from a first frame: one paragraph in English of at most 120 words that "
    "says how the person and the camera move, in which order, and what the surroundings do. Use the "
    "pronouns that fit the person in the picture. Invent no second person. Return the prompt alone."
)
FIRST_FRAME = (
    "You get a video's caption or prompt and a picture of a person. Write the prompt for an image model that "
    "shall show the moment just before the action begins, as short phrases with commas between them: the "
    "person, pose, clothes, surroundings, light. Leave out feet, shoes and people in the background, and "
    "end with 'close-up'. At most 80 words. Use the words that fit the person in the picture. Do not "
    "describe the face. Return the prompt alone."
)
REFERENCE = (
    "You get a video caption and a picture of a person. Write an instruction for an image-editing model "
    "that puts this person into clothes, light and surroundings that fit the caption, looking towards the"
    " camera. It must say that face, hair and age stay as they are. At most 60 words. Return the "
    "instruction alone."
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question.

    Attributes:
        instruction: what to do.
        text: what to do it with.
        picture: the reference, or None to show none.
    """

    instruction: str
    text: str
    picture: Path | None = None


class TextRewriter(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """What tells its answers from another model's."""

    def rewrite(self, request: Request) -> str:
        """The model's answer, without outer white space.

        Raises:
            RewriteFailed: no answer for this request.
            RewriterUnusable: no request can succeed.
        """

    def close(self) -> None:
        """Free what it holds."""


def data_url(picture: Path) -> str:
    """A picture file as a data: address."""
    kind = mimetypes.guess_type(picture.name)[0] or "image/png"
    return f"data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"
