"""The printed totals of the winner's paper come out of its printed columns."""

from __future__ import annotations

import pytest

from ipvg_eval.core.combination import combine
from ipvg_eval.metrics.protocols.loading import load_protocol

# Tables 2, 3 and 4 of TPIGE (ACM Multimedia 2025): GME, Cur, Arc, motion, imaging, OverallScore.
ROWS = {
    "Hailuo": (0.6277, 0.0562, 0.0452, 0.9871, 0.6793, 0.4586),
    "Phantom-14B": (0.6399, 0.2999, 0.2847, 0.9820, 0.6364, 0.5517),
    "VACE-14B": (0.6217, 0.3105, 0.2983, 0.9741, 0.6294, 0.5488),
    "PE & GE": (0.5990, 0.4533, 0.4358, 0.9702, 0.6441, 0.5997),
    "PE": (0.6130, 0.4040, 0.3871, 0.9734, 0.6227, 0.5815),
    "PE & IE": (0.6154, 0.3510, 0.3425, 0.9737, 0.6407, 0.5655),
    "MoE": (0.6161, 0.5176, 0.5007, 0.9741, 0.6606, 0.6337),
    "Phantom-14B, table 4": (0.6344, 0.2611, 0.2501, 0.9785, 0.6278, 0.5335),
    "Phantom-Enhance": (0.6282, 0.3232, 0.3082, 0.9839, 0.6598, 0.5613),
}
COLUMNS = ("gme_score", "cur_score", "arc_score", "motion_smoothness", "imaging_quality")


@pytest.mark.parametrize("protocol", ["tpige", "ipvg"])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_the_printed_overall_score_is_the_weighted_sum(protocol, row):
    *columns, printed = row
    (overall,) = load_protocol(protocol).combined
    assert combine(overall, dict(zip(COLUMNS, columns, strict=True))).value == pytest.approx(
        printed, abs=1e-4
    )
