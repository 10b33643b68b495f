"""What this machine has, and how to get what it lacks."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import TerminalError, YupanaError
from yupana.data.engine import jars, sail, spark
from yupana.ledger import unsigned
from yupana.tracking import roles

GIB = 1 << 30
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = "apt install chromium, or put google-chrome on the PATH (to test pages in a browser)"


@dataclass(frozen=True)
class Check:
    """One thing looked at; `needed` is false for what only some commands use, `is_note` true for
    what no machine lacks: it is as far as somebody has come."""

    what: str
    ok: bool
    state: str
    fix: str
    needed: bool = True
    is_note: bool = False

    @property
    def sign(self) -> str:
        """The check's outcome in a word: ok, note, missing or optional."""
        if self.ok:
            return "ok"
        return "note" if self.is_note else "missing" if self.needed else "optional"


def check(settings: Settings) -> list[Check]:
    """Look at everything that the commands use."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    free = shutil.disk_usage(settings.home).free / GIB
    return [
        Check("Python 3.11", python == "3.11", python, "apt install python3.11, or pyenv"),
        _sail(),
        *_spark(settings),
        Check("5 GiB of free disk", free > 5, f"{free:.0f} GiB", "free some room, or YUPANA_HOME"),
        _tool("git", "apt install git (for the DVC exchange)"),
        _tool("kubectl", "apt install kubernetes-client (to render infra/)", needed=False),
        _browser(),
        *_signer(settings),
        _tool("mvn", "apt install maven (else Spark fetches the JARs)", needed=False),
        *(_champion(settings, name) for name in usecase.names()),
    ]


def _signer(settings: Settings) -> list[Check]:
    """Whether the ledger is signed in time, where another process does it."""
    if settings.sign_ledger:
        return []
    what = f"the ledger is signed within {settings.sign_within_minutes} minutes"
    try:
        tail = unsigned.tail(settings, datetime.now(UTC))
    except YupanaError as error:
        return [Check(what, False, error.what, error.fix)]
    fix = "yupana audit sign, where keys/ledger.key is (docs/ledger.md)"
    return [Check(what, not tail.is_late, str(tail), fix)]


def _champion(settings: Settings, use_case: str) -> Check:
    """Whether what answers is the registry's champion."""
    what = f"{use_case}: the champion answers"
    try:
        now = roles.of(settings, use_case)
    except YupanaError as error:
        return Check(what, False, error.what, error.fix, needed=False)
    _, difference = now.difference
    if difference:
        return Check(what, False, difference, now.fix, needed=False, is_note=True)
    if "champion" not in now.slots:
        train = f"yupana train {use_case}"
        return Check(what, False, "none trained", train, needed=False, is_note=True)
    return Check(what, True, f"{use_case}@{now.slots['champion']}", "", needed=False)


def _sail() -> Check:
    present = find_spec("pysail") is not None
    return Check("engine sail", present, sail.name() if present else "none", "make setup")


def _spark(settings: Settings) -> list[Check]:
    """Apache Spark is needed where `YUPANA_ENGINE` names it, and for its half of the tests."""
    needed = settings.engine == "spark"
    java = spark.java_version()
    works = java >= spark.JAVA_OLDEST
    state = f"{spark.name()}, Java {java}" if works else f"Java {java or 'none'}"
    there = _jars(settings)
    place, fetch = str(settings.cache / "jars"), "fetched when first used; or yupana setup"
    return [
        Check(f"engine spark, Java {spark.JAVA_OLDEST}+", works, state, spark.JAVA, needed),
        Check("Delta JARs of Spark", there, place, fetch, False),
    ]


def _jars(settings: Settings) -> bool:
    try:
        return bool(jars.paths(settings.cache))
    except TerminalError:
        return False


def browser() -> str | None:
    """Path of the Chromium or Chrome of this machine, None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _browser() -> Check:
    path = browser()
    return Check("Chromium", path is not None, path or "none", CHROMIUM, needed=False)


def _tool(name: str, fix: str, *, needed: bool = True) -> Check:
    path = shutil.which(name)
    return Check(name, path is not None, path or "none", fix, needed)
