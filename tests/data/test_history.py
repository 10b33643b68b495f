"""Which version was known when, read back from real Delta logs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import small_lake
from small_lake import NAME, day

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts import contract
from yupana.data.lake import delta, history


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    """Two publications of one file and one of another, with a tidying commit after the first."""
    settings = small_lake.make(tmp_path)
    table = settings.table("published", NAME)
    rows = small_lake.frame()
    assert small_lake.publish(settings, rows, known_on="2024-04-01", source="a") == 0
    small_lake.commit(table, rows, None)
    assert small_lake.publish(settings, rows, known_on="2024-05-01", source="b") == 2
    assert small_lake.publish(settings, rows, known_on="2024-05-01", source="a") == 3
    return settings


def test_publications_are_told_oldest_first_with_what_the_commit_says(lake: Settings) -> None:
    publications = history.published_versions(lake.table("published", NAME))
    assert [(p.version, p.tidy_version) for p in publications] == [(0, 1), (2, 2), (3, 3)]
    first = publications[0]
    assert first.known_on == day("2024-04-01")
    assert first.rows == {"read": 60, "published": 60, "quarantined": 0}
    assert (first.source, first.source_sha256, first.run) == ("a.csv", "a" * 64, "run-a")
    assert first.contract_sha256 == contract.load(lake.root, NAME).sha256


@pytest.mark.parametrize(
    ("on", "version"),
    [("2024-04-01", 0), ("2024-04-30", 0), ("2024-05-01", 3), ("2030-01-01", 3)],
)
def test_version_known_on_a_day(lake: Settings, on: str, version: int) -> None:
    assert history.version_as_of(lake.table("published", NAME), day(on)) == version


def test_before_the_first_version_says_since_when(lake: Settings) -> None:
    with pytest.raises(UsageError) as caught:
        history.version_as_of(lake.table("published", NAME), day("2024-03-31"))
    assert "2024-04-01" in caught.value.fix


def test_a_tidied_version_belongs_to_its_publication(lake: Settings) -> None:
    table = lake.table("published", NAME)
    assert history.at_version(table, 1).version == 0
    assert history.at_version(table).version == 3
    with pytest.raises(UsageError, match="no published version 9"):
        history.at_version(table, 9)


def test_what_stands_is_what_is_published_now_or_was_known_then(lake: Settings) -> None:
    table = lake.table("published", NAME)
    sha256 = contract.load(lake.root, NAME).sha256

    def version(
        source: str, contract_sha256: str = sha256, on: str | None = None, **table_is: bool
    ) -> int | None:
        publication = history.standing(
            table,
            source_sha256=source * 64,
            contract_sha256=contract_sha256,
            known_on=day(on) if on else None,
            **table_is,
        )
        return publication.version if publication else None

    assert version("a") == 3, "the newest of two"
    assert version("a", on="2024-04-01") == 0
    assert version("b", on="2024-04-01") is None
    assert version("b") is None, "a later file took its place"
    assert version("b", adds_up=True, replaced=True) is None, "its rows are not there any more"
    assert version("a", adds_up=True) == 3
    assert version("a", contract_sha256="other") is None
    assert version("c") is None


def test_no_table_is_no_publication(tmp_path: Path) -> None:
    lake = small_lake.make(tmp_path)
    table = lake.table("published", NAME)
    assert history.published_versions(table) == []
    with pytest.raises(TerminalError) as caught:
        history.at_version(table)
    assert f"yupana ingest {NAME}" in caught.value.fix


def test_a_long_history_is_read_fast(tmp_path: Path) -> None:
    table = tmp_path / "published" / NAME
    table.parent.mkdir()
    rows = small_lake.frame(weeks=range(1, 2), each=1)
    for number in range(30):
        facts = {"source_sha256": "a", "known_on": f"2024-01-{1 + number:02}"}
        small_lake.commit(table, rows, delta.commit_metadata(**facts))
    start = time.perf_counter()
    assert history.version_as_of(table, day("2024-01-07")) == 6
    assert time.perf_counter() - start < 0.3
