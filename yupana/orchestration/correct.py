"""Corrected rows come back from quarantine: land → stage → audit → publish, one commit.

The good rows are published first and the quarantine is written after: a crash between the two
leaves rows in both, and running it again completes it. No row is ever in neither.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress, Silent, stage
from yupana.core.types import RawObject, StepResult
from yupana.data import contract as contracts
from yupana.data import corrections, delta, history, quarantine_state, reading, refused, releases
from yupana.data.contract import Contract
from yupana.data.contract_check import Publication
from yupana.data.corrections import Place
from yupana.governance import steps
from yupana.governance.ledger import access
from yupana.orchestration import files
from yupana.orchestration.disk import outside_trouble
from yupana.orchestration.many import Memory
from yupana.orchestration.publication import release_facts


def export(settings: Settings, name: str, to: Path, rule: str | None = None) -> int:
    """Write the refused rows of the files that are published now, for a person to mend.

    Returns:
        How many rows were written.

    Raises:
        UsageError: no such data set or rule.
        TerminalError: no such row is in quarantine, or a file is no longer kept.
    """
    contract = contracts.load(settings.root, name)
    places: dict[str, set[int]] = defaultdict(set)
    for one in refused.refusals(settings, contract, rule):
        if one.state == "current":
            places[one.source_sha256].add(one.line)
    if not places:
        raise TerminalError(
            "No row of a file that is published now is in quarantine.",
            where=f"quarantine/{name}",
            fix="Rows of a file that was refused whole are mended in the file; ingest it then.",
        )
    lines = {sha256: sorted(found) for sha256, found in places.items()}
    count = sum(map(len, lines.values()))
    access.note(
        settings, "quarantine", f"quarantine/{name}", rows=count, rule=rule, export=True,
        columns=[c.name for c in contract.used if c.treatment != "none"],
    )  # fmt: skip
    with one_at_a_time(settings.home / "locks" / f"{name}.lock", f"an ingest of {name}", Silent()):
        return corrections.export(settings, contract, lines, to)


def correct(
    settings: Settings, name: str, file: Path, progress: Progress, *, today: date | None = None
) -> StepResult:
    """Publish the rows of a correction that keep all rules, and take them out of quarantine.

    A row that still breaks a rule stays there with its new reason. The same correction again
    changes nothing.

    Args:
        file: as `corrections.export` wrote it, with the rows mended.
        today: the date that counts as today (UTC), on which the correction is known.

    Raises:
        UsageError: no such data set or file.
        TerminalError: a row mends none in quarantine, its file is not published now, or the
            contract has changed since; nothing was changed.
    """
    contract = contracts.load(settings.root, name)
    lock = settings.home / "locks" / f"{name}.lock"
    with one_at_a_time(lock, f"an ingest of {name}", progress), outside_trouble(settings):
        releases.settle(settings, name)
        text = corrections.as_text(contract)
        (raw,) = files.landed(settings, text, str(file), progress, None)
        work = settings.home / "work" / f"{name}-correction"
        try:
            parsed = corrections.read(settings, contract, raw, work)
            places, base = _places(settings, contract, raw, parsed)
            if not places:
                return _unchanged(settings, name, raw)
            parsed = corrections.chosen(parsed, list(places))
            _pairs(places, work / "places.parquet")
            return steps.run(
                settings,
                "ingest",
                name,
                lambda: _publish(settings, contract, raw, parsed, places, base, progress, today),
                inputs=(raw.ref,),
                depends_on=[contract.sha256, "correction"],
                still_there=lambda outputs: _newest(settings, name) <= set(outputs),
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _places(
    settings: Settings, contract: Contract, raw: RawObject, parsed: Path
) -> tuple[dict[int, Place], history.Publication]:
    """The rows that a correction mends, by its lines, and the newest release that has one.

    No row where all are published already.
    """
    table = settings.table("published", contract.name)
    known = history.published_versions(table)
    aside = _rows(settings.table("quarantine", contract.name))
    states = quarantine_state.states(contract, known)
    named = corrections.named(parsed, raw, {p.source_sha256 for p in aside} | set(states))
    done = {place.line for place in _rows(table, raw.sha256)}
    waiting = {n: place for n, place in named.items() if place in aside}
    if raw.ref not in Memory(settings, contract.name).ingested:
        stray = {n: place for n, place in named.items() if n not in waiting and n not in done}
        corrections.refuse_other(raw, stray, "is not in quarantine")
    for state, says in (
        ("refused", "is of a file that was refused whole: mend the file, and ingest it"),
        ("superseded", "is of a file that a later release replaced"),
    ):
        of = {n: states.get(place.source_sha256, "refused") for n, place in waiting.items()}
        other = {n: place for n, place in waiting.items() if of[n] == state}
        corrections.refuse_other(raw, other, says)
    mended = {place.source_sha256 for place in named.values()}
    releases = [p for p in known if mended & set(p.sources)]
    if waiting and any(p.contract_sha256 != contract.sha256 for p in releases[-1:]):
        raise TerminalError(
            "The contract has changed since the file was published.",
            where=f"{raw.source}, for {releases[-1].source}",
            fix=f"Run `yupana ingest {contract.name}` first: its rows are judged anew.",
        )
    # Those that are published already go in again, so that a crash after the first commit is
    # made good; those that another correction has mended since do not.
    again = {n: place for n, place in named.items() if n in waiting or n in done}
    return again if waiting else {}, releases[-1]


def _rows(table: Path, sha256: str | None = None) -> set[Place]:
    """Where the rows of a table come from; of one file alone where its hash is given."""
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    if not delta.exists(table):
        return set()
    only = None if sha256 is None else pc.field("source_sha256") == sha256
    columns = ["source_sha256", "source_line"]
    rows = reading.dataset(DeltaTable(table)).to_table(columns=columns, filter=only)
    return {Place(*pair) for pair in zip(*(c.to_pylist() for c in rows.columns), strict=True)}


def _newest(settings: Settings, name: str) -> set[str]:
    table = delta.ref(settings.lake, "quarantine", name)
    return {table.ref}


def _unchanged(settings: Settings, name: str, raw: RawObject) -> StepResult:
    newest = history.at_version(settings.table("published", name))
    return StepResult(
        step="ingest",
        subject=name,
        status="unchanged",
        inputs=(raw.ref,),
        outputs=(f"delta:published/{name}@{newest.version}",),
        metrics={"rows": newest.rows, "version": newest.version},
    )


def _pairs(places: dict[int, Place], to: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "_line": pa.array(list(places), pa.int64()),
        "_of": pa.array([p.source_sha256 for p in places.values()], pa.string()),
        "_at": pa.array([p.line for p in places.values()], pa.int64()),
    }
    pq.write_table(pa.table(columns), to)


def _publish(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    parsed: Path,
    places: dict[int, Place],
    base: history.Publication,
    progress: Progress,
    today: date | None,
) -> steps.Outcome:
    from yupana.data import engine, publish, staging
    from yupana.validation.audit import audit, warm_up

    warm_up()
    if personal := [c.name for c in contract.columns if c.treatment != "none"]:
        access.note(settings, "file", raw.ref, data_set=contract.name, columns=personal)
    # Rows are added to the table, and its key holds over all of it; a row alone is no sample
    # that a share or a count of rows could be asked of.
    adds_up: Publication = "merge" if contract.publication == "merge" else "append"
    text = corrections.as_text(contract).at(base.known_on)
    judged = replace(text, publication=adds_up, limit=1.0, row_count=(1, None))
    table = settings.table("published", contract.name)
    newest = history.at_version(table)
    seconds: dict[str, float] = {}
    with stage(progress, f"start {engine.select(settings)}", seconds):
        session = engine.session(settings, progress, parsed.stat().st_size)
    with stage(progress, f"stage {Path(raw.source).name}", seconds):
        staged = staging.stage(session, settings, judged, raw, parsed)
        rows = session.read.format("delta").load(staged.path)
    with stage(progress, f"audit {staged.rows:,} rows by Great Expectations", seconds):
        validation = audit(judged, rows, settings.reports / "validation")
    bad = publish.refused(session, judged, staged).count()
    known_on = max(today or datetime.now(UTC).date(), newest.known_on)
    counts = {"read": staged.rows, "published": staged.rows - bad, "quarantined": bad}
    facts: dict[str, Any] = {
        **release_facts(contract, raw, known_on, counts),
        "validation": validation.id,
        "mends": base.mends or base.source_sha256,
        "sources": _sources(contract, newest, raw),
        "corrects": _by_file(places),
    }
    outputs: list[str] = []
    if counts["published"]:
        with stage(progress, "publish", seconds):
            metadata = delta.commit_metadata(**facts)
            out = publish.publish(session, settings, judged, staged, raw, metadata)
        outputs.append(out.ref)
        facts["version"] = out.version
    with stage(progress, "quarantine", seconds):
        pairs = parsed.parent / "places.parquet"
        aside = publish.mend_quarantine(session, settings, judged, staged, pairs)
    told = {
        **facts, "report": validation.report, "stages": seconds, "engine": engine.name(settings),
        "publisher": contract.publisher, "licence": contract.licence,
        "publication": contract.publication,
    }  # fmt: skip
    before = f"delta:published/{contract.name}@{newest.version}"
    return steps.Outcome(
        (*outputs, aside.ref, validation.ref), inputs=(staged.ref, before), metrics=told
    )


def _sources(contract: Contract, newest: history.Publication, raw: RawObject) -> list[str]:
    """The files whose rows a snapshot holds once it is corrected; else the correction's own."""
    kept = newest.sources if contract.publication == "snapshot" else ()
    return [*(sha256 for sha256 in kept if sha256 != raw.sha256), raw.sha256]


def _by_file(places: dict[int, Place]) -> dict[str, list[list[int]]]:
    """Pairs of lines, of the file and of the correction, by the file's hash."""
    found: dict[str, list[list[int]]] = defaultdict(list)
    for line, place in places.items():
        found[place.source_sha256].append([place.line, line])
    return dict(found)
