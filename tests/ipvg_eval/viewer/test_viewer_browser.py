"""The viewer in a real browser: what it plays, finds, sorts and says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from ipvg_eval.results.folder import RunFolder
from ipvg_eval.viewer import export

from .conftest import HOSTILE, SPECS, Scene, row_of, run_info, served

Open = Callable[..., Tab]
# The number that a video shows: one bit per bar.
SHOWN = """number => {
  const video = document.querySelectorAll("video")[number];
  const canvas = Object.assign(document.createElement("canvas"), {width: 128, height: 96});
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 128, 96);
  const row = context.getImageData(0, 48, 128, 1).data;
  return [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, k) => 2 * sum + (row[4 * (16 * k + 8)] > 127), 0);
}"""
FRAMES = "[...document.querySelectorAll('video')].map(video => Number(video.dataset.frame))"


@pytest.fixture
def open_page(chromium: Browser, address: str) -> Iterator[Open]:
    """Opens pages; at the end: nothing asked elsewhere, no error, no script of others."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    requests: list[str] = []
    problems: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    context.on("console", lambda message: problems.append(message.text))
    context.on("weberror", lambda error: problems.append(str(error.error)))

    def open_(state: str = "", where: str = address) -> Tab:
        tab = context.new_page()
        tab.goto(where + (f"#{state}" if state else ""))
        until(tab, "Data.index && (Data.prompts || Data.index.excerpt !== undefined)")
        return tab

    yield open_
    hosts = {url.partition("://")[2].partition("/")[0] for url in requests if "://" in url}
    assert all(host == "" or host.startswith("127.0.0.1:") for host in hosts)
    assert problems == []
    assert [tab.evaluate("window.hacked") for tab in context.pages] == [None] * len(context.pages)
    context.close()


def until(tab: Tab, expression: str, argument: object = None) -> None:
    """Wait until an expression is true; Playwright's own way is refused by the page's policy."""
    for _ in range(1500):
        if tab.evaluate(expression, argument):
            return
        tab.wait_for_timeout(20)
    raise AssertionError(f"never true: {expression}")


def sample(name: str, **more: object) -> str:
    return "&".join([f"view=sample&sample={name}", *(f"{key}={value}" for key, value in more.items())])


def at_frames(tab: Tab, *frames: int) -> None:
    """Wait until the videos show these frames, and see that they do."""
    until(tab, f"JSON.stringify({FRAMES}) === '{list(frames)}'.replaceAll(' ', '')")
    assert [tab.evaluate(SHOWN, k) for k in range(len(frames))] == list(frames)


def names(tab: Tab) -> list[str]:
    return tab.locator(".sample a").all_inner_texts()


def test_the_picture_shown_is_the_frame_that_the_address_names(open_page: Open) -> None:
    # Equal lengths: the first leads. The middle of its frame 33 lies in frame 50 of 24 a second.
    tab = open_page(sample("id001/prompt1", frame=33))
    at_frames(tab, 33, 50)
    beyond = open_page(sample("id001/prompt1", frame=99))
    at_frames(beyond, 47, 71)


def test_brackets_step_one_frame_and_the_cursor_follows(open_page: Open) -> None:
    tab = open_page(sample("id001/prompt1", frame=12))
    at_frames(tab, 12, int((12.5 / 16) * 24))
    tab.keyboard.press("]")
    at_frames(tab, 13, int((13.5 / 16) * 24))
    cursor = tab.locator(".curve .cursor-line").first
    x = float(cursor.get_attribute("x1") or 0)
    assert x == pytest.approx(38 + (320 - 38 - 6) * (13 / 16) / 3, abs=0.01)
    tab.keyboard.press("[")
    tab.keyboard.press("[")
    at_frames(tab, 11, int((11.5 / 16) * 24))
    assert "frame=11" in tab.url, "the address holds the frame"
    assert tab.locator(".clock").inner_text() == "frame 11 of 48 · 0.69 s"


