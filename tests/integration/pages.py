"""A real Chromium that looks at pages: WCAG by axe, width, what it asks for, where links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from docs import browser
from yupana.orchestration import machine

WIDTHS = {"desktop": 1280, "phone": 360}
OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
OUTSIDE = re.compile(
    r"""(?:src|href|action|srcset)\s*=\s*["']?\s*(?:https?:)?//|@import|url\((?!["']?#)"""
)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; the test is skipped, with what to install, where there is none."""
    program = machine.browser()
    if program is None:
        pytest.skip(browser.HOW)
    with browser.opened(program) as opened:
        yield opened


def looked_at(paths: Sequence[Path]) -> dict[str, list[str]]:
    """What is wrong with pages, by page; nothing for those that are as they should be."""
    from axe_playwright_python.sync_playwright import Axe

    axe, faults = Axe(), {}
    with chromium() as opened:
        for name, width in WIDTHS.items():
            context = opened.new_context(viewport={"width": width, "height": 800}, offline=True)
            page = context.new_page()
            requests: list[str] = []
            page.on("request", lambda request: requests.append(request.url))  # noqa: B023
            for path in paths:
                requests.clear()
                page.goto(path.as_uri())
                response = axe.run(page, options=OPTIONS).response
                wide = page.evaluate("document.documentElement.scrollWidth")
                wrong = [f"{v['id']}: {v['nodes'][0]['html'][:90]}" for v in response["violations"]]
                wrong += [f"{wide} px wide"] if wide > width else []
                wrong += [f"asked for {url}" for url in requests if not url.startswith("file://")]
                wrong += [] if len(response["passes"]) > 10 else ["axe looked at nothing"]
                if wrong:
                    faults[f"{path.name}, {name}"] = wrong
            context.close()
    return faults


class Read(HTMLParser):
    """Links, ids and pictures of a page, and what its pictures say to who cannot see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.files: list[str] = []
        self.mute: list[str] = []
        self.pictures = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = dict(attrs)
        if got.get("id"):
            self.ids.add(str(got["id"]))
        if tag == "a" and got.get("href"):
            self.links.append(str(got["href"]))
        if tag == "img":
            self.files.append(str(got.get("src")))
        if tag in ("img", "svg"):
            self.pictures += 1
            said = got.get("alt") or got.get("aria-label") or got.get("aria-labelledby")
            if not said or (tag == "svg" and got.get("role") != "img"):
                self.mute.append(self.get_starttag_text() or tag)


def broken(folder: Path) -> list[str]:
    """Links that lead nowhere, pictures that are not there or say nothing, and outside assets."""
    read = {p.name: Read(p.read_text(encoding="utf-8")) for p in folder.glob("*.html")}
    faults = []
    for name, page in read.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            target = read.get(path or name)
            if target is None or (anchor and anchor not in target.ids):
                faults.append(f"{name}: link to {link}")
        faults += [f"{name}: {f} is not there" for f in page.files if not (folder / f).is_file()]
        faults += [f"{name}: says nothing: {tag[:80]}" for tag in page.mute]
        text = (folder / name).read_text(encoding="utf-8")
        faults += [f"{name}: from outside: {m[0]}" for m in OUTSIDE.finditer(text)]
        faults += [f"{name}: a script"] if "<script" in text else []
    return faults
