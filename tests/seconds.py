"""What a long run says beside its dots: failures as they come, and in the end where its seconds
went, fixtures with the test that needed them first."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

import pytest

FILES = 15
"""Slowest files that are named."""


def pytest_configure(config: pytest.Config) -> None:
    """Only where reports come together: not in a process that others run tests beside."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Failures(config), "failures")


class Failures:
    """Names each failure at once: the rest may take half an hour."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line a failure."""
        if report.failed:
            terminal = self._config.pluginmanager.get_plugin("terminalreporter")
            terminal.write_line(f"\n{report.when} failed: {report.nodeid}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line a folder. Tests side by side add up to more than the clock says."""
    seconds: Counter[str] = Counter()
    by_file: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                file = report.nodeid.split("::")[0]
                folder = str(PurePath(file).parent)
                seconds[folder] += report.duration
                by_file[file] += report.duration
                tests[folder] += report.when == "call"
    terminalreporter.section("seconds by folder")
    for folder, spent in seconds.most_common():
        terminalreporter.write_line(f"{spent:7.1f} s  {tests[folder]:5} tests  {folder}")
    terminalreporter.write_line(f"{seconds.total():7.1f} s  {tests.total():5} tests")
    terminalreporter.section(f"slowest {FILES} files")
    for file, spent in by_file.most_common(FILES):
        terminalreporter.write_line(f"{spent:7.1f} s  {file}")
