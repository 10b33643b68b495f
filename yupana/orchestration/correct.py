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
from yupana.core import reason as reasons
from yupana.core.errors import TerminalError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress, Silent, stage
from yupana.core.types import RawObject, StepResult
from yupana.data.contracts import contract as contracts
from yupana.data.contracts.checks.document import Publication
from yupana.data.contracts.contract import Contract
from yupana.data.lake import delta, history
from yupana.data.publication import corrections, quarantine, releases, withdrawn
from yupana.data.publication.mended_rows import Place
from yupana.identity import activity
from yupana.lineage import steps
from yupana.orchestration import correction_places, files, publication
from yupana.orchestration.correction_places import Correction
from yupana.orchestration.disk import outside_trouble


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
    for one in quarantine.refusals(settings, contract, rule):
        if one.state == "current":
            places[one.source_sha256].add(one.line)
    if not places:
        raise TerminalError(
            "No row of a file that is published now is in quarantine.",
            where=f"quarantine/{name}",
            fix="Rows of a file that was refused whole are mended in the file; ingest it then.",
        )
    lines = {sha256: sorted(numbers) for sha256, numbers in places.items()}
    count = sum(map(len, lines.values()))
    activity.note_access(
        settings, "quarantine", f"quarantine/{name}", rows=count, rule=rule, export=True,
        columns=[c.name for c in contract.used if c.treatment != "none"],
    )  # fmt: skip
    with one_at_a_time(settings.lock(name), f"an ingest of {name}", Silent()):
        return corrections.export(settings, contract, lines, to)


