"""A file that a site serves, how it is fetched, and a site whose file is too large."""

from __future__ import annotations

from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.data import sources
from yupana.data.files.landing import SourceFile

NAME = "cases"
OLD = b"year,cases\n" + b"".join(b"%d,%d\n" % (i, i * 7) for i in range(200_000))
SOON = 0.01


def fetch(lake: Settings, location: str) -> SourceFile:
    return sources.fetch(lake, NAME, location, Silent(), first_wait=SOON)


def leftovers(lake: Settings) -> list[Path]:
    home = lake.home / "landing" / NAME
    return [p for p in home.rglob("*") if p.is_file() and len(p.parent.name) != 64]


def vast(handler) -> bool:
    """Promise much and send nothing."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 52))
    handler.end_headers()
    handler.close_connection = True
    return True
