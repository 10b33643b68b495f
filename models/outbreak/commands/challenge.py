"""`yupana outbreak challenge`: forecasts under the rules of an open forecasting challenge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.console.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.outbreak.challenge.season_targets import City, Counts

Train = Annotated[Path, typer.Option(help="CSV of the training seasons.")]
Test = Annotated[
    Path | None,
    typer.Option(help="CSV of later seasons. Without it the training seasons are scored."),
]
Out = Annotated[Path, typer.Option(help="The scores, a JSON file.")]
CityName = Annotated[
    str | None,
    typer.Option("--city", help="iquitos or san_juan; else told by when its season starts."),
]


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(challenge)


def challenge(
    train: Train,
    out: Out,
    test: Test = None,
    city: CityName = None,
    as_json: AsJson = False,
) -> None:
    """Forecast dengue seasons by the CDC/NOAA project's protocol and write their log scores.

    At weeks 0, 4, … 48 of each season: probabilities over the official bins for the week of the
    peak, the cases of that week and the cases of the season. A forecast sees the seasons before
    and the season's first weeks, never more. The score is the mean logarithm of the probability
    given to what came true: 0 is perfect, a guess over all bins about -8.5 for the three
    targets together. 0-24 is the mean of weeks 0 to 24, 0-48 of all thirteen.

    The files need the columns season, season_week, week_start_date and total_cases, 52 weeks a
    season. A test file may repeat the training seasons. Without --test, each training season
    from the fourth on is forecast from those before it.

    Example: yupana outbreak challenge --train samples/iquitos_weekly_2000_2009.csv --out
    scores.json
    """
    import json
    import time

    from models.outbreak.challenge import run
    from yupana.config.settings import settings
    from yupana.core.errors import UsageError
    from yupana.core.progress import Lines

    if out.is_dir() or not out.absolute().parent.is_dir():
        raise UsageError(
            "The scores cannot be written there.",
            where=str(out),
            fix="Give --out the path of a file in a folder that exists.",
        )
    start = time.monotonic()
    place, seasons, test_seasons = _seasons(train, test, city)
    scores = run.rolling(place, seasons, settings().seed, Lines())
    labels = [label for label in scores if label in test_seasons]
    every = {who: run.report(scores, labels, who) for who in scores[labels[0]]}
    out.write_text(json.dumps(every[run.POOL], indent=2) + "\n")
    facts = {"city": place.name, "seasons": labels, "out": str(out)}
    if as_json:
        seconds = round(time.monotonic() - start, 1)
        print(json.dumps({**every[run.POOL], **facts, "all": every, "seconds": seconds}))
    else:
        _show(every, labels, place, out)


def _seasons(
    train: Path, test: Path | None, name: str | None
) -> tuple[City, dict[str, Counts], Sequence[str]]:
    """City, all seasons in order, and the labels of those whose scores are asked for."""
    from models.outbreak.challenge import season_file, season_set

    seasons, day = season_file.read(train)
    place, test_seasons = season_set.city(name, day, str(train)), list(seasons)
    if test is not None:
        later, day = season_file.read(test)
        if name is None:
            season_set.same_city(place, season_set.city(None, day, str(test)), str(test))
        before = set(seasons)
        seasons = season_set.join(seasons, later, str(test))
        test_seasons = [season for season in seasons if season not in before]
    season_set.follow_each_other(seasons, str(test or train))
    return place, seasons, test_seasons


def _show(every: dict[str, Any], labels: Sequence[str], city: City, out: Path) -> None:
    """Mean log scores for people: the pool, what it is made of, what it is compared with."""
    spans = list(every["pool"]["sum"])
    print(f"{city.name}, seasons {labels[0]} to {labels[-1]}: mean log score, weeks {spans}")
    targets = list(every["pool"]["mean_log_score"])
    print(f"{'':14}" + "".join(f"{target:>18}" for target in [*targets, "sum"]))
    for who, scores_of in every.items():
        cells = [*(scores_of["mean_log_score"][t] for t in targets), scores_of["sum"]]
        words = (" / ".join(f"{cell[span]:.2f}" for span in spans) for cell in cells)
        print(f"{who:14}" + "".join(f"{word:>18}" for word in words))
    print(f"scores → {out}")
