"""The page as a file: what is in it, that it is closed to the network, and what happens on bad runs."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ipvg_eval.core.run_folder import NotARun
from ipvg_eval.core.summary import CombinedSummary, CorpusSummary, Term
from ipvg_eval.errors import RunError
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.report import write_report
from ipvg_eval.results import Run, load_run

MakeRun = Callable[..., Run]
HOSTILE = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'


class Page(HTMLParser):
    """The elements of a page, its visible text, and the text of its script and style elements."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self.text = ""
        self._open = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the base class names it
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.inside:
            self.inside[self._open][-1] += data
        else:
            self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


@pytest.fixture(scope="module")
def run(make_run: MakeRun) -> Run:
    return make_run()


@pytest.fixture(scope="module")
def page(run: Run) -> Page:
    return Page(write_report(run))


def test_the_page_lies_in_the_run_folder_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    assert write_report(run) == run.folder.path / "report.html"
    elsewhere = tmp_path / "new" / "page.html"
    assert write_report(run, elsewhere) == elsewhere
    assert elsewhere.read_bytes() == (run.folder.path / "report.html").read_bytes()


def test_means_are_those_of_the_rows(run: Run, page: Page) -> None:
    values = run.samples["lite_identity"].dropna()
    assert f"{statistics.fmean(values):.4f}" in page.words
    assert f"± {statistics.stdev(values):.4f} · {len(values)} scored {20 - len(values)} missing" in page.words


def test_intervals_are_over_identities_and_say_so(make_run: MakeRun) -> None:
    run = make_run(identities=5)
    page = Page(write_report(run))
    metric = run.summary.metric("lite_identity")
    assert metric.low is not None
    assert metric.high is not None
    ends = f"{metric.low:.4f} to {metric.high:.4f}"
    assert f"{run.summary.intervals}: {ends} ±" in page.words
    assert page.words.count(ends) == 2, "in its tile and in the table"


def test_sums_and_whole_submission_metrics_are_shown_with_their_terms(run: Run) -> None:
    spec = replace(run.info.specs[0], name="face_fid", title="Face FID", summary="Distance of two sets.")
    total = CombinedSummary(
        name="overall",
        title="Overall",
        higher_is_better=True,
        value=0.55,
        low=0.5,
        high=0.625,
        reason=None,
        terms=(
            Term(metric="face_coverage", weight=0.5, mean=0.7),
            Term(metric="lite_identity", weight=0.4, mean=0.5),
        ),
    )
    lacking = total.model_copy(
        update={"name": "lacking", "title": "Lacking", "value": None, "low": None, "reason": "no lite_motion"}
    )
    fid = CorpusSummary(
        name="face_fid",
        title="Face FID",
        higher_is_better=False,
        value=123.4,
        reason=None,
        samples=320,
        references=20,
    )
    protocol = run.info.protocol.model_copy(update={"corpus": (spec,)})
    changed = replace(
        run,
        info=run.info.model_copy(update={"protocol": protocol}),
        summary=run.summary.model_copy(update={"combined": (total, lacking), "corpus": (fid,)}),
    )
    words = Page(write_report(changed)).words
    assert "face_coverage 0.5 0.7000 0.3500 lite_identity 0.4 0.5000 0.2000" in words
    assert "Sum 0.5000 to 0.6250 0.5500" in words
    assert "Missing: no lite_motion." in words
    assert "face_fid 123.4 320 20 Distance of two sets." in words
    assert "320 samples, 20 references" in words


def test_every_sample_status_and_reason_is_said(run: Run, page: Page) -> None:
    for name in run.samples["sample"]:
        assert name in page.words
    for reason in (
        "the submission has no such file",
        "no frame decodes: moov atom not found",
        "MemoryError while measuring lite_motion",
        "decoded in part: the last 12 frames do not decode",
        "lite_identity, face_distance: no frame has a face",
        "face_distance: measured on four frames fewer",
    ):
        assert reason in page.words


def test_a_reason_shared_by_all_metrics_is_said_once_per_row(page: Page) -> None:
    table = page.words[page.words.index("Every sample with its status") :]
    row = table[table.index("id001/prompt4") : table.index("id001/prompt5")]
    assert row.count("the submission has no such file") == 1


def test_provenance_and_findings_are_there(page: Page) -> None:
    for text in (
        "ipvg-eval score facial_results.zip --protocol lite",
        "PyAV 18.0.0, libavcodec 62.11.100",
        "c0" * 32,
        "ab" * 32,
        "kind: lite_faces",
        "video-missing",
        "This file is not part of a submission.",
        "Remove it from the zip.",
    ):
        assert text in page.words


def test_nothing_points_outside_the_page(page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert "style" not in attributes, "the policy would ignore it"
    assert "url(" not in page.inside["style"][0]
    assert "@import" not in page.inside["style"][0]


def test_the_policy_allows_exactly_the_page_s_own_style_and_script(page: Page) -> None:
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def allowed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": allowed(page.inside["style"][0]),
        "script-src": allowed(page.inside["script"][-1]),
        "base-uri": "'none'",
        "form-action": "'none'",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"random_weights": 3}, "The networks had random weights (seed 3): these numbers measure nothing."),
        ({}, "Training-free proxies. Not the published metrics; not for a leaderboard."),
        ({}, "Protocol lite is not official: this run cannot enter a leaderboard."),
    ],
)
def test_what_every_reader_must_know_is_in_a_banner(run: Run, change: dict[str, int], said: str) -> None:
    changed = replace(run, info=run.info.model_copy(update=change))
    assert said in Page(write_report(changed)).words


def test_an_official_run_without_notice_has_no_banner(run: Run) -> None:
    protocol = run.info.protocol.model_copy(update={"official": True, "notice": ""})
    changed = replace(run, info=run.info.model_copy(update={"protocol": protocol}))
    assert not [a for _, a in Page(write_report(changed)).elements if a.get("class") == "banner"]


