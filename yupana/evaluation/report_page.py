"""The backtest for people: one HTML page that opens offline, and its pictures as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.data.codes import place
from yupana.evaluation import figures
from yupana.evaluation import report_numbers as numbers
from yupana.evaluation import report_summary as summary
from yupana.evaluation.calibration import deciles

if TYPE_CHECKING:
    import pandas as pd

MOST_FANS, MOST_RATIOS = 6, 30


def write(rows_path: Path, report: dict[str, Any], out_dir: Path, *, seed: int = 0) -> Path:
    """Write `backtest.html` and its pictures.

    Args:
        rows_path: parquet, a row a model, series, place, origin and horizon, with `observed`
            (cases a week) and the 23 quantile columns.
        report: `scores`, `final`, `baselines`, `seconds` of the same backtest.
        out_dir: folder that receives the page and the PNG files.
        seed: of the randomised PIT; the backtest's own gives the report's shares.

    Raises:
        TerminalError: rows and report do not belong together, or nothing can be scored.
    """
    from yupana.core import page

    rows = numbers.load(rows_path, report)
    final = report["final"]
    told = rows[rows["model"].isin([final, *report["baselines"]])]
    ours = set(told.loc[told["model"] == final, "series"])
    series = [s for s in summary.SERIES if s in ours]
    absent = {s["series"] for s in report["scores"]} - ours
    main = series[0]
    part = told[told["series"] == main]
    told = told[told["series"].isin(series)]
    fans = _fans(told, final)
    models = [m for m in (final, *report["baselines"]) if (part["model"] == m).any()]
    pits = {m: numbers.pit(part[part["model"] == m], seed) for m in models}
    ratios = _ratios(part, report) if main == "district" else {}
    tables = {
        (key, name): numbers.mean_wis(told[told["series"] == name], key, models)
        for key in ("horizon", "year")
        for name in series
    }
    calibration = [
        figures.pit(f"pit-{m}", m, deciles(pit), numbers.BAND) for m, pit in pits.items()
    ]
    lines = {m: numbers.coverages(pit) for m, pit in pits.items()}
    reliability = figures.reliability("reliability", _of("Cobertura", main), lines)
    scored = _scored(tables, ratios, report)
    out_dir.mkdir(parents=True, exist_ok=True)
    for picture in (*fans, *calibration, reliability, *scored):
        (out_dir / f"{picture.name}.png").write_bytes(picture.png)
    good, why = summary.calibrated(pits[final])
    return page.write(
        out_dir / "backtest.html",
        "evaluation/report_page.html",
        r=report,
        facts=_facts(part, final),
        named=summary.named,
        series=summary.SERIES,
        untold=[words for s, words in summary.SERIES.items() if s in absent],
        against={s: summary.against(report, s) for s in series},
        calibrated=good,
        why=why,
        losses=summary.losses(report, tables, ratios),
        scores={s: numbers.scores(report, s) for s in series},
        fans=fans,
        calibration=calibration,
        reliability=reliability,
        scored=scored,
    )


def _facts(part: pd.DataFrame, final: str) -> dict[str, Any]:
    mine = part[part["model"] == final]
    origins = mine["origin"]
    return {
        "origins": int(origins.nunique()),
        "first": origins.min().date(),
        "last": origins.max().date(),
        "horizons": sorted(int(h) for h in mine["horizon"].unique()),
        "places": int(mine["ubigeo"].nunique()),
    }


def _fans(told: pd.DataFrame, final: str) -> list[figures.Picture]:
    """The department first, then the districts with most cases."""
    mine = told[told["model"] == final]
    counts = numbers.shown(told, final)
    whole = mine[mine["series"] == "department"]["ubigeo"].unique()
    districts, _ = numbers.largest(told, final, MOST_FANS)
    return [
        figures.fan(
            f"fan-{ubigeo}",
            place(ubigeo),
            mine[mine["ubigeo"] == ubigeo],
            counts[ubigeo],
            wide=ubigeo in whole,
        )
        for ubigeo in (*whole, *districts)
    ]


def _ratios(part: pd.DataFrame, report: dict[str, Any]) -> dict[str, float]:
    """The final model's score over that of the best baseline, by name, most cases first.

    Districts with too few cases to be shown stand together with those past the largest.
    """
    final, other = report["final"], numbers.best_baseline(report, "district")
    chosen, rest = numbers.largest(part, final, MOST_RATIOS)
    groups = {numbers.label(u, chosen): [u] for u in chosen}
    if rest:
        groups[f"otros {len(rest)} / others"] = rest
    found = {}
    for name, ubigeos in groups.items():
        wis = part[part["ubigeo"].isin(ubigeos)].groupby("model")["wis"].mean()
        if wis[other] > 0 and wis[final] > 0:
            found[name] = float(wis[final] / wis[other])
    return found


def _scored(
    tables: dict[tuple[str, str], pd.DataFrame], ratios: dict[str, float], report: dict[str, Any]
) -> list[figures.Picture]:
    """Scores by horizon and by year of every series, and by district."""
    drawn = []
    words = {
        "horizon": ("WIS por semana", "semanas adelante / weeks ahead"),
        "year": ("WIS por año", "año del origen / year of the origin"),
    }
    for (key, name), table in tables.items():
        title, across = words[key]
        unit = "WIS, casos / cases"
        drawn.append(figures.by(f"wis-{key}-{name}", _of(title, name), table, unit, across))
    if ratios:
        other = numbers.best_baseline(report, "district")
        title = "WIS por distrito / by district"
        drawn.append(figures.ratios("wis-ratio-district", title, ratios, other))
    return drawn


def _of(what: str, series: str) -> str:
    es, en = summary.SERIES[series]
    return f"{what}: {es} / {en}"
