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
from yupana.data import corrections, delta, history, refused, releases
from yupana.data.contract import Contract
from yupana.data.contract_check import Publication
from yupana.data.mended_rows import Place
from yupana.governance import steps
from yupana.governance.ledger import access
from yupana.orchestration import correction_places, files
from yupana.orchestration.disk import outside_trouble
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
            places, base = correction_places.of(settings, contract, raw, parsed)
            if base is None:
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
    later = _later(history.published_versions(table), base)
    hit = publish.replaced(session, settings, judged, contract.replaces, staged, later)
    corrections.refuse_other(
        raw, {n: places[n] for n in hit}, "is replaced by a later file: its key or period is there"
    )
    with stage(progress, f"audit {staged.rows:,} rows by Great Expectations", seconds):
        validation = audit(judged, rows, settings.reports / "validation")
    bad = publish.refused(session, judged, staged).count()
    known_on = max(today or datetime.now(UTC).date(), newest.known_on)
    counts = {"read": staged.rows, "published": staged.rows - bad, "quarantined": bad}
    facts: dict[str, Any] = {
        **release_facts(contract, raw, known_on, counts),
        "validation": validation.id,
        "mends": base.source_sha256,
        "stands_on": str(base.stands_on),
        # As a reference, which the clean-up keeps readable.
        "quarantine": delta.ref(settings.lake, "quarantine", contract.name).ref,
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


def _later(known: list[history.Publication], base: history.Publication) -> list[str]:
    """Files that came after a release, corrections of it left out."""
    after = (p for p in history.line(known) if p.version > base.version)
    return [s for p in after if p.mends != base.source_sha256 for s in p.sources]


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
