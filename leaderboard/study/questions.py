"""What a study asks, and the points of a rating."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ipvg_eval.leaderboard.opinions import Scale

_LONGEST_ANCHOR = 40


class Strict(BaseModel):
    """Settings that hold no unknown key and never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(Strict):
    """A question about what is shown.

    Attributes:
        name: its name in the votes, or the aspect in the opinion sheet.
        text: what the annotator reads.
        anchors: what the points of the scale mean for this question, the lowest first; empty: as for the
            others.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    text: str = Field(min_length=1, max_length=300)
    anchors: tuple[str, ...] = ()


class RatingScale(Strict):
    """The points that people give in a rating study.

    Attributes:
        lowest: 0 or 1.
        highest: up to 9, so that every point has its key.
        anchors: what the points mean, the lowest first; "" where a point has no name of its own. None: the
            five categories of ITU-T P.800 where there are five points, else the names of the two ends.
    """

    lowest: int = Field(default=1, ge=0, le=1)
    highest: int = Field(default=5, ge=2, le=9)
    anchors: tuple[str, ...] | None = None

    @property
    def scale(self) -> Scale:
        """As the opinion sheet says it."""
        return Scale(self.lowest, self.highest)

    @property
    def names(self) -> tuple[str, ...]:
        """One per point, the lowest first; may be empty."""
        if self.anchors is not None:
            return self.anchors
        between = len(self.scale.points) - 2
        middle = ("Poor", "Fair", "Good") if between == 3 else ("",) * between
        return ("Bad", *middle, "Excellent")

    @model_validator(mode="after")
    def _named(self) -> Self:
        check_anchors(self.names, self.scale)
        return self


def check_anchors(names: tuple[str, ...], scale: Scale) -> None:
    """Refuse what does not name every point, or names one at length."""
    if len(names) != len(scale.points):
        raise ValueError(f"{len(names)} anchors for the {len(scale.points)} points from {scale}")
    if any(len(name) > _LONGEST_ANCHOR for name in names):
        raise ValueError(f"an anchor has {_LONGEST_ANCHOR} letters at most")
