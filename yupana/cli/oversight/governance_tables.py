"""How gate decisions and the history of a use case are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yupana.console import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yupana.config.settings import Settings
    from yupana.gate.decisions import Record
    from yupana.gate.gate import Decision


def conditions(decision: Decision) -> None:
    """A table of conditions, then what to do about those that are not met."""
    from rich.console import Console

    rows = [
        ("✓" if one.met else "✗", one.code, one.needed_for, _first(one.evidence))
        for one in decision.conditions
    ]
    tables.show("", "condition", "needed for", "evidence", rows=rows, title=decision.why_en)
    console = Console()
    for one in decision.conditions:
        if not one.met:
            console.print(f"✗ [bold]{one.code}[/bold]: {one.en}", highlight=False)
            console.print(f"    fix: {one.fix}", highlight=False)
    console.print(
        f"stage {decision.stage}: {'allowed' if decision.allowed else 'REFUSED'}; "
        f"conditions hold for: {decision.meets}"
    )


def _first(text: str, most: int = 70) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def as_values(settings: Settings, record: Record) -> dict[str, Any]:
    """A decision for programs; `account` is None once the person is forgotten."""
    from yupana.ledger import pseudonyms

    return {
        "seq": record.seq,
        "time": record.time.isoformat(timespec="seconds"),
        "kind": record.kind,
        "subject": record.subject,
        "actor": record.actor,
        "account": pseudonyms.account(settings.platform_db, record.actor),
        "signed": record.signed,
        "facts": {k: v for k, v in record.facts.items() if k != "signature"},
    }


def line(settings: Settings, record: Record) -> str:
    """A decision in one line."""
    values = as_values(settings, record)
    who, what = values["account"] or values["actor"], _summary(record)
    return f"{record.seq}  {values['time']}  {record.kind} {record.subject} by {who}: {what}"


def table(settings: Settings, records: Sequence[Record]) -> None:
    """Decisions, a row each."""
    rows = []
    for one in records:
        values = as_values(settings, one)
        who = str(values["account"] or values["actor"])
        event = str(one.seq), values["time"], one.kind, one.subject, who
        rows.append((*event, _summary(one), "✓" if one.signed else "✗"))
    tables.show("event", "time", "decision", "subject", "by", "what", "signed", rows=rows)


def _summary(record: Record) -> str:
    facts = record.facts
    if record.kind == "gate":
        if facts["action"] in ("register", "adopt") and "stage" not in facts:
            return f"{facts['action']}: brought in"
        word = "admitted" if facts["allowed"] else f"refused ({', '.join(facts['unmet'])})"
        holds = f", holds for {facts['meets']}" if facts["allowed"] else ""
        return f"{facts['action']}, stage {facts['stage']}: {word}{holds}"
    if record.kind in ("assess", "approve"):
        about = facts.get("reason") or f"open: {', '.join(facts.get('unmet', [])) or 'nothing'}"
        return f"{about} (until {facts['expires']})"
    return f"{facts['role']}: {facts['reason_es']}"
