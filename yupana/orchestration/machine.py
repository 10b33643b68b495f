"""What this machine has, and how to get what it lacks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.engine import jars

JAVA_OLDEST = 17
GIB = 1 << 30
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = "apt install chromium, or put google-chrome on the PATH (to test pages in a browser)"


@dataclass(frozen=True)
class Check:
    """One thing looked at; `needed` is false for what only some commands use."""

    what: str
    ok: bool
    found: str
    fix: str
    needed: bool = True


def check(settings: Settings) -> list[Check]:
    """Look at everything that the commands use."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    java = java_version()
    free = shutil.disk_usage(settings.home).free / GIB
    return [
        Check("Python 3.11", python == "3.11", python, "apt install python3.11, or pyenv"),
        Check(
            "Java 17 or newer",
            java >= JAVA_OLDEST,
            str(java or "none"),
            "apt install openjdk-17-jre-headless; or set JAVA_HOME",
        ),
        Check("Delta JARs", _jars(settings), str(settings.cache / "jars"), "yupana setup"),
        Check("5 GiB of free disk", free > 5, f"{free:.0f} GiB", "free some room, or YUPANA_HOME"),
        _tool("git", "apt install git (for the DVC exchange)"),
        _tool("kubectl", "apt install kubernetes-client (to render infra/)", needed=False),
        _browser(),
        _tool("mvn", "apt install maven (else Spark fetches the JARs)", needed=False),
    ]


def java_version() -> int:
    """Major version of the Java that Spark would start; 0 when there is none."""
    java = shutil.which("java")
    if java is None:
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0


def _jars(settings: Settings) -> bool:
    try:
        return bool(jars.paths(settings.cache))
    except TerminalError:
        return False


def browser() -> str | None:
    """Path of the Chromium or Chrome of this machine, None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def _browser() -> Check:
    path = browser()
    return Check("Chromium", path is not None, path or "none", CHROMIUM, needed=False)


def _tool(name: str, fix: str, *, needed: bool = True) -> Check:
    path = shutil.which(name)
    return Check(name, path is not None, path or "none", fix, needed)
