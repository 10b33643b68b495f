"""Results of tests as evidence: which passed, when, and on which commit.

A run of the tests writes them into a file (`pytest --results FILE`, as `make test` does); a person
takes over what a use case's register names (`yupana governance evidence`). The event log keeps it,
and the ledger the hash of that.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from yupana.config.settings import Settings
from yupana.core import foreign_json
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.core.types import StepResult
from yupana.database import reading
from yupana.gate import register
from yupana.gate.register_parts import Item
from yupana.ledger import step_events
from yupana.lineage import steps

STEP, TEST = "evidence", "test:"
HOW = "`make test`, then `yupana governance evidence {} var/tests.json`"
"""What leaves the results of a use case's tests."""
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
_RECORDED = (
    "SELECT body FROM events WHERE step = :step AND subject = :use_case AND status = 'done' "
    "ORDER BY seq DESC"
)


@dataclass(frozen=True)
class Run:
    """A run of tests.

    Attributes:
        commit: of the project, in hexadecimal digits, with `+` where files differed from it.
        time: when it began (UTC).
        outcomes: `passed`, `failed` or `skipped`, by pytest's name of the test.
        sha256: of the file that says so.
    """

    commit: str
    time: datetime
    outcomes: dict[str, str]
    sha256: str


@dataclass(frozen=True)
class Result:
    """What became of what a reference names, when, on which commit."""

    outcome: str
    time: datetime
    commit: str


def read(path: Path) -> Run:
    """The file that a run of the tests left.

    Raises:
        UsageError: it is not there, or is another file.
    """
    try:
        content = foreign_json.loads(path.read_text(encoding="utf-8"))
        time = datetime.fromisoformat(content["time"])
        outcomes = {str(test): str(outcome) for test, outcome in content["outcomes"].items()}
        return Run(str(content["commit"]), time, outcomes, file_sha256(path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            "These are no results of a run of the tests.",
            where=str(path),
            fix="Name the file that `make test` writes, var/tests.json; or any by pytest's "
            "--results FILE.",
        ) from error


def record(settings: Settings, use_case: str, run: Run, now: datetime) -> StepResult:
    """Take over the results of the tests that the use case's register names.

    Raises:
        UsageError: the run is of no commit, or of later than now, or has none of these tests.
    """
    if not run.commit or run.commit.endswith("+") or run.time > now:
        raise UsageError(
            "The tests ran on files that are of no commit, or at a time that is to come.",
            where=f"commit {run.commit or 'unknown'}, {run.time:%Y-%m-%d %H:%M}",
            fix="Commit, run `make test`, and give its file.",
        )
    named = {ref: outcome(run, ref) for ref in sorted(references(settings.root, use_case))}
    results = {ref: value for ref, value in named.items() if value}
    if not results:
        raise UsageError(
            f"The run has no test that the register of '{use_case}' names.",
            where=f"models/{use_case}/governance.yaml",
            fix="Run all tests: `make test`.",
        )
    facts = {"commit": run.commit, "ran": run.time.isoformat(), "tests": results}

    def work() -> steps.Outcome:
        return steps.Outcome((f"results:{run.sha256[:12]}",), metrics=facts)

    inputs = (f"tests:{run.sha256}",)
    return steps.run(settings, STEP, use_case, work, inputs=inputs, depends_on=sorted(results))


def outcome(run: Run, ref: str) -> str:
    """What became of `test:FILE::NAME`, or of all of a file (`test:FILE::test_`); empty where
    nothing of it ran."""
    name = ref.removeprefix(TEST)
    whole = name.endswith("::test_")
    mine = {
        value for test, value in run.outcomes.items()
        if (test.startswith(name) if whole else test.partition("[")[0] == name)
    }  # fmt: skip
    return next((value for value in (FAILED, PASSED, SKIPPED) if value in mine), "")


def references(root: Path, use_case: str) -> set[str]:
    """The tests that a use case's register names as evidence.

    Raises:
        TerminalError: the register is not valid.
    """
    items = _items(register.load(root, use_case))
    return {ref for item in items for ref in item.evidence if ref.startswith(TEST)}


def newest(settings: Settings, use_case: str, digests: Collection[str], ref: str) -> Result | None:
    """The newest result that was taken over of a reference.

    Args:
        digests: those of the events that the ledger has; another is not counted.
    """
    for (body,) in reading.rows(settings.events, _RECORDED, {"step": STEP, "use_case": use_case}):
        facts = json.loads(body)["facts"] if step_events.digest(body.encode()) in digests else {}
        if outcome := facts.get("tests", {}).get(ref):
            return Result(outcome, datetime.fromisoformat(facts["ran"]), facts["commit"])
    return None


def _items(part: Any) -> Iterator[Item]:
    if isinstance(part, Item):
        yield part
    elif isinstance(part, BaseModel):
        for _, value in part:
            yield from _items(value)
    elif isinstance(part, list):
        for value in part:
            yield from _items(value)