def test_space_plays_all_in_sync_and_stops_on_one_frame(open_page: Open) -> None:
    tab = open_page(sample("id002/prompt1"))
    at_frames(tab, 0, 0)
    tab.keyboard.press("Space")
    until(tab, f"{FRAMES}.every(frame => frame > 8)")
    tab.keyboard.press("Space")
    until(tab, "[...document.querySelectorAll('video')].every(v => v.paused && !v.seeking)")
    until(tab, f"(([a, b]) => b === Math.floor((a + 0.5) / 16 * 24))({FRAMES})")
    first, second = tab.evaluate(FRAMES)
    assert (tab.evaluate(SHOWN, 0), tab.evaluate(SHOWN, 1)) == (first, second)


def test_a_click_on_a_curve_shows_that_moment(open_page: Open) -> None:
    tab = open_page(sample("id001/prompt2"))
    at_frames(tab, 0, 0)
    drawing = tab.locator(".curve-drawing").first
    drawing.scroll_into_view_if_needed()
    area = drawing.bounding_box()
    assert area is not None
    seconds = 2.03
    drawing.click(position={"x": area["width"] * (38 + 276 * seconds / 3) / 320, "y": 30})
    at_frames(tab, int(seconds * 16), int(seconds * 24))


# The number that a crop of the whole width shows, as its box has a fifth of itself around it.
CROPPED = """number => {
  const canvas = document.querySelectorAll(".face-list canvas")[number];
  const row = canvas.getContext("2d").getImageData(0, canvas.height / 2, canvas.width, 1).data;
  const at = (k) => Math.round((canvas.width * (0.2 + (k + 0.5) / 8)) / 1.4);
  return [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, k) => 2 * sum + (row[4 * at(k)] > 127), 0);
}"""


def test_the_faces_that_were_compared_are_those_of_their_frames(open_page: Open) -> None:
    tab = open_page(sample("id001/prompt1", frame=4))
    at_frames(tab, 4, 6)
    box = tab.locator(".face-box rect").first
    assert [float(box.get_attribute(side) or "") for side in ("x", "y", "width", "height")] == [
        0,
        24,
        128,
        48,
    ]
    tab.keyboard.press("]")
    at_frames(tab, 5, 8)
    assert not box.is_visible(), "this frame was not measured"
    tab.click(".faces summary")
    until(tab, "document.querySelectorAll('.face-list canvas[data-frame]').length === 22")
    frames = tab.evaluate(
        "[...document.querySelectorAll('.face-list canvas')].map(c => Number(c.dataset.frame))"
    )
    first, second = ([k * step for k in range(12) if k != 2] for step in (4, 6))
    assert frames == first + second
    assert [tab.evaluate(CROPPED, k) for k in range(22)] == frames
    said = tab.locator(".face-list").first.locator("button").evaluate_all("all => all.map(b => b.ariaLabel)")
    assert said[0] == "Frame 0: Face 0.5000"
    assert said[2] == "Frame 8: no face"
    tab.locator(".face-list").first.locator("button").nth(5).click()
    at_frames(tab, 20, 30)


def test_search_filters_and_sorting_are_in_the_address(open_page: Open) -> None:
    tab = open_page()
    assert names(tab) == [f"id00{who}/prompt{what}" for who in (1, 2, 3) for what in (1, 2)]
    tab.fill("#q", "SWIMMER id00")
    until(tab, "Grid.numbers.length === 3")
    assert tab.locator("output").inner_text() == "3 of 6 samples"
    tab.fill("#q", "")
    tab.select_option("#sort", "lite_identity")
    tab.select_option("#by", "0-1")
    # Differences .4, .1, -.2, -.5, .4, and none where a video is missing.
    wanted = [
        "id001/prompt1",
        "id003/prompt1",
        "id001/prompt2",
        "id002/prompt1",
        "id002/prompt2",
        "id003/prompt2",
    ]
    until(tab, "Grid.numbers.length === 6")
    assert names(tab) == wanted
    tab.click("#turned")
    assert names(tab) == [*wanted[4::-1], wanted[5]], "what has no value stays last"
    again = open_page(tab.url.partition("#")[2])
    assert names(again) == names(tab)
    tab.click("summary")
    tab.select_option("#status", "m")
    assert names(tab) == ["id003/prompt2"]
    tab.select_option("#status", "")
    tab.select_option("#kind", "frame-rate")
    assert names(tab) == ["id002/prompt1"]
    tab.select_option("#kind", "")
    tab.select_option("#range", "lite_identity")
    tab.select_option("#of", "1")
    tab.fill("#low", "0.4")
    tab.fill("#high", "0.5")
    until(tab, "Grid.numbers.length === 2")
    assert sorted(names(tab)) == ["id002/prompt1", "id003/prompt2"]


