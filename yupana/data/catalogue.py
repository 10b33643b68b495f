"""What there is: every contract with the newest version of its table, for listing and reading."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data import contract as contracts
from yupana.data import delta, history
from yupana.data.contract import Contract
from yupana.data.rules import Rule
from yupana.governance import events
from yupana.governance.events import Event


def listing(settings: Settings) -> list[dict[str, Any]]:
    """One entry a data set, by subject area and name.

    A contract that cannot be read is an entry whose `status` says why, so that one broken file
    does not hide the others.
    """
    last = _last_ingests(settings)
    entries = []
    for name in contracts.names(settings.root):
        try:
            entries.append(_entry(settings, contracts.load(settings.root, name), last.get(name)))
        except TerminalError as error:
            entries.append({"name": name, "subject_area": "", "status": error.what})
    return sorted(entries, key=lambda e: (e["subject_area"], e["name"]))


def details(settings: Settings, name: str) -> dict[str, Any]:
    """Everything of one contract, and of its newest version when there is one.

    Raises:
        UsageError: there is no such data set.
    """
    contract = contracts.load(settings.root, name)
    entry = _entry(settings, contract, _last_ingests(settings).get(name))
    entry["contract"] = asdict(contract)
    # A code list may hold thousands of codes; it is a data set of its own.
    entry["contract"]["rules"] = [{"rule": r.name, "says": says(r)} for r in contract.rules]
    entry["newest"] = _newest(settings, name)
    return entry


def says(rule: Rule, shown: int = 8) -> str:
    """What a rule asks, in words."""
    if rule.kind in ("range", "length"):
        (low, high), (above, below) = rule.bounds, rule.strict
        parts = [f"{'more than' if above else 'at least'} {low}"] * (low is not None)
        parts += [f"{'less than' if below else 'at most'} {high}"] * (high is not None)
        return " and ".join(parts) + (" characters long" if rule.kind == "length" else "")
    if rule.kind == "codes":
        some = ", ".join(map(str, rule.values[:shown]))
        more = len(rule.values) - shown
        return f"one of {some}{f' and {more:,} more' if more > 0 else ''}"
    period = "year" if rule.values[:1] == ("integer",) else "day"
    return {
        "parsed": "every value can be read as its column's type",
        "required": "not empty",
        "pattern": f"matches {rule.values[0] if rule.values else ''}",
        "unique": f"no two rows have the same {rule.subject}",
        "not_after_release": f"not after the {period} of the release",
    }[rule.kind]


def _entry(settings: Settings, contract: Contract, last: Event | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": contract.name,
        "title": contract.title,
        "subject_area": contract.subject_area,
        "publisher": contract.publisher,
        "licence": contract.licence,
        "version": None,
        "rows": None,
        "known_on": None,
        "status": last["status"] if last else "never ingested",
        "last_ingest": last["time"] if last else None,
    }
    table = settings.table("published", contract.name)
    if found := history.published_versions(table):
        rows = delta.ref(settings.lake, "published", contract.name).rows
        entry.update(version=found[-1].version, rows=rows, known_on=str(found[-1].known_on))
    return entry


def _last_ingests(settings: Settings) -> dict[str, Event]:
    """The newest ingest of every data set, done or failed."""
    steps = ("land", "ingest")
    return {e["subject"]: e for e in events.read(settings.events) if e["step"] in steps}


def _newest(settings: Settings, name: str) -> dict[str, Any] | None:
    from deltalake import DeltaTable

    table = settings.table("published", name)
    if not history.published_versions(table):
        return None
    publication = history.at_version(table)
    loaded = DeltaTable(table, version=publication.tidy_version)
    sizes = loaded.get_add_actions(flatten=True)
    return {
        **asdict(publication),
        "path": str(table),
        "schema": {field.name: str(field.type.to_json()) for field in loaded.schema().fields},
        "partitions": loaded.metadata().partition_columns,
        "files": len(loaded.file_uris()),
        "bytes": sum(sizes.column("size_bytes").to_pylist()),
        "report": validation_page(settings, name, publication.validation),
    }


def validation_page(settings: Settings, name: str, validation: str) -> str | None:
    """Path of an audit's page, None when it is not kept."""
    page = settings.reports / "validation" / f"{name}-{validation}.html"
    return str(page) if page.exists() else None
