"""Evidence that a register names, looked up: files, tests, steps that were done, reports.

That a step was done, and when, is the ledger's word: a line in the log or a file's time is
anybody's to write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.governance import decisions, measures
from yupana.governance.ledger import book
from yupana.governance.ledger.book import Sealed
from yupana.governance.register_parts import Item


@dataclass(frozen=True)
class Look:
    """Where evidence is looked for, of which use case, when, and for how many days it counts."""

    settings: Settings
    use_case: str
    now: datetime
    days: int


def missing(look: Look, ref: str) -> str:
    """Why a piece of evidence does not count; empty where it does."""
    kind, _, rest = ref.partition(":")
    return {"file": _file, "test": _test, "step": _step, "report": _report}[kind](look, rest)


def open_points(look: Look, items: Iterable[tuple[str, Item]]) -> list[str]:
    """What is not proven: `name: why`, gaps among it."""
    found = []
    for name, item in items:
        if item.gap:
            found.append(f"{name}: {item.gap.en}")
        found += [f"{name}: {why}" for ref in item.evidence if (why := missing(look, ref))]
    return found


@dataclass(frozen=True)
class Report:
    """A report that a step left: its file, when it was made, and what it was made from."""

    path: Path
    made: datetime
    inputs: tuple[str, ...]


def newest_report(look: Look, pattern: str, of: str = "") -> Report | None:
    """The newest report below reports/ that a pattern names and a step in the ledger left.

    Args:
        of: a reference that the step read, e.g. `model:outbreak@3`.
    """
    for event in reversed(_done(look)):
        if of and of not in event.facts["inputs"]:
            continue
        for ref in event.facts["outputs"]:
            name = f"{ref.removeprefix('report:')}.json"
            if ref.startswith("report:") and fnmatchcase(name, pattern):
                moment = decisions.moment(event.time)
                path = look.settings.reports / name
                return Report(path, moment, tuple(event.facts["inputs"]))
    return None


def is_evaluated(look: Look, scores: dict[str, Any]) -> bool:
    """Whether a step in the ledger evaluated a candidate to exactly these scores."""
    done = (event.facts for event in _done(look) if event.facts["step"] == "evaluate")
    return any(measures.evaluation_ref(f["inputs"][0], scores) in f["outputs"] for f in done)


def _done(look: Look) -> tuple[Sealed, ...]:
    """Steps that were done on the use case, oldest first."""
    last = book.newest(look.settings.platform_db, "step", look.use_case)
    return _read(look.settings.platform_db, look.use_case, last.hash) if last else ()


@lru_cache(maxsize=4)
def _read(url: str, use_case: str, _last: str) -> tuple[Sealed, ...]:
    found = book.read(url, kind="step", subject=use_case)
    return tuple(event for event in found if event.facts.get("status") == "done")


def _file(look: Look, rest: str) -> str:
    name, _, text = rest.partition("#")
    path = _inside(look.settings.root, name)
    if path is None or not path.is_file():
        return f"{name} is not there"
    said = " ".join(path.read_text(encoding="utf-8").split())
    return "" if text in said else f"{name} does not say '{text}'"


def _test(look: Look, rest: str) -> str:
    name, _, test = rest.partition("::")
    path = _inside(look.settings.root, name)
    if path is None or not path.is_file():
        return f"{name} is not there"
    # `test_` alone stands for all tests of the file.
    wanted = rf"^(?:async )?def {re.escape(test)}{'' if test == 'test_' else '[(]'}"
    found = re.search(wanted, path.read_text(encoding="utf-8"), re.MULTILINE)
    return "" if found else f"{name} has no test {test}"


def _step(look: Look, step: str) -> str:
    done = [event for event in _done(look) if event.facts["step"] == step]
    if not done:
        return f"`yupana {step} {look.use_case}` was never done"
    return _old(look, f"`yupana {step}`", decisions.moment(done[-1].time))


def _report(look: Look, pattern: str) -> str:
    report = newest_report(look, pattern)
    if report is None or not report.path.is_file():
        return f"reports/{pattern} is not there"
    return _old(look, f"reports/{report.path.relative_to(look.settings.reports)}", report.made)


def _old(look: Look, what: str, made: datetime) -> str:
    last = made + timedelta(days=look.days)
    return "" if look.now <= last else f"{what} is of {made:%Y-%m-%d}: it counted {look.days} days"


def _inside(root: Path, name: str) -> Path | None:
    """A file of the project; none for a name that leads out of it."""
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) else None
