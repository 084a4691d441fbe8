"""The tables beside the pages, read back by other programs."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from ipvg_eval.core.page import points
from ipvg_eval.leaderboard import parse_challenge


def test_the_ranking_as_csv(published_site: Path) -> None:
    table = pd.read_csv(published_site / "downloads/facial-ranking.csv").set_index("team")
    assert table["rank"].dropna().to_dict() == {"ghl": 1, "XuanYuan": 2, "Wislab": 3, "lacking": 4}
    assert table["judgement"].dropna().to_dict() == {"ghl": 1258, "XuanYuan": 1147.5, "Wislab": 594.5}
    assert table.loc["ConsisID", "status"] == "baseline"
    assert table.loc["Wislab", ["face_cur", "face_arc", "fid", "clip"]].tolist() == pytest.approx(
        [0.285, 0.269, 208, 28.6]
    )
    assert table["phase1_rank"].dropna().tolist() == [1, 2, 2, 4]
    assert "600 of 1000" in table.loc["lacking", "face_arc_missing_reason"]


def test_everything_as_json_is_strict_and_whole(published_site: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (published_site / "downloads/leaderboard.json").read_text("utf-8")
    content: Any = json.loads(text, parse_constant=refuse)
    track = content["tracks"][0]
    assert [row["team"] for row in track["final"]["table"]] == ["ghl", "XuanYuan", "Wislab", "lacking"]
    assert sum(row["points"] for row in track["ratings"]["overall"]["table"]) == 3000
    assert {row["run"] for row in track["submissions"]} >= {"ghl", "ghl-first"}


def test_the_rules_and_the_protocol_can_be_used_again(published_site: Path) -> None:
    rules = parse_challenge((published_site / "downloads/challenge.yaml").read_text("utf-8"))
    assert rules.tie_rule == "shared"
    assert rules.baselines == ("ConsisID",)
    protocol = yaml.safe_load((published_site / "downloads/facial-protocol.yaml").read_text("utf-8"))
    assert protocol == {"name": "ipvg2025"}


def test_csv_survives_hostile_names_and_runs_no_formula(hostile_site: Path, names: dict[str, str]) -> None:
    found = set()
    for path in (hostile_site / "downloads").glob("*.csv"):
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
        assert len({len(row) for row in rows}) == 1
        cells = {cell for row in rows for cell in row}
        found |= cells
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "\t"))]
    assert {names["hostile"], names["traversal"], "'" + names["formula"]} <= found


def test_negative_numbers_stay_numbers(hostile_site: Path) -> None:
    table = pd.read_csv(hostile_site / "downloads/facial-differences.csv")
    assert table["difference"].dtype == "float64"
    assert (table["difference"] < 0).any()


def test_markdown_keeps_its_columns(hostile_site: Path, names: dict[str, str]) -> None:
    lines = (hostile_site / "downloads/facial-ranking.md").read_text("utf-8").splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert not re.search(r"(?<!\\)<", "".join(lines))
    plain = re.sub(r"\\([\\`*_\[\]|<>~&#!])", r"\1", "\n".join(lines))
    for name in names.values():
        assert f"| {name} |" in plain


def test_latex_escapes_names(hostile_site: Path, published_site: Path) -> None:
    text = (hostile_site / "downloads/facial-ranking.tex").read_text("utf-8")
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == 4
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in body}) == 1
    assert r"\input{secret}" not in text
    assert r"\textbackslash{}input\{secret\}" in text
    assert not re.search(r"(?<!\\)[%#]", text)
    plain = (published_site / "downloads/facial-ranking.tex").read_text("utf-8")
    assert (
        r"1 & ghl & \textbf{0.4920} & \textbf{0.4730} & \textbf{170.0} & 27.80 & 1 & \textbf{1258} \\"
        in plain
    )
    assert r"-- & ConsisID & 0.4000 & 0.3900 & \underline{190.0} & 27.00 & -- & -- \\" in plain
    assert r"face\_cur $\uparrow$" in plain


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(1258.0, 2, "1258"), (1147.5, 2, "1147.5"), (100.0, 0, "100"), (1 / 3, 2, "0.33"), (None, 2, "–")],
)
def test_points_have_no_needless_decimals(value: float | None, places: int, text: str) -> None:
    assert points(value, places) == text