def test_hostile_names_stay_text(make_run: MakeRun) -> None:
    finding = Finding(code="x", severity=Severity.ERROR, path=HOSTILE, message=HOSTILE, action=HOSTILE)
    run = make_run(team=HOSTILE, names={0: HOSTILE, 3: HOSTILE + "3"}, findings=[finding])
    page = Page(write_report(run))
    assert len(page.inside["script"]) == 2, "the ranking and the page's own script"
    assert page.text.count(HOSTILE) >= 6
    assert page.inside["title"][0].startswith(HOSTILE)
    assert not [a for tag, a in page.elements if tag == "img" and not (a["src"] or "").startswith("data:")]


def test_a_hostile_metric_name_cannot_close_the_data_script(run: Run) -> None:
    name = "</script><script>window.hacked = 1</script>"
    specs = (replace(run.info.specs[0], name=name), *run.info.specs[1:])
    metrics = (run.summary.metrics[0].model_copy(update={"name": name}), *run.summary.metrics[1:])
    changed = replace(
        run,
        info=run.info.model_copy(update={"specs": specs}),
        summary=run.summary.model_copy(update={"metrics": metrics}),
        samples=run.samples.rename(columns={"face_coverage": name}),
    )
    page = Page(write_report(changed))
    assert len(page.inside["script"]) == 2
    assert json.loads(page.inside["script"][0])[0]["metric"] == name


def test_downloads_hold_the_tables(run: Run, page: Page) -> None:
    files = {
        a["download"]: base64.b64decode((a["href"] or "").partition(",")[2])
        for _, a in page.elements
        if a.get("download")
    }
    assert set(files) == {"summary.csv", "summary.json", "samples.csv"}
    assert json.loads(files["summary.json"]) == json.loads((run.folder.path / "summary.json").read_text())
    assert files["samples.csv"] == (run.folder.path / "samples.csv").read_bytes()
    assert (
        files["summary.csv"]
        .decode()
        .splitlines()[0]
        .startswith("name,title,higher_is_better,unit,proxy,mean")
    )


def test_a_run_without_pictures_says_so(make_run: MakeRun) -> None:
    run = make_run(pictures=False)
    run.folder.thumbnail("id001/prompt1").parent.mkdir(parents=True, exist_ok=True)
    run.folder.thumbnail("id001/prompt1").write_bytes(b"no picture at all")
    page = Page(write_report(run))
    assert "no frames" in page.words
    assert "no picture" in page.words
    assert not [tag for tag, _ in page.elements if tag == "img"]


def test_a_run_that_has_just_begun_has_a_page(make_run: MakeRun) -> None:
    page = Page(write_report(make_run(pending=20)))
    assert "20 samples are pending and have no row yet." in page.words
    assert "Started, not finished" in page.words
    assert page.words.count("No sample has a value.") == 4


def test_a_run_of_one_sample_has_a_page(make_run: MakeRun) -> None:
    page = Page(write_report(make_run(identities=1, prompts=1)))
    ranking = json.loads(page.inside["script"][0])
    assert [(end["first"], end["last"]) for end in ranking] == [([0], [])] * 4


def test_a_large_run_stays_small(make_run: MakeRun) -> None:
    run = make_run(identities=200)
    large = run.folder.path / "large.webp"
    source = run.folder.thumbnail("id001/prompt1")
    content = source.read_bytes() + b"more" + (200_000).to_bytes(4, "little") + bytes(200_000)
    large.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    for name in run.samples["sample"]:
        run.folder.thumbnail(name).unlink(missing_ok=True)
        os.link(large, run.folder.thumbnail(name))
    path = write_report(run)
    assert path.stat().st_size < 8_000_000
    assert re.search(r"\d+ pictures were left out to keep this page small", Page(path).words)


@pytest.mark.parametrize(
    "name", ["run.json", "summary.json", "samples.parquet", "samples.csv", "frames.parquet", "findings.json"]
)
@pytest.mark.parametrize("content", [None, b"PAR1 half of a file \xff"])
def test_a_missing_or_damaged_file_is_one_readable_error(
    make_run: MakeRun, name: str, content: bytes | None
) -> None:
    path = make_run(pictures=False).folder.path
    (path / name).unlink()
    if content is not None:
        (path / name).write_bytes(content)
    with pytest.raises((RunError, NotARun), match=re.escape(name)) as caught:
        write_report(load_run(path))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("table", "column"),
    [("samples", "lite_identity"), ("samples", "reason"), ("frames", "time")],
)
def test_a_table_that_does_not_fit_its_run_is_one_readable_error(run: Run, table: str, column: str) -> None:
    changed = replace(run, **{table: getattr(run, table).drop(columns=column)})
    with pytest.raises(RunError, match=rf"{table}\.parquet.*{column}"):
        write_report(changed)


def test_a_summary_without_a_metric_is_one_readable_error(run: Run) -> None:
    summary = run.summary.model_copy(update={"metrics": run.summary.metrics[1:]})
    with pytest.raises(RunError, match=r"summary\.json.*face_coverage"):
        write_report(replace(run, summary=summary))


def test_a_page_that_cannot_be_written_is_one_readable_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot be written"):
        write_report(run, tmp_path / "file" / "report.html")


def test_the_report_needs_no_torch() -> None:
    code = "import sys, ipvg_eval.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_on_its_ground(page: Page, scheme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", page.inside["style"][0], re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[("light", "dark").index(scheme)]))
    for ink in ("ink", "muted", "accent", "good", "warn", "bad"):
        for ground in ("page", "sheet"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert _contrast(colours["banner-ink"], colours["banner"]) >= 4.5