def test_lower_is_better_is_sorted_lowest_first(open_page: Open) -> None:
    tab = open_page("sort=noise&by=1")
    assert names(tab) == [
        f"id00{who}/prompt{what}" for who, what in ((2, 2), (2, 1), (3, 2), (1, 2), (3, 1), (1, 1))
    ]


def test_the_keyboard_is_enough(open_page: Open) -> None:
    tab = open_page("sort=lite_identity&by=0")
    for _ in range(2):
        tab.keyboard.press("j")
    assert tab.evaluate("document.activeElement.textContent") == "id001/prompt1"
    tab.keyboard.press("k")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".player video")
    assert tab.locator("h2").first.inner_text() == "id003/prompt1"
    tab.keyboard.press("ArrowRight")
    until(tab, "document.querySelector('h2').textContent === 'id001/prompt1'")
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.textContent") == "id001/prompt1", "the list is where it was"
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") == "q"
    tab.go_back()
    tab.wait_for_selector(".player video")


def test_identities_are_hardest_first(open_page: Open) -> None:
    tab = open_page("view=identities&sort=lite_identity&of=0")
    assert tab.locator(".person h2").all_inner_texts() == ["id002", "id001", "id003"]
    tab.select_option("#of", "1")
    # Of the other run: .6, .3 and .2: (.5 + .7) / 2, (.2 + .4) / 2, (.1 + .3) / 2.
    assert tab.locator(".person h2").all_inner_texts() == ["id001", "id003", "id002"]
    assert tab.locator(".person-samples li").count() == 6


def test_two_runs_are_set_against_each_other(open_page: Open) -> None:
    tab = open_page("view=compare&sort=lite_identity")
    tab.wait_for_selector(".differing video")
    # Differences .4, .1, -.2, -.5, .4: means .4 and .36 over the five samples that both have.
    row = tab.locator("main tbody tr").nth(1).locator("td").all_inner_texts()
    assert row == ["0.4000", "0.3600", "+0.0400", "–", "3 / 2 / 0"]
    assert tab.locator(".point").count() == 5
    people = tab.locator(".spans li")
    assert [line.split("\n")[0] for line in people.all_inner_texts()] == ["id002", "id001", "id003"]
    assert people.locator("b").all_inner_texts() == ["−0.3500", "+0.2500", "+0.4000"]
    # Two samples: the interval is the mean and 12.706 times half of their distance.
    assert people.nth(1).get_attribute("title") == "−1.6559 to +2.1559"
    assert people.nth(2).get_attribute("title") == "one sample"
    first = tab.locator(".differing").first
    assert first.locator("h3").inner_text() == "id002/prompt2"
    first.locator("button").click()
    until(tab, f"{FRAMES}.slice(0, 2).every(frame => frame > 4)")
    tab.locator(".point").nth(3).click()
    tab.wait_for_selector(".sample-bar")
    assert tab.locator("h2").first.inner_text() == "id002/prompt2"


def test_foreign_words_are_text(open_page: Open) -> None:
    tab = open_page(sample("id003/prompt1"))
    tab.wait_for_selector(".whole-prompt")
    shown = HOSTILE.replace("\u202e", "\\u202e")
    assert shown in tab.locator(".whole-prompt").inner_text()
    other = open_page(sample("id002/prompt1"))
    other.wait_for_selector(".findings")
    assert shown in other.locator(".findings").first.inner_text()


