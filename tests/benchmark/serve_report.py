"""The serving benchmark's numbers beside their targets, and its tables on the terminal."""

from __future__ import annotations

import statistics
from typing import Any

from rich.console import Console
from rich.table import Table

# Name: at least or at most, and the bound.
TARGETS = {
    "requests/s, yupana / fastapi, ready": (">=", 0.60),
    "requests/s, yupana / litserve": (">=", 1.00),
    "p99 at half load, yupana / fastapi, ready": ("<=", 3.0),
    "national batch, first call, s": ("<=", 2.0),
    "start to ready, s": ("<=", 10.0),
    "memory after / before the soak": ("<=", 1.05),
}


def ratios(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Each number with its target; without one it is only told."""
    most = {name: max(of.values()) for name, of in result["requests_per_second"].items()}
    half = {name: of["p99_ms"] for name, of in result["open_loop"].items()}
    values = {f"requests/s, yupana / {n}": most["yupana"] / v for n, v in most.items()}
    values |= {f"p99 at half load, yupana / {n}": half["yupana"] / v for n, v in half.items()}
    values = {name: v for name, v in values.items() if not name.endswith("/ yupana")}
    values["national batch, first call, s"] = result["country"]["first_s"]
    values["national batch, later calls, s"] = result["country"]["later_s"]
    values["start to ready, s"] = statistics.median(result["ready_s"])
    after, before = result["soak"]["after_bytes"], result["soak"]["before_bytes"]
    values["memory after / before the soak"] = after / before
    return [
        {"what": name, "value": round(v, 3), "target": TARGETS.get(name)}
        for name, v in values.items()
    ]


def verdict(ratio: dict[str, Any]) -> str:
    """met, missed, or nothing where there is no target."""
    if not ratio["target"]:
        return ""
    sign, bound = ratio["target"]
    met = ratio["value"] >= bound if sign == ">=" else ratio["value"] <= bound
    return "met" if met else "missed"


def show(result: dict[str, Any]) -> None:
    """The tables on the terminal."""
    lines = list(result["requests_per_second"]["yupana"])
    table = Table("server", *(f"requests/s, {n} lines" for n in lines), "p50 ms", "p99 ms")
    for name, most in result["requests_per_second"].items():
        half = result["open_loop"][name]
        row = [f"{most[n]:,.0f}" for n in lines]
        table.add_row(name, *row, f"{half['p50_ms']:.2f}", f"{half['p99_ms']:.2f}")
    rate = result["open_loop"]["yupana"]["rate"]
    table.caption = f"latencies at {rate:,.0f} requests/s for all: half of yupana's most"
    Console().print(table)
    table = Table("what", "value", "target", "")
    for r in result["ratios"]:
        aim = "{} {:g}".format(*r["target"]) if r["target"] else ""
        table.add_row(r["what"], f"{r['value']:.3f}", aim, verdict(r))
    Console().print(table)
