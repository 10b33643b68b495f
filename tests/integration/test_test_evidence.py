"""A test is evidence when it ran and passed, on a commit, and not too long ago."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import governed
import pytest
import sqlalchemy as sa
from candidates import NAME
from governed import now

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.gate import evidence, results
from yupana.gate.evidence import EvidenceContext
from yupana.gate.results import Run
from yupana.ledger.step_events import EVENTS

ONE, ALL = "test:checks/test_own.py::test_one", "test:checks/test_own.py::test_"
COMMIT = "a" * 40
PASS = {"checks/test_own.py::test_one[a]": "passed", "checks/test_own.py::test_two": "passed"}


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A register that names a test, and all of its file."""

    def name_tests(register: dict[str, Any]) -> None:
        for item, ref in zip(register["adoption"]["introduction"][:2], (ONE, ALL), strict=True):
            item["evidence"] = [ref]

    settings = governed.home(tmp_path, name_tests)
    folder = settings.root / "checks"
    folder.mkdir()
    (folder / "test_own.py").write_text("def test_one(): ...\ndef test_two(): ...\n")
    return settings


def missing(settings: Settings, ref: str, days: int = 0) -> str:
    at = now() + timedelta(days=days)
    return evidence.missing(EvidenceContext(settings, NAME, at, 30), ref)


def run_of(sha256: str = "1", commit: str = COMMIT, **outcomes: str) -> Run:
    named = {f"checks/test_own.py::test_{name}": value for name, value in outcomes.items()}
    return Run(commit, now() - timedelta(minutes=1), named or PASS, sha256 * 64)


def test_a_test_that_is_there_is_no_evidence_until_it_passed(home: Settings) -> None:
    how = f"(`make test`, then `yupana governance evidence {NAME} var/tests.json`)"
    for ref in (ONE, ALL):
        assert "has no result here" in missing(home, ref) and how in missing(home, ref)
    results.record(home, NAME, run_of(), now())
    for ref in (ONE, ALL):
        assert missing(home, ref) == ""
        assert "it counted 30 days" in missing(home, ref, days=31)
        assert how in missing(home, ref, days=31)
    assert "has no test test_three" in missing(home, "test:checks/test_own.py::test_three")


def test_the_newest_result_counts_and_one_failure_is_enough(home: Settings) -> None:
    results.record(home, NAME, run_of(), now())
    results.record(home, NAME, run_of("2", two="failed"), now())
    assert missing(home, ONE) == "", "that run had nothing to say of it"
    assert "failed on" in missing(home, ALL) and COMMIT[:12] in missing(home, ALL)
    assert "yupana governance evidence" in missing(home, ALL)
    results.record(home, NAME, run_of("3", one="skipped"), now())
    assert "skipped on" in missing(home, ONE)


def test_a_result_that_was_edited_does_not_count(home: Settings) -> None:
    results.record(home, NAME, run_of(one="failed"), now())
    with engine(home.events).begin() as connection:
        body = sa.func.replace(EVENTS.c.body, '"failed"', '"passed"')
        connection.execute(sa.update(EVENTS).where(EVENTS.c.step == "evidence").values(body=body))
    assert "has no result here" in missing(home, ONE)


@pytest.mark.parametrize(
    ("run", "what"),
    [(run_of(commit=f"{COMMIT}+"), "of no commit"), (run_of(commit=""), "of no commit"),
     (Run(COMMIT, now() + timedelta(days=1), PASS, "1" * 64), "of no commit"),
     (Run(COMMIT, now(), {"a.py::test_b": "passed"}, "1" * 64), "has no test that the register")],
)  # fmt: skip
def test_a_run_that_proves_nothing_is_refused(home: Settings, run: Run, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        results.record(home, NAME, run, now())
    assert "has no result here" in missing(home, ONE)


def test_what_pytest_writes_is_read(tmp_path: Path) -> None:
    checks = tmp_path / "test_small.py"
    checks.write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_one(n): assert n == 1\n"
        "def test_two(): ...\n"
        "@pytest.fixture\ndef broken():\n    yield\n    raise OSError\n"
        "def test_three(broken): ...\n"
        "def test_four(): pytest.skip('no')\n"
    )
    out = tmp_path / "results.json"
    options = ["-p", "results", "-p", "no:cacheprovider", "-n", "0", "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", *options, "--results", str(out), str(checks)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}"}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    run = results.read(out)
    assert len(run.commit.rstrip("+")) == 40 and run.time <= now()
    names = {"one": "failed", "two": "passed", "three": "failed", "four": "skipped"}
    for name, value in names.items():
        assert results.outcome(run, f"test:test_small.py::test_{name}") == value, name
    assert results.outcome(run, "test:test_small.py::test_five") == ""
    for content in ("[]", "{}", json.dumps({"commit": 1, "time": "x", "outcomes": {}})):
        out.write_text(content)
        with pytest.raises(UsageError, match="no results of a run"):
            results.read(out)
