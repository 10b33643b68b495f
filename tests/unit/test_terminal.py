"""What strangers wrote cannot steer the terminal on which a command prints it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import yupana

from yupana.config.settings import Settings
from yupana.console.terminal import harmless


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x1b[2J\x9b2K", r"\x1b[2J\x9b2K"),
        ("refused\rdone", r"refused\rdone"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("línea\tuna\r\notra\n", "línea\tuna\notra\n"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text: str, visible: str) -> None:
    assert harmless(text) == visible


def test_a_file_name_does_not_clear_the_screen(lake: Settings, tmp_path: Path) -> None:
    result = yupana(lake, "ingest", "dengue_linelist", "--source", str(tmp_path / "\x1b[2Ja.csv"))
    assert result.code and "\x1b[2J" not in result.stderr and r"\x1b[2Ja.csv" in result.stderr
