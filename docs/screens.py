"""Pictures of the auditor's pages, taken in a real Chromium of a site that was just built."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from docs import browser
from yupana.config.settings import Settings
from yupana.orchestration import machine

COLOURS = 128
"""Of a picture's palette: pages have few, and the files stay small."""


class Shot(NamedTuple):
    """One picture: of a page, so many pixels wide, from its top to the end of a part of it."""

    name: str
    page: str
    width: int
    until: str


SHOTS = (
    Shot("audit.png", "index", 1040, "section.question:nth-of-type(4)"),
    Shot("audit-phone.png", "index", 390, "section.question:nth-of-type(2)"),
    Shot("impact.png", "impacto", 1040, "main svg"),
)
_BELOW = 12


def draw(settings: Settings, folder: Path) -> None:
    """Measure the impact, build the site, and take the pictures; none without a browser."""
    program = machine.browser()
    if program is None:
        print(browser.HOW)
        return
    for command in (["impact", "outbreak"], ["report", "build", "--use-case", "outbreak"]):
        whole = [sys.executable, "-m", "yupana.cli.main", *command]
        subprocess.run(whole, check=True, env=settings.environment(), cwd=settings.root)
    with browser.opened(program) as opened:
        for shot in SHOTS:
            context = opened.new_context(
                viewport={"width": shot.width, "height": 800}, offline=True
            )
            page = context.new_page()
            page.goto((settings.reports / "site" / f"{shot.page}.html").as_uri())
            end = page.locator(shot.until).first.bounding_box()
            assert end, f"{shot.page} has no {shot.until}"
            clip = {"x": 0, "y": 0, "width": shot.width, "height": end["y"] + end["height"] + _BELOW}
            _write(folder / shot.name, page.screenshot(full_page=True, clip=clip))
            context.close()


def _write(path: Path, png: bytes) -> None:
    from PIL import Image

    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)
