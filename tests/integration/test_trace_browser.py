"""The page of a trace in a real Chromium: accessible, as wide as a phone, nothing from outside."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest
from recall_case import Planted
from typer.testing import CliRunner

from yupana.cli.main import app
from yupana.config.settings import settings as chosen


def test_the_page_holds_in_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Planted(tmp_path)
    monkeypatch.setenv("YUPANA_HOME", str(home.settings.home))
    monkeypatch.setenv("YUPANA_ROOT", str(home.settings.root))
    chosen.cache_clear()
    page = tmp_path / "page.html"
    answer = next(i for i, kept in home.touched.items() if kept == "database")
    try:
        result = CliRunner().invoke(app, ["trace", answer, "--html", str(page)])
    finally:
        chosen.cache_clear()
    assert result.exit_code == 0, result.output
    assert pages.looked_at([page]) == {}
