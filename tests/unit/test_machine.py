"""A machine that lacks something is told in one line what and how to get it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.engine import jars, spark
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
    result = bootstrap(tools)
    assert result.returncode == 1
    assert result.stderr.startswith(
        "yupana: Python 3.11 is not on this machine (found: Python 3.9.2)"
    )
    assert "fix:" in result.stderr


def test_doctor_says_which_engines_this_machine_can_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    def engines(engine: str) -> dict[str, machine.Check]:
        checks = machine.check(Settings(home=tmp_path, cache=tmp_path / "none", engine=engine))
        return {c.what.split(",")[0]: c for c in checks if "engine" in c.what}

    by_name = engines("sail")
    assert by_name["engine sail"].ok and "Sail 0." in by_name["engine sail"].state
    assert not by_name["engine spark"].ok and not by_name["engine spark"].needed
    assert "openjdk-17" in by_name["engine spark"].fix
    assert engines("spark")["engine spark"].needed
    program(tmp_path, "java", "echo 'openjdk version \"17.0.2\" 2022' >&2")
    assert engines("spark")["engine spark"].ok


def test_spark_without_java_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerminalError, match=r"needs Java 17 or newer; this machine has none"):
        spark.must_have_java()
    program(tmp_path, "java", "echo 'openjdk version \"11.0.2\" 2019' >&2")
    with pytest.raises(TerminalError, match=r"has 11"):
        spark.must_have_java()


def test_doctor_names_the_browser_that_the_page_tests_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (check,) = [c for c in machine.check(Settings(home=tmp_path)) if c.what == "Chromium"]
    assert not check.ok and not check.needed and "apt install chromium" in check.fix
    program(tmp_path, "google-chrome", "true")
    assert machine.browser() == str(tmp_path / "google-chrome")


def test_a_jar_with_another_hash_is_refused_and_removed(tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    names = [f"{c.split(':')[1]}-{c.split(':')[2]}.jar" for c in jars.JARS]
    for name in names:
        (folder / name).write_bytes(b"not a jar")
    with pytest.raises(TerminalError, match="not the one"):
        jars.fetch(tmp_path, Silent())
    assert sorted(p.name for p in folder.iterdir()) == sorted(names[1:])
