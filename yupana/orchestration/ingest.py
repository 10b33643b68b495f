"""Ingest: land → stage → audit → publish, for any data set that has a contract."""

from __future__ import annotations

from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress, stage
from yupana.core.types import RawObject, StepResult
from yupana.data import contract as contracts
from yupana.data import delta, landing
from yupana.data.contract import Contract
from yupana.governance import steps


def ingest(settings: Settings, name: str, source: Path | None, progress: Progress) -> StepResult:
    """Publish one file of a data set; a file that is published already starts no JVM.

    Raises:
        UsageError: no such data set or file.
        TerminalError: the file is damaged or fails its audit; the last good version stays.
    """
    contract = contracts.load(settings.root, name)
    chosen = source or contract.source
    landed = steps.run(
        settings,
        "land",
        name,
        lambda: _land(settings, contract, chosen),
        depends_on=[str(chosen), _stamp(chosen)],
        still_there=lambda refs: (settings.home / "landing" / name / refs[0][4:]).exists(),
    )
    raw = RawObject.model_validate(landed.metrics["raw"])
    published = settings.table("published", name)
    return steps.run(
        settings,
        "ingest",
        name,
        lambda: _publish(settings, contract, raw, progress),
        inputs=(raw.ref,),
        depends_on=contract.sha256,
        still_there=lambda refs: (
            delta.exists(published) and refs[0].endswith(f"@{delta.version_of(published)}")
        ),
    )


def _stamp(path: Path) -> list[int]:
    """Size and time of change: whether the file must be hashed again."""
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.exists() else []


def _shown(path: Path, root: Path) -> str:
    """A source's name in records: a file of the project without this machine's folders."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _land(settings: Settings, contract: Contract, source: Path) -> steps.Outcome:
    raw = landing.land(settings, contract.name, source, shown=_shown(source, settings.root))
    facts = {
        "raw": raw.model_dump(),
        "publisher": contract.publisher,
        "licence": contract.licence,
        "contract_version": contract.version,
    }
    return steps.Outcome((raw.ref,), metrics=facts)


def _publish(
    settings: Settings, contract: Contract, raw: RawObject, progress: Progress
) -> steps.Outcome:
    from yupana.data import publish, spark, staging
    from yupana.validation.audit import audit, require

    seconds: dict[str, float] = {}
    table = {z: settings.table(z, contract.name) for z in ("staging", "quarantine", "published")}
    with stage(progress, "start Spark", seconds):
        session = spark.session(settings)
    with stage(progress, f"stage {Path(raw.source).name}", seconds):
        staged = staging.stage(session, contract, raw, table["staging"])
        rows = session.read.format("delta").load(staged.path).cache()
    with stage(progress, f"audit {staged.rows:,} rows by Great Expectations", seconds):
        validation = audit(contract, rows, settings.reports / "validation")
    with stage(progress, "quarantine", seconds):
        aside = publish.quarantine(session, contract, staged, raw, table["quarantine"])
    require(validation, contract, rows, raw.source)
    with stage(progress, "publish", seconds):
        out = publish.publish(session, contract, staged, raw, validation, table["published"])
    rows.unpersist()
    if staged.rows != out.rows + aside.rows:
        raise TerminalError(
            f"Row counts do not add up: read {staged.rows}, published {out.rows}, "
            f"quarantined {aside.rows}.",
            where=contract.name,
            fix="This is a fault of yupana: please report it with the event log.",
        )
    counts = {"read": staged.rows, "published": out.rows, "quarantined": aside.rows}
    facts = {
        "rows": counts,
        "version": out.version,
        "source_sha256": raw.sha256,
        "validation": validation.report,
        "stages": seconds,
        "contract_version": contract.version,
    }
    return steps.Outcome((out.ref, aside.ref, validation.ref), inputs=(staged.ref,), metrics=facts)
