"""The files of an ingestion: which ones a location means, and each of them landed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.core.types import RawObject
from yupana.data import sources
from yupana.data.contracts import locations
from yupana.data.contracts.contract import Contract
from yupana.data.files import landing
from yupana.data.lake import history
from yupana.data.sources import SourceFile, members
from yupana.lineage import steps
from yupana.orchestration.file_memory import Memory

_MOST_LISTED = 10
LOOK_BACK = timedelta(days=35)
"""How long before the newest file an address is asked for days that have none."""


def releases(
    settings: Settings,
    contract: Contract,
    location: str,
    as_of: date | None,
    since: date | None,
    today: date | None,
) -> list[locations.Release]:
    """The files that a location means now, by day where it tells one.

    Args:
        as_of: of a location with a day, this one alone.
        since: the first day that counts.

    Raises:
        UsageError: no file is there, or `since` does not fit.
    """
    if since and (as_of or not locations.is_dated(location)):
        raise UsageError(
            "--since is for a source with {date}, and --as-of takes the file of one day.",
            where=location,
            fix="Give one of them, or a source such as inbox/cases_{date}.csv.",
        )
    if as_of and locations.is_dated(location):
        location = locations.fill(location, as_of)
    last = today or datetime.now(UTC).date()
    span = locations.Span(since, last)
    if not since and locations.is_dated(location) and not locations.is_local(location):
        publications = history.publications(settings.table("published", contract.name))
        days = frozenset(p.known_on for p in publications if p.is_release)
        if days:
            # A day that was not there yet, or was refused, is asked for again.
            span = locations.Span(max(min(days), max(days) - LOOK_BACK), last, days)
    return locations.releases(settings.root, location, span)


def tell_left_out(
    settings: Settings, location: str, today: date | None, progress: Progress
) -> None:
    """Say which files of a location with a day are no release of it, and why."""
    last = today or datetime.now(UTC).date()
    others = locations.left_out(settings.root, location, last)
    for path, why in others[:_MOST_LISTED]:
        progress.say(f"left out: {path}: {why}")
    if len(others) > _MOST_LISTED:
        progress.say(f"left out: {len(others) - _MOST_LISTED:,} more files")


def land_all(
    settings: Settings, contract: Contract, place: str, progress: Progress, memory: Memory | None
) -> tuple[RawObject, ...]:
    """Fetch and land a location's file, or the files inside the zip that it is.

    Args:
        memory: where the file is one of several; a file that it knows by its stamp is not read.

    Raises:
        UsageError, TerminalError, TransientError: as `sources.fetch` and `landing.land`.
    """
    fetched = sources.fetch(settings, contract.name, place, progress, contract=contract)
    raw = land(settings, contract, fetched, memory)
    return _members(settings, contract, raw) or (raw,)


def _members(settings: Settings, contract: Contract, raw: RawObject) -> tuple[RawObject, ...]:
    """The files inside a zip, where the contract means several of them."""
    names = members.names(contract.member, raw)
    if not names:
        return ()
    memory = Memory(settings, contract.name)
    hashes = [memory.landed.get(_member_key(raw, name), "") for name in names]
    raws = [landing.find(settings, contract.name, sha256) for sha256 in hashes]
    if all(raws):
        return tuple(k for k in raws if k)
    return tuple(
        land(settings, contract, fetched, memory, raw)
        for fetched in members.each(settings, raw, names)
    )


def _member_key(raw: RawObject, name: str) -> str:
    return steps.key_of((raw.ref,), [members.label(raw, name), raw.sha256])


def land(
    settings: Settings,
    contract: Contract,
    fetched: SourceFile,
    memory: Memory | None = None,
    zipped: RawObject | None = None,
) -> RawObject:
    """The landed file; one that `memory` has under the same stamp is not read again."""
    inputs = (zipped.ref,) if zipped else ()
    stamp = zipped.sha256 if zipped else fetched.unchanged_sha256 or _stamp(fetched.path)
    depends_on = [fetched.label, stamp]
    sha256 = memory.landed.get(steps.key_of(inputs, depends_on)) if memory else None
    if sha256 and (raw := landing.find(settings, contract.name, sha256)):
        return raw.model_copy(update={"source": fetched.label})

    def work() -> steps.Outcome:
        raw = landing.land(settings, contract.name, fetched, format=contract.format)
        facts = {
            "raw": raw.model_dump(),
            "publisher": contract.publisher,
            "licence": contract.licence,
            "contract_version": contract.version,
        }
        return steps.Outcome((raw.ref,), metrics=facts)

    result = steps.run(
        settings,
        "land",
        contract.name,
        work,
        inputs=inputs,
        depends_on=depends_on,
        still_there=lambda refs: (
            landing.find(settings, contract.name, refs[0].removeprefix("raw:")) is not None
        ),
        # The file of an earlier release may come again.
        earlier=True,
        anew=contract.stream,
    )
    return RawObject.model_validate(result.metrics["raw"])


def _stamp(path: Path) -> list[int]:
    """Size and time of change: whether the file must be hashed again."""
    return [path.stat().st_size, path.stat().st_mtime_ns]