def correct(
    settings: Settings,
    name: str,
    file: Path,
    progress: Progress,
    *,
    today: date | None = None,
    accept: str | None = None,
) -> StepResult:
    """Publish the rows of a correction that keep all rules, and take them out of quarantine.

    A row that still breaks a rule stays there with its new reason. The same correction again
    changes nothing.

    Args:
        file: as `corrections.export` wrote it, with the rows mended.
        today: the date that counts as today (UTC), on which the correction is known.
        accept: why a correction that was retracted is right after all.

    Raises:
        UsageError: no such data set or file, or the reason is blank.
        TerminalError: a row mends none in quarantine, its file is not published now, the
            contract has changed since, or the correction was retracted; nothing was changed.
    """
    contract = contracts.load(settings.root, name)
    reasons.in_words(accept)
    if not file.is_file():
        raise UsageError(
            "The file of the correction is not there." if not file.exists() else
            "The correction is not a regular file.",
            where=str(file),
            fix=f"Give by --fix the file that `yupana quarantine {name} --export FILE` wrote.",
        )  # fmt: skip
    alone = one_at_a_time(settings.lock(name), f"an ingest of {name}", progress)
    with alone, outside_trouble(settings):
        releases.settle(settings, name)
        text = corrections.as_text(contract)
        (raw,) = files.land_all(settings, text, str(file), progress, None)
        if not accept:
            committed = history.publications(settings.table("published", name))
            withdrawn.correction_must_not_be_retracted(name, committed, raw)
        work = settings.home / "work" / f"{name}-correction"
        try:
            parsed = corrections.read(settings, contract, raw, work)
            correction = correction_places.of(settings, contract, raw, parsed)
            if correction is None:
                return _no_change(settings, name, raw)
            parsed = corrections.subset(parsed, list(correction.places))
            _pairs(correction.places, work / "places.parquet")
            return steps.run(
                settings,
                "ingest",
                name,
                lambda: _publish(
                    settings, contract, raw, parsed, correction, progress, today, accept
                ),
                inputs=(raw.ref,),
                depends_on=[contract.sha256, "correction"],
                still_there=lambda refs: delta.ref(settings.lake, "quarantine", name).ref in refs,
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _no_change(settings: Settings, name: str, raw: RawObject) -> StepResult:
    """The publication of a correction whose rows are in the table."""
    standing = history.published_versions(settings.table("published", name))
    mine = next((p for p in reversed(standing) if p.source_sha256 == raw.sha256), standing[-1])
    return StepResult(
        step="ingest",
        subject=name,
        status="unchanged",
        inputs=(raw.ref,),
        outputs=(f"delta:published/{name}@{mine.version}",),
        metrics={"rows": mine.rows, "version": mine.version},
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
    correction: Correction,
    progress: Progress,
    today: date | None,
    accept: str | None,
) -> steps.Outcome:
    from yupana.data import engine
    from yupana.data.publication import publish
    from yupana.validation.audit import audit, warm_up

    warm_up()
    if accept:
        releases.note(settings, "accept", contract.name, raw.ref, accept)
    publication.note_access(settings, contract, raw)
    terms = _terms(contract, correction.base)
    table = settings.table("published", contract.name)
    newest = history.at_version(table)
    seconds: dict[str, float] = {}
    session, staged, rows = publication.staged_rows(
        settings, terms, raw, parsed, progress, seconds
    )
    later = _later(history.published_versions(table), correction.base)
    hit = publish.replacements(session, settings, terms, contract.replaces, staged, later)
    corrections.refuse_other(
        raw, {n: correction.places[n] for n in hit},
        "is replaced by a later file: its key or period is there",
    )  # fmt: skip
    with stage(progress, f"audit {staged.rows:,} rows by Great Expectations", seconds):
        validation = audit(terms, rows, settings.reports / "validation")
    bad = publish.refusals(session, terms, staged).count()
    counts = {"read": staged.rows, "published": staged.rows - bad, "quarantined": bad}
    known_on = max(today or datetime.now(UTC).date(), newest.known_on)
    facts = {
        **publication.release_facts(contract, raw, known_on, counts),
        "validation": validation.id,
        **_origin(settings, contract, raw, correction, newest),
        **({"accepted": accept} if accept else {}),
    }
    outputs: list[str] = []
    if counts["published"]:
        publish.require_types(session, settings, terms, staged)
        with stage(progress, "publish", seconds):
            metadata = delta.commit_metadata(**facts)
            out = publish.publish(session, settings, terms, staged, raw, metadata)
        outputs.append(out.ref)
        facts["version"] = out.version
    with stage(progress, "quarantine", seconds):
        pairs = parsed.parent / "places.parquet"
        aside = publish.mend_quarantine(session, settings, terms, staged, pairs)
    before = f"delta:published/{contract.name}@{newest.version}"
    return steps.Outcome(
        (*outputs, aside.ref, validation.ref),
        inputs=(staged.ref, before),
        metrics={
            **facts, "report": validation.report, "stages": seconds,
            "engine": engine.name(settings), **publication.terms_of_use(contract),
        },
        files=(page := Path(validation.report), page.with_suffix(".json")),
    )  # fmt: skip


def _terms(contract: Contract, base: history.Publication) -> Contract:
    """The contract by which the rows are judged: as on the day of the release they are of."""
    # Rows are added to the table, and its key holds over all of it; a row alone is no sample
    # that a share or a count of rows could be asked of.
    adds_up: Publication = "merge" if contract.publication == "merge" else "append"
    text = corrections.as_text(contract).at(base.known_on)
    return replace(text, publication=adds_up, limit=1.0, row_count=(1, None))


def _origin(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    correction: Correction,
    newest: history.Publication,
) -> dict[str, Any]:
    """What the commit says of the rows that it mends."""
    return {
        "mends": correction.base.source_sha256,
        "stands_on": str(correction.base.stands_on),
        # As a reference, which the clean-up keeps readable.
        "quarantine": delta.ref(settings.lake, "quarantine", contract.name).ref,
        "sources": _sources(contract, newest, raw),
        "corrects": _by_file(correction.places),
    }


def _later(publications: list[history.Publication], base: history.Publication) -> list[str]:
    """Files that came after a release; its corrections and its own rows again left out."""
    after = (p for p in history.line(publications) if p.version > base.version)
    return [s for p in after if p.release != base.release for s in p.sources]


def _sources(contract: Contract, newest: history.Publication, raw: RawObject) -> list[str]:
    """The files whose rows a snapshot holds once it is corrected; else the correction's own."""
    earlier = newest.sources if contract.publication == "snapshot" else ()
    return [*(sha256 for sha256 in earlier if sha256 != raw.sha256), raw.sha256]


def _by_file(places: dict[int, Place]) -> dict[str, list[list[int]]]:
    """Pairs of lines, of the file and of the correction, by the file's hash."""
    pairs: dict[str, list[list[int]]] = defaultdict(list)
    for line, place in places.items():
        pairs[place.source_sha256].append([place.line, line])
    return dict(pairs)
