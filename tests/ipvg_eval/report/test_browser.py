"""The page in a real browser, opened from a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from ipvg_eval.report import write_report
from ipvg_eval.results import Run

HOSTILE = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'


@pytest.fixture(scope="module")
def run(make_run: Callable[..., Run]) -> Run:
    return make_run(team=HOSTILE, names={0: HOSTILE})


@pytest.fixture(scope="module")
def address(run: Run) -> str:
    return write_report(run).as_uri()


@pytest.fixture
def tab(chromium: Browser, address: str) -> Iterator[Tab]:
    """The page in a fresh tab; at the end: nothing asked from a network, no error, no script of others."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    tab = context.new_page()
    requests: list[str] = []
    problems: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("console", lambda message: problems.append(message.text))
    tab.goto(address)
    yield tab
    assert requests
    assert [url for url in requests if not url.startswith(("file://", "data:"))] == []
    assert problems == []
    assert tab.evaluate("window.hacked") is None
    context.close()


def column(tab: Tab, number: int) -> list[str]:
    cells = tab.locator(f"#samples-table tbody tr > :nth-child({number})")
    return [str(text) for text in cells.evaluate_all("cells => cells.map(c => c.dataset.v ?? c.textContent)")]


def numbers(run: Run, name: str, *, descending: bool) -> list[float]:
    return sorted((float(v) for v in run.samples[name].dropna()), reverse=descending)


def test_hostile_names_are_shown_as_text(tab: Tab) -> None:
    assert tab.locator("h1").inner_text() == HOSTILE
    assert tab.title().startswith(HOSTILE)
    assert tab.locator("#samples-table th a").first.inner_text() == HOSTILE


def test_a_click_sorts_best_first_and_a_second_click_turns_it(tab: Tab, run: Run) -> None:
    head = tab.locator("#samples-table thead th").nth(4)
    for descending in (True, False):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == ("descending" if descending else "ascending")
        shown = column(tab, 5)
        known = [float(text) for text in shown if text]
        assert known == numbers(run, "lite_identity", descending=descending)
        assert shown[len(known) :] == [""] * 4, "what has no value comes last either way"


def test_lower_is_better_sorts_the_lowest_first(tab: Tab, run: Run) -> None:
    tab.locator("#samples-table thead button").nth(5).click()
    assert [float(v) for v in column(tab, 6) if v] == numbers(run, "face_distance", descending=False)


def test_sorting_works_by_keyboard(tab: Tab, run: Run) -> None:
    tab.locator("#samples-table thead button").nth(3).focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert [float(v) for v in column(tab, 5) if v] == numbers(run, "lite_identity", descending=True)
    tab.keyboard.press("Space")
    assert [float(v) for v in column(tab, 5) if v] == numbers(run, "lite_identity", descending=False)
    sorted_heads = tab.locator("#samples-table [aria-sort]:not([aria-sort=none])")
    assert sorted_heads.count() == 1
    outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_the_filter_finds_names_and_reasons(tab: Tab) -> None:
    rows = tab.locator("#samples-table tbody tr")
    tab.fill("#filter", "ID003 prompt")
    assert rows.locator("visible=true").count() == 5
    assert tab.locator("#filter-count").inner_text() == "5 of 20 samples"
    tab.fill("#filter", "moov")
    assert rows.locator("visible=true").all_inner_texts()[0].startswith("id003/prompt2")
    tab.fill("#filter", "")
    tab.select_option("#filter-status", "trouble")
    assert tab.locator("#filter-count").inner_text() == "3 of 20 samples"
    tab.select_option("#filter-status", "")
    assert tab.locator("#filter-count").inner_text() == "20 samples"


def test_every_chart_is_drawn(tab: Tab) -> None:
    charts = tab.locator("#distributions svg")
    assert charts.count() == 4
    curves = tab.locator("#first svg, #last svg")
    assert curves.count() == 6 * 3
    for drawing in (*charts.all(), *curves.all()):
        box = drawing.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 60
        assert drawing.locator("path, rect, line").count() > 5


