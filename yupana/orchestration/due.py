"""Whether a use case's model should be trained now: by its age, or because monitoring asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.lineage import events
from yupana.tracking import aliases


@dataclass(frozen=True)
class Due:
    """A decision, and the reason in words."""

    due: bool
    reason: str


def due(settings: Settings, use_case: str, day: date | None = None) -> Due:
    """Whether to train, from the registry's alias and the event log.

    Yes when there is no champion, when the feature table is `retrain_weeks` or more ahead of the
    one that the champion's training set came from, or when the newest `monitor` of the champion
    asks for it: the data stand, and what is asked or how well it forecasts has moved. Not within
    `retrain_weeks` of a training whose model was refused, or was replaced by a person: on nearly
    the same data the next one would be no other.

    Args:
        day: ask instead whether a model is needed that knows only what was known on this day.

    Raises:
        TerminalError: there is no feature table yet.
        TransientError: the registry cannot be reached.
    """
    if day is not None:
        return _of_day(settings, use_case, day)
    features = events.output(settings.events, "features", use_case)
    newest = _newest_week(events.producer(settings.events, features))
    try:
        model = aliases.champion(settings, use_case)
    except TerminalError:
        return Due(True, "there is no champion")
    last_week = _week_of(settings, model)
    if last_week is None:
        return Due(True, f"what {model} was trained on is not in the event log")
    if fresh := _too_fresh(settings, use_case, model, newest):
        return Due(False, fresh)
    behind = (newest - last_week).days // 7
    if behind >= settings.retrain_weeks:
        reason = f"{model} was made from data to {last_week}, {behind} weeks before {newest}"
        return Due(True, reason)
    if drifted := _drift(settings, use_case, model):
        return Due(True, drifted)
    return Due(False, f"{model} was made from data to {last_week}; the newest week is {newest}")


def _of_day(settings: Settings, use_case: str, day: date) -> Due:
    from yupana.tracking import past_models

    try:
        version, _ = past_models.by(settings, use_case, day)
    except UsageError as error:
        return Due(True, error.what)
    return Due(False, f"model:{use_case}@{version} knew nothing later than {day}")


def _too_fresh(settings: Settings, use_case: str, champion: str, newest: date) -> str:
    """Why the newest training, whose model is not champion, is too fresh for another; empty where
    it is not."""
    registrations = events.done(settings.events, "register", use_case)
    latest = next((e for e in registrations if not _of_past_day(settings, e)), None)
    if latest is None:
        return ""
    model, wait = latest["outputs"][0], timedelta(weeks=settings.retrain_weeks)
    week = _week_of(settings, model)
    if model == champion or week is None or newest - week >= wait:
        return ""
    refused = latest["facts"].get("alias") == "challenger"
    why = latest["facts"].get("reason", "no better") if refused else "another was promoted since"
    return f"{model}, made from data to {week}, is not champion ({why}); next from {week + wait} on"


def _of_past_day(settings: Settings, registration: events.Event) -> bool:
    """Whether a model was trained on a past day's knowledge: it never was to be champion."""
    candidate = events.maker(settings.events, registration["inputs"][0])
    split = candidate and events.maker(settings.events, candidate["inputs"][0])
    return bool(split and split["facts"].get("as_of"))


def _newest_week(features: events.Event) -> date:
    return date.fromisoformat(features["facts"]["data_as_of"])


def _week_of(settings: Settings, model: str) -> date | None:
    """Last day of the newest week in the table that a model's training set was made from."""
    try:
        registration = events.producer(settings.events, model)
        training_set = events.producer(settings.events, registration["inputs"][0])
        split = events.producer(settings.events, training_set["inputs"][0])
        week = _newest_week(events.producer(settings.events, split["inputs"][0]))
    except UsageError:
        return None
    as_of = split["facts"].get("as_of")
    return min(week, date.fromisoformat(as_of)) if as_of else week


def _drift(settings: Settings, use_case: str, model: str) -> str:
    """Why monitoring asks for training; empty where it does not."""
    runs = events.done(settings.events, "monitor", use_case)
    of_it = (event["facts"] for event in runs if model in event["inputs"])
    # An earlier period may have been looked at after a later one; of one the newest counts.
    facts: dict[str, Any] = max(of_it, key=lambda f: str(f.get("period", "")), default={})
    if "retrain" in facts:
        # What the alarms ask for; nothing while a fault of the data is open (monitoring.check).
        return f"monitoring of {model}: {'; '.join(facts['retrain'])}" if facts["retrain"] else ""
    share = facts.get("share_drifted", 0)
    if share < settings.retrain_drift:
        return ""
    return f"monitoring found {100 * share:.0f} % of the columns of {model} drifted"
