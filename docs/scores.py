"""Write the tables of docs/forecast.md from reports of `yupana backtest`.

`python -m docs.scores NAME REPORT` keeps a report as docs/scores/NAME.json and writes all tables
again; without arguments it only writes them. A table stands between the comments
`<!-- scores NAME -->` and `<!-- end of scores -->` of the page.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "forecast.md"
KEPT = Path(__file__).parent / "scores"
FIELDS = (
    "final", "baselines", "members", "seconds", "department", "trained_on", "districts", "origins",
    "source", "scores", "by_horizon", "pit", "alerts",
)  # fmt: skip
_PLACE = re.compile(r"(<!-- scores ([\w-]+) -->\n).*?(<!-- end of scores -->)", re.S)


def keep(name: str, report: Path) -> None:
    """Keep of a report what the tables show."""
    whole = json.loads(report.read_text("utf-8"))
    KEPT.mkdir(exist_ok=True)
    text = json.dumps({field: whole[field] for field in FIELDS}, ensure_ascii=False, indent=1)
    (KEPT / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def table(report: dict[str, Any]) -> str:
    """Scores by series and model, the best first, in cases and relative to `ar`."""
    lines = [
        "| series | model | WIS | ÷ ar | WIS of log counts | ÷ ar | inside 90 % | worst decile "
        "| alert skill, near to far | alert error |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for series in ("district", "department"):
        rows = [row for row in report["scores"] if row["series"] == series]
        ar = next(row for row in rows if row["model"] == "ar")
        for row in sorted(rows, key=lambda r: float(r["wis"])):
            name = row["model"]
            role = "a baseline" if name in report["baselines"] else "a member"
            name = f"**{name}**" if name == report["final"] else f"{name}, {role}"
            numbers = (
                f"{row['wis']:.3f}", f"{row['wis'] / ar['wis']:.3f}", f"{row['wis_log']:.3f}",
                f"{row['wis_log'] / ar['wis_log']:.3f}", *_calibration(report, row),
                *_alerts(report, row),
            )  # fmt: skip
            lines.append(f"| {series} | {name} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def _calibration(report: dict[str, Any], row: dict[str, Any]) -> tuple[str, str]:
    """The central 90 % by the randomised PIT, and the decile that is farthest from 10 %."""
    same = (p for p in report["pit"] if (p["model"], p["series"]) == (row["model"], row["series"]))
    pit = next(same)
    worst = max(pit["deciles"], key=lambda share: abs(share - 0.1))
    return f"{100 * pit['coverage']['90']:.1f} %", f"{100 * worst:.1f} %"


def _alerts(report: dict[str, Any], row: dict[str, Any]) -> tuple[str, str]:
    """Brier skill at the first and the last horizon, and the expected calibration error; a report
    that was kept before alerts were judged has neither."""

    def of_row(field: str) -> list[dict[str, Any]]:
        every = (report.get("alerts") or {}).get(field, [])
        return [a for a in every if (a["model"], a["series"]) == (row["model"], row["series"])]

    skills = [s["skill"] for s in of_row("scores") if s["horizon"]]
    if not skills:
        return "–", "–"
    error = of_row("reliability")[0]["expected_error"]
    return f"{skills[0]:.2f} to {skills[-1]:.2f}", f"{100 * error:.1f}"


def write() -> None:
    """Put each kept report's table into its place of the page."""

    def fill(place: re.Match[str]) -> str:
        report = json.loads((KEPT / f"{place[2]}.json").read_text("utf-8"))
        heading = (
            f"{report['department']}: {report['districts']} districts with a case before the first "
            f"of {len(report['origins'])} origins, {report['origins'][0]} to "
            f"{report['origins'][-1]}; learned from {report['trained_on']}; "
            f"{report['seconds']:.0f} s."
        )
        return f"{place[1]}{heading}\n\n{table(report)}\n{place[3]}"

    PAGE.write_text(_PLACE.sub(fill, PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        keep(sys.argv[1], Path(sys.argv[2]))
    write()
