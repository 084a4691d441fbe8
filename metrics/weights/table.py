"""The weight files the metrics use.

Hashes are those the publishers state (hub pages, release file names, package records). Sizes are in bytes;
those of folders are rounded.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.clip import weights as clip
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.faces import weights as faces
from ipvg_eval.metrics.gme import weights as gme
from ipvg_eval.metrics.imaging import weights as imaging
from ipvg_eval.metrics.motion import weights as motion
from ipvg_eval.metrics.opens2v import weights as opens2v
from ipvg_eval.metrics.subject import weights as subject
from ipvg_eval.metrics.talking import weights as talking
from ipvg_eval.metrics.timeline import weights as timeline
from ipvg_eval.metrics.weight_file import WeightFile

WEIGHTS: Mapping[str, WeightFile] = {
    entry.name: entry
    for entry in (
        *faces.WEIGHTS,
        *motion.WEIGHTS,
        *imaging.WEIGHTS,
        *timeline.WEIGHTS,
        *subject.WEIGHTS,
        *clip.WEIGHTS,
        *opens2v.WEIGHTS,
        *gme.WEIGHTS,
        *talking.WEIGHTS,
    )
}
"""Every declared weight by name."""


def weights_of(metric: str) -> tuple[str, ...]:
    """Names of the weights that a metric needs where no option names another."""
    return tuple(w.name for w in WEIGHTS.values() if metric in w.used_by and not w.alternative)


def declared(name: str, table: Mapping[str, WeightFile] = WEIGHTS) -> WeightFile:
    """The row of a weight, by its name or its file name.

    Raises:
        ProtocolError: no such row.
    """
    if name in table:
        return table[name]
    for weight in table.values():
        if weight.file_name == name:
            return weight
    raise ProtocolError(f"no weight is called {name!r}", hint=did_you_mean(name, table))
