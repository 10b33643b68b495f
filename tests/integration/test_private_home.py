"""A home is its owner's alone, and what cannot be read or written is told without a stack."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from yupana.config.settings import ROOT, Settings


def yupana(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "yupana.cli.main", *arguments]
    return subprocess.run(
        command, env=settings.environment(), cwd=ROOT, capture_output=True, text=True, umask=0o022
    )


def modes(home: Path) -> dict[str, int]:
    return {str(p.relative_to(home)): p.stat().st_mode & 0o077 for p in home.rglob("*")}


def test_what_a_command_writes_is_its_owners_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    made = yupana(settings, "keys", "create", "--agency", "A", "--scope", "outbreak:forecast")
    assert made.returncode == 0, made.stderr
    assert "platform.db" in modes(settings.home)
    assert set(modes(settings.home).values()) == {0}


def test_a_broken_database_is_told_without_a_stack(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    yupana(settings, "keys", "create", "--agency", "A", "--scope", "outbreak:forecast")
    database = settings.home / "platform.db"
    whole = database.read_bytes()
    torn = b"".join(os.urandom(4096) for _ in range(len(whole) // 4096 - 1))
    for content in (b"no database" * 1000, whole[:4096] + torn):
        database.write_bytes(content)
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        refused = yupana(settings, "audit", "verify")
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert "Traceback" not in refused.stderr
        assert "back-up" in refused.stderr and "database" in refused.stderr


def test_a_read_only_home_is_told_without_a_stack(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(home)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system of its own can be mounted by root alone")
    try:
        settings = Settings(home=home)
        yupana(settings, "keys", "create", "--agency", "A", "--scope", "outbreak:forecast")
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        refused = yupana(settings, "serve", "outbreak")
        assert refused.returncode in (2, 3), refused.stderr
        assert "Traceback" not in refused.stderr and "fix:" in refused.stderr
        assert "right" in refused.stderr
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)
