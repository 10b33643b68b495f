"""What was known when: the publications of a table, read from its Delta log without a JVM.

A publication is a commit that names the file it came from. Commits that only tidy up (OPTIMIZE,
VACUUM) hold the same rows and belong to the publication before them; one that puts the rows of a
publication back (`yupana.data.publication.releases`) belongs to that one. A retracted publication
stays in the log, and answers only where its version is named.

When something was known and what is current are two questions. A correction of a release is known
from its own day on, and stands in the place of that release: a later release replaces both. A
version that keeps the rows of those before it is current while it is the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from yupana.core.errors import TerminalError, UsageError
from yupana.data.lake import delta


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
        stands_on: the date that decides which publication is current: the last one is.
        keeps: whether it holds rows of the versions before it.
        quarantine: of a correction, the quarantine's version before it.
        corrects: of a correction, pairs of lines (of the file, of the correction) by the hash of
            the file that it mends.
        rows: `read`, `published` and `quarantined`; empty where the commit does not say.
        validation: id of the audit; empty for objects kept whole.
        sources: hashes of the single files, where one release is made of several.
        mends: the `source_sha256` of the release whose rows this correction mends; empty: none.
        restores: the version whose rows a person published again.
        retracted: why it was taken back; empty where it stands.
        commits: all versions with these rows, `version` first and `tidy_version` last.
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
    restores: int | None = None
    retracted: str = ""
    commits: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    mends: str = ""
    stands_on: date = date.min
    keeps: bool = False
    corrects: dict[str, list[list[int]]] = field(default_factory=dict)
    quarantine: int | None = None

    @property
    def release(self) -> str:
        """Hash of the release whose rows it holds: its own, or that which it mends."""
        return self.mends or self.source_sha256

    @property
    def is_release(self) -> bool:
        """Whether a file of the publisher brought it, not a person's correction or restoration."""
        return not self.mends and self.restores is None

    @property
    def quarantine_growth(self) -> int:
        """By how many rows it made the quarantine longer; a correction takes rows out of it."""
        mended = self.rows.get("read", 0) if self.mends else 0
        return self.rows.get("quarantined", 0) - mended


def published_versions(table: Path) -> list[Publication]:
    """The publications that stand, in the order of their days; the last is current."""
    return in_order(publications(table))


def in_order(committed: list[Publication]) -> list[Publication]:
    """As `published_versions`, of the publications that `publications` read."""
    standing: list[Publication] = []
    newest = date.min
    for p in committed:
        if p.retracted:
            continue
        newest = max(newest, p.stands_on)
        standing.append(replace(p, stands_on=newest) if p.keeps else p)
    return sorted(standing, key=lambda p: (p.stands_on, p.version))


def publications(table: Path) -> list[Publication]:
    """All publications, retracted ones among them, in the order in which they were committed."""
    by_version: dict[int, Publication] = {}
    current: int | None = None
    for commit in delta.commits(table):
        facts, version = commit.facts, commit.version
        if "source_sha256" in facts:
            by_version[version], current = _publication(commit), version
            continue
        if facts.get("retracts") in by_version:
            retracted = replace(by_version[facts["retracts"]], retracted=str(facts["reason"]))
            by_version[retracted.version] = retracted
        current = facts.get("stands", current)
        if current in by_version:
            before = by_version[current]
            commits = (*before.commits, version)
            by_version[current] = replace(before, tidy_version=version, commits=commits)
    return list(by_version.values())


def _publication(commit: delta.Commit) -> Publication:
    facts = commit.facts
    known_on, before = facts.get("known_on"), str(facts.get("quarantine", ""))
    day = date.fromisoformat(known_on) if known_on else commit.time.date()
    return Publication(
        version=commit.version,
        tidy_version=commit.version,
        time=commit.time,
        known_on=day,
        stands_on=date.fromisoformat(facts["stands_on"]) if "stands_on" in facts else day,
        keeps=bool(facts.get("keeps")),
        corrects=dict(facts.get("corrects") or {}),
        quarantine=int(before.rpartition("@")[2]) if before else None,
        source=str(facts.get("source", "")),
        source_sha256=str(facts["source_sha256"]),
        contract_version=str(facts.get("contract_version", "")),
        contract_sha256=str(facts.get("contract_sha256", "")),
        validation=str(facts.get("validation", "")),
        run=str(facts.get("run", "")),
        rows=dict(facts.get("rows") or {}),
        sources=tuple(facts.get("sources") or [str(facts["source_sha256"])]),
        mends=str(facts.get("mends", "")),
        restores=facts.get("restores"),
        commits=(commit.version,),
    )


