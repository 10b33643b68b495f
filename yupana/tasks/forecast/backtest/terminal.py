"""What a backtest says at a terminal when it is done, from the facts that its event keeps."""

from __future__ import annotations

from typing import Any

from yupana.tasks.forecast.backtest.by_department import FEWEST
from yupana.tasks.forecast.backtest.report import BacktestReport


def facts(report: BacktestReport) -> dict[str, Any]:
    """What is kept of a report, as JSON."""
    names = ("scores", "final", "baselines", "members", "seconds", "pit")
    content = {name: getattr(report, name) for name in names}
    if report.alerts:
        content["alerts"] = report.alerts.facts(report.final)
    if report.by_department:
        content["by_department"] = [d.facts(report.final) for d in report.by_department]
    return content


def show(facts: dict[str, Any]) -> None:
    """Print them."""
    _scores(facts)
    for series, alerts in facts.get("alerts", {}).items():
        skills = " ".join("–" if s is None else f"{100 * s:.0f}" for s in alerts["skill"])
        print(
            f"alerts, {series}: Brier skill by horizon {skills} %, "
            f"calibration error {100 * alerts['expected_error']:.1f} points"
        )
    if "by_department" in facts:
        _departments(facts["by_department"])


def _scores(facts: dict[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table("series", "model", "WIS", "log", "MAE", "50 %", "90 %", "95 %", box=SIMPLE)
    for s in sorted(facts["scores"], key=lambda s: (s["series"], s["wis"])):
        inside = (f"{100 * s['coverage'][c]:.1f}" for c in ("50", "90", "95"))
        role = " *" if s["model"] == facts["final"] else " (member)"
        name = s["model"] + role * (s["model"] not in facts["baselines"])
        numbers = (f"{s['wis']:,.3f}", f"{s['wis_log']:.3f}", f"{s['mae']:,.3f}")
        table.add_row(s["series"], name, *numbers, *inside)
    _print(table)


def _departments(departments: list[dict[str, Any]]) -> None:
    """A line a department; a * stands where the numbers are too few."""
    from rich.box import SIMPLE
    from rich.table import Column, Table

    beside = list(departments[0]["ratios"])
    heads = [f"{scale}\n÷ {b}" for scale in ("WIS", "log") for b in beside]
    table = Table(Column("department", no_wrap=True), box=SIMPLE, padding=(0, 0, 0, 1))
    for head in ("districts", "counts", *heads, "90 %", "sums\n÷ best"):
        table.add_column(head, no_wrap=True)
    for d in departments:
        ratios = (d["ratios"][b] for b in beside), (d["log_ratios"][b] for b in beside)
        table.add_row(
            d["department"] + " *" * (not d["enough"]), f"{d['districts']:,}", f"{d['counts']:,}",
            *(ratio(r) for part in ratios for r in part),
            f"{100 * d['inside_90']:.1f}", ratio(d["sums_ratio"]),
        )  # fmt: skip
    _print(table)
    if any(not d["enough"] for d in departments):
        print(f"* fewer than {FEWEST} counts above zero: too few to say anything")


def ratio(value: float | None) -> str:
    """A ratio of scores, and a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def _print(table: Any) -> None:
    from rich.console import Console

    # A log is 80 characters wide to rich, which would cut names rather than pass them on.
    Console(width=max(Console().width, 96)).print(table)
