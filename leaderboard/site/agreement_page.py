"""A page, a table for papers and JSON about which metric agrees with people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from ipvg_eval.core.jsonable import jsonable
from ipvg_eval.core.page import content_policy, page_environment, read_asset
from ipvg_eval.core.printable import json_text
from ipvg_eval.leaderboard.agreement_shares import Share
from ipvg_eval.leaderboard.metric_agreement import MetricAgreement, QuestionAgreement
from ipvg_eval.leaderboard.site.exports import latex_table
from ipvg_eval.leaderboard.site.folder import replace_folder
from ipvg_eval.leaderboard.site.scale import value_scale

_HERE = "ipvg_eval.leaderboard.site"


def write_agreement(
    questions: Sequence[QuestionAgreement], out: Path, *, source: str, tool: str = "ipvg-eval"
) -> Path:
    """Write agreement.json, agreement.tex and index.html into a folder, which replaces an earlier one.

    Returns:
        The path of index.html.

    Raises:
        SiteError: the folder holds something else, or cannot be written.
    """
    about = {"format": 1, "tool": tool, "title": "Agreement with people", "public": True}
    content = json_text(agreement_dict(questions), indent=1)
    files = [
        ("index.html", _page(questions, source=source, tool=tool)),
        ("agreement.json", content + "\n"),
        ("agreement.tex", to_latex(questions)),
    ]
    replace_folder(out, iter(files), about)
    return out / "index.html"


def agreement_dict(questions: Sequence[QuestionAgreement]) -> dict[str, Any]:
    """Plain dictionaries and lists."""
    return {"questions": [jsonable(one) for one in questions]}


def percent(share: Share) -> str:
    """A share with its interval; a dash where there is none."""
    if share.value is None:
        return "–"
    ends = "" if share.low is None or share.high is None else f" [{share.low:.1%}, {share.high:.1%}]"
    return f"{share.value:.1%}{ends}"


def to_latex(questions: Sequence[QuestionAgreement]) -> str:
    """A booktabs table: one row per metric, the best weights, and the ceiling."""
    rows = [
        {
            "Question": one.question,
            "Metric": name,
            "Agreement (%)": _hundredths(share.value),
            "Low": _hundredths(share.low),
            "High": _hundredths(share.high),
            "Kendall's tau": "--" if tau is None else f"{tau:.2f}",
        }
        for one in questions
        for name, share, tau in (
            *((row.title, row.agreement, row.tau) for row in one.metrics),
            ("Best weights, unseen identities", one.fitted, None),
            ("Another annotator (ceiling)", one.ceiling, None),
        )
    ]
    return latex_table(pd.DataFrame(rows))


def _hundredths(value: float | None) -> str:
    return "--" if value is None else f"{100 * value:.1f}"


def _page(questions: Sequence[QuestionAgreement], *, source: str, tool: str) -> str:
    style = read_asset("look.css") + read_asset("site.css", _HERE)
    script = read_asset("tables.js")
    environment = page_environment("ipvg_eval.leaderboard", "site/templates")
    environment.filters["share"] = percent
    return environment.get_template("agreement.html").render(
        questions=[(one, _scale(one), verdict(one)) for one in questions],
        plotted=_plotted,
        source=source,
        tool=tool,
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=content_policy(style, script),
    )


def _plotted(one: QuestionAgreement) -> list[tuple[str, Share]]:
    return [(row.title, row.agreement) for row in one.metrics] + [("Best weights", one.fitted)]


def _scale(one: QuestionAgreement) -> Any:
    shares = [row.agreement for row in one.metrics] + [one.ceiling, one.fitted]
    return value_scale([0.5, *(end for share in shares for end in (share.value, share.low, share.high))])


def verdict(one: QuestionAgreement) -> str:
    """What the numbers say, in a sentence or two."""
    above = [row for row in one.metrics if row.agreement.low is not None and row.agreement.low > 0.5]
    if not above:
        return "No metric is shown to agree with people more often than chance does."
    best = above[0]
    words = f"{best.title} agrees most: {percent(best.agreement)} of the votes."
    others = [row for row in above[1:] if _overlaps(row, best)]
    if others:
        words += f" {len(others)} more cannot be told from it by these votes."
    if one.ceiling.value is not None:
        words += f" A second person agrees with a first on {percent(one.ceiling)}."
    return words


def _overlaps(row: MetricAgreement, best: MetricAgreement) -> bool:
    high, low = row.agreement.high, best.agreement.low
    return high is not None and low is not None and high >= low
