"""The benchmark's ratios, beside their targets, and its tables on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

Runs = dict[int, dict[str, dict[str, Any]]]

# A ratio must be at most this.
TARGETS = {
    "total / plain": 1 / 3,
    "validation / plain": 1 / 8,
    "cost per row, biggest / smallest": 1.0,
}


# Below this many rows, seconds are those of starting; DuckDB starts nothing.
STREAMS, DUCKDB = 10_000_000, 1.5


def validation_seconds(run: dict[str, Any]) -> float:
    """Seconds of the stages that decide: Great Expectations' in yupana and the plain way."""
    stages: dict[str, float] = run["told"]["stages"]
    values = [v for k, v in stages.items() if k.startswith(("audit", "validate"))]
    if not values:
        raise SystemExit(f"No stage of {list(stages)} is the audit.")
    return sum(values)


def ratios(runs: Runs) -> list[dict[str, Any]]:
    """Each ratio with its size and its target (None: only told)."""
    found: list[dict[str, Any]] = []

    def add(name: str, rows: int, value: float) -> None:
        target = TARGETS.get(name)
        found.append({"ratio": name, "rows": rows, "value": round(value, 3), "at_most": target})

    for rows, sides in sorted(runs.items()):
        ours = sides["yupana"]
        if "yupana on spark" in sides:
            other = sides["yupana on spark"]["seconds"]
            add("total / yupana on spark", rows, ours["seconds"] / other)
        if "plain" in sides:
            plain = sides["plain"]
            add("total / plain", rows, ours["seconds"] / plain["seconds"])
            add("validation / plain", rows, validation_seconds(ours) / validation_seconds(plain))
        if "duckdb" in sides:
            add("total / duckdb", rows, ours["seconds"] / sides["duckdb"]["seconds"])
            if rows >= STREAMS:
                found[-1]["at_most"] = DUCKDB
    small, big = min(runs), max(runs)
    if small < big:
        cost = [runs[rows]["yupana"]["seconds"] / rows for rows in (big, small)]
        add("cost per row, biggest / smallest", big, cost[0] / cost[1])
    return found


def show(result: dict[str, Any]) -> None:
    console = Console()
    heads = ("rows", "side", "s", "rows/s", "audit s", "peak GiB", "load", "stages, s")
    table = Table(*heads, show_lines=True)
    for rows, sides in sorted(result["runs"].items()):
        for side, run in sides.items():
            stages = "\n".join(f"{v:.1f} {k.split()[0]}" for k, v in run["told"]["stages"].items())
            numbers = [
                f"{run['seconds']:.1f}",
                f"{rows / run['seconds']:,.0f}",
                f"{validation_seconds(run):.1f}",
                f"{run['peak_bytes'] / 2**30:.2f}",
                f"{run['load_before']}",
            ]
            table.add_row(f"{rows:,}", side, *numbers, stages)
    console.print(table)
    table = Table("ratio", "rows", "value", "target", "")
    for r in result["ratios"]:
        target = r["at_most"]
        verdict = "" if target is None else "met" if r["value"] <= target else "missed"
        text = "" if target is None else f"≤ {target:.3f}"
        table.add_row(r["ratio"], f"{r['rows']:,}", f"{r['value']:.3f}", text, verdict)
    console.print(table)