def test_what_is_missing_is_said(open_page: Open) -> None:
    tab = open_page(sample("id003/prompt2"))
    tab.wait_for_selector(".player video")
    assert tab.locator("video").count() == 1
    assert "there is no id003/prompt2.mp4" in tab.locator(".player").first.inner_text()


def test_no_violation_of_accessibility_rules(open_page: Open) -> None:
    for state in ("", "view=identities", "view=compare", sample("id002/prompt1")):
        tab = open_page(state)
        tab.wait_for_selector("main .sample, main .person, main .findings, main .differing")
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            found = Axe().run(tab).response["violations"]
            assert [(rule["id"], [node["html"] for node in rule["nodes"][:2]]) for rule in found] == []


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_pages_do_not_scroll_sideways(open_page: Open, width: int) -> None:
    for state in ("", "view=identities", "view=compare", sample("id002/prompt1")):
        tab = open_page(state)
        tab.set_viewport_size({"width": width, "height": 800})
        tab.wait_for_selector("main .sample, main .person, main .findings, main .differing")
        assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_an_export_plays_from_a_file(open_page: Open, scene: Scene, tmp_path: Path) -> None:
    export(scene.material(), tmp_path / "pages")
    tab = open_page(sample("id001/prompt1", frame=20), (tmp_path / "pages" / "index.html").as_uri())
    until(tab, f"JSON.stringify({FRAMES}) === '[20,30]'")
    tab.keyboard.press("]")
    until(tab, f"JSON.stringify({FRAMES}) === '[21,32]'")


def test_a_run_that_is_being_written_grows_on_the_page(open_page: Open, scene: Scene, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "growing")
    submission = scene.root / "submissions" / "north"
    rows = [row_of(scene.testset, number, submission, 16, 0.5) for number in range(4)]
    with folder.writing(run_info("north", scene.testset, rows[:1])), folder.journal.appending() as journal:
        journal.append(rows[0])

        def read() -> Any:
            from ipvg_eval.viewer import gather

            return gather([folder.path], [str(scene.root / "submissions")], scene.root / "testset")

        with served(read) as where:
            tab = open_page(where=where)
            assert tab.locator("#legend .tag").inner_text() == "5 pending"
            for row in rows[1:]:
                journal.append(row)
            until(tab, "Data.index.runs[0].status === 'ssss..'")
            assert tab.locator("#legend .tag").inner_text() == "2 pending"
            tab.close()


def test_only_what_is_on_the_screen_is_in_the_document(open_page: Open) -> None:
    tab = open_page()
    tab.evaluate(
        """() => {
          const { index } = Data;
          const many = (list) => Array.from({ length: 3000 }, (_, k) => list[k % list.length]);
          index.samples = many(index.samples).map((name, k) => `${name}-${k}`);
          index.identity = many(index.identity);
          for (const run of index.runs) {
            run.status = many([...run.status]).join("");
            for (const key of ["video", "aspect"]) run[key] = many(run[key]);
            run.strip = many([false]);
            for (const name of Object.keys(run.values)) run.values[name] = many(run.values[name]);
          }
          Data.prompts = many(Data.prompts);
          Data.take(index);
          Grid.refresh();
        }"""
    )
    last = ""
    for share in (0, 0.37, 1):
        tab.evaluate("share => scrollTo(0, share * document.body.scrollHeight)", share)
        until(tab, "last => document.querySelector('.sample a').textContent !== last", last)
        last = names(tab)[0]
        assert 0 < tab.locator(".sample").count() < 60
    assert names(tab)[-1] == "id003/prompt2-2999"
    sizes = tab.locator(".sample").first.evaluate("card => [card.ariaSetSize, card.ariaPosInSet]")
    assert sizes[0] == "3000"
    assert re.fullmatch(r"2\d{3}", sizes[1])
    assert len(SPECS) == tab.evaluate("Data.index.metrics.length")
