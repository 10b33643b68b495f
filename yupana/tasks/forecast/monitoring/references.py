"""What a run of the monitor on a day can see, by reference: the same until something of it changes.

Whatever is published, forecast or answered for later periods leaves these references as they are,
so that an earlier period is not checked again.
"""

from __future__ import annotations

from datetime import date

from yupana.config.settings import Settings
from yupana.core.hashing import file_sha256
from yupana.data.lake import delta, history
from yupana.lineage import events
from yupana.monitoring.kind import Inputs
from yupana.tasks.forecast.checks import norms
from yupana.tasks.forecast.dataset import vintage
from yupana.tasks.forecast.usecases import ForecastUseCase


def on_day(settings: Settings, definition: ForecastUseCase, day: date) -> Inputs:
    """What there is for a day.

    Args:
        definition: the use case.

    Raises:
        TerminalError: a source was never published.
    """
    name, table = definition.spec.name, definition.spec.features.table
    sources = vintage.versions(settings, definition, day)
    features = _features(settings, definition, day)
    refs: list[str] = []
    if delta.exists(settings.table("features", table)):
        newest = features is None
        exact = f"delta:features/{table}@{features}"
        refs.append(_newest(settings, "features", table) if newest else exact)
    if delta.exists(settings.table("forecasts", name)):
        refs += _forecasts(settings, name, day)
    path = norms.path_of(name)
    files = (file_sha256(path),) if path.exists() else ()
    hindsight = sources.hindsight or features is None
    return Inputs(features, (*refs, *sources.refs), hindsight, files)


def _features(settings: Settings, definition: ForecastUseCase, day: date) -> int | None:
    """The last version of the feature table that was made from publications known by the day."""
    data = definition.spec.data
    public = {
        f"delta:published/{name}@{version}"
        for name in (*data.required, *data.optional)
        for p in history.published_versions(settings.table("published", name))
        if p.known_on <= day
        for version in p.commits
    }
    event = events.last_done(
        settings.events, "features", definition.spec.name,
        lambda e: bool(sources := e["facts"].get("sources")) and public.issuperset(sources),
    )  # fmt: skip
    return delta.parts(event["outputs"][0])[2] if event else None


def _forecasts(settings: Settings, use_case: str, day: date) -> tuple[str, ...]:
    """The last version of the forecasts that brought an origin by the day, if one did; the newest
    where the event log tells of none."""
    events_of = list(events.done(settings.events, "forecast", use_case))
    if not events_of:
        return (_newest(settings, "forecasts", use_case),)
    by_day = (e for e in events_of if date.fromisoformat(e["facts"]["data_as_of"]) <= day)
    return tuple(str(event["outputs"][0]) for event in by_day)[:1]


def _newest(settings: Settings, zone: str, name: str) -> str:
    return delta.ref(settings.lake, zone, name).ref
