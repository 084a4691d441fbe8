"""Take viewer.jpg, the picture of the README: both submissions of the fixtures, scored and side by side.

python docs/images/make_viewer.py [--chromium /usr/bin/chromium]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from ipvg_eval import score
from ipvg_eval.viewer import export, gather

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures"
TEAMS = ("careful", "careless")


def main() -> None:
    """Score, write the pages, open one and take its picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    chromium = parser.parse_args().chromium
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for team in TEAMS:
            score(
                FIXTURES / "submissions" / team,
                testset=FIXTURES / "testset",
                protocol="lite",
                out=root / "runs" / team,
            )
        runs = [root / "runs" / team for team in TEAMS]
        export(gather(runs, [str(FIXTURES / "submissions")], FIXTURES / "testset"), root / "pages")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            tab = browser.new_page(viewport={"width": 1280, "height": 1170})
            tab.goto(
                (root / "pages" / "index.html").as_uri() + "#view=sample&sample=id002%2Fprompt2&frame=22"
            )
            tab.click(".faces summary")
            tab.wait_for_selector(".player:last-child video[data-frame='22']")
            faces = tab.locator(".face-list canvas")
            for number in range(faces.count()):
                faces.nth(number).and_(tab.locator("[data-frame]")).wait_for()
            tab.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            tab.screenshot(path=HERE / "viewer.jpg", type="jpeg", quality=86)
            browser.close()


if __name__ == "__main__":
    main()
