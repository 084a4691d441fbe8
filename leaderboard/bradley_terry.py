"""Bradley-Terry strengths, for one win matrix or many at once.

Model: P(i beats j) = 1 / (1 + exp(s_j - s_i)); a draw is half a win for each side.
Source: Bradley, Terry, Rank Analysis of Incomplete Block Designs (Biometrika 39, 1952); existence of the
maximum: Ford, Solution of a Ranking Problem from Binary Comparisons (1957); Hunter, MM Algorithms for
Generalized Bradley-Terry Models (2004), assumption 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.resampling import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]
ELO_SCALE = 400 / math.log(10)
_TOLERANCE = 1e-10
_ROUNDING = 4e-16  # of the gradient, per game
_ITERATIONS = 200
_LONGEST_STEP = 4.0
_BATCH = 4_000_000  # numbers per stack of Hessians


@dataclass(frozen=True, kw_only=True, eq=False)
class BradleyTerry:
    """Fitted strengths.

    Attributes:
        teams: by name.
        method: "maximum likelihood" where the win graph is strongly connected, else "ridge": no finite
            maximum exists, and a normal prior on the strengths keeps them finite.
        ridge: precision of that prior; None for maximum likelihood.
        strengths: (teams,) natural log-strengths with mean 0; NaN for a team without a comparison.
        anchor: mean of the ratings.
        ratings: (teams,) strengths on the Elo scale, anchor + 400 / ln 10 x strength.
        components: groups of teams within which wins go both ways, directly or around; the largest first.
        not_estimable: teams whose distance to the largest group the votes leave open: only the prior sets it.
    """

    teams: tuple[str, ...]
    method: Literal["maximum likelihood", "ridge"]
    ridge: float | None
    strengths: FloatArray
    anchor: float
    ratings: FloatArray
    components: tuple[tuple[str, ...], ...]
    not_estimable: tuple[str, ...]


def fit_bradley_terry(
    wins: FloatArray, teams: Sequence[str], *, ridge: float = 0.01, anchor: float = 1000.0
) -> BradleyTerry:
    """Fit one win matrix.

    Args:
        wins: (teams, teams), points of the row's team against the column's; the diagonal is ignored.
        teams: names.
        ridge: precision of the prior where no finite maximum exists, > 0.
        anchor: mean of the ratings.
    """
    labels = _components(wins)
    groups = [np.flatnonzero(labels == label).tolist() for label in range(labels.max(initial=-1) + 1)]
    groups.sort(key=lambda group: (-len(group), group))
    connected = len(groups) == 1
    strengths = fit_strengths(wins[None], ridge=ridge)[0]
    played = (wins + wins.T).sum(axis=1) > 0
    strengths = np.where(played, strengths, np.nan)
    largest = [group for group in groups if len(group) == len(groups[0])]
    firm = set(largest[0]) if len(largest) == 1 and (len(largest[0]) > 1 or connected) else set()
    return BradleyTerry(
        teams=tuple(teams),
        method="maximum likelihood" if connected else "ridge",
        ridge=None if connected else ridge,
        strengths=strengths,
        anchor=anchor,
        ratings=anchor + ELO_SCALE * strengths,
        components=tuple(tuple(teams[index] for index in group) for group in groups),
        not_estimable=tuple(team for index, team in enumerate(teams) if index not in firm),
    )


def fit_strengths(wins: FloatArray, *, ridge: float) -> FloatArray:
    """Fit many win matrices.

    Args:
        wins: (n, teams, teams).
        ridge: precision of the prior for those without a finite maximum; the others have no prior.

    Returns:
        (n, teams) natural log-strengths, each row with mean 0.
    """
    wins = np.array(wins, dtype=np.float64)
    diagonal = np.arange(wins.shape[-1])
    wins[:, diagonal, diagonal] = 0.0
    penalty = np.where(strongly_connected(wins), 0.0, ridge)
    size = max(1, _BATCH // max(1, wins.shape[-1] ** 2))
    parts = [_newton(wins[at : at + size], penalty[at : at + size]) for at in range(0, len(wins), size)]
    return np.concatenate(parts) if parts else np.zeros(wins.shape[:2])


def strongly_connected(wins: FloatArray) -> BoolArray:
    """(n,): whether every team can be reached from every other by wins, which a finite maximum needs."""
    beaten = np.array(wins > 0)
    diagonal = np.arange(wins.shape[-1])
    beaten[:, diagonal, diagonal] = True
    connected = np.asarray(beaten.all(axis=(1, 2)))
    for index in np.flatnonzero(~connected):
        connected[index] = _components(wins[index]).max(initial=0) == 0
    return np.asarray(connected)


def _components(wins: FloatArray) -> IntArray:
    """(teams,) a number per group of teams that reach one another by wins."""
    reached = np.array(wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(len(wins).bit_length()):  # paths of twice the length each time
        reached = reached @ reached
    first = (reached & reached.T).argmax(axis=1)
    return np.asarray(np.unique(first, return_inverse=True)[1], dtype=np.int64)


def _newton(wins: FloatArray, penalty: FloatArray) -> FloatArray:
    """Newton's method with a longest step and step halving, on every matrix that has not converged."""
    teams = wins.shape[-1]
    strengths = np.zeros(wins.shape[:2])
    active = np.arange(len(wins)) if teams > 1 else np.arange(0)
    for _ in range(_ITERATIONS):
        if not len(active):
            break
        current = strengths[active]
        step, settled = _step(wins[active], penalty[active], current)
        scale = np.minimum(1.0, _LONGEST_STEP / np.maximum(np.abs(step).max(axis=1), 1e-300))
        moved = _improved(wins[active], penalty[active], current, step * scale[:, None])
        strengths[active] = moved - moved.mean(axis=1, keepdims=True)
        active = active[~settled]
    if len(active):
        raise RuntimeError(f"Bradley-Terry did not settle in {_ITERATIONS} steps")
    return strengths


