"""Figures for papers, of runs and measurements; needs matplotlib, `pip install 'ipvg-eval[plot]'`.

    from ipvg_eval import plot
    plot.distributions(["runs/ours", "runs/baseline"]).savefig("distributions.pdf")

Every function gives a `matplotlib.figure.Figure` of its own; nothing of pyplot's state is touched. What every
reader must know of the numbers (proxies, random weights) is printed below.
"""

from ipvg_eval.plot.comparison import comparison
from ipvg_eval.plot.curves import curves, frames
from ipvg_eval.plot.distributions import distributions
from ipvg_eval.plot.timeline import timeline

__all__ = ["comparison", "curves", "distributions", "frames", "timeline"]
