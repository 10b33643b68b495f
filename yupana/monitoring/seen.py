"""What a run of the monitor on a day can see, by reference: the same until something of it changes.

Whatever is published, forecast or answered for later weeks leaves these references as they are, so
that an earlier week is not watched again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from types import ModuleType

from yupana.config.settings import Settings
from yupana.data import delta, history
from yupana.features import as_known
from yupana.governance import events


@dataclass(frozen=True)
class Seen:
    """References of what was known on a day.

    Attributes:
        features: version of the feature table; None where none was made from what was known then,
            and the newest stands for it.
        refs: of features, forecasts and published tables.
        hindsight: some of it was published or made later, so that the day itself matters.
    """

    features: int | None
    refs: tuple[str, ...]
    hindsight: bool


def seen(settings: Settings, use_case: str, room: ModuleType, day: date) -> Seen:
    """What there is for a day.

    Args:
        room: `feature_repo/<use case>_weekly.py`.

    Raises:
        TerminalError: a source was never published.
    """
    known = as_known.versions(settings, room, day)
    features = _features(settings, use_case, room, day)
    refs = []
    if delta.exists(settings.table("features", room.TABLE)):
        then = f"delta:features/{room.TABLE}@{features}"
        refs.append(_newest(settings, "features", room.TABLE) if features is None else then)
    if delta.exists(settings.table("forecasts", use_case)):
        refs += _forecasts(settings, use_case, day)
    return Seen(features, (*refs, *known.refs), known.hindsight or features is None)


def _features(settings: Settings, use_case: str, room: ModuleType, day: date) -> int | None:
    """The last version of the feature table that was made from publications known by the day."""
    known = {
        f"delta:published/{name}@{version}"
        for name in (*room.SOURCES, *room.OPTIONAL)
        for p in history.published_versions(settings.table("published", name))
        if p.known_on <= day
        for version in p.commits
    }
    found = None
    for event in _done(settings, "features", use_case):
        sources = event["facts"].get("sources", [])
        if sources and known.issuperset(sources):
            found = delta.parts(event["outputs"][0])[2]
    return found


def _forecasts(settings: Settings, use_case: str, day: date) -> tuple[str, ...]:
    """The last version of the forecasts that brought an origin by the day, if one did; the newest
    where the event log tells of none."""
    made = [
        (date.fromisoformat(event["facts"]["data_as_of"]), event["outputs"][0])
        for event in _done(settings, "forecast", use_case)
    ]
    if not made:
        return (_newest(settings, "forecasts", use_case),)
    return tuple(ref for origin, ref in made if origin <= day)[-1:]


def _newest(settings: Settings, zone: str, name: str) -> str:
    return delta.ref(settings.lake, zone, name).ref


def _done(settings: Settings, step: str, use_case: str) -> Iterator[events.Event]:
    for event in events.read(settings.events):
        if (event["step"], event["subject"], event["status"]) == (step, use_case, "done"):
            yield event