def standing(
    table: Path,
    *,
    source_sha256: str,
    contract_sha256: str,
    known_on: date | None = None,
    adds_up: bool = False,
    replaced: bool = False,
    publications: list[Publication] | None = None,
) -> Publication | None:
    """The publication of this file under this contract, where it is what is published now.

    A release whose rows were corrected stands with its corrections.

    Args:
        known_on: where it is what was known on that day, and was made known then.
        adds_up: the table keeps the rows of earlier files, so that their publications stand.
        replaced: a later file may have taken the place of their rows: they stand while all of
            them are there.
        publications: the table's publications, where they were read before.
    """
    read = published_versions(table) if publications is None else publications
    candidates = [p for p in read if known_on is None or p.known_on <= known_on]
    identity = (source_sha256, contract_sha256)
    for p in reversed(line(candidates) if adds_up else candidates[-1:]):
        mine = p.source_sha256 if adds_up else p.release
        if (mine, p.contract_sha256) == identity and known_on in (None, p.known_on):
            return p if not replaced or _whole(table, p) else None
    return None


def _whole(table: Path, p: Publication) -> bool:
    """Whether no later file took the place of some of its rows."""
    return delta.count(table, *p.sources) == p.rows.get("published")


def line(publications: list[Publication]) -> list[Publication]:
    """The publications that the last one's rows come from: a restored one skips those between."""
    rows_of: list[Publication] = []
    upto = publications[-1].version if publications else -1
    for p in reversed(publications):
        if p.version <= upto:
            rows_of.insert(0, p)
            upto = p.version - 1 if p.restores is None else p.restores
    return rows_of


def known_as_of(table: Path, day: date) -> Publication:
    """The publication that was known on a day: the newest of those known by then.

    Raises:
        TerminalError: nothing was ever published.
        UsageError: nothing was known yet; names the first day.
    """
    all_of_them = _some(table)
    candidates = [p for p in all_of_them if p.known_on <= day]
    if not candidates:
        first = min(all_of_them, key=lambda p: p.known_on)
        raise UsageError(
            f"Nothing was known on {day}.",
            where=f"published/{table.name}",
            fix=f"The first version is known since {first.known_on}; ask for that day or later.",
        )
    return candidates[-1]


def version_as_of(table: Path, day: date) -> int:
    """Version of the publication that was known on a day; raises as `known_as_of`."""
    return known_as_of(table, day).version


def at_version(table: Path, version: int | None = None) -> Publication:
    """The publication that a version belongs to, retracted or not; None takes the current one.

    Raises:
        TerminalError: nothing was ever published, or nothing of it stands.
        UsageError: no publication has this version; names those there are.
    """
    if version is None:
        return _some(table)[-1]
    all_of_them = publications(table) or _some(table)
    for p in all_of_them:
        if version in p.commits:
            return p
    there = ", ".join(str(p.version) for p in all_of_them[-8:])
    raise UsageError(
        f"'{table.name}' has no published version {version}.",
        where=f"published/{table.name}",
        fix=f"Published versions: {there}. `yupana history {table.name}` tells what each holds.",
    )


def _some(table: Path) -> list[Publication]:
    versions = published_versions(table)
    if not versions and (every := publications(table)):
        last = every[-1]
        raise TerminalError(
            f"Nothing of '{table.name}' stands: version {last.version} was retracted "
            f"({last.retracted}).",
            where=f"published/{table.name}",
            fix=f"Ingest the right file, or `yupana restore {table.name}@{last.version}`.",
        )
    if not versions:
        raise TerminalError(
            f"Nothing of '{table.name}' is published yet.",
            where=f"published/{table.name}",
            fix=f"Run `yupana ingest {table.name}` first.",
        )
    return versions
