"""What reviewers are asked for: planted errors first, of near-duplicates one."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_texts import texts

from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.tasks.classify.labelling import out_of_sample, review
from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.review import Review


def choose(table: pl.DataFrame, labels: tuple[Label, ...] = (), most: int = 10) -> Review:
    return review.choose(table, labels, most, 1, Silent())


def with_label(table: pl.DataFrame, entity: str, label: str | None) -> pl.DataFrame:
    changed = pl.when(pl.col("entity") == entity).then(pl.lit(label)).otherwise("label")
    return table.with_columns(changed.alias("label"), pl.lit("").alias("title"))


def with_own_words(table: pl.DataFrame, entity: str) -> pl.DataFrame:
    """The text of an entity, like no other."""
    words = "Desde ayer temprano una tubería rota pierde agua, hay fuga hasta mercado"
    changed = pl.when(pl.col("entity") == entity).then(pl.lit(words)).otherwise("text")
    return table.with_columns(changed.alias("text"))


def test_a_planted_error_is_found() -> None:
    found = choose(with_label(texts(), "n004", "ruido"))
    first = found.items[0]
    assert (first.why, first.entity, first.label, first.source) == (
        "suspicious", "n004", "ruido", "publisher",
    )  # fmt: skip
    assert first.suggestion == "agua" and first.probability > 0.5 and first.score < 0.5
    assert found.suspicious == 1 and found.judged == 60 and found.agreement > 0.95


def test_nobody_is_asked_again_for_what_a_person_labelled() -> None:
    table = with_label(texts(), "n004", "ruido")
    by_person = Label("n004", "ruido", "reviewer", "person:1")
    assert "n004" not in {item.entity for item in choose(table, (by_person,), 60).items}


def test_of_near_duplicates_one_is_asked_for() -> None:
    table = with_own_words(texts(), "n004")
    twin = table.filter(pl.col("entity") == "n004")
    twins = [twin.with_columns(pl.lit(f"twin{n}").alias("entity")) for n in range(4)]
    items = choose(pl.concat([table, *twins]), most=64).items
    alike = {"n004", "twin0", "twin1", "twin2", "twin3"}
    assert len(alike & {item.entity for item in items}) == 1


def test_a_text_without_a_label_is_judged_by_all_others() -> None:
    items = choose(with_own_words(with_label(texts(), "n004", None), "n004"), most=60).items
    [mine] = [item for item in items if item.entity == "n004"]
    assert (mine.why, mine.label, mine.source, mine.suggestion) == ("uncertain", "", "", "agua")


def test_no_text_is_judged_by_its_own_group() -> None:
    """A word that only one group has tells its label to whoever learned from the group."""
    words = [f"secret{n % 3}" for n in range(30)]
    groups, labels = [f"g{n % 3}" for n in range(30)], ["a" if n % 3 else "b" for n in range(30)]
    labels[:3] = ["b", "a", "b"]
    judged = out_of_sample.probabilities(words, groups, labels, [1.0] * 30, 1)
    names = [judged.labels[i] for i in judged.probabilities.argmax(axis=1)]
    assert np.mean([one == other for one, other in zip(names, labels, strict=True)]) < 0.7


def test_a_label_of_one_group_alone_is_named_and_not_judged() -> None:
    table = texts().with_columns(
        pl.when(pl.col("label") == "luz").then(pl.lit("one")).otherwise("group").alias("group")
    )
    found = choose(table, most=5)
    assert found.alone == ("luz",) and found.judged == 40


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(TerminalError, match="0 labels") as error:
        choose(texts().with_columns(pl.lit(None, pl.String).alias("label")))
    assert "label apply" in error.value.fix


def test_the_file_for_reviewers(tmp_path: Path) -> None:
    items = choose(with_label(texts(), "n004", "ruido")).items
    risky = [items[0]._replace(text='=HYPERLINK("x")'), *items[1:]]
    lines = list(csv.DictReader(
        review.write(tmp_path / "r.csv", risky).read_text("utf-8-sig").splitlines()
    ))  # fmt: skip
    assert len(lines) == len(items) == 10 and lines[0]["text"] == '\'=HYPERLINK("x")'
    rows = json.loads(review.write(tmp_path / "r.json", items).read_text("utf-8"))
    assert rows == [item._asdict() for item in items]
    with pytest.raises(UsageError, match="xlsx"):
        review.write(tmp_path / "r.xlsx", items)
