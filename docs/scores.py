"""Write the tables of docs/forecast.md from reports of `yupana backtest` and `make bench-skill`.

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

from yupana.tasks.forecast.backtest import by_department
from yupana.tasks.forecast.backtest.by_department import DepartmentScores
from yupana.tasks.forecast.backtest.terminal import ratio

PAGE = Path(__file__).parent / "forecast.md"
KEPT = Path(__file__).parent / "scores"
FIELDS = (
    "final", "baselines", "members", "seconds", "department", "trained_on", "districts", "origins",
    "source", "scores", "by_horizon", "pit",
)  # fmt: skip
OF_PEERS = ("peers", "seconds_by_peer", "groups", "paired")
"""What a report of `make bench-skill` has beside; its scores are of districts alone."""
OF_THE_COUNTRY = ("by_department",)
"""What the report of a whole country has beside."""

_PLACE = re.compile(r"(<!-- scores ([\w-]+) -->\n).*?(<!-- end of scores -->)", re.S)


def keep(name: str, report: Path) -> None:
    """Keep of a report what the tables show."""
    whole = json.loads(report.read_text("utf-8"))
    KEPT.mkdir(exist_ok=True)
    fields = [*FIELDS, *(field for field in (*OF_PEERS, *OF_THE_COUNTRY) if field in whole)]
    part = {field: whole[field] for field in fields}
    if "alerts" in whole:
        part["alerts"] = _kept(whole["alerts"])
    text = json.dumps(part, ensure_ascii=False, indent=1)
    (KEPT / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _kept(alerts: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Of each model and series its Brier skill by horizon and its expected calibration error."""
    if alerts is None:
        return []
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for of in alerts["scores"]:
        facts = kept.setdefault((of["model"], of["series"]), {"skill": []})
        facts["skill"] += [of["skill"]] if of["horizon"] else []
    # The first of each is of all horizons.
    for of in reversed(alerts["reliability"]):
        kept[of["model"], of["series"]]["expected_error"] = of["expected_error"]
    return [{"model": model, "series": series, **of} for (model, series), of in kept.items()]


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
            numbers = f"{_numbers(report, row, ar)} | {' | '.join(_alerts(report, row))}"
            lines.append(f"| {series} | {_name(report, name)} | {numbers} |")
    return "\n".join(lines)


def _name(report: dict[str, Any], model: str) -> str:
    """The model and its role."""
    if model == report["final"]:
        return f"**{model}**"
    if model in report.get("peers", ()):
        return model
    return f"{model}, {'a baseline' if model in report['baselines'] else 'a member'}"


def _numbers(report: dict[str, Any], row: dict[str, Any], ar: dict[str, Any]) -> str:
    numbers = (
        f"{row['wis']:.3f}", f"{row['wis'] / ar['wis']:.3f}", f"{row['wis_log']:.3f}",
        f"{row['wis_log'] / ar['wis_log']:.3f}", *_calibration(report, row),
    )  # fmt: skip
    return " | ".join(numbers)


def _calibration(report: dict[str, Any], row: dict[str, Any]) -> tuple[str, str]:
    """The central 90 % by the randomised PIT, and the decile that is farthest from 10 %."""
    same = (p for p in report["pit"] if (p["model"], p["series"]) == (row["model"], row["series"]))
    pit = next(same)
    worst = max(pit["deciles"], key=lambda share: abs(share - 0.1))
    return f"{100 * pit['coverage']['90']:.1f} %", f"{100 * worst:.1f} %"


def _alerts(report: dict[str, Any], row: dict[str, Any]) -> tuple[str, str]:
    """Brier skill at the first and the last horizon, and the expected calibration error; a report
    that was kept before alerts were judged has neither."""
    key = (row["model"], row["series"])
    of = next((a for a in report.get("alerts", []) if (a["model"], a["series"]) == key), None)
    if of is None:
        return "–", "–"
    return f"{of['skill'][0]:.2f} to {of['skill'][-1]:.2f}", f"{100 * of['expected_error']:.1f}"


