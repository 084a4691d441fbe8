"""A whole session in a real browser, with the keyboard, and what reaches the browser meanwhile."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from typing import Any

import pytest
from traces import TRACES

from ipvg_eval.leaderboard.study import audit_table, invitation, new_annotators, open_study, votes_table

TEAMS = ("QuokkaVision", "PangolinLab", "AxolotlWorks")


class Traffic:
    """Everything a page gets over the network."""

    def __init__(self, page: Any) -> None:
        self.parts: list[bytes] = []
        self.failed: list[str] = []
        self.console: list[str] = []
        page.on("response", self._note)
        page.on("console", lambda message: self.console.append(message.text))
        page.on("pageerror", lambda error: self.failed.append(str(error)))

    def _note(self, response: Any) -> None:
        self.parts.append(response.url.encode())
        self.parts.append(repr(response.headers).encode())
        if response.status in (200, 206):
            try:
                self.parts.append(response.body())
            except Exception as error:  # a body that was thrown away when the page moved on or closed
                if not any(text in str(error) for text in ("No resource", "No data", "has been closed")):
                    self.failed.append(f"{response.url}: {error}")


PATIENCE = 180_000.0
"""Milliseconds that a page is waited for, on a machine with other work."""


@pytest.fixture
def open_page(chromium):
    contexts = []

    def open_it(**options: Any):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        return context.new_page()

    yield open_it
    for context in contexts:
        context.close()


def place(page: Any) -> int:
    text = page.locator("#count").inner_text()
    return int(re.match(r"Pair (\d+) of", text)[1])


def until(page: Any, expression: str, seconds: float = 90.0) -> None:
    """Wait for an expression to be true. Playwright's own waiting needs eval, which the page forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {seconds} s: {expression}"
        page.wait_for_timeout(20)


def begin(page: Any, link: str) -> None:
    page.goto(link)
    page.wait_for_selector("#intro:not([hidden])")
    page.locator("#start").press("Enter")


def wait_for_place(page: Any, number: int) -> None:
    until(page, f"document.getElementById('count').textContent.startsWith('Pair {number} of')")


def watch(page: Any) -> None:
    page.keyboard.press("Space")
    until(page, "!document.querySelector('.answer').disabled")


def test_a_whole_session_by_keyboard_with_reload_undo_and_resume(make_study, serve_study, open_page, samples):
    created = make_study(annotators=1)
    study = open_study(created.path)
    server = serve_study(created.path, process=True)
    link = f"{server.url}/a/{new_annotators(study, 1)[0].token}"
    page = open_page()
    traffic = Traffic(page)
    doms = []
    begin(page, link)
    assert page.evaluate("document.activeElement.id") == "play"
    total = int(page.locator("#count").inner_text().split()[-1])
    page.keyboard.press("1")  # too early: nothing happens
    assert all(page.locator(".answer").nth(n).is_disabled() for n in range(3))
    assert len(audit_table(study)) == 0

    watch(page)
    page.keyboard.press("1")
    wait_for_place(page, 2)
    assert list(audit_table(study)["winner"]) == ["a"]
    page.keyboard.press("u")
    wait_for_place(page, 1)
    assert list(audit_table(study)["undone"]) == [True]
    page.keyboard.press("2")  # watched before
    wait_for_place(page, 2)

    page.reload()
    page.wait_for_selector("#pair:not([hidden])")
    assert place(page) == 2
    page.context.close()
    page = open_page()
    traffic_again = Traffic(page)
    page.goto(link)
    page.wait_for_selector("#pair:not([hidden])")
    assert place(page) == 2

    for number in range(2, total + 1):
        wait_for_place(page, number)
        watch(page)
        if number == 3:
            page.keyboard.press("r")
            until(page, "!document.getElementById('left').paused")
        doms.append(page.content())
        page.keyboard.press("120"[number % 3])
        if number < total:
            wait_for_place(page, number + 1)
    page.wait_for_selector("#done:not([hidden])")
    doms.append(page.content())
    code = page.locator("#code").inner_text()
    with study.reading() as reader:
        assert code == reader.execute("SELECT completion_code FROM annotator").fetchone()[0]
    page.reload()
    page.wait_for_selector("#done:not([hidden])")

    audit = audit_table(study)
    assert len(audit) == total + 1
    kept = audit[~audit["undone"]]
    assert list(kept["winner"]) == ["b"] + [{1: "b", 2: "draw", 0: "a"}[n % 3] for n in range(2, total + 1)]
    assert len(votes_table(study)) in (0, created.comparisons)  # 0 if these answers failed the checks

    assert traffic.failed == traffic_again.failed == []
    assert traffic.console == traffic_again.console == []
    files = [path.name for path in created.path.glob("study.db*")]
    names = [*TEAMS, *(sample.id for sample in samples), "prompt1", ".mp4", str(created.path.parent), *files]
    got = b"\n".join([*traffic.parts, *traffic_again.parts]).lower()
    assert got.count(b"ftyp") >= 2 * total  # the clips went through
    for name in names:
        assert name.encode().lower() not in got, name
        assert all(name.lower() not in dom.lower() for dom in doms), name
    for trace in TRACES:
        assert trace.lower() not in got


