"""A rating session in a real browser: by keyboard and by pointer, with sound, at two widths."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest
from traces import TRACES

from ipvg_eval.leaderboard.study import (
    create_study,
    invitation,
    new_annotators,
    open_study,
    opinions_table,
    ratings_audit,
    read_study_config,
)

TEAMS = ("QuokkaVision", "PangolinLab", "AxolotlWorks")
NO_CHECKS = {"corrupted_per_hundred": 0, "repeats_per_hundred": 0}
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


UNNAMED = """[...document.querySelectorAll('button, video, img, progress')].filter((one) =>
  !(one.alt || one.ariaLabel || one.getAttribute('aria-labelledby') || one.textContent.trim())
).length"""


@pytest.fixture
def open_page(chromium):
    contexts = []

    def open_it(**options: Any):
        contexts.append(chromium.new_context(**options))
        contexts[-1].set_default_timeout(180_000.0)
        return contexts[-1].new_page()

    yield open_it
    for context in contexts:
        context.close()


def until(page: Any, expression: str, seconds: float = 90.0) -> None:
    """Wait for an expression to be true. Playwright's own waiting needs eval, which the page forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"not within {seconds} s: {expression}"
        page.wait_for_timeout(20)


def wait_for(page: Any, text: str) -> None:
    """Wait until the page is at a step, or a question of it."""
    where = "document.getElementById('count').textContent + document.getElementById('step').textContent"
    until(page, f"({where}).includes({text!r})")


def watch(page: Any) -> None:
    until(page, "!document.querySelector('.answer').disabled")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_session_by_keyboard_and_pointer_from_joining_to_the_code(
    make_study, serve_study, open_page, samples, width, scheme, tmp_path
):
    created = make_study(
        kind="rating",
        annotators=1,
        crowd=True,
        share=0.25,
        training=1,
        checks=NO_CHECKS,
        questions=[
            "identity",
            {"name": "smile", "text": "How much does she smile?", "anchors": list("abcde")},
        ],
    )
    study = open_study(created.path)
    server = serve_study(created.path)
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    got: list[str] = []
    failed: list[str] = []
    page.on("response", lambda answer: got.append(f"{answer.url} {answer.headers}"))
    page.on("pageerror", lambda error: failed.append(str(error)))
    doms = []

    def picture(name: str) -> None:
        page.screenshot(path=str(tmp_path / f"{width}-{name}.png"), full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate(UNNAMED) == 0
        doms.append(page.content())

    def focused() -> str:
        focus = page.evaluate(FOCUS)
        assert focus["seen"], focus
        assert focus["outline"] >= 2, focus
        return focus["id"]

    page.goto(f"{server.url}{invitation(study, '5f3a')}")
    assert "rate videos" in page.locator("main").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("#intro:not([hidden])")
    assert focused() == "start"
    picture("intro")
    page.keyboard.press("Enter")
    assert focused() == "play"
    assert "Training 1 of 1: this does not count." in page.locator("#training").inner_text()
    assert page.locator("#count").inner_text() == "Video 1 of 4"
    buttons = page.locator(".answer")
    assert buttons.all_inner_texts() == ["1\nBad", "2\nPoor", "3\nFair", "4\nGood", "5\nExcellent"]
    page.keyboard.press("4")  # too early: nothing happens
    assert all(buttons.nth(n).is_disabled() for n in range(5))
    picture("training")

    page.keyboard.press("Space")
    watch(page)
    page.keyboard.press("4")
    wait_for(page, "Question 2 of 2")
    assert focused() == "question"
    assert buttons.all_inner_texts() == [f"{n + 1}\n{name}" for n, name in enumerate("abcde")]
    buttons.nth(1).click()
    wait_for(page, "Video 2 of 4")
    assert page.locator("#training").is_hidden()
    assert focused() == "play"
    page.keyboard.press("u")  # back over the border of a step
    wait_for(page, "Video 1 of 4")
    page.locator("#undo").click()
    wait_for(page, "Question 1 of 2")
    page.keyboard.press("5")
    wait_for(page, "Question 2 of 2")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert focused() == "3"
    page.keyboard.press("Enter")
    wait_for(page, "Video 2 of 4")

    page.locator("#play").click()
    watch(page)
    picture("rating")
    buttons.nth(4).click()
    wait_for(page, "Question 2 of 2")
    page.reload()
    page.wait_for_selector("#pair:not([hidden])")
    wait_for(page, "Question 2 of 2")  # comes back to the very question
    page.keyboard.press("1")
    for number in (3, 4):
        wait_for(page, f"Video {number} of 4")
        page.keyboard.press("Space")
        watch(page)
        page.keyboard.press("2")
        wait_for(page, "Question 2 of 2")
        page.keyboard.press("3")
    page.wait_for_selector("#done:not([hidden])")
    picture("done")
    with study.reading() as reader:
        code = reader.execute("SELECT completion_code FROM annotator").fetchone()[0]
    assert page.locator("#code").inner_text() == code
    table = opinions_table(study)
    assert list(table["score"]) == [5, 1, 2, 3, 2, 3]
    audit = ratings_audit(study)
    training = audit[audit["kind"] == "training"]
    assert list(zip(training["score"], training["undone"], strict=True)) == [
        (4, True), (2, True), (5, False), (3, False),
    ]  # fmt: skip
    page.goto(f"{server.url}/admin/{created.admin_secret}")
    picture("admin")
    assert "3 of 3" in page.locator(".tiles").inner_text()
    assert not failed
    names = [*TEAMS, *(sample.id for sample in samples), *(trace.decode() for trace in TRACES)]
    for name in names:
        assert not any(name.lower() in text.lower() for text in (*doms, *got)), name


def test_sound_is_on_and_can_be_turned_off(serve_study, open_page, teams, samples, write_clip, tmp_path):
    speaking = write_clip(tmp_path / "speaking.mp4", frames=16, tone=440)
    one = dataclasses.replace(
        teams[0], videos={samples[0].id: lambda: contextlib.nullcontext(Path(speaking))}
    )
    heard = "document.getElementById('left').webkitAudioDecodedByteCount"
    for sound in ("keep", "drop"):
        config = read_study_config(
            None, kind="rating", sound=sound, annotators=1, training=0, checks=NO_CHECKS
        )
        study = open_study(create_study([one], samples[:1], config, tmp_path / sound).path)
        server = serve_study(study.path)
        page = open_page()
        page.goto(f"{server.url}/a/{new_annotators(study, 1)[0].token}")
        page.wait_for_selector("#intro:not([hidden])")
        assert ("have sound" in page.locator("#intro").inner_text()) == (sound == "keep")
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        watch(page)
        assert (page.evaluate(heard) > 0) == (sound == "keep")
        muted = "document.getElementById('left').muted"
        assert page.evaluate(muted) == (sound == "drop")
        if sound == "drop":
            assert page.locator("#hear").count() == 0
            continue
        for expected, label in ((True, "Sound: off"), (False, "Sound: on")):
            page.keyboard.press("s")
            assert page.evaluate(muted) == expected
            assert page.locator("#hear-text").inner_text() == label
