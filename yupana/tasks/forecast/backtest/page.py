"""The backtest for people: one HTML page that opens offline, and its pictures as PNG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.data.national import areas
from yupana.data.national.places import place
from yupana.tasks.forecast.backtest import alerts_section, by_department, page_numbers, summary
from yupana.tasks.forecast.pages import figures
from yupana.tasks.forecast.pages.words import WORDS
from yupana.tasks.forecast.scoring.calibration import BAND, deciles

if TYPE_CHECKING:
    import pandas as pd

    from yupana.tasks.forecast.backtest.report import BacktestReport

MOST_FANS, MOST_RATIOS = 6, 30


def write(
    rows_path: Path, report: BacktestReport, out_dir: Path, *, key: str, seed: int = 0
) -> Path:
    """Write `backtest.html` and its pictures.

    Args:
        rows_path: parquet, a row a model, series, place, origin and horizon, with `observed`
            (cases) and the 23 quantile columns.
        report: of the same backtest.
        key: column of the rows that names the place, the use case's.
        out_dir: folder that receives the page and the PNG files.
        seed: of the randomised PIT; the backtest's own gives the report's shares.

    Raises:
        TerminalError: rows and report do not belong together, or nothing can be scored.
    """
    from yupana.core import page

    rows = page_numbers.load(rows_path, report, key)
    final = report.final
    compared = rows[rows["model"].isin([final, *report.baselines])]
    ours = set(compared.loc[compared["model"] == final, "series"])
    series = [s for s in summary.SERIES if s in ours]
    absent = {s["series"] for s in report.scores} - ours
    main = series[0]
    part = compared[compared["series"] == main]
    compared = compared[compared["series"].isin(series)]
    fans = _fans(compared, final, _name(report))
    models = [m for m in (final, *report.baselines) if (part["model"] == m).any()]
    pits = {m: page_numbers.pit(part[part["model"] == m], seed) for m in models}
    ratios = _ratios(part, report) if main == "district" else {}
    tables = {
        (key, name): page_numbers.mean_wis(compared[compared["series"] == name], key, models)
        for key in ("horizon", "year")
        for name in series
    }
    calibration = [
        figures.pit(f"pit-{m}", m, deciles(pit), BAND) for m, pit in pits.items()
    ]
    lines = {m: page_numbers.coverages(pit) for m, pit in pits.items()}
    reliability = figures.reliability("reliability", _of("Cobertura", main), lines)
    scored = _scored(tables, ratios, report)
    alerts = alerts_section.section(report, main)
    out_dir.mkdir(parents=True, exist_ok=True)
    of_alerts = alerts.pictures if alerts else ()
    for picture in (*fans, *calibration, reliability, *scored, *of_alerts):
        (out_dir / f"{picture.name}.png").write_bytes(picture.png)
    good, why = summary.calibrated(pits[final])
    return page.write(
        out_dir / "backtest.html",
        "tasks/forecast/backtest/page.html",
        r=report,
        words=WORDS[report.frequency],
        period=report.frequency,
        facts=_facts(part, final),
        named=summary.baseline_words,
        series=summary.series(report),
        untold=[words for s, words in summary.SERIES.items() if s in absent],
        against={s: summary.against(report, s) for s in series},
        calibrated=good,
        why=why,
        losses=summary.losses(report, tables, ratios),
        scores={s: page_numbers.scores(report, s) for s in series},
        fans=fans,
        calibration=calibration,
        reliability=reliability,
        scored=scored,
        alerts=alerts,
        place=_name(report),
        beside=by_department.beside(report.baselines),
        fewest=by_department.FEWEST,
    )


def _name(report: BacktestReport) -> Callable[[str], str]:
    """What a place is called: in the country a district's name may stand for several."""
    if not report.by_department:
        return place

    def name(code: str) -> str:
        department = areas.area(code, "department")
        return place(code) if code == department else f"{place(code)}, {place(department)}"

    return name


def _facts(part: pd.DataFrame, final: str) -> dict[str, Any]:
    mine = part[part["model"] == final]
    origins = mine["origin"]
    return {
        "origins": int(origins.nunique()),
        "first": origins.min().date(),
        "last": origins.max().date(),
        "horizons": sorted(int(h) for h in mine["horizon"].unique()),
        "places": int(mine["entity"].nunique()),
    }


def _fans(
    rows: pd.DataFrame, final: str, name: Callable[[str], str]
) -> list[figures.Picture]:
    """The department first, of several those with most cases, then such districts."""
    mine = rows[rows["model"] == final]
    counts = page_numbers.visible_counts(rows, final)
    whole = list(mine[mine["series"] == "department"]["entity"].unique())
    if len(whole) > 1:
        whole, _ = page_numbers.largest(rows, final, MOST_FANS, "department")
    districts, _ = page_numbers.largest(rows, final, MOST_FANS)
    return [
        figures.fan(
            f"fan-{entity}",
            name(entity),
            mine[mine["entity"] == entity],
            counts[entity],
            wide=entity in whole,
        )
        for entity in (*whole, *districts)
    ]


def _ratios(part: pd.DataFrame, report: BacktestReport) -> dict[str, float]:
    """The final model's score over that of the best baseline, by name, most cases first.

    Districts with too few cases to be shown stand together with those past the largest.
    """
    final, other = report.final, page_numbers.best_baseline(report, "district")
    largest, rest = page_numbers.largest(part, final, MOST_RATIOS)
    groups = {page_numbers.label(u, largest): [u] for u in largest}
    if rest:
        groups[f"otros {len(rest)} / others"] = rest
    ratios = {}
    for name, entities in groups.items():
        wis = part[part["entity"].isin(entities)].groupby("model")["wis"].mean()
        if wis[other] > 0 and wis[final] > 0:
            ratios[name] = float(wis[final] / wis[other])
    return ratios


def _scored(
    tables: dict[tuple[str, str], pd.DataFrame], ratios: dict[str, float], report: BacktestReport
) -> list[figures.Picture]:
    """Scores by horizon and by year of every series, and by district."""
    pictures = []
    period, es = report.frequency, WORDS[report.frequency]
    words = {
        "horizon": (f"WIS por {es['one']}", f"{es['many']} adelante / {period}s ahead"),
        "year": ("WIS por año", "año del origen / year of the origin"),
    }
    for (key, name), table in tables.items():
        title, across = words[key]
        unit = "WIS, casos / cases"
        pictures.append(figures.by(f"wis-{key}-{name}", _of(title, name), table, unit, across))
    if ratios:
        other = page_numbers.best_baseline(report, "district")
        title = "WIS por distrito / by district"
        pictures.append(figures.ratios("wis-ratio-district", title, ratios, other))
    return pictures


def _of(what: str, series: str) -> str:
    es, en = summary.SERIES[series]
    return f"{what}: {es} / {en}"