def test_both_players_run_together_and_space_pauses_both(
    serve_study, open_page, teams, samples, write_clip, tmp_path
):
    from ipvg_eval.leaderboard.study import create_study, read_study_config

    long = [write_clip(tmp_path / f"{n}.mp4", frames=48, fps=4, shade=10 * n) for n in range(2)]
    pair = [
        dataclasses.replace(team, videos={samples[0].id: lambda p=path: contextlib.nullcontext(p)})
        for team, path in zip(teams, long, strict=False)
    ]
    created = create_study(pair, samples[:1], read_study_config(None, annotators=1), tmp_path / "pair")
    server = serve_study(created.path)
    page = open_page()
    begin(page, f"{server.url}/a/{new_annotators(open_study(created.path), 1)[0].token}")
    times = "['left', 'right'].map((id) => document.getElementById(id).currentTime)"
    states = "['left', 'right'].map((id) => document.getElementById(id).paused)"
    page.keyboard.press("Space")
    until(page, f"Math.min(...{times}) > 0.8")
    left, right = page.evaluate(times)
    assert abs(left - right) < 0.5
    page.keyboard.press("Space")
    assert page.evaluate(states) == [True, True]
    stopped = page.evaluate(times)
    page.wait_for_timeout(300)
    assert page.evaluate(times) == stopped
    assert page.locator("#play-text").inner_text() == "Play both"
    page.evaluate(
        "window.seeks = []; for (const id of ['left', 'right']) document.getElementById(id)"
        ".addEventListener('seeking', (event) => window.seeks.push(event.target.currentTime))"
    )
    page.keyboard.press("r")
    until(page, "window.seeks.length >= 2 && window.seeks[0] < 0.1 && window.seeks[1] < 0.1")
    assert page.evaluate(states) == [False, False]
    # Skipping to the end is not watching: the server refuses, and the page waits.
    page.evaluate("['left', 'right'].forEach((id) => { document.getElementById(id).currentTime = 11.9; })")
    until(page, "document.getElementById('left').ended && document.getElementById('right').ended")
    assert page.locator(".answer").first.is_disabled()


def test_an_answer_that_was_not_saved_keeps_the_page_where_it_is(make_study, serve_study, open_page):
    created = make_study(annotators=1)
    study = open_study(created.path)
    server = serve_study(created.path, process=True)
    page = open_page()
    begin(page, f"{server.url}/a/{new_annotators(study, 1)[0].token}")
    watch(page)
    server.kill()
    page.keyboard.press("1")
    page.wait_for_selector("#status.bad")
    assert "Not saved" in page.locator("#status").inner_text()
    assert place(page) == 1
    server.start()
    page.keyboard.press("1")
    wait_for_place(page, 2)
    assert len(audit_table(study)) == 1


FOCUS = """(() => {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  return {
    id: one.id || one.dataset.answer || one.tagName,
    seen: box.width > 4 && box.height > 4 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth,
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
  };
})()"""


