"""Which refused rows a correction mends, and whether each may come back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.types import RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.lake import history
from yupana.data.publication import corrections, mended_rows, quarantine
from yupana.data.publication.mended_rows import Place
from yupana.orchestration.file_memory import Memory


@dataclass(frozen=True)
class Correction:
    """What a correction mends.

    Attributes:
        places: the rows, by its lines.
        base: the newest release that has one of them.
    """

    places: dict[int, Place]
    base: history.Publication


def of(
    settings: Settings, contract: Contract, raw: RawObject, parsed: Path
) -> Correction | None:
    """The rows that a correction mends; None where all are published already.

    Raises:
        TerminalError: there is no row, or one is not in quarantine, is of a file that is not
            published now, or is published; or the contract has changed since.
    """
    table = settings.table("published", contract.name)
    committed = history.publications(table)
    publications = history.in_order(committed)
    aside = mended_rows.places(settings.table("quarantine", contract.name))
    states = quarantine.states(contract, publications)
    places = corrections.targets(parsed, raw, {p.source_sha256 for p in aside} | set(states))
    in_table = {place.line for place in mended_rows.places(table, {raw.sha256})}
    waiting = {n: place for n, place in places.items() if place in aside}
    if not places:
        raise TerminalError(
            "The correction has no row.",
            where=raw.source,
            fix=f"Mend rows of `yupana quarantine {contract.name} --export FILE`, and keep those.",
        )
    if raw.ref not in Memory(settings, contract.name).ingested:
        stray = {n: place for n, place in places.items() if n not in waiting and n not in in_table}
        corrections.refuse_other(raw, stray, "is not in quarantine")
    if not waiting:
        if in_table.isdisjoint(places):
            corrections.refuse_other(raw, places, "is not in quarantine, nor published by it")
        return None
    for state, says in (
        ("refused", "is of a file that was refused whole: mend the file, and ingest it"),
        ("superseded", "is of a file that a later release replaced"),
    ):
        of = {n: states.get(place.source_sha256, "refused") for n, place in waiting.items()}
        other = {n: place for n, place in waiting.items() if of[n] == state}
        corrections.refuse_other(raw, other, says)
    _must_not_be_published(table, committed, raw, waiting)
    base = _base(contract, raw, committed, places)
    # Those that are published already go in again, so that a crash after the first commit is
    # made good; those that another correction has mended since do not.
    again = {n: place for n, place in places.items() if n in waiting or n in in_table}
    return Correction(again, base)


def _must_not_be_published(
    table: Path,
    committed: list[history.Publication],
    raw: RawObject,
    waiting: dict[int, Place],
) -> None:
    """Refuse rows that are in the table, by themselves or by another correction."""
    own = mended_rows.places(table, {place.source_sha256 for place in waiting.values()})
    twice = {n: place for n, place in waiting.items() if place in own}
    corrections.refuse_other(raw, twice, "is published as it is; ingest its file again")
    by = mended_rows.corrections(table, committed)
    other = {n: place for n, place in waiting.items()
             if place in by and by[place].source_sha256 != raw.sha256}  # fmt: skip
    corrections.refuse_other(raw, other, "was mended by another correction: give that one again")


def _base(
    contract: Contract,
    raw: RawObject,
    publications: list[history.Publication],
    places: dict[int, Place],
) -> history.Publication:
    """The release that a correction mends, by whose day its rows are judged."""
    files = {place.source_sha256 for place in places.values()}
    releases = [p for p in publications if p.is_release]
    newest = {sha256: p for p in releases for sha256 in p.sources if sha256 in files}
    days = {p.known_on for p in newest.values()}
    dated = any(rule.kind == "not_after_release" for rule in contract.rules)
    if (len(newest) > 1 and contract.replaces) or (len(days) > 1 and dated):
        raise TerminalError(
            "The correction mends rows of several files, and the order of files counts here.",
            where=raw.source,
            fix="Give a correction for each value of source_sha256.",
        )
    base = max(newest.values(), key=lambda p: p.version)
    if base.contract_sha256 != contract.sha256:
        raise TerminalError(
            "The contract has changed since the file was published.",
            where=f"{raw.source}, for {base.source}",
            fix=f"Run `yupana ingest {contract.name}` first: its rows are judged anew.",
        )
    return base
