"""How gate decisions and the history of a use case are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yupana.config.settings import Settings
    from yupana.governance.decisions import Made
    from yupana.governance.gate import Decision


def conditions(decision: Decision) -> None:
    """A table of conditions, then what to do about those that are not met."""
    from rich.console import Console
    from rich.table import Table

    shown = Table("", "condition", "needed for", "evidence", title=decision.why_en)
    for one in decision.conditions:
        shown.add_row("✓" if one.met else "✗", one.code, one.needed_for, _first(one.evidence))
    console = Console()
    console.print(shown)
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


def as_values(settings: Settings, made: Made) -> dict[str, Any]:
    """A decision for programs; `account` is None once the person is forgotten."""
    from yupana.governance import people

    return {
        "seq": made.seq,
        "time": made.time.isoformat(timespec="seconds"),
        "kind": made.kind,
        "subject": made.subject,
        "actor": made.actor,
        "account": people.account(settings.platform_db, made.actor),
        "signed": made.signed,
        "facts": {k: v for k, v in made.facts.items() if k != "signature"},
    }


def line(settings: Settings, made: Made) -> str:
    """A decision in one line."""
    told = as_values(settings, made)
    who = told["account"] or told["actor"]
    return f"{made.seq}  {told['time']}  {made.kind} {made.subject} by {who}: {_said(made)}"


def table(settings: Settings, made: Sequence[Made]) -> None:
    """Decisions, a row each."""
    from rich.console import Console
    from rich.table import Table

    shown = Table("event", "time", "decision", "subject", "by", "what", "signed")
    for one in made:
        told = as_values(settings, one)
        who = str(told["account"] or told["actor"])
        signed = "✓" if one.signed else "✗"
        shown.add_row(str(one.seq), told["time"], one.kind, one.subject, who, _said(one), signed)
    Console().print(shown)


def _said(made: Made) -> str:
    facts = made.facts
    if made.kind == "gate":
        if facts["action"] in ("register", "adopt") and "stage" not in facts:
            return f"{facts['action']}: brought in"
        word = "admitted" if facts["allowed"] else f"refused ({', '.join(facts['unmet'])})"
        holds = f", holds for {facts['meets']}" if facts["allowed"] else ""
        return f"{facts['action']}, stage {facts['stage']}: {word}{holds}"
    if made.kind in ("assess", "approve"):
        about = facts.get("reason") or f"open: {', '.join(facts.get('unmet', [])) or 'nothing'}"
        return f"{about} (until {facts['expires']})"
    return f"{facts['role']}: {facts['reason_es']}"
