"""The site in a real browser, opened from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

Open = Callable[[Path], Tab]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Opens pages in fresh tabs; at the end: no request but files, no error, no script of others."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    requests: list[str] = []
    problems: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    context.on("console", lambda message: problems.append(message.text))
    context.on("weberror", lambda error: problems.append(str(error.error)))

    def open_(path: Path) -> Tab:
        tab = context.new_page()
        tab.goto(path.as_uri())
        return tab

    yield open_
    assert requests
    assert [url for url in requests if not url.startswith(("file://", "data:"))] == []
    assert problems == []
    assert [tab.evaluate("window.hacked") for tab in context.pages] == [None] * len(context.pages)
    context.close()


def column(tab: Tab, section: str, number: int) -> list[str]:
    cells = tab.locator(f"#{section} .sortable tbody tr > :nth-child({number})")
    return [str(text) for text in cells.evaluate_all("cells => cells.map(c => c.dataset.v ?? c.textContent)")]


def test_tables_sort_by_keyboard_with_the_better_end_first(open_page: Open, published_site: Path) -> None:
    tab = open_page(published_site / "index.html")
    heads = tab.locator("#facial-ranking thead th")
    assert heads.nth(4).inner_text().startswith("face_cur↑")
    heads.nth(3).locator("button").focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert heads.nth(4).get_attribute("aria-sort") == "descending"
    values = [float(text) for text in column(tab, "facial-ranking", 5)]
    assert values == pytest.approx([0.492, 0.467, 0.40, 0.285, 0.2])
    heads.nth(6).locator("button").click()
    assert [float(text) for text in column(tab, "facial-ranking", 7)] == sorted([170, 190, 208, 214, 260])
    heads.nth(5).locator("button").click()
    assert column(tab, "facial-ranking", 6)[-1] == "", "a missing score comes last"
    heads.nth(0).locator("button").click()
    assert column(tab, "facial-ranking", 1) == ["1", "2", "3", "4", ""], "a baseline has no rank"


def test_tabs_work_by_keyboard_and_address(open_page: Open, hostile_site: Path) -> None:
    tab = open_page(hostile_site / "index.html")
    tabs = tab.locator("[role=tab]")
    panels = tab.locator("[role=tabpanel]")
    assert [panel.is_visible() for panel in panels.all()] == [True, False]
    tabs.nth(0).focus()
    tab.keyboard.press("ArrowRight")
    assert [panel.is_visible() for panel in panels.all()] == [False, True]
    assert tabs.nth(1).get_attribute("aria-selected") == "true"
    assert tab.evaluate("document.activeElement.id") == "tab-sequential"
    assert tab.url.endswith("#sequential")
    assert tabs.nth(1).inner_text() == "<b>Timeline</b>"
    tab.keyboard.press("Home")
    assert [panel.is_visible() for panel in panels.all()] == [True, False]
    tab.keyboard.press("ArrowLeft")
    assert [panel.is_visible() for panel in panels.all()] == [False, True]
    tab.evaluate("location.hash = '#facial-phase2'")
    tab.locator("#facial-phase2").wait_for(state="visible")
    assert [panel.is_visible() for panel in panels.all()] == [True, False]


def test_a_link_from_elsewhere_opens_its_track(open_page: Open, hostile_site: Path) -> None:
    page = next(path for path in (hostile_site / "teams").iterdir() if path.name.startswith("sequential"))
    tab = open_page(page)
    tab.locator(".eyebrow a").click()
    tab.wait_for_url("**/index.html#sequential")
    assert tab.locator("#sequential").is_visible()
    assert not tab.locator("#facial").is_visible()


def test_without_scripts_every_track_can_be_read(chromium: Browser, hostile_site: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((hostile_site / "index.html").as_uri())
    assert tab.locator("#facial-ranking").is_visible()
    assert tab.locator("#sequential-ranking").is_visible()
    context.close()


def test_hostile_names_are_shown_as_text(open_page: Open, hostile_site: Path, names: dict[str, str]) -> None:
    tab = open_page(hostile_site / "index.html")
    shown = tab.locator("#facial-ranking tbody th .team").all_inner_texts()
    assert shown == [" ".join(name.split()) for name in names.values()]
    for name in names.values():
        tab.locator("#facial-ranking tbody th a").nth(list(names.values()).index(name)).click()
        assert tab.locator("h1").inner_text() == " ".join(name.split())
        assert tab.title().startswith(name)
        tab.go_back()


def test_the_chooser_shows_the_ends_of_the_chosen_metric(open_page: Open, hostile_site: Path) -> None:
    page = next(path for path in sorted((hostile_site / "teams").iterdir()) if "facial" in path.name)
    tab = open_page(page)
    assert tab.locator("#first .card").count() == tab.locator("#last .card").count() == 3
    tab.select_option("#rank-by", "fid")
    # Values go down and up in turn, from the first sample on; of fid the lower ones are better.
    assert tab.locator("#first h4").all_inner_texts() == ["id001/prompt1", "id001/prompt3", "id001/prompt5"]
    assert tab.locator("#last h4").all_inner_texts() == ["id004/prompt5", "id004/prompt3", "id004/prompt1"]
    assert tab.locator("#first img.strip").first.evaluate("image => image.naturalWidth") == 60


@pytest.mark.parametrize("width", [375, 768, 1280])
@pytest.mark.parametrize("page", ["index.html", "teams"])
def test_only_tables_scroll_sideways(open_page: Open, hostile_site: Path, width: int, page: str) -> None:
    path = hostile_site / page
    tab = open_page(path if path.is_file() else sorted(path.iterdir())[0])
    tab.set_viewport_size({"width": width, "height": 800})
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    tab.evaluate("document.querySelectorAll('[role=tabpanel]').forEach(p => { p.hidden = false })")
    # Whatever the fallback font is: those of other machines are wider or narrower than the one here.
    for font, spacing in (
        ("DejaVu Sans", "0"),
        ("DejaVu Sans", "0.04em"),
        ("Liberation Sans Narrow", "-0.04em"),
    ):
        tab.evaluate(
            """([font, spacing]) => document.querySelectorAll("body, body *").forEach(
                e => { e.style.fontFamily = font; e.style.letterSpacing = spacing; })""",
            [font, spacing],
        )
        assert tab.evaluate("document.documentElement.scrollWidth") == width, font


def test_rank_ranges_and_spreads_are_drawn(open_page: Open, published_site: Path) -> None:
    tab = open_page(published_site / "index.html")
    lanes = tab.locator("#facial-phase2 .lane")
    assert lanes.count() == 6
    for lane in lanes.all():
        box = lane.locator(".middle").bounding_box()
        whole = lane.bounding_box()
        assert box is not None
        assert whole is not None
        assert whole["x"] <= box["x"] <= whole["x"] + whole["width"]
    # A better rank stands further left.
    dots = tab.locator("#facial-phase2 figure:last-child .middle")
    places = [dot.evaluate("d => d.getBoundingClientRect().x") for dot in dots.all()]
    assert places == sorted(places)
    assert len(set(places)) == 3
    assert tab.locator("#facial-metrics .spreads .box").count() == 4 * 5


def test_downloads_work(open_page: Open, published_site: Path, tmp_path: Path) -> None:
    tab = open_page(published_site / "index.html")
    with tab.expect_download() as caught:
        tab.get_by_text("facial-ranking.csv").click()
    assert caught.value.suggested_filename == "facial-ranking.csv"
    caught.value.save_as(tmp_path / "got.csv")
    assert (tmp_path / "got.csv").read_bytes() == (
        published_site / "downloads/facial-ranking.csv"
    ).read_bytes()


def test_pages_follow_the_dark_scheme(open_page: Open, published_site: Path) -> None:
    tab = open_page(published_site / "index.html")

    def brightness() -> int:
        colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(","))

    tab.emulate_media(color_scheme="light")
    light = brightness()
    tab.emulate_media(color_scheme="dark")
    assert light > 600 > 150 > brightness()


@pytest.mark.parametrize("page", ["index.html", "teams"])
def test_a_screen_reader_finds_its_way(open_page: Open, hostile_site: Path, page: str) -> None:
    path = hostile_site / page
    tab = open_page(path if path.is_file() else sorted(path.iterdir())[0])
    assert tab.locator("h1").count() == 1
    assert tab.locator("main").count() == 1
    for wrong in (
        "img:not([alt])",
        "[role=img]:not([aria-label])",
        "table:not(:has(caption))",
        "th:not([scope])",
        ".scroll:not([tabindex='0'])",
        ".scroll:not([aria-labelledby]):not([aria-label])",
        "section:not([aria-labelledby])",
    ):
        assert tab.locator(wrong).count() == 0, wrong
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"


def test_the_policy_stops_every_request(chromium: Browser, published_site: Path) -> None:
    tab = chromium.new_page()
    tab.goto((published_site / "index.html").as_uri())
    blocked = tab.evaluate(
        """async () => {
          const seen = [];
          document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
          await fetch("http://127.0.0.1:9/").catch(() => {});
          const inline = document.createElement("script");
          inline.textContent = "window.hacked = 1";
          document.body.append(inline);
          await new Promise((resolve) => setTimeout(resolve, 200));
          return seen;
        }"""
    )
    assert sorted(blocked) == ["connect-src", "script-src-elem"]
    assert tab.evaluate("window.hacked") is None
    tab.close()
