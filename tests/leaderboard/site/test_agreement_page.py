"""The page, table and JSON about which metric agrees with people, and the command that writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ipvg_eval.leaderboard import read_runs, votes_from_table
from ipvg_eval.leaderboard.metric_agreement import QuestionAgreement, metric_agreement
from ipvg_eval.leaderboard.site.agreement_page import verdict, write_agreement


@pytest.fixture(scope="module")
def found(tmp_path_factory, write_run) -> tuple[QuestionAgreement, ...]:
    """A metric that is always right, one that is always wrong, on ten identities."""
    root = tmp_path_factory.mktemp("runs")
    up = np.arange(50, dtype=float)
    runs = read_runs(
        [
            write_run(root / "A", "A", {"right": list(up + 1), "wrong_%": list(-up)}),
            write_run(root / "B", "B", {"right": list(up), "wrong_%": list(up + 1)}),
        ]
    )
    rows = [(f"id{i // 5 + 1:03d}/prompt{i % 5 + 1}", "A", "B", "a", f"p{i % 6}") for i in range(50)]
    table = pd.DataFrame(rows, columns=["sample", "team_a", "team_b", "winner", "annotator"])
    return metric_agreement(runs, votes_from_table(table, source="votes.csv"))


def test_the_folder_holds_a_page_a_table_and_json(found, tmp_path: Path) -> None:
    page = write_agreement(found, tmp_path / "agree", source="votes.csv")
    text = page.read_text("utf-8")
    assert "Which metric agrees with people?" in text
    assert text.count('<circle class="middle"') == 3, "two metrics and the best weights"
    content = json.loads((tmp_path / "agree" / "agreement.json").read_text("utf-8"))
    shares = {one["name"]: one["agreement"]["value"] for one in content["questions"][0]["metrics"]}
    assert shares == {"right": 1.0, "wrong_%": 0.0}
    latex = (tmp_path / "agree" / "agreement.tex").read_text("utf-8")
    # Six people who agree are what a share of 0.025 ** (1 / 6) shows one time in forty.
    assert r"overall & right & 100.0 & 54.1 & 100.0 & 1.00 \\" in latex
    assert r"overall & wrong\_\% & 0.0 & 0.0 & 45.9 & -1.00 \\" in latex
    assert write_agreement(found, tmp_path / "agree", source="votes.csv") == page


def test_the_verdict_is_a_sentence(found) -> None:
    assert verdict(found[0]) == "right agrees most: 100.0% [54.1%, 100.0%] of the votes."
