"""What became of each test, when, and on which commit: `--results FILE`, evidence for the gate."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from yupana.config.settings import Settings

_BEGIN = pytest.StashKey[dict[str, str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", help="file for what passed, for `yupana governance evidence`")


def pytest_sessionstart(session: pytest.Session) -> None:
    """The files as they are now are what is tested."""
    if session.config.getoption("--results") and not hasattr(session.config, "workerinput"):
        from yupana.tracking import facts

        commit = facts.code(Settings())["commit"]
        begin = {"commit": commit, "time": datetime.now(UTC).isoformat(timespec="seconds")}
        session.config.stash[_BEGIN] = begin


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the file; of a run that was cut off, what had ended by then."""
    if (begin := session.config.stash.get(_BEGIN, None)) is None:
        return
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    reports = [r for some in terminal.stats.values() for r in some]
    outcomes: dict[str, str] = {}
    for report in reports:
        if isinstance(report, pytest.TestReport):
            worst = {report.outcome, outcomes.get(report.nodeid, "passed")}
            found = next(o for o in ("failed", "skipped", "passed") if o in worst)
            outcomes[report.nodeid] = found
    path = Path(session.config.getoption("--results"))
    path.write_text(json.dumps({**begin, "outcomes": dict(sorted(outcomes.items()))}, indent=0))
