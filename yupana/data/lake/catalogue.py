"""What there is: every contract with the newest version of its table, for listing and reading."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.contracts import contract as contracts
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import Rule
from yupana.data.lake import delta, history
from yupana.data.lake.history import Publication
from yupana.lineage import events
from yupana.lineage.events import Event

_MOST_CODES = 8
"""That are listed of a rule."""


@dataclass(frozen=True)
class Entry:
    """A data set with the newest version of its table.

    Attributes:
        version, rows, known_on: None until it is published; `known_on` is a day (ISO).
        status: of its last ingest.
        last_ingest: when that was (UTC, ISO).
    """

    name: str
    title: str
    subject_area: str
    publisher: str
    licence: str
    version: int | None
    rows: int | None
    known_on: str | None
    status: str
    last_ingest: str | None


@dataclass(frozen=True)
class UnreadableEntry:
    """A contract that cannot be read; `status` says why."""

    name: str
    subject_area: str
    status: str


@dataclass(frozen=True)
class Newest:
    """The newest publication, and its table as it lies on disk.

    Attributes:
        schema: type of each column, as Delta writes it.
        bytes: size of its files.
        report: path of the audit's page, where it is kept.
    """

    publication: Publication
    path: str
    schema: dict[str, str]
    partitions: list[str]
    files: int
    bytes: int
    report: str | None


@dataclass(frozen=True)
class Details:
    """Everything of one data set; `newest` is None until it is published."""

    entry: Entry
    contract: Contract
    newest: Newest | None

    def to_json(self) -> dict[str, Any]:
        """As the command prints it."""
        contract = asdict(self.contract)
        # A code list may hold thousands of codes; it is a data set of its own.
        contract["rules"] = [{"rule": r.name, "says": says(r)} for r in self.contract.rules]
        newest = asdict(self.newest) if self.newest else None
        if newest:
            newest = {**newest.pop("publication"), **newest}
        return {**asdict(self.entry), "contract": contract, "newest": newest}


def listing(settings: Settings) -> list[Entry | UnreadableEntry]:
    """One entry a data set, by subject area and name: one broken file does not hide the others."""
    last = _last_ingests(settings)
    entries: list[Entry | UnreadableEntry] = []
    for name in contracts.names(settings.root):
        try:
            entries.append(_entry(settings, contracts.load(settings.root, name), last.get(name)))
        except TerminalError as error:
            entries.append(UnreadableEntry(name, "", error.what))
    return sorted(entries, key=lambda e: (e.subject_area, e.name))


def details(settings: Settings, name: str) -> Details:
    """Everything of one contract, and of its newest version when there is one.

    Raises:
        UsageError: there is no such data set.
    """
    contract = contracts.load(settings.root, name)
    entry = _entry(settings, contract, _last_ingests(settings).get(name))
    return Details(entry, contract, _newest(settings, name))


def says(rule: Rule) -> str:
    """What a rule asks, in words."""
    if rule.kind in ("range", "length"):
        (low, high), (above, below) = rule.bounds, rule.strict
        parts = [f"{'more than' if above else 'at least'} {low}"] * (low is not None)
        parts += [f"{'less than' if below else 'at most'} {high}"] * (high is not None)
        return " and ".join(parts) + (" characters long" if rule.kind == "length" else "")
    if rule.kind == "codes":
        some = ", ".join(map(str, rule.values[:_MOST_CODES]))
        more = len(rule.values) - _MOST_CODES
        return f"one of {some}{f' and {more:,} more' if more > 0 else ''}"
    period = "year" if rule.values[:1] == ("integer",) else "day"
    return {
        "parsed": "every value can be read as its column's type",
        "required": "not empty",
        "pattern": f"matches {rule.values[0] if rule.values else ''}",
        "names": f"the code of its {', '.join(rule.values)}" if rule.kind == "names" else "",
        "once": "not one of a period whose rows all came twice",
        "unique": f"no two rows have the same {rule.subject}",
        "not_after_release": f"not after the {period} of the release",
    }[rule.kind]


def _entry(settings: Settings, contract: Contract, last: Event | None) -> Entry:
    versions = history.published_versions(settings.table("published", contract.name))
    newest = versions[-1] if versions else None
    return Entry(
        name=contract.name,
        title=contract.title,
        subject_area=contract.subject_area,
        publisher=contract.publisher,
        licence=contract.licence,
        version=newest.version if newest else None,
        rows=delta.ref(settings.lake, "published", contract.name).rows if newest else None,
        known_on=str(newest.known_on) if newest else None,
        status=last["status"] if last else "never ingested",
        last_ingest=last["time"] if last else None,
    )


def _last_ingests(settings: Settings) -> dict[str, Event]:
    """The newest ingest of every data set, done or failed."""
    return {e["subject"]: e for _, e in events.newest(settings.events, "land", "ingest")}


def _newest(settings: Settings, name: str) -> Newest | None:
    from deltalake import DeltaTable

    table = settings.table("published", name)
    if not history.published_versions(table):
        return None
    publication = history.at_version(table)
    loaded = DeltaTable(table, version=publication.tidy_version)
    sizes = loaded.get_add_actions(flatten=True)
    return Newest(
        publication=publication,
        path=str(table),
        schema={field.name: str(field.type.to_json()) for field in loaded.schema().fields},
        partitions=loaded.metadata().partition_columns,
        files=len(loaded.file_uris()),
        bytes=sum(sizes.column("size_bytes").to_pylist()),
        report=validation_page(settings, name, publication.validation),
    )


def validation_page(settings: Settings, name: str, validation: str) -> str | None:
    """Path of an audit's page, None when it is not kept."""
    page = settings.reports / "validation" / f"{name}-{validation}.html"
    return str(page) if page.exists() else None
