"""Seconds by folder of a test run, fixtures with the folder whose test needed them first."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line a folder. Tests side by side add up to more than the clock says."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = str(PurePath(report.nodeid.split("::")[0]).parent)
                seconds[folder] += report.duration
                tests[folder] += report.when == "call"
    terminalreporter.section("seconds by folder")
    for folder, spent in seconds.most_common():
        terminalreporter.write_line(f"{spent:7.1f} s  {tests[folder]:5} tests  {folder}")
    terminalreporter.write_line(f"{seconds.total():7.1f} s  {tests.total():5} tests")
