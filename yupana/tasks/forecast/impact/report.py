"""The impact report of one version of a model: JSON for machines, a page for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import disclosure, whole_file
from yupana.core.errors import UsageError
from yupana.core.hashing import value_sha256
from yupana.gate import register
from yupana.gate.register_parts import UNNAMED
from yupana.predictions import feedback
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.impact import ages, bootstrap, measure, outcomes, places, text
from yupana.tasks.forecast.places import PERIODS
from yupana.tracking.versions import Version

if TYPE_CHECKING:
    import pandas as pd

    from yupana.gate.register import Costs


def make(
    settings: Settings,
    version: Version,
    day: date,
    *,
    first: date | None = None,
    last: date | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """The report of a version, from what is known on a day.

    Args:
        first: periods that end before it are left out; `last`: those that end after it.
        say: told of progress.

    Returns:
        `use_case`, `model`, `id`, `period` (`from`, `to`: days that end its periods),
        `sources` (rows by kind), `rests_on` (references), `same_forecasts`, `baseline`, `alert`
        (its definition), `costs` (None without a register; `set` is false while they are
        examples), `bootstrap` (`draws`, `run_weeks` or `run_months`, `seed`), `rules` (by group),
        `population_of`, `groups` (as `measure.GroupImpact`), `ages`, `unmeasured`, `feedback`,
        `summary` (Spanish and English, line by line), `summary_es`, `summary_en`.

    Raises:
        TerminalError: the version's files are not those of its fit.
        UsageError: there is no scored period in the span, or the split is gone.
    """
    definition = usecases.load(version.name)
    frequency, reach = definition.frequency, len(definition.horizons)
    say(f"forecast the {frequency.listing} that {version.ref} never saw …")
    outcome = outcomes.read(settings, version, day)
    rows = _between(outcome.rows, first, last)
    grouped = places.read(settings, definition, outcome.frame, sorted(rows["entity"].unique()))
    say(f"{len(rows):,} forecasts, {len(grouped.groups)} groups …")
    price = costs(settings.root, version.name)
    bands, no_ages = ages.read(settings, definition, rows)
    groups = measure.groups(rows, grouped.groups, price, reach=reach, seed=settings.seed)
    report: dict[str, Any] = {
        "use_case": version.name,
        "model": version.ref,
        "period": {"from": _day(rows["week"].min()), "to": _day(rows["week"].max())},
        "sources": {str(k): int(n) for k, n in rows["source"].value_counts().items()},
        "rests_on": [*outcome.refs, *grouped.refs],
        "same_forecasts": outcome.same,
        "baseline": outcome.baseline,
        "alert": _alert(frequency),
        "costs": _priced(price),
        "bootstrap": {
            "draws": bootstrap.DRAWS,
            f"run_{frequency.listing}": reach,
            "seed": settings.seed,
        },
        "rules": {by: {"es": es, "en": en} for by, (es, en) in grouped.rules.items()},
        "population_of": dict(zip(("es", "en"), grouped.population_of, strict=True)),
        "groups": [group.document(frequency.listing) for group in groups],
        "ages": bands,
        "unmeasured": [*grouped.unmeasured, *no_ages],
        "feedback": feedback_counts(settings.platform_db, version.name),
    }
    report["id"] = value_sha256(report)[:12]
    report["summary"] = text.summary(report, definition)
    for lang in ("es", "en"):
        report[f"summary_{lang}"] = " ".join(line[lang] for line in report["summary"])
    return report


def _alert(frequency: Frequency) -> dict[str, Any]:
    """What an alert is, and how far ahead."""
    period = PERIODS[frequency.name]
    return {
        f"{frequency.listing}_ahead": frequency.lead,
        "es": "Hay alerta si la mediana pronosticada, o el recuento, supera la mediana de "
        f"l{period.o}s mism{period.o}s {period.es_many} de años anteriores (zonas alerta y "
        "epidemia del canal endémico, Bortman 1999).",
        "en": "There is an alert if the forecast's median, or the count, is above the median of "
        f"the same {period.en_many} of past years (zones alert and epidemic of the endemic "
        "channel, Bortman 1999).",
    }


def costs(root: Path, use_case: str) -> Costs | None:
    """What the register sets as the cost of a missed alert and a false alarm; None without one."""
    if not register.path_of(root, use_case).exists():
        return None
    return register.load(root, use_case).costs


def _priced(price: Costs | None) -> dict[str, Any] | None:
    """The costs, and whether the agency has set them or they stand there as an example."""
    if price is None:
        return None
    return {**price.model_dump(mode="json"), "set": price.set_by != UNNAMED}


def feedback_counts(url: str, use_case: str) -> dict[str, int | None]:
    """How often users told what happened, or complained, and how many agencies did.

    A number from 1 to 4 is None: few askers are known to each other.
    """
    entries = feedback.newest(feedback.listing(url, use_case, datetime(1970, 1, 1, tzinfo=UTC)))
    counts = {kind: sum(f.kind == kind for f in entries) for kind in feedback.KINDS}
    counts["agencies"] = len({f.agency for f in entries})
    return {k: None if 0 < n < disclosure.FEWEST else n for k, n in counts.items()}


def _between(rows: pd.DataFrame, first: date | None, last: date | None) -> pd.DataFrame:
    import pandas as pd

    weeks = rows["week"]
    within = rows[
        (weeks >= pd.Timestamp(first or date.min.replace(year=1700)))
        & (weeks <= pd.Timestamp(last or date(2200, 1, 1)))
    ]
    if within.empty:
        raise UsageError(
            "No forecast of that period has come true yet.",
            where=f"--from {first or '…'} --to {last or '…'}",
            fix=f"The periods that are known end from {_day(weeks.min())} to {_day(weeks.max())}.",
        )
    return within.reset_index(drop=True)


def _day(moment: pd.Timestamp) -> str:
    return moment.date().isoformat()


def write(settings: Settings, report: dict[str, Any]) -> dict[str, Path]:
    """Write `reports/<use case>/impact-<id>.json` and the page beside it."""
    from yupana.tasks.forecast.impact import pages

    out = settings.reports / report["use_case"] / f"impact-{report['id']}.json"
    page = pages.write(out.with_suffix(".html"), report)
    return {"json": whole_file.write_json(out, report), "html": page}
