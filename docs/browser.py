"""A real Chromium for the pictures of the documentation and the tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from yupana.orchestration import machine

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOW = f"no Chromium here: {machine.CHROMIUM}"
# It opens files of this machine alone, and asks nobody for updates.
_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def opened(program: str) -> Iterator[Browser]:
    """A headless browser for as long as the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()
