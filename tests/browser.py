"""Chromium for the tests of pages; they are skipped where there is none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium on this machine; on Debian: apt-get install chromium"
)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """A browser without a window, whose expectations wait as long as a busy machine may need."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=1000 * PATIENCE)
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def opened_page(browser: Browser, height: int) -> Page:
    """An empty page, as patient as the browser."""
    page = browser.new_page(viewport={"width": 1200, "height": height})
    page.set_default_timeout(1000 * PATIENCE)
    return page


def picture(page: Page, name: str) -> None:
    """Take a screenshot for the documentation, if `SCREENSHOTS` names a folder for them."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_timeout(2000)  # for charts that still move
        page.screenshot(path=Path(folder, f"{name}.png"))
