"""When the numbers of two runs may be compared: the only rule."""

from __future__ import annotations

from collections.abc import Mapping

from ipvg_eval.core.measurement import SUBMISSION_FILE
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.spec import MetricSpec

_ABSENT = "absent"


def comparable_facts(run: RunInfo) -> dict[str, str]:
    """The facts that two runs must share for their numbers to be compared, by name.

    A test set is its content, whatever it is called. Files about one submission are not everybody's, and what
    moves last digits alone (number of threads, model of the GPU, batch size) keeps nobody from comparing.
    """
    return {
        "protocol": f"{run.protocol.name} {run.protocol.version} ({run.protocol.sha256[:12]})",
        "metrics": ", ".join(map(_versioned, run.specs)),
        "test set": run.testset.fingerprint,
        **_weights(run, of_the_submission=False),
        "random weights": "none" if run.random_weights is None else f"seed {run.random_weights}",
        "decoder": run.decoder,
        "device type": run.device.device.partition(":")[0],
        "dtype": run.device.dtype,
    }


def differing_facts(runs: Mapping[str, RunInfo]) -> dict[str, dict[str, tuple[str, ...]]]:
    """The comparable facts in which runs differ.

    Args:
        runs: by the name they are to be called.

    Returns:
        fact -> value -> names of the runs that have it; empty if all runs compare.
    """
    facts = {name: comparable_facts(run) for name, run in runs.items()}
    different: dict[str, dict[str, tuple[str, ...]]] = {}
    for key in dict.fromkeys(key for values in facts.values() for key in values):
        groups: dict[str, tuple[str, ...]] = {}
        for name, values in facts.items():
            value = values.get(key, _ABSENT)
            groups[value] = (*groups.get(value, ()), name)
        if len(groups) > 1:
            different[key] = groups
    return different


def differences(one: RunInfo, other: RunInfo) -> dict[str, tuple[str, str]]:
    """The comparable facts in which two runs differ, with both values; empty if they can be compared."""
    return _different(comparable_facts(one), comparable_facts(other))


def obstacles(begun: RunInfo, now: RunInfo) -> dict[str, tuple[str, str]]:
    """Why a run that was begun cannot be gone on with, with both values; empty if it can."""
    before, after = (
        {"team": run.team, **comparable_facts(run), **_weights(run, of_the_submission=True)}
        for run in (begun, now)
    )
    return _different(before, after)


def _versioned(spec: MetricSpec) -> str:
    """A metric and its version; its package's own version may differ where the number does not."""
    package = spec.package.rpartition(" ")[0]
    return f"{spec.name} v{spec.version}" + (f" from {package}" if package else "")


def _weights(run: RunInfo, *, of_the_submission: bool) -> dict[str, str]:
    """Hashes of the weights, or of the files about the submission."""
    chosen = {n: sha for n, sha in run.weights.items() if n.startswith(SUBMISSION_FILE) is of_the_submission}
    return {n if of_the_submission else f"weights of {n}": sha for n, sha in sorted(chosen.items())}


def _different(left: Mapping[str, str], right: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    pairs = {
        name: (left.get(name, _ABSENT), right.get(name, _ABSENT)) for name in dict.fromkeys((*left, *right))
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