def peers_table(report: dict[str, Any]) -> str:
    """Scores by model, the best first; by how much the final one is better (below 0), with 95 %
    intervals; and the seconds of each peer."""
    final, seconds = report["final"], report["seconds_by_peer"]
    lines = [
        "| model | WIS | ÷ ar | WIS of log counts | ÷ ar | inside 90 % | worst decile "
        f"| {final} less it, WIS | {final} less it, log | s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ar = next(row for row in report["scores"] if row["model"] == "ar")
    apart = {pair["model"]: pair for pair in report["paired"]}
    for row in sorted(report["scores"], key=lambda r: float(r["wis"])):
        name, pair = row["model"], apart.get(row["model"], {})
        ends = [_interval(pair.get(measure)) for measure in ("wis", "wis_log")]
        cost = f"{seconds[name]:.0f}" if name in seconds else ""
        lines.append(
            f"| {_name(report, name)} | {_numbers(report, row, ar)} | {' | '.join(ends)} | {cost} |"
        )
    return "\n".join(lines)


def groups_table(report: dict[str, Any]) -> str:
    """WIS relative to `ar`, a column a group."""
    groups = list(dict.fromkeys((row["by"], row["of"]) for row in report["groups"]))
    wis = {(row["by"], row["of"], row["model"]): row["wis"] for row in report["groups"]}
    counts = {(row["by"], row["of"]): row["n"] for row in report["groups"]}
    heads = [
        f"{of}{' weeks' if by == 'horizon' else ''} ({counts[by, of]:,})" for by, of in groups
    ]
    lines = [f"| WIS ÷ ar | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for row in sorted(report["scores"], key=lambda r: float(r["wis"])):
        model = row["model"]
        ratios = (f"{wis[*group, model] / wis[*group, 'ar']:.3f}" for group in groups)
        lines.append(f"| {_name(report, model)} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def departments_table(report: dict[str, Any]) -> str:
    """The final model and its ratios, the country's first and then a row a department."""
    final, others = report["final"], by_department.beside(report["baselines"])
    heads = [
        "department", "districts", "counts", "above zero", *(f"WIS of {m}" for m in (final, *others)),
        *(f"÷ {b}" for b in others), *(f"log ÷ {b}" for b in others), "inside 90 %",
        "sums ÷ best baseline",
    ]  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in report["by_department"]:
        one = DepartmentScores(**row)
        ratios = (one.ratios[b] for b in others), (one.log_ratios[b] for b in others)
        cells = [
            one.name + ", too few" * (not one.enough), f"{one.districts}", f"{one.counts:,}",
            "under 5" if one.above_zero is None else f"{one.above_zero:,}",
            *(f"{one.wis[m]:.3f}" for m in (final, *others)),
            *(ratio(r) for part in ratios for r in part), f"{100 * one.inside_90:.1f} %",
            f"{ratio(one.sums_ratio)} {one.best_baseline}".strip(),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(of: dict[str, float] | None) -> str:
    """A difference and its ends; empty for the final model itself."""
    return f"{of['difference']:+.3f} ({of['low']:+.3f} to {of['high']:+.3f})" if of else ""


def text(report: dict[str, Any]) -> str:
    """What a report is of, and its tables."""
    heading = (
        f"{report['department']}: {report['districts']} districts with a case before the first "
        f"of {len(report['origins'])} origins, {report['origins'][0]} to "
        f"{report['origins'][-1]}; learned from {report['trained_on']}; "
        f"{report['seconds']:.0f} s."
    )
    if "by_department" in report:
        return f"{heading}\n\n{departments_table(report)}"
    if "peers" not in report:
        return f"{heading}\n\n{table(report)}"
    return f"{heading}\n\n{peers_table(report)}\n\n{groups_table(report)}"


def write() -> None:
    """Put each kept report's tables into its place of the page; others stay as they are."""

    def fill(place: re.Match[str]) -> str:
        report_path = KEPT / f"{place[2]}.json"
        if not report_path.exists():
            return place[0]
        report = json.loads(report_path.read_text("utf-8"))
        return f"{place[1]}{text(report)}\n{place[3]}"

    PAGE.write_text(_PLACE.sub(fill, PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        keep(sys.argv[1], Path(sys.argv[2]))
    write()
