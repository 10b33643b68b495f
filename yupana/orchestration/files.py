"""The files of an ingestion: which ones a location means, and each of them landed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.core.types import RawObject
from yupana.data import history, landing, sources
from yupana.data.contract import Contract
from yupana.data.sources import Fetched, members
from yupana.data.sources import many as sought
from yupana.governance import steps
from yupana.orchestration.many import Memory

LOOK_BACK = timedelta(days=35)
"""How long before the newest file an address is asked for days that have none."""


def releases(
    settings: Settings,
    contract: Contract,
    location: str,
    as_of: date | None,
    since: date | None,
    today: date | None,
) -> list[sought.Release]:
    """The files that a location means now, by day where it tells one.

    Args:
        as_of: of a location with a day, this one alone.
        since: the first day that counts.

    Raises:
        UsageError: no file is there, or `since` does not fit.
    """
    if since and (as_of or not sought.is_dated(location)):
        raise UsageError(
            "--since is for a source with {date}, and --as-of takes the file of one day.",
            where=location,
            fix="Give one of them, or a source such as inbox/cases_{date}.csv.",
        )
    if as_of and sought.is_dated(location):
        location = sought.filled(location, as_of)
    last = today or datetime.now(UTC).date()
    span = sought.Span(since, last)
    if not since and sought.is_dated(location) and not sought.is_local(location):
        known = history.publications(settings.table("published", contract.name))
        days = frozenset(p.known_on for p in known if p.is_release)
        if days:
            # A day that was not there yet, or was refused, is asked for again.
            span = sought.Span(max(min(days), max(days) - LOOK_BACK), last, days)
    return sought.releases(settings.root, location, span)


def landed(
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
    wanted = members.names(contract.member, raw)
    if not wanted:
        return ()
    memory = Memory(settings, contract.name)
    held = [memory.landed.get(_member_key(raw, name), "") for name in wanted]
    kept = [landing.find(settings, contract.name, sha256) for sha256 in held]
    if all(kept):
        return tuple(k for k in kept if k)
    return tuple(
        land(settings, contract, fetched, memory, raw)
        for fetched in members.each(settings, raw, wanted)
    )


def _member_key(raw: RawObject, name: str) -> str:
    return steps.key_of((raw.ref,), [members.shown(raw, name), raw.sha256])


def land(
    settings: Settings,
    contract: Contract,
    fetched: Fetched,
    memory: Memory | None = None,
    zipped: RawObject | None = None,
) -> RawObject:
    """The landed file; one that `memory` has under the same stamp is not read again."""
    inputs = (zipped.ref,) if zipped else ()
    stamp = zipped.sha256 if zipped else fetched.unchanged_sha256 or _stamp(fetched.path)
    depends_on = [fetched.shown, stamp]
    held = memory.landed.get(steps.key_of(inputs, depends_on)) if memory else None
    if held and (raw := landing.find(settings, contract.name, held)):
        return raw.model_copy(update={"source": fetched.shown})

    def work() -> steps.Outcome:
        raw = landing.land(settings, contract.name, fetched, format=contract.format)
        facts = {
            "raw": raw.model_dump(),
            "publisher": contract.publisher,
            "licence": contract.licence,
            "contract_version": contract.version,
        }
        return steps.Outcome((raw.ref,), metrics=facts)

    found = steps.run(
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
    return RawObject.model_validate(found.metrics["raw"])


def _stamp(path: Path) -> list[int]:
    """Size and time of change: whether the file must be hashed again."""
    return [path.stat().st_size, path.stat().st_mtime_ns]
