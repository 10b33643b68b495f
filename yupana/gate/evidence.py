"""Evidence that a register names, looked up: files, tests, steps that were done, reports.

That a step was done, and when, is the ledger's word: a line in the log or a file's time is
anybody's to write. Of a test it is a result that counts, not that the test is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.evaluation import Evaluation
from yupana.gate import decisions, measures, results
from yupana.gate.register_parts import Item
from yupana.ledger import entries
from yupana.ledger.entries import Sealed


@dataclass(frozen=True)
class EvidenceContext:
    """Where evidence is looked for, of which use case, when, and for how many days it counts."""

    settings: Settings
    use_case: str
    now: datetime
    days: int


def missing(context: EvidenceContext, ref: str) -> str:
    """Why a piece of evidence does not count; empty where it does."""
    kind, _, rest = ref.partition(":")
    return {"file": _file, "test": _test, "step": _step, "report": _report}[kind](context, rest)


def open_points(context: EvidenceContext, items: Iterable[tuple[str, Item]]) -> list[str]:
    """What is not proven: `name: why`, gaps among it."""
    points = []
    for name, item in items:
        if item.gap:
            points.append(f"{name}: {item.gap.en}")
        points += [f"{name}: {why}" for ref in item.evidence if (why := missing(context, ref))]
    return points


@dataclass(frozen=True)
class Report:
    """A report that a step left: its file, the time of the step, and what it was made from."""

    path: Path
    time: datetime
    inputs: tuple[str, ...]


def newest_report(context: EvidenceContext, pattern: str, of: str = "") -> Report | None:
    """The newest report below reports/ that a pattern names and a step in the ledger left.

    Args:
        of: a reference that the step read, e.g. `model:NAME@3`.
    """
    for event in reversed(_successes(context)):
        if of and of not in event.facts["inputs"]:
            continue
        for ref in event.facts["outputs"]:
            name = f"{ref.removeprefix('report:')}.json"
            if ref.startswith("report:") and fnmatchcase(name, pattern):
                moment = decisions.moment(event.time)
                path = context.settings.reports / name
                return Report(path, moment, tuple(event.facts["inputs"]))
    return None


def is_measured(context: EvidenceContext, evaluation: Evaluation | None) -> bool:
    """Whether a step in the ledger evaluated a candidate to exactly this."""
    if evaluation is None:
        return False
    steps = (event.facts for event in _successes(context) if event.facts["step"] == "evaluate")
    return any(measures.evaluation_ref(f["inputs"][0], evaluation) in f["outputs"] for f in steps)


def _successes(context: EvidenceContext) -> tuple[Sealed, ...]:
    """Steps that were done on the use case, oldest first."""
    last = entries.newest(context.settings.platform_db, "step", context.use_case)
    return _read(context.settings.platform_db, context.use_case, last.hash) if last else ()


@lru_cache(maxsize=4)
def _read(url: str, use_case: str, _last: str) -> tuple[Sealed, ...]:
    steps = entries.read(url, kind="step", subject=use_case)
    return tuple(event for event in steps if event.facts.get("status") == "done")


def _file(context: EvidenceContext, rest: str) -> str:
    name, _, text = rest.partition("#")
    path = _inside(context.settings.root, name)
    if path is None or not path.is_file():
        return f"{name} is not there"
    content = " ".join(path.read_text(encoding="utf-8").split())
    return "" if text in content else f"{name} does not say '{text}'"


def _test(context: EvidenceContext, rest: str) -> str:
    if absent := absent_test(context, rest):
        return absent
    done = _successes(context)
    mine = {event.facts["sha256"] for event in done if event.facts["step"] == results.STEP}
    last = results.newest(context.settings, context.use_case, mine, f"{results.TEST}{rest}")
    if last is None:
        why = f"{rest} has no result here"
    elif last.outcome != results.PASSED:
        why = f"{rest} {last.outcome} on {last.time:%Y-%m-%d}, commit {last.commit[:12]}"
    else:
        passed = f"{rest}, which passed on commit {last.commit[:12]},"
        why = _old(context, passed, last.time)
    return why and f"{why} ({results.HOW.format(context.use_case)})"


def absent_test(context: EvidenceContext, rest: str) -> str:
    """Why there is no test `PATH::NAME` in the project; empty where it is."""
    name, _, test = rest.partition("::")
    path = _inside(context.settings.root, name)
    if path is None or not path.is_file():
        return f"{name} is not there"
    # `test_` alone stands for all tests of the file.
    definition = rf"^(?:async )?def {re.escape(test)}{'' if test == 'test_' else '[(]'}"
    there = re.search(definition, path.read_text(encoding="utf-8"), re.MULTILINE)
    return "" if there else f"{name} has no test {test}"


def _step(context: EvidenceContext, step: str) -> str:
    events = [event for event in _successes(context) if event.facts["step"] == step]
    if not events:
        return f"`yupana {step} {context.use_case}` was never done"
    return _old(context, f"`yupana {step}`", decisions.moment(events[-1].time))


def _report(context: EvidenceContext, pattern: str) -> str:
    report = newest_report(context, pattern)
    if report is None or not report.path.is_file():
        return f"reports/{pattern} is not there"
    name = report.path.relative_to(context.settings.reports)
    return _old(context, f"reports/{name}", report.time)


def _old(context: EvidenceContext, what: str, time: datetime) -> str:
    last = time + timedelta(days=context.days)
    old = f"{what} is of {time:%Y-%m-%d}: it counted {context.days} days"
    return "" if context.now <= last else old


def _inside(root: Path, name: str) -> Path | None:
    """A file of the project; none for a name that leads out of it."""
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) else None