def _step(wins: FloatArray, penalty: FloatArray, strengths: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Newton's step, and whether it is too small to matter or the gradient is down to rounding."""
    games = wins + wins.swapaxes(1, 2)
    chance = np.exp(-np.logaddexp(0.0, strengths[:, None, :] - strengths[:, :, None]))
    gradient = (wins - games * chance).sum(axis=2) - penalty[:, None] * strengths
    curvature = games * chance * (1 - chance)
    hessian = -curvature
    diagonal = np.arange(strengths.shape[1])
    hessian[:, diagonal, diagonal] += curvature.sum(axis=2) + penalty[:, None]
    # Shifting all strengths changes nothing: this term fixes their mean and leaves the step as it is. It is
    # as large as the curvature, so that the system stays well conditioned.
    level = hessian[:, diagonal, diagonal].mean(axis=1)
    hessian += (level / strengths.shape[1])[:, None, None]
    step = np.asarray(np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0])
    rounding = _ROUNDING * games.sum(axis=(1, 2))
    settled = (np.abs(step).max(axis=1) <= _TOLERANCE) | (np.abs(gradient).max(axis=1) <= rounding)
    return step, settled


def _improved(wins: FloatArray, penalty: FloatArray, strengths: FloatArray, step: FloatArray) -> FloatArray:
    before = _likelihood(wins, penalty, strengths)
    moved = strengths + step
    for _ in range(40):
        worse = _likelihood(wins, penalty, moved) < before - 1e-9 * (1 + np.abs(before))
        if not worse.any():
            break
        step = np.where(worse[:, None], step / 2, step)
        moved = strengths + step
    return moved


def _likelihood(wins: FloatArray, penalty: FloatArray, strengths: FloatArray) -> FloatArray:
    gaps = strengths[:, :, None] - strengths[:, None, :]
    fit = -(wins * np.logaddexp(0.0, -gaps)).sum(axis=(1, 2))
    return np.asarray(fit - 0.5 * penalty * (strengths**2).sum(axis=1))