def test_the_chooser_shows_the_ends_of_the_chosen_metric(tab: Tab, run: Run) -> None:
    tab.select_option("#rank-by", "face_distance")
    table = run.samples.dropna(subset="face_distance").sort_values("face_distance", kind="stable")
    assert tab.locator("#first h4").all_inner_texts() == table["sample"].head(3).tolist()
    assert tab.locator("#last h4").all_inner_texts() == table["sample"].tail(3).tolist()[::-1]
    tab.select_option("#rank-by", "dynamic_degree_lite")
    assert tab.locator("#first-title").inner_text() == "Highest"
    assert tab.locator("#last-title").inner_text() == "Lowest"


def test_a_sample_of_the_table_opens_its_pictures_and_curves(tab: Tab) -> None:
    hidden = tab.locator("#shelf .card").first
    name, anchor = hidden.locator("h4").text_content(), hidden.get_attribute("id")
    tab.locator(f'#samples-table a[href="#{anchor}"]').click()
    shown = tab.locator("#picked .card")
    assert shown.locator("h4").inner_text() == name
    assert tab.evaluate("document.activeElement.id") == anchor
    assert shown.locator("img.strip").evaluate("image => image.naturalWidth") > 500


def test_the_value_under_the_pointer_is_read_off(tab: Tab) -> None:
    drawing = tab.locator("#first [data-points]").nth(1)
    drawing.scroll_into_view_if_needed()
    area = drawing.locator(".background").first.bounding_box()
    assert area is not None
    points = json.loads(drawing.get_attribute("data-points") or "")
    frame, time, value = points[4]
    tab.mouse.move(area["x"] + area["width"] * time / points[-1][1], area["y"] + 10)
    readout = tab.locator("#first figure.chart").nth(1).locator(".readout")
    assert readout.inner_text() == f"frame {frame}: {value}"
    tab.mouse.move(2, 2)
    assert readout.inner_text() == ""


def test_downloads_work(tab: Tab, run: Run, tmp_path: Path) -> None:
    with tab.expect_download() as caught:
        tab.get_by_text("samples.csv").click()
    assert caught.value.suggested_filename == "samples.csv"
    caught.value.save_as(tmp_path / "samples.csv")
    assert (tmp_path / "samples.csv").read_bytes() == (run.folder.path / "samples.csv").read_bytes()


@pytest.mark.parametrize("width", [375, 768, 1280])
def test_only_tables_scroll_sideways(tab: Tab, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    for details in tab.locator("details").all():
        details.evaluate("d => d.open = true")
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_follows_the_dark_scheme(tab: Tab) -> None:
    def brightness() -> int:
        colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(","))

    tab.emulate_media(color_scheme="light")
    light = brightness()
    tab.emulate_media(color_scheme="dark")
    assert light > 600 > 150 > brightness()


def test_pictures_and_charts_have_words(tab: Tab) -> None:
    faces = "#identities img"  # the name stands beside them
    assert tab.locator(f"img:not({faces}):not([alt]), img:not({faces})[alt='']").count() == 0
    assert tab.locator("[role=img]:not([aria-label])").count() == 0
    assert tab.locator("table:not(:has(caption))").count() == 0
    assert tab.locator("th:not([scope])").count() == 0
    assert tab.locator(".scroll:not([tabindex='0'])").count() == 0


def test_the_policy_stops_every_request(chromium: Browser, address: str) -> None:
    tab = chromium.new_page()
    tab.goto(address)
    blocked = tab.evaluate(
        """async () => {
          const seen = [];
          document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
          await fetch("http://127.0.0.1:9/").catch(() => {});
          for (const kind of ["img", "script"]) {
            const element = document.createElement(kind);
            element.src = "http://127.0.0.1:9/";
            document.body.append(element);
          }
          const inline = document.createElement("script");
          inline.textContent = "window.hacked = 1";
          document.body.append(inline);
          await new Promise((resolve) => setTimeout(resolve, 200));
          return seen;
        }"""
    )
    assert sorted(blocked) == ["connect-src", "img-src", "script-src-elem", "script-src-elem"]
    assert tab.evaluate("window.hacked") is None
    tab.close()
