"""The backtest in sentences, Spanish and English: who wins by how much, and where we lose."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from yupana.tasks.forecast.backtest import page_numbers
from yupana.tasks.forecast.pages.words import WORDS
from yupana.tasks.forecast.scoring import calibration

if TYPE_CHECKING:
    import pandas as pd

    from yupana.tasks.forecast.backtest.report import BacktestReport

SERIES = {"district": ("distritos", "districts"), "department": ("departamento", "department")}
_MEASURES = {
    "wis": ("WIS", "WIS"),
    "wis_log": ("WIS en log", "WIS on logs"),
    "mae": ("error absoluto", "absolute error"),
}
_NAMES = {
    "last_value": ("último valor", "last value"),
    "seasonal": ("estacional", "seasonal"),
    "ar": ("autorregresivo", "autoregression"),
}
FEWEST_90, MOST_90, FEWEST_50 = 0.88, 0.95, 0.48


class Said(NamedTuple):
    """A sentence in two languages."""

    es: str
    en: str


def series(report: BacktestReport) -> dict[str, tuple[str, str]]:
    """What each series is called, Spanish and English: the country has several departments."""
    if not report.by_department:
        return SERIES
    return {**SERIES, "department": ("departamentos", "departments")}


def baseline_words(model: str) -> Said:
    """A baseline with what it does in words; other models keep their name."""
    es, en = _NAMES.get(model, ("", ""))
    return Said(f"{model} ({es})" if es else model, f"{model} ({en})" if en else model)


def against(report: BacktestReport, series: str) -> list[tuple[str, float, Said]]:
    """Baseline, change of the error in % (below 0 is better), and that in words."""
    scores, final = page_numbers.scores(report, series), report.final
    comparisons = []
    for model in report.baselines:
        if model not in scores:
            continue
        change = page_numbers.change(scores, final, model)
        es, en = ("menos", "lower") if change < 0 else ("más", "higher")
        size = f"{abs(change):.1f} %"
        other = baseline_words(model)
        sentence = Said(
            f"{size} {es} de error que {other.es}", f"an error {size} {en} than {other.en}"
        )
        comparisons.append((model, change, sentence))
    return comparisons


def calibrated(pit: page_numbers.Array) -> tuple[bool, Said]:
    """Whether forecasts are calibrated by their randomised PIT, and why or why not.

    Calibrated: every tenth within 3 points of 10 %, the central 90 % interval holding 88-95 %
    of the counts, the 50 % interval not less than 48 %.
    """
    worst = max(abs(share - 0.1) for share in calibration.deciles(pit))
    inside = calibration.central_shares(pit)
    at_50, at_90 = inside["50"], inside["90"]
    good = worst <= calibration.BAND and FEWEST_90 <= at_90 <= MOST_90 and at_50 >= FEWEST_50
    es = f"el décimo del PIT más alejado está a {100 * worst:.1f} puntos de 10 % (límite: 3); "
    es += f"el intervalo de 90 % contiene {100 * at_90:.1f} % de los recuentos (88 a 95) "
    es += f"y el de 50 %, {100 * at_50:.1f} % (48 o más)"
    en = f"the PIT's farthest tenth is {100 * worst:.1f} points from 10 % (limit: 3); "
    en += f"the 90 % interval holds {100 * at_90:.1f} % of the counts (88 to 95) "
    en += f"and the 50 % one {100 * at_50:.1f} % (48 or more)"
    return good, Said(es, en)


def losses(
    report: BacktestReport,
    tables: dict[tuple[str, str], pd.DataFrame],
    ratios: dict[str, float],
) -> list[Said]:
    """Where a baseline is as good or better than the final model; empty when nowhere.

    Args:
        tables: mean score of each model (column), by (`horizon` or `year`, series).
        ratios: the score over that of the best baseline, by district's name.
    """
    final, sentences = report.final, []
    for series in dict.fromkeys(series for _, series in tables):
        scores, of = page_numbers.scores(report, series), SERIES[series]
        for measure, measured in _MEASURES.items():
            ours = scores[final][measure]
            if who := ", ".join(
                m for m in report.baselines if m in scores and scores[m][measure] <= ours
            ):
                es, en = f"{of[0]}, {measured[0]}: {who}", f"{of[1]}, {measured[1]}: {who}"
                sentences.append(Said(es, en))
    words = {
        "horizon": (
            f"{WORDS[report.frequency]['many']} adelante", f"{report.frequency}s ahead"
        ),
        "year": ("año del origen", "year of the origin"),
    }
    for (key, series), table in tables.items():
        least = table.drop(columns=final).min(axis=1)
        if worst := ", ".join(str(i) for i in table.index[table[final] >= least]):
            of, by = SERIES[series], words[key]
            sentences.append(Said(f"{of[0]}, {by[0]}: {worst}", f"{of[1]}, {by[1]}: {worst}"))
    worse = [name for name, ratio in ratios.items() if ratio >= 1]
    if worse:
        names = ", ".join(worse[:12]) + (" …" if len(worse) > 12 else "")
        sentences.append(
            Said(
                f"{len(worse)} de {len(ratios)} distritos o grupos: {names}",
                f"{len(worse)} of {len(ratios)} districts or groups",
            )
        )
    return sentences
