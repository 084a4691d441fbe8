"""The two kinds of a study, two videos compared and one video rated: what differs in words and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right"]

PAIR_ANSWERS = ("left", "draw", "right")


@dataclass(frozen=True, kw_only=True)
class StudyKind:
    """What a kind of study asks and how its page speaks.

    Attributes:
        title: of the page, unless the study has its own.
        instructions: likewise.
        questions: name -> text of those that need no text of their own.
        usual_questions: those asked where the study names none.
        training: steps that do not count at the start of a sheet.
        contradiction_rate: see `Checks`.
        videos: side -> what the page calls it; the sides that a step shows.
        step: what a step is called.
        tasks: what annotators have judged, many of them.
        play: text of the button that plays.
        pause: text of the button that pauses.
        wait: what is said until everything was watched.
        repeated: what the checks that repeat are called.
    """

    title: str
    instructions: str
    questions: Mapping[str, str]
    usual_questions: tuple[str, ...]
    training: int
    contradiction_rate: float
    videos: Mapping[Side, str]
    step: str
    tasks: str
    play: str
    pause: str
    wait: str
    repeated: str


KINDS = {
    "pair": StudyKind(
        title="Compare videos",
        instructions=(
            "You will see a reference picture, a description and two videos that were made from them. "
            "Watch both videos to the end, then say which is better.\n\n"
            "If you truly see no difference, choose draw. You can undo your last answer. "
            "You can close the page at any time and come back by the same link."
        ),
        questions={
            "overall": "Which video is better overall?",
            "identity": "In which video does the person look more like the reference picture?",
            "quality": "Which video looks better: sharper, steadier, fewer flaws?",
            "text": "Which video follows the description better?",
            "timeline": "Which video shows the right events at the right times?",
        },
        usual_questions=("overall",),
        training=0,
        contradiction_rate=0.5,
        videos={"left": "Video 1", "right": "Video 2"},
        step="Pair",
        tasks="comparisons",
        play="Play both",
        pause="Pause both",
        wait="You can answer after both videos have played to the end.",
        repeated="pairs shown again with the sides swapped",
    ),
    "rating": StudyKind(
        title="Rate videos",
        instructions=(
            "You will see a reference picture, a description and a video that was made from them. "
            "Watch the video to the end, then rate it. Judge each question by itself: a sharp video of the "
            "wrong person is still sharp.\n\n"
            "You can undo your last answer. "
            "You can close the page at any time and come back by the same link."
        ),
        questions={
            "overall": "How good is the video overall?",
            "identity": "How much does the person look like the one in the reference picture?",
            "quality": "How good does the video look: sharp, steady, without flaws?",
            "text": "How well does the video follow the description?",
            "timeline": "How well does the video show the right events at the right times?",
            "lip_sync": "How well do the lips move with the voice?",
            "style": "How well does the way of speaking fit the description?",
        },
        usual_questions=("identity", "quality"),
        training=2,
        contradiction_rate=0.2,
        videos={"left": "Video"},
        step="Video",
        tasks="videos",
        play="Play",
        pause="Pause",
        wait="You can answer after the video has played to the end.",
        repeated="videos shown again",
    ),
}
