"""Why a forecast is what it is: what each group of features adds, and the past years most alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from serving.notes import note
from serving.study import past_seasons
from serving.study.groups import Group, Parts, parts
from yupana.core.errors import UsageError
from yupana.evaluation.outlook_rows import LEAD

EVERY, MOST = 13, 12
"""Weeks of the background: one in thirteen, so that every season counts alike, of three years."""

FEWEST_WEEKS = 4

NO_CAUSE = note(
    "no_causal_effect",
    "Dice en qué se apoyó el modelo, no por qué enferma la gente.",
    "It tells what the model leaned on, not why people fall ill.",
)


def usual(past: pd.DataFrame, origin: date) -> pd.DataFrame:
    """The weeks of a district that its forecast is compared with, the newest first.

    Args:
        past: features of the district's weeks, with `event_timestamp`.

    Raises:
        UsageError: there is not a year of them before the origin.
    """
    before = past[past["event_timestamp"].dt.date < origin].sort_values("event_timestamp")
    chosen = before.iloc[::-1].iloc[EVERY - 1 :: EVERY].head(MOST)
    if len(chosen) < FEWEST_WEEKS:
        raise UsageError(
            "La historia del distrito es demasiado corta para una explicación. / The district's "
            "past is too short for an explanation.",
            where="prediction_id",
            fix="Use el pronóstico y sus advertencias. / Use the forecast and its caveats.",
        )
    usual_weeks: pd.DataFrame = chosen.reset_index(drop=True)
    return usual_weeks


def explain(
    forecaster: Any, row: pd.DataFrame, past: pd.DataFrame, cases: pd.DataFrame, *, horizon: int
) -> dict[str, Any]:
    """What the forecast of one district leans on, in week `LEAD` or the last asked before it.

    Args:
        forecaster: the one that gave the forecast, with `description.features`.
        row: the features that it rested on, with `ubigeo` and `event_timestamp`.
        past: the district's past features, the background is chosen from them.
        cases: weekly cases of its department, see `past_seasons.nearest`.
        horizon: weeks ahead that were asked for.

    Returns:
        `horizon`, `week_ending`, `median`, `usual` (the mean of the background's medians, cases),
        `groups` (`cases` and `log`: what a group adds, summing to the difference from `usual`
        and `usual_log`; `without`: the forecast with the usual in its place), `background`,
        `seasons`, `sentences` and `caveats`.

    Raises:
        UsageError: the past is too short.
    """
    origin, ubigeo = row["event_timestamp"].iloc[0].date(), str(row["ubigeo"].iloc[0])
    weeks, lead = usual(past, origin), min(LEAD, horizon)
    found = parts(forecaster, row, weeks, forecaster.description.features, lead)
    seasons = past_seasons.nearest(cases, ubigeo, origin)
    by_group = sorted(
        (_group(found, i, group) for i, group in enumerate(found.groups)),
        key=lambda g: -abs(g["cases"]),
    )
    ends = row["event_timestamp"].iloc[0] + pd.Timedelta(weeks=lead)
    return {
        "ubigeo": ubigeo,
        "horizon": lead,
        "week_ending": str(ends.date()),
        "median": found.median,
        "usual": round(found.usual, 4),
        "usual_log": round(found.usual_log, 6),
        "groups": by_group,
        "background": _background(weeks),
        "seasons": seasons,
        "sentences": [_compared(found), *map(_sentence, by_group), *map(_season, seasons)],
        "caveats": [NO_CAUSE],
    }


def _group(found: Parts, i: int, group: Group) -> dict[str, Any]:
    return {
        "group": group.code,
        "es": group.es,
        "en": group.en,
        "cases": round(float(found.cases[i]), 4),
        "log": round(float(found.logs[i]), 6),
        "without": round(float(found.without[i]), 4),
        "median": found.median,
    }


def _background(weeks: pd.DataFrame) -> dict[str, Any]:
    first, last = (f(weeks["event_timestamp"]).date() for f in (min, max))
    return {
        "weeks": len(weeks),
        "es": f"Lo habitual: {len(weeks)} semanas de este distrito, una de cada {EVERY}, del "
        f"{first} al {last}.",
        "en": f"The usual: {len(weeks)} weeks of this district, one in {EVERY}, from {first} to "
        f"{last}.",
    }


def _compared(found: Parts) -> dict[str, str]:
    now, before = f"{found.median:g}", _cases(found.usual)
    return {
        "es": f"El modelo espera {now} casos; en las semanas habituales, {before} en promedio.",
        "en": f"The model expects {now} cases; in the usual weeks it expects {before} on average.",
    }


def _sentence(group: dict[str, Any]) -> dict[str, str]:
    before, now = _cases(group["without"]), f"{group['median']:g}"
    if before == now:
        return {
            "es": f"{group['es']}: el pronóstico no cambia.",
            "en": f"{group['en']}: the forecast does not change.",
        }
    up = group["without"] < group["median"]
    return {
        "es": f"{group['es']}: el pronóstico {'sube' if up else 'baja'} de {before} a {now} casos.",
        "en": f"{group['en']}: the forecast {'rises' if up else 'falls'} from {before} to {now} "
        "cases.",
    }


def _season(season: dict[str, Any]) -> dict[str, str]:
    told = _listed(season["followed"])
    return {
        "es": f"Las semanas anteriores al {season['week_ending']} se parecen a las de ahora; "
        f"siguieron {told} casos por semana (… no se muestra).",
        "en": f"The weeks before {season['week_ending']} were like the newest ones; {told} cases "
        "a week followed (… is not shown).",
    }


def _listed(counts: Sequence[int | None]) -> str:
    return ", ".join("…" if c is None else str(c) for c in counts)


def _cases(mean: float) -> str:
    """Whole cases, or tenths where there are few."""
    return f"{mean:.0f}" if mean >= 10 or mean == round(mean) else f"{mean:.1f}"
