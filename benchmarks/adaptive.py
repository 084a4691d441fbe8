"""What choosing the next pair saves, whether strengths stay right, and how often the rule stops wrongly.

    python benchmarks/adaptive.py [--simulations 400] [--seed 0]

prints the tables of docs/statistics.md: 200 identities with five prompts, one panel.
"""

from __future__ import annotations

import argparse

import numpy as np
from coverage import CLOSE, LEVEL, PUBLISHED, SIX, true_study

from ipvg_eval.core.intervals import Crossed, FloatArray
from ipvg_eval.leaderboard.bradley_terry import fit_bradley_terry
from ipvg_eval.leaderboard.next_pair import Target
from ipvg_eval.leaderboard.simulated_studies import Crowd, Schedule, Simulated, misleads, outcome, simulate
from ipvg_eval.leaderboard.stopping import StoppingRule

SCHEDULES: tuple[Schedule, ...] = ("fixed", "adaptive")
TIED = np.array([0.01, 0.0, -0.01])
FACE = 0.3
EACH = 3  # people who may judge one comparison of an adaptive study


def crowd(strengths: FloatArray) -> Crowd:
    """The design of all tables."""
    return Crowd(strengths=strengths, annotators=0, taste=0.0, face=FACE)


def right_orders(simulated: Simulated, votes: int) -> float:
    """Share of studies whose fitted order is the true one after so many votes."""
    right = 0
    for study in range(len(simulated.pair)):
        found = simulated.comparisons(study, votes)
        order = np.argsort(-fit_bradley_terry(found.wins(), found.teams).strengths)
        right += not misleads(order.tolist(), simulated.crowd.strengths)
    return right / len(simulated.pair)


def strengths_covered(simulated: Simulated, votes: int) -> float:
    """How often the intervals of Bradley-Terry strengths hold the truth."""
    _, truth = true_study(simulated.crowd.strengths, face=FACE, taste=0.0, people=False)
    held = []
    for study in range(len(simulated.pair)):
        found = simulated.comparisons(study, votes)
        fit = fit_bradley_terry(found.wins(), found.teams)
        if fit.ridge is not None:
            continue
        influences = found.strength_influences(fit.strengths, 0.0)
        spread = Crossed.of(influences, found.clusters(), None, found.present()).spread()
        low, high = spread.interval(fit.strengths, LEVEL)
        held.append(((low <= truth) & (truth <= high)).mean())
    return float(np.mean(held))


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=400, help="studies of a kind")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()

    def studies(strengths: FloatArray, votes: int, schedule: Schedule, target: Target = "order") -> Simulated:
        rng = np.random.default_rng(given.seed)
        size = given.simulations
        return simulate(crowd(strengths), votes, size, rng, schedule=schedule, target=target, each=EACH)

    print("\n| order is right | votes | fixed | adaptive, 70 % of the votes |\n|---|--:|--:|--:|")
    print_later = []
    for name, strengths, most in (("three teams", PUBLISHED, 3000), ("six teams", SIX, 6000)):
        both = {schedule: studies(strengths, most, schedule) for schedule in SCHEDULES}
        for votes in (most // 20, most // 10, most // 5, most // 2):
            shares = [
                right_orders(both[schedule], round(part * votes))
                for schedule, part in (("fixed", 1.0), ("adaptive", 0.7))
            ]
            print(f"| {name} | {votes} | {shares[0]:.3f} | {shares[1]:.3f} |", flush=True)
        sizes = (most // 10, most // 3, most)
        cells = [f"{strengths_covered(both['adaptive'], votes):.3f}" for votes in sizes]
        print_later.append(
            f"| {name}, {', '.join(map(str, sizes))} votes | {' | '.join(cells)} |",
        )
    print("\n| Bradley-Terry intervals, adaptive | few votes | a third | all |\n|---|--:|--:|--:|")
    print("\n".join(print_later))
    print("\n| stopping rule, error 0.05 | schedule | ends | wrong | votes | of |\n|---|---|--:|--:|--:|--:|")
    rules: tuple[tuple[str, FloatArray, int, Target], ...] = (
        ("three teams, order", PUBLISHED, 3000, "order"),
        ("six teams, first", SIX, 6000, "first"),
        ("six close teams, first", CLOSE, 6000, "first"),
        ("three all but tied, order", TIED, 3000, "order"),
        ("three all but tied, first", TIED, 3000, "first"),
    )
    for name, strengths, most, target in rules:
        designs: tuple[tuple[Schedule, int], ...] = (
            ("fixed", most),
            ("adaptive", most),
            ("adaptive", most * 7 // 10),
        )
        for schedule, votes in designs:
            found = outcome(studies(strengths, votes, schedule, target), StoppingRule(decide=target))
            cells = [f"{found.decided:.3f}", f"{found.wrong:.3f}", f"{found.votes:.0f}", f"{votes}"]
            print(f"| {name} | {schedule} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
