"""Fixtures for every test."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A job in the background ignores SIGINT, and so would the commands that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def one_import_root() -> Iterator[None]:
    """Fails if any test imported a folder of the repository's top as a package of its own."""
    yield
    assert not {"metrics", "leaderboard", "reference_generator"} & sys.modules.keys()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real videos and a test set that may lie next to the repository."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no folder shared/data beside the repository")
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium: $IPVG_CHROMIUM, one on the PATH or Playwright's own.

    Without one the test is skipped, or fails where $IPVG_REQUIRE_BROWSER is set. Not for the whole session:
    while Playwright's loop runs, no other test of the process can use asyncio.run.
    """
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    candidates = (os.environ.get("IPVG_CHROMIUM"), *map(shutil.which, names))
    program = next((path for path in candidates if path), None)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        if program is None and not Path(playwright.chromium.executable_path).exists():
            message = "no Chromium: set IPVG_CHROMIUM, or put one on the PATH"
            if os.environ.get("IPVG_REQUIRE_BROWSER"):
                pytest.fail(message)
            pytest.skip(message)
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


_MUCH = 3 * 2**30


@pytest.fixture(scope="module", autouse=True)
def _memory_that_is_free_is_given_back() -> Iterator[None]:
    """Networks at full size leave gigabytes of free memory in a process, which its neighbours then lack."""
    yield
    if sys.platform == "linux" and psutil.Process().memory_info().rss > _MUCH:
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
