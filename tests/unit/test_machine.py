"""A machine that lacks something is told in one line what and how to get it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.data.engine import jars
from yupana.orchestration import machine


def bootstrap(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-c", "source infra/bootstrap.sh"],
        cwd=ROOT,
        env={"PATH": str(path), "HOME": str(path)},
        capture_output=True,
        text=True,
    )


def program(folder: Path, name: str, says: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{says}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with what every machine has."""
    for name in ("sed", "head", "cut", "cat", "sha256sum"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    return tmp_path


def test_no_python_311(tools: Path) -> None:
    program(tools, "python3", "echo Python 3.9.2")
    done = bootstrap(tools)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "yupana: Python 3.11 is not on this machine (found: Python 3.9.2)"
    )
    assert "fix:" in done.stderr


def test_doctor_names_the_absent_jars(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path / "none")
    missing = [c for c in machine.check(settings) if c.needed and not c.ok]
    assert [c.fix for c in missing] == ["yupana setup"]


def test_doctor_names_the_browser_that_the_page_tests_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = [c for c in machine.check(Settings(home=tmp_path)) if c.what == "Chromium"]
    assert not found.ok and not found.needed and "apt install chromium" in found.fix
    program(tmp_path, "google-chrome", "true")
    assert machine.browser() == str(tmp_path / "google-chrome")


def test_a_jar_with_another_hash_is_refused_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    for path in jars.paths(Settings().cache):
        (folder / path.name).write_bytes(path.read_bytes())
    victim = next(folder.glob("delta-storage*"))
    victim.write_bytes(b"not a jar")
    with pytest.raises(TerminalError, match="not the one"):
        jars.fetch(tmp_path, progress=None)
    assert not victim.exists()
