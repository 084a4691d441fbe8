"""The pages as files: what they say, where their links lead, and what a public export leaves out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest

from ipvg_eval.leaderboard import Leaderboard, build_leaderboard, parse_challenge, read_opinions, read_runs
from ipvg_eval.leaderboard.site import HIDDEN, write_site

VOID = {"meta", "link", "img", "br", "input", "line", "circle", "text"}


class Page(HTMLParser):
    """The elements of a page, its words, and the cells of its tables by id of the section around them."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.rows: dict[str, list[list[str]]] = {}
        self.text = ""
        self._open = self._section = ""
        self._cell = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.append((tag, values))
        self._open = tag
        if tag in self.inside:
            self.inside[tag].append("")
        if tag == "section":
            self._section = values.get("id") or ""
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag in ("td", "th"):
            self.rows[self._section][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._open = ""
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._open in self.inside:
            self.inside[self._open][-1] += data
            return
        self.text += data
        if self._cell:
            self.rows[self._section][-1][-1] += f" {data.strip()}"

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def table(self, section: str) -> list[list[str]]:
        return [[" ".join(cell.split()) for cell in row] for row in self.rows[section]]


@pytest.fixture(scope="session")
def index(published_site: Path) -> Page:
    return Page(published_site / "index.html")


def files(site: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(site.rglob("*")):
        if path.is_file():
            yield path.relative_to(site).as_posix(), path.read_text("utf-8")


def test_the_published_ranking_stands_on_the_page(index: Page) -> None:
    rows = index.table("facial-ranking")
    assert [row[:4] for row in rows[1:]] == [
        ["1", "ghl finalist", "1258", "1"],
        ["2", "XuanYuan finalist", "1147.5", "2"],
        ["3", "Wislab finalist", "594.5", "2"],
        ["4", "lacking not eligible", "–", "4"],
        ["–", "ConsisID baseline, not ranked", "–", "–"],
    ]
    assert [cell.split()[0] for cell in rows[1][4:]] == ["0.4920", "0.4730", "170.0", "27.80"]


def test_the_tie_at_second_place_of_phase_1_is_visible(index: Page) -> None:
    rows = {row[1]: row for row in index.table("facial-phase1")[1:] if len(row) > 8}
    assert rows["ghl"][0] == "1"
    assert rows["XuanYuan"][0] == rows["Wislab"][0] == "2 tie"
    assert [rows[team][6] for team in ("ghl", "XuanYuan", "Wislab")] == ["6", "9", "9"]
    assert "Teams with equal rank sums share the rank." in index.words
    assert "shared rank 2 by rank sum 9; goes on" in rows["Wislab"][-1]


def test_a_missing_score_is_said_and_ranks_last(index: Page) -> None:
    ranking = {row[1]: row for row in index.table("facial-ranking")[1:]}
    assert "missing a value for 600 of 1000 samples, 95% needed" in ranking["lacking not eligible"][5]
    phase1 = {row[1]: row for row in index.table("facial-phase1")[1:] if len(row) > 8}
    assert phase1["lacking"][3] == "4 missing"


def test_points_the_win_matrix_and_their_sum_are_there(index: Page) -> None:
    assert "3000 votes in 3000 comparisons" in index.words
    assert "add up to 3000" in index.words
    rows = index.table("facial-phase2")
    # By hand: 545 = 530 + 30/2, 713 = 693 + 40/2, 692.5 = 680 + 25/2.
    assert ["ghl", "·", "545 of 1000", "713 of 1000"] in rows
    assert ["XuanYuan", "455 of 1000", "·", "692.5 of 1000"] in rows
    assert ["Wislab", "287 of 1000", "307.5 of 1000", "·"] in rows


def test_superseded_runs_are_listed_without_the_folders_of_the_machine(
    published_site: Path, index: Page
) -> None:
    runs = {row[1]: row for row in index.table("facial-submissions")[1:]}
    assert runs["ghl-first"][-1] == "superseded by ghl"
    assert runs["ghl"][-1] == "counts"
    for name, text in files(published_site):
        assert str(published_site.parents[1]) not in text, name


def test_a_team_page_works_out_the_sums(published_site: Path) -> None:
    name = next(path for path in (published_site / "teams").iterdir() if "xuanyuan" in path.name)
    page = Page(name)
    assert page.table("sums")[1:] == [
        ["face_cur ↑ (higher is better)", "0.4670", "2", "1", "2"],
        ["face_arc ↑ (higher is better)", "0.4410", "2", "1", "2"],
        ["fid ↓ (lower is better)", "214.0", "3", "1", "3"],
        ["clip ↑ (higher is better)", "28.00", "2", "1", "2"],
        ["Rank sum", "", "", "", "9"],
    ]
    assert "1 × 2 (face_cur) + 1 × 2 (face_arc) + 1 × 3 (fid) + 1 × 2 (clip) = 9" in page.words
    assert ["ghl", "455", "1000", "45.5 %"] in page.table("judged")


def test_a_baseline_has_a_page_without_a_rank(published_site: Path) -> None:
    name = next(path for path in (published_site / "teams").iterdir() if "consisid" in path.name)
    page = Page(name)
    assert "baseline, not ranked" in page.words
    assert "sums" not in page.rows


def test_provenance_is_complete(index: Page) -> None:
    for fact in ("ipvg2025 1 (aaaaaaaaaaaa)", "ffffffffffff", "b" * 64, "av 18.1", "float32"):
        assert fact in index.words
    assert "name: ipvg2025" in index.words, "the protocol's text"
    assert "tie_rule: shared" in index.words, "challenge.yaml with its defaults"
    assert re.search(r"votes\.csv\s*sha256 [0-9a-f]{64}", index.words)
    for thing in HIDDEN:
        assert thing in index.words


@pytest.mark.parametrize("site", ["published_site", "hostile_site", "public_site"])
def test_every_link_leads_to_a_file_or_a_place_of_the_site(site: str, request: pytest.FixtureRequest) -> None:
    root: Path = request.getfixturevalue(site)
    pages = {path: Page(path) for path in root.rglob("*.html")}
    ids = {path: [a["id"] for _, a in page.elements if "id" in a] for path, page in pages.items()}
    links = 0
    for path, page in pages.items():
        assert len(set(ids[path])) == len(ids[path]), "an id is there once"
        for tag, attributes in page.elements:
            if tag != "a":
                continue
            address, _, anchor = (attributes["href"] or "").partition("#")
            target = (path.parent / unquote(address)).resolve() if address else path
            assert target.is_relative_to(root.resolve())
            assert target.is_file(), attributes
            assert not anchor or anchor in ids[target], attributes
            links += 1
    assert links > 40


@pytest.mark.parametrize("site", ["published_site", "hostile_site"])
def test_pages_are_closed_to_the_network(site: str, request: pytest.FixtureRequest) -> None:
    root: Path = request.getfixturevalue(site)
    for path in root.rglob("*.html"):
        page = Page(path)
        policy = next(a["content"] or "" for t, a in page.elements if t == "meta" and "http-equiv" in a)
        assert policy.startswith("default-src 'none'; img-src data:; ")
        for tag in ("style", "script"):
            digest = hashlib.sha256(page.inside[tag][-1].encode()).digest()
            assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
        for _, attributes in page.elements:
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            assert (attributes.get("src") or "data:").startswith("data:")


def test_two_sites_of_one_leaderboard_are_equal(
    hostile_board: Leaderboard, hostile_site: Path, pictures: Any, tmp_path: Path
) -> None:
    again = write_site(hostile_board, tmp_path / "site", media=pictures).parent
    assert dict(files(again)) == dict(files(hostile_site))


def test_a_trial_is_shouted_on_every_page(hostile_site: Path, published_site: Path) -> None:
    for path in hostile_site.rglob("*.html"):
        page = Page(path)
        assert "Trial page: unofficial protocols or random weights. These numbers rank nobody." in page.words
        assert ("div", "banner loud") in [(t, a.get("class")) for t, a in page.elements]
    assert "Trial page" not in Page(published_site / "index.html").words


def test_hostile_names_are_text_in_every_page(hostile_site: Path, names: dict[str, str]) -> None:
    pages = list((hostile_site / "teams").iterdir())
    assert len(pages) == 6
    for path in (hostile_site / "index.html", *pages):
        page = Page(path)
        kinds = {tag for tag, _ in page.elements}
        assert not kinds & {"b", "iframe", "object", "form"}
        assert "img" not in kinds or path.parent.name == "teams"
        assert "49" not in re.findall(r"etc/(\S+)", page.words)
    index = Page(hostile_site / "index.html")
    for name in names.values():
        assert " ".join(name.split()) in index.words


def test_the_best_and_worst_samples_have_pictures_and_values(hostile_site: Path) -> None:
    pages = [Page(path) for path in sorted((hostile_site / "teams").iterdir())]
    for page in pages:
        pictures = [a for t, a in page.elements if t == "img"]
        assert len(pictures) >= 12
        assert all((a["src"] or "").startswith("data:image/webp;base64,") and a["alt"] for a in pictures)
        ranking = json.loads(page.inside["script"][0])
        assert [end["metric"] for end in ranking] == ["face_cur", "face_arc", "fid", "clip"]
        assert all(len(end["first"]) == 3 and len(end["last"]) == 3 for end in ranking)


def test_a_public_export_holds_nothing_hidden(
    public_site: Path, hostile_site: Path, hostile_board: Leaderboard
) -> None:
    samples = {str(name) for track in hostile_board.tracks for name in track.samples["sample"]}
    identities = {name.partition("/")[0] for name in samples}
    words = (
        *samples,
        *identities,
        "data:image",
        "webp",
        "secret-annotator",
        "prompt1",
        str(public_site.parents[1]),
    )
    values = {f"{0.5 * 1.1:.3f}", f"{0.5 * 0.9:.3f}"}  # of single samples: no team has such a mean
    private = "".join(text for _, text in files(hostile_site))
    for word in ("id001/prompt1", "data:image/webp", *values):
        assert word in private, "the check below would find it"
    for name, text in files(public_site):
        for word in (*words, *values):
            assert word not in text, (name, word)
    assert not (public_site / "downloads/facial-samples.csv").exists()
    assert (hostile_site / "downloads/facial-samples.csv").exists()
    scores = pd.read_csv(public_site / "downloads/facial-scores.csv")
    assert not {"min", "max"} & set(scores)
    assert json.loads((public_site / "site.json").read_text("utf-8"))["public"] is True
    assert "Public export" in Page(public_site / "index.html").words


def test_a_public_export_shows_distributions_of_many_samples(
    published_board: Leaderboard, tmp_path: Path
) -> None:
    index = Page(write_site(published_board, tmp_path / "site", public=True))
    drawn = [a["aria-label"] or "" for t, a in index.elements if a.get("role") == "img"]
    assert sum(label.startswith("clip: ghl median 27.80") for label in drawn) == 1
    for name, text in files(tmp_path / "site"):
        assert "id001" not in text, name


def test_a_public_export_replaces_a_private_one_without_a_trace(
    hostile_board: Leaderboard, public_site: Path, pictures: Any, tmp_path: Path
) -> None:
    write_site(hostile_board, tmp_path / "site", media=pictures)
    write_site(hostile_board, tmp_path / "site", media=pictures, public=True)
    assert dict(files(tmp_path / "site")) == dict(files(public_site))


def test_opinions_and_a_weighted_sum_are_shown(make_run: Callable[..., Path], tmp_path: Path) -> None:
    """0.5 x 1 + 0.5 x (4 - 1) / 4 for the better team, 0.5 x 0 + 0.5 x (2 - 1) / 4 for the other."""
    runs = [make_run("one", {"face_cur": [0.6] * 10}), make_run("two", {"face_cur": [0.4] * 10})]
    lines = ["team,sample,annotator,identity"]
    lines += [f"{team},id001/prompt1,ann,{score}" for team, score in (("one", 4), ("two", 2))]
    (tmp_path / "mos.csv").write_text("\n".join(lines) + "\n")
    rules = parse_challenge("final: {method: weighted_sum, subjective: mos}")
    board = build_leaderboard(read_runs(runs), rules, opinions=read_opinions(tmp_path / "mos.csv"))
    index = Page(write_site(board, tmp_path / "site"))
    assert [row[:5] for row in index.table("facial-ranking")[1:]] == [
        ["1", "one finalist", "4", "0.8750", "1"],
        ["2", "two finalist", "2", "0.1250", "2"],
    ]
    assert ["one", "identity", "4", "1", "1", "1"] in index.table("facial-opinions")
    assert "0.5 × 1.0000 + 0.5 × 0.7500 = 0.8750: rank 1" in index.words


def test_runs_without_votes_make_a_site_of_phase_1(make_run: Callable[..., Path], tmp_path: Path) -> None:
    board = build_leaderboard(read_runs([make_run("alone", {"face_cur": [0.5, None, 0.7]})]))
    index = Page(write_site(board, tmp_path / "site", public=True))
    assert "phase 1: nothing has been judged yet" in index.words
    assert "facial-phase2" not in index.rows
