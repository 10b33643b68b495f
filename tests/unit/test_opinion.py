"""Themes of made texts: what many say and what one thread repeats, and who could be found out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from command import yupana

from yupana.config.settings import ROOT, Settings
from yupana.core import spec
from yupana.core.disclosure import FEWEST
from yupana.core.errors import UsageError
from yupana.data.lake import delta
from yupana.database.engine import engine
from yupana.lineage import events
from yupana.tasks.classify import options
from yupana.tasks.classify.cases.tables import CASES
from yupana.tasks.classify.opinion import cells, pages, periods, report, texts
from yupana.tasks.classify.opinion.result import Opinion, Theme
from yupana.tasks.classify.opinion.texts import Texts

OPTIONS = options.of(spec.load("complaints"))
START = date(2024, 1, 1)
WATER = "El agua potable falta en nuestra cuadra y la tubería gotea de noche número {}"
LIGHT = "La farola del parque quedó apagada y la vereda oscura asusta a cualquiera {}"


def row(
    n: int, label: str, group: str, text: str, day: date, area: str = "norte"
) -> dict[str, Any]:  # fmt: skip
    return {"entity": f"t{n}", "day": day, "text": text, "label": label, "group": group,
            "area": area}  # fmt: skip


def town(weeks: int = 12) -> list[dict[str, Any]]:
    """Two labels of twelve threads, a text of each in each week."""
    number = count()
    return [
        row(next(number), label, f"{label}-{thread}", text.format(f"{thread}"),
            START + timedelta(7 * week + thread % 5), ("norte", "sur")[thread % 2])
        for label, text in (("agua", WATER), ("luz", LIGHT))
        for thread in range(12) for week in range(weeks)
    ]  # fmt: skip


def made(rows: list[dict[str, Any]], by: tuple[str, ...] = ("area",), weeks: int = 12) -> Opinion:
    last = START + timedelta(7 * weeks - 1)
    whole = Texts(pl.DataFrame(rows).sort("day", "entity"), by, START, last)
    return report.make("town", "published", whole, OPTIONS, ("delta:published/town@0",), seed=1)


def theme(opinion: Opinion, label: str) -> Theme:
    return next(t for t in opinion.themes if t.label == label)


def test_what_one_thread_repeats_is_not_what_people_say() -> None:
    loud = [row(9000 + n, "agua", "agua-0", f"cloacas hediondas {n}", START) for n in range(9)]
    # The smaller a label, the more its prior would speak where nobody says a word.
    early = [r for r in town() if r["label"] == "luz" or r["day"] < START + timedelta(14)]
    opinion = made([*early, *loud])
    sure = {w for t in theme(opinion, "agua").terms if t.interval for w in t.words.split()}
    assert {"agua", "tubería"} & sure and not {"cloacas", "hediondas"} & sure
    assert "farola" in {w for t in theme(opinion, "luz").terms for w in t.words.split()}
    low, high = theme(opinion, "agua").interval or (0, 0)
    assert low < theme(opinion, "agua").share < high


def test_a_change_is_told_of_many_threads_and_not_known_of_few() -> None:
    more = [
        row(9000 + 100 * n + thread, "agua", f"agua-{thread}", WATER.format(thread),
            START + timedelta(7 * 8 + n % 28))
        for thread in range(12) for n in range(12)
    ]  # fmt: skip
    before = theme(made([*town(), *more]), "agua").changes[0]
    assert before.against == "before" and before.says == "more"
    assert before.ratio and before.interval and before.interval[0] > 1
    still = theme(made([*town(), *more]), "luz").changes
    assert still[0].says == "unsure" and still[1].says == "unknown"
    few = [one for one in town() if one["group"] in ("agua-0", "agua-1", "luz-0", "luz-1")]
    assert {c.says for t in made(few).themes for c in t.changes} == {"unknown"}
    assert "no se sabe" in pages.says(still[1]).es


def test_the_first_and_last_days_bound_what_is_compared() -> None:
    weeks = periods.of(date(2024, 1, 3), date(2024, 3, 5))
    assert weeks.every == "week" and weeks.starts[0] == date(2024, 1, 1)
    assert not weeks.finished[0] and not weeks.finished[-1] and weeks.blocks[-1] == -1
    assert weeks.is_whole(0) and weeks.is_whole(1) and not weeks.is_whole(2)
    months = periods.of(date(2022, 12, 1), date(2024, 12, 31))
    assert months.every == "month" and months.starts[-1] == date(2024, 12, 1)
    assert months.blocks[-3:] == (0, 0, 0) and months.is_whole(periods.YEAR["month"])


@pytest.mark.parametrize("seed", range(5))
def test_no_small_count_follows_from_the_others(seed: int) -> None:
    import numpy as np

    counts = np.random.default_rng(seed).poisson(4, 16)
    blocks = [3] * 4 + [2] * 4 + [1] * 4 + [0] * 4
    shown, totals = cells.over_time(counts, blocks)
    assert not any(0 < n < FEWEST for n in [*(c for c in shown if c), *totals.values()])
    for block in set(blocks):
        mine = [n for n, of in enumerate(blocks) if of == block]
        hidden = [int(counts[n]) for n in mine if shown[n] is None]
        if block in totals and hidden:
            # All but one of the hidden may hold the least, so that the last may be five.
            assert sum(hidden) - (len([h for h in hidden if h]) - 1) >= FEWEST


def test_of_a_hidden_cell_no_text_is_quoted_and_of_a_small_label_nothing_is_told() -> None:
    typical = WATER.format("número") + " y el agua"
    rows = [{**r, "text": r["text"][:45]} if r["label"] == "agua" else r for r in town()]
    rows.append(row(9000, "agua", "agua-extra", typical, START, area="isla"))
    rows += [row(9100 + n, "ruido", f"r{n}", "El bar pone música a todo volumen siempre", START)
             for n in range(3)]  # fmt: skip
    opinion = made(rows)
    assert theme(made(rows, by=()), "agua").quotes == (typical,)
    assert theme(opinion, "agua").quotes == ()
    island = next(p for p in theme(opinion, "agua").parts if p.of == "isla")
    assert island.n is None and island.share is None
    assert "ruido" not in str(report.document(opinion)["themes"])
    # With the total of all texts one label alone would tell of the small one.
    assert len(opinion.hidden) == 2 and "música" not in str(report.document(opinion))


def publish(home: Path, more: str = "") -> Settings:
    settings = Settings(root=ROOT, home=home)
    rows = pl.read_csv(ROOT / "samples" / "citizen_comments.csv", infer_schema_length=1000)
    rows = rows.rename({"id": "comment_id", "proposalId": "thread_id", "proposal_title": "title",
                        "topic_derived": "topic"})  # fmt: skip
    rows = rows.with_columns(
        # Of one day: in none of its weeks are so few that nobody may be quoted.
        pl.lit(START).alias("date"), pl.col("text").str.slice(0, 150) + more,
        pl.col("comment_id").cast(pl.String),
    )
    table = settings.table("published", "citizen_comments")
    table.parent.mkdir(parents=True, exist_ok=True)
    rows.write_delta(table, mode="overwrite")
    ref = f"delta:published/citizen_comments@{delta.version_of(table)}"
    events.append(settings, "ingest", "citizen_comments", status="done", outputs=(ref,))
    return settings


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Settings]:
    yield publish(tmp_path / "home", " Llamen al 987654321 o a ana.rojas@example.com por favor ya.")
    shutil.rmtree(tmp_path)


def test_the_command_writes_once_masks_and_is_there_under_the_use_case(home: Settings) -> None:
    first = yupana(home, "opinion", "complaints", "--json").json()
    assert first["status"] == "done" and first["texts"] == 120
    again = yupana(home, "complaints", "opinion", "--json").json()
    assert again["status"] == "unchanged" and again["outputs"] == first["outputs"]
    whole = Path(first["json"]).read_text("utf-8") + Path(first["html"]).read_text("utf-8")
    assert "987654321" not in whole and "ana.rojas" not in whole
    assert "[TELÉFONO]" in whole and '<html lang="es">' in whole
    few = yupana(home, "opinion", "complaints", "--since", "2030-01-01")
    assert few.code == 2 and "Texts are of" in few.stderr
    assert yupana(home, "opinion", "complaints", "--source", "rumours").code == 2


def test_cases_are_read_as_they_are_handled(tmp_path: Path) -> None:
    settings = Settings(root=ROOT, home=tmp_path)
    with pytest.raises(UsageError, match="no text"):
        texts.read(settings, "complaints", "cases", None, None)
    plain: dict[str, Any] = {
        "use_case": "complaints", "secret": b"", "body": "", "channel": "web", "title": "",
        "place": {"area": "Lima"}, "language": "es", "state": "department", "confidence": 0.9,
        "label": "animales", "model": "", "prediction_id": "", "priority": "", "rank": 0,
        "department": "", "taken_by": "", "transfers": 0, "objections": 0, "fingerprint": "",
        "version": 1, "claimed_by": "", "abstention": "", "duplicate_of": "",
    }  # fmt: skip
    now = datetime(2024, 5, 1, tzinfo=UTC)
    differs: list[dict[str, Any]] = [
        {}, {"abstention": "not_sure"}, {"duplicate_of": "c0", "place": {}}
    ]  # fmt: skip
    with engine(settings.platform_db).begin() as connection:
        for n, other in enumerate(differs):
            connection.execute(sa.insert(CASES).values({
                **plain, "id": f"c{n}", "receipt": f"R{n}", "received": now, "deadline": now,
                "text": f"Mi DNI es 45678912 y hay perros {n}", **other,
            }))  # fmt: skip
    found = texts.read(settings, "complaints", "cases", None, None)
    assert found.rows["label"].to_list() == ["animales", None, "animales"]
    assert found.rows["group"].to_list() == ["c0", "c1", "c0"]
    assert found.rows["area"].to_list() == ["Lima", "Lima", "unknown"]
    assert "45678912" not in str(found.rows["text"].to_list()) and found.first == now.date()
