"""Evidence that a register names, looked up: files, tests, steps that were done, reports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from yupana.config.settings import Settings
from yupana.governance import events
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


def newest_report(look: Look, pattern: str) -> Path | None:
    """The newest file below reports/ that a pattern names."""
    if not look.settings.reports.is_dir():
        return None
    return max(
        look.settings.reports.glob(pattern), key=lambda p: (p.stat().st_mtime, p.name), default=None
    )


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
    done = events.last_done(look.settings.events, step, look.use_case)
    if done is None:
        return f"`yupana {step} {look.use_case}` was never done"
    return _old(look, f"`yupana {step}`", datetime.fromisoformat(done["time"]))


def _report(look: Look, pattern: str) -> str:
    path = newest_report(look, pattern)
    if path is None:
        return f"reports/{pattern} is not there"
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return _old(look, f"reports/{path.relative_to(look.settings.reports)}", made)


def _old(look: Look, what: str, made: datetime) -> str:
    last = made + timedelta(days=look.days)
    return "" if look.now <= last else f"{what} is of {made:%Y-%m-%d}: it counted {look.days} days"


def _inside(root: Path, name: str) -> Path | None:
    """A file of the project; none for a name that leads out of it."""
    path = (root / name).resolve()
    return path if path.is_relative_to(root.resolve()) else None
