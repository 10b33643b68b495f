"""What was known when: the publications of a table, read from its Delta log without a JVM.

A publication is a commit that names the file it came from. Commits that only tidy up (OPTIMIZE,
VACUUM) hold the same rows and belong to the publication before them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from yupana.core.errors import TerminalError, UsageError
from yupana.data import delta


@dataclass(frozen=True)
class Publication:
    """One published version and where it came from.

    Attributes:
        version: the commit that published it; events and traces name this one.
        tidy_version: the newest commit with the same rows; read this one, because the files
            of `version` may have been cleaned away after an OPTIMIZE.
        time: when it was committed (UTC).
        known_on: the date on which these rows became what was known; the day of the commit
            where the commit does not say.
        rows: `read`, `published` and `quarantined`; empty where the commit does not say.
        validation: id of the audit; empty for objects kept whole.
        sources: hashes of the single files, where one release is made of several.
        mends: the `source_sha256` of the release whose rows this correction mends; empty: none.
    """

    version: int
    tidy_version: int
    time: datetime
    known_on: date
    source: str
    source_sha256: str
    contract_version: str
    contract_sha256: str
    validation: str
    run: str
    rows: dict[str, int]
    sources: tuple[str, ...] = ()
    mends: str = ""

    @property
    def set_aside(self) -> int:
        """By how many rows it made the quarantine longer; a correction takes rows out of it."""
        mended = self.rows.get("read", 0) if self.mends else 0
        return self.rows.get("quarantined", 0) - mended


def published_versions(table: Path) -> list[Publication]:
    """All publications of a table, oldest first; empty when there is no table."""
    from deltalake import DeltaTable

    if not delta.exists(table):
        return []
    found: list[Publication] = []
    # `without_files`: the log's entries are asked for, not which files are live.
    for commit in reversed(DeltaTable(table, without_files=True).history()):
        facts = json.loads(commit.get("userMetadata") or "{}")
        if "source_sha256" in facts:
            found.append(_publication(commit, facts))
        elif found:
            found[-1] = replace(found[-1], tidy_version=int(commit["version"]))
    return found


def _publication(commit: dict[str, Any], facts: dict[str, Any]) -> Publication:
    time = datetime.fromtimestamp(commit["timestamp"] / 1000, UTC)
    known_on = facts.get("known_on")
    return Publication(
        version=int(commit["version"]),
        tidy_version=int(commit["version"]),
        time=time,
        known_on=date.fromisoformat(known_on) if known_on else time.date(),
        source=str(facts.get("source", "")),
        source_sha256=str(facts["source_sha256"]),
        contract_version=str(facts.get("contract_version", "")),
        contract_sha256=str(facts.get("contract_sha256", "")),
        validation=str(facts.get("validation", "")),
        run=str(facts.get("run", "")),
        rows=dict(facts.get("rows") or {}),
        sources=tuple(facts.get("sources") or [str(facts["source_sha256"])]),
        mends=str(facts.get("mends", "")),
    )


def standing(
    table: Path,
    *,
    source_sha256: str,
    contract_sha256: str,
    known_on: date | None = None,
    adds_up: bool = False,
    known: list[Publication] | None = None,
) -> Publication | None:
    """The publication of this file under this contract, where it is what is published now.

    A release whose rows were corrected stands with its corrections.

    Args:
        known_on: where it is what was known on that day, and was made known then.
        adds_up: the table keeps the rows of every file, so that any publication stands.
        known: the table's publications, where they were read before.
    """
    read = published_versions(table) if known is None else known
    everything = [p for p in read if not p.mends]
    candidates = [p for p in everything if known_on is None or p.known_on <= known_on]
    candidates.sort(key=lambda p: (p.known_on, p.version))
    wanted = (source_sha256, contract_sha256)
    for p in reversed(candidates if adds_up else candidates[-1:]):
        if (p.source_sha256, p.contract_sha256) == wanted and known_on in (None, p.known_on):
            return p
    return None


def known_as_of(table: Path, day: date) -> Publication:
    """The publication that was known on a day: the newest of those known by then.

    Raises:
        TerminalError: nothing was ever published.
        UsageError: nothing was known yet; names the first day.
    """
    all_of_them = _some(table)
    known = [p for p in all_of_them if p.known_on <= day]
    if not known:
        first = min(all_of_them, key=lambda p: p.known_on)
        raise UsageError(
            f"Nothing was known on {day}.",
            where=f"published/{table.name}",
            fix=f"The first version is known since {first.known_on}; ask for that day or later.",
        )
    return max(known, key=lambda p: (p.known_on, p.version))


def version_as_of(table: Path, day: date) -> int:
    """Version of the publication that was known on a day; raises as `known_as_of`."""
    return known_as_of(table, day).version


def at_version(table: Path, version: int | None = None) -> Publication:
    """The publication that a version belongs to; None takes the newest.

    Raises:
        TerminalError: nothing was ever published.
        UsageError: no publication has this version; names those there are.
    """
    all_of_them = _some(table)
    if version is None:
        return all_of_them[-1]
    for p in all_of_them:
        if p.version <= version <= p.tidy_version:
            return p
    there = ", ".join(str(p.version) for p in all_of_them[-8:])
    raise UsageError(
        f"'{table.name}' has no published version {version}.",
        where=f"published/{table.name}",
        fix=f"Published versions: {there}. `yupana history {table.name}` tells what each holds.",
    )


def _some(table: Path) -> list[Publication]:
    found = published_versions(table)
    if not found:
        raise TerminalError(
            f"Nothing of '{table.name}' is published yet.",
            where=f"published/{table.name}",
            fix=f"Run `yupana ingest {table.name}` first.",
        )
    return found
