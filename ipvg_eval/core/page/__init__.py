"""What static pages share: look, sortable tables, charts, pictures and the policy that closes them."""

from ipvg_eval.core.page.album import Album, Picture
from ipvg_eval.core.page.assets import content_policy, page_environment, read_asset
from ipvg_eval.core.page.charts import histogram
from ipvg_eval.core.page.extremes import Extremes, extremes
from ipvg_eval.core.page.numbers import decimals, points, round_step
from ipvg_eval.core.page.svg import Drawing, Scale

__all__ = [
    "Album",
    "Drawing",
    "Extremes",
    "Picture",
    "Scale",
    "content_policy",
    "decimals",
    "extremes",
    "histogram",
    "page_environment",
    "points",
    "read_asset",
    "round_step",
]