@pytest.mark.parametrize("width", [1440, 390])
def test_enter_starts_the_session_and_the_focus_is_always_visible(
    make_study, serve_study, open_page, width, tmp_path
):
    created = make_study(annotators=1, questions=["overall", "identity"])
    server = serve_study(created.path)
    page = open_page(viewport={"width": width, "height": 900})
    page.goto(f"{server.url}/a/{new_annotators(open_study(created.path), 1)[0].token}")
    page.wait_for_selector("#intro:not([hidden])")

    def focused() -> str:
        focus = page.evaluate(FOCUS)
        assert focus["seen"], focus
        assert focus["outline"] >= 2, focus
        page.screenshot(path=str(tmp_path / f"{width}-{focus['id']}.png"))
        return focus["id"]

    assert focused() == "start"
    page.evaluate("document.activeElement.blur()")  # wherever the focus is
    page.keyboard.press("Enter")
    page.wait_for_selector("#pair:not([hidden])")
    assert focused() == "play"
    assert page.evaluate("document.getElementById('left').paused")  # the same key played nothing
    page.mouse.click(3, 3)
    page.keyboard.press("Space")
    until(page, "!document.querySelector('.answer').disabled")
    page.keyboard.press("1")
    until(page, "document.getElementById('step').textContent.startsWith('Question 2')")
    assert focused() == "question"
    walked = []
    for _ in range(4):
        page.keyboard.press("Tab")
        walked.append(focused())
    assert walked[:3] == ["left", "draw", "right"]
    page.keyboard.press("2")
    wait_for_place(page, 2)
    assert focused() == "play"
    page.reload()
    page.wait_for_selector("#pair:not([hidden])")
    assert focused() == "play"


def test_joining_by_a_link_takes_one_press(make_study, serve_study, open_page):
    created = make_study(annotators=1, crowd=True)
    study = open_study(created.path)
    server = serve_study(created.path)
    page = open_page()
    page.goto(f"{server.url}{invitation(study, '5f3a')}")
    page.wait_for_selector("#join")
    assert page.evaluate(FOCUS)["outline"] >= 2
    page.keyboard.press("Enter")
    page.wait_for_selector("#intro:not([hidden])")
    assert "/a/" in page.url


def test_sound_is_heard_of_one_clip_at_a_time(make_study, serve_study, open_page):
    created = make_study(annotators=1, sound="keep")
    server = serve_study(created.path)
    page = open_page()
    begin(page, f"{server.url}/a/{new_annotators(open_study(created.path), 1)[0].token}")
    muted = "['left', 'right'].map((id) => document.getElementById(id).muted)"
    # These teams have no sound at all: no track is made, and the clips stay silent all the same.
    for expected in ([False, True], [True, False], [True, True]):
        page.keyboard.press("s")
        assert page.evaluate(muted) == expected


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 860), (390, 780)])
def test_pages_fit_their_window_and_have_names_and_contrast(make_study, serve_study, open_page, scheme, size):
    created = make_study(annotators=1, questions=["overall", "identity"])
    study = open_study(created.path)
    server = serve_study(created.path)
    page = open_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    begin(page, f"{server.url}/a/{new_annotators(study, 1)[0].token}")
    for _ in ("annotator", "admin"):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        unnamed = page.evaluate(
            "[...document.querySelectorAll('button, video, img, progress')].filter((e) =>"
            " !(e.alt || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') ||"
            " e.textContent.trim())).length"
        )
        assert unnamed == 0
        ink, paper = (
            [
                int(part)
                for part in re.findall(r"\d+", page.evaluate(f"getComputedStyle(document.body).{name}"))
            ]
            for name in ("color", "backgroundColor")
        )
        assert contrast(ink, paper) > 7
        assert (sum(paper) < 300) == (scheme == "dark")
        page.goto(f"{server.url}/admin/{created.admin_secret}")
        for team in TEAMS:
            assert team not in page.content()


def contrast(one: list[int], other: list[int]) -> float:
    """WCAG 2 contrast ratio of two sRGB colours."""

    def luminance(rgb: list[int]) -> float:
        parts = [c / 255 / 12.92 if c / 255 <= 0.03928 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_answers_about_both_clips_may_come_in_either_order(make_study, serve_study, open_page):
    created = make_study(annotators=1)
    server = serve_study(created.path)
    page = open_page()
    begin(page, f"{server.url}/a/{new_annotators(open_study(created.path), 1)[0].token}")
    held = []

    def hold_until_both_are_there(route):
        answer = route.fetch()
        if answer.status != 200:
            route.fulfill(response=answer)  # too early for the server: the page asks again
            return
        held.append((route, answer))
        if len(held) == 2:
            for waiting, given in reversed(held):
                waiting.fulfill(response=given)

    page.route("**/watched", hold_until_both_are_there)
    watch(page)
    page.wait_for_timeout(500)
    assert len(held) == 2
    assert page.locator(".answer").first.is_enabled()
